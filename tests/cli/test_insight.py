"""`rapida insight`, against a server that answers as it is told."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from rapida_tw.carriers.insight import Insight, Level, Network, Owner, insight_document
from tests.cli.conftest import Rapida
from tests.client.server import Server, refused, success

NUMBER = "+15550100001"
FULL = Insight(
    NUMBER,
    Level.ADVANCED,
    "number-insight",
    "(555) 010-0001",
    "US",
    "United States",
    valid=True,
    reachable=False,
    reachability="absent",
    ported=True,
    roaming=True,
    roaming_countries=("DE",),
    current=Network("AT&T", "310090", "mobile", "US"),
    original=Network("", "310004", "mobile", "US"),
    owner=Owner("John Smith", "consumer"),
    time_zones=("America/New_York",),
    missing=("the network was not asked",),
)
BASIC = Insight(NUMBER, Level.BASIC, "identity-insights", country_code="US")


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as one:
        yield one


def ask(rapida: Rapida, server: Server, *arguments: object) -> tuple[int, str, str]:
    return rapida("insight", *arguments, "--url", server.url, "--api-key", "rpd-secret")


def test_all(rapida: Rapida, server: Server) -> None:
    """A line for each thing that is known."""
    server.answers["GET", "/v1/number-insight"] = success(insight_document(FULL))
    given = ("--level", "advanced", "--credential", "7", "--api", "number", "--caller-name")
    status, out, _ = ask(rapida, server, NUMBER, *given)
    assert status == 0
    assert [" ".join(line.split()) for line in out.splitlines()] == [
        "number +15550100001",
        "national (555) 010-0001",
        "country United States (US)",
        "valid yes",
        "reachable no (absent)",
        "ported yes",
        "roaming yes (DE)",
        "network AT&T, mobile, US, 310090",
        "at first mobile, US, 310004",
        "owner John Smith, consumer",
        "time zones America/New_York",
        "by number-insight",
        "missing the network was not asked",
    ]
    assert parse_qs(urlsplit(server.asked[0][1]).query) == {
        "number": [NUMBER],
        "level": ["advanced"],
        "credentialId": ["7"],
        "api": ["number"],
        "callerName": ["true"],
    }


def test_little(rapida: Rapida, server: Server) -> None:
    """What is not known has no line."""
    server.answers["GET", "/v1/number-insight"] = success(insight_document(BASIC))
    _, out, _ = ask(rapida, server, "15550100001")
    assert [" ".join(line.split()) for line in out.splitlines()] == [
        "number +15550100001",
        "country (US)",
        "by identity-insights",
    ]


def test_json(rapida: Rapida, server: Server) -> None:
    """For programs, all of it."""
    document = insight_document(FULL, raw=True)
    server.answers["GET", "/v1/number-insight"] = success(document)
    given = ("--url", server.url, "--api-key", "rpd-secret", "--raw")
    assert rapida.json("insight", NUMBER, *given) == document
    assert "raw=true" in server.asked[0][1]


@pytest.mark.parametrize("status", [502, 503])
def test_refused(rapida: Rapida, server: Server, status: int) -> None:
    """The server's words; nobody asks a second time, which would cost."""
    server.answers["GET", "/v1/number-insight"] = refused(status, "carrier-busy")
    status, _, errors = ask(rapida, server, NUMBER)
    assert (status, len(server.asked)) == (1, 1)
    assert "carrier-busy" in errors


def test_broken_off(rapida: Rapida, server: Server) -> None:
    """Neither when the answer is lost."""
    server.answers["GET", "/v1/number-insight"] = None
    status, _, errors = ask(rapida, server, NUMBER)
    assert (status, len(server.asked)) == (1, 1)
    assert "broke off" in errors


def test_usage(rapida: Rapida, server: Server) -> None:
    """What is no number stays here."""
    status, _, errors = ask(rapida, server, "me")
    assert (status, server.asked) == (1, [])
    assert "E.164" in errors
    assert ask(rapida, server, NUMBER, "--level", "cheap")[0] == 2
