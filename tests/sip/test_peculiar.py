"""Peers who cannot take what others can."""

from __future__ import annotations

import pytest

from rapida_tw.sip.peculiar import algorithms
from tests.sip.house import Endpoint

BOTH = ["MD5", "SHA-256"]


@pytest.mark.parametrize(
    ("user_agent", "found"),
    [
        ("baresip v0.6.6 (arm/linux)", ["MD5"]),
        ("baresip v1.0.0 (x86_64/linux)", ["MD5"]),
        ("baresip v2.10.0 (x86_64/Linux)", ["MD5"]),
        ("baresip v3.9.0 (x86_64/Linux)", ["MD5"]),
        ("baresip v3.11.0 (x86_64/Linux)", ["MD5"]),
        ("baresip v3.12.0 (x86_64/Linux)", BOTH),
        ("baresip v3.16.0 (x86_64/Linux)", BOTH),
        ("baresip v10.0.0", BOTH),
        ("Asterisk PBX 22.8.2", BOTH),
        ("", BOTH),
    ],
)
def test_old_libre(user_agent: str, found: list[str]) -> None:
    """It is asked for MD5 alone: a second challenge makes it give up."""
    endpoint = Endpoint()
    fields = (("User-Agent", user_agent),) if user_agent else ()
    answer = endpoint.challenged(endpoint.invite(*fields, uri="sip:1@h"))
    lines = answer.headers.all("WWW-Authenticate")
    assert [line.partition("algorithm=")[2].partition(",")[0] for line in lines] == found


def test_demanded() -> None:
    """Where SHA-256 is demanded it is asked for, whoever calls."""
    endpoint = Endpoint()
    request = endpoint.invite(("User-Agent", "baresip v1.0.0"), uri="sip:1@h")
    assert algorithms(request, ["SHA-256"]) == ["SHA-256"]
