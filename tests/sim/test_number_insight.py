"""Vonage's Number Insight as the farm has it, and what follows it."""

from __future__ import annotations

from typing import Any

from rapida_tw.sim.number_insight import Insight
from tests.sim.outgoing import basic
from tests.sim.test_vonage_rest import SECRET, Vonage


def look_up(vonage: Vonage, level: str, number: str, headers: dict[str, str]) -> Any:
    path = f"/ni/{level}/json?number={number}"
    return vonage.ask(vonage.rest, "GET", path, headers=headers).json


def test_insight() -> None:
    """Each level tells more; by HTTP Basic or in the query, and of a number what was set for it."""
    vonage = Vonage()
    vonage.rest.insights.numbers["15550100001"] = Insight(network_type="landline")
    key = basic("a1b2c3d4", SECRET)
    assert "current_carrier" not in look_up(vonage, "basic", "15550100001", key)
    standard = look_up(vonage, "standard", "15550100001", key)
    assert standard["current_carrier"]["network_type"] == "landline"
    queried = f"15550100001&api_key=a1b2c3d4&api_secret={SECRET}"
    assert look_up(vonage, "advanced", queried, {})["valid_number"] == "valid"
    assert vonage.rest.troubles.complaints == {}


def test_insight_in_part() -> None:
    """A live lookup that was not returned leaves what is known."""
    vonage = Vonage()
    vonage.rest.insights.numbers["15550100001"] = Insight(status=43)
    told = look_up(vonage, "advanced", "15550100001", basic("a1b2c3d4", SECRET))
    assert (told["status"], told["roaming"], told["lookup_outcome"]) == (43, "unknown", 1)


def test_insight_refused() -> None:
    """Errors are statuses in an answer with HTTP 200."""
    vonage = Vonage()
    assert look_up(vonage, "basic", "15550100001", basic("a1b2c3d4", "wrong"))["status"] == 4
    assert look_up(vonage, "basic", "nobody", basic("a1b2c3d4", SECRET))["status"] == 3


def test_identity() -> None:
    """Its successor tells what was asked for."""
    vonage = Vonage()
    asked = {"phone_number": "15550100001", "insights": {"format": {}, "current_carrier": {}}}
    told = vonage.send("POST", "/identity-insights/v1/requests", asked)
    assert told.status == 200
    assert list(told.json["insights"]) == ["format", "current_carrier"]
    assert told.json["insights"]["current_carrier"]["network_type"] == "MOBILE"
    bad = vonage.send("POST", "/identity-insights/v1/requests", {**asked, "insights": {"x": {}}})
    assert (bad.status, bad.json["title"]) == (422, "Unprocessable Entity")


def test_balance() -> None:
    """The account itself can be asked for, too."""
    vonage = Vonage()
    path = f"/account/get-balance?api_key=a1b2c3d4&api_secret={SECRET}"
    assert vonage.ask(vonage.rest, "GET", path).json["value"] == 10.28
    assert vonage.ask(vonage.rest, "GET", "/account/get-balance").status == 401
