"""Looking numbers up, by both clients."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from treq.testing import RequestTraversalAgent
from twisted.internet.task import Clock

from rapida_tw.client import Rapida, api
from rapida_tw.client import twisted as deferred
from tests.client.server import Server, success
from tests.client.test_twisted import Answers

FOUND = {"number": "+15550100001", "countryCode": "US", "currentCarrier": None}


def test_insight() -> None:
    """A plus is escaped on its way, what is not given is left out."""
    with Server() as server:
        server.answers["GET", "/v1/number-insight"] = success(FOUND)
        found = Rapida("rpd-secret", server.url).numbers.insight("+15550100001", "standard")
    assert (found.number, found.country_code, found.current_carrier) == ("+15550100001", "US", None)
    query = parse_qs(urlsplit(server.asked[0][1]).query)
    assert query == {"number": ["+15550100001"], "level": ["standard"]}


def test_deferred() -> None:
    """The same, with a Deferred."""
    answers = Answers()
    answers.script = [success(FOUND)]
    agent = RequestTraversalAgent(answers)
    client = deferred.Rapida("rpd-secret", "http://server.example", reactor=Clock(), agent=agent)
    heard: list[object] = []
    client.numbers.insight("+15550100001", credential_id=7, raw=True).addCallback(
        lambda found: heard.append(found.data)
    )
    assert heard == [FOUND]
    assert answers.asked[0][1].endswith(
        "?number=%2B15550100001&level=basic&credentialId=7&raw=true"
    )


def test_once() -> None:
    """What costs is not repeated."""
    assert not api.look_up_number("+15550100001").repeatable
