"""Who asks, through proxies that are trusted and past those that are not."""

from __future__ import annotations

import pytest

from rapida_tw.web.peer import Proxies
from tests.web.asking import asking

PROXIES = Proxies(["10.0.0.0/8", "2001:db8::/32", "192.0.2.9"])

CLIENTS = [
    # peer, X-Forwarded-For lines, the client
    ("198.51.100.7", [], "198.51.100.7"),
    ("198.51.100.7", ["203.0.113.5"], "198.51.100.7"),  # no proxy of ours: a claim
    ("10.0.0.1", [], "10.0.0.1"),
    ("10.0.0.1", ["203.0.113.5"], "203.0.113.5"),
    ("192.0.2.9", ["203.0.113.5"], "203.0.113.5"),
    ("10.0.0.1", ["6.6.6.6, 203.0.113.5"], "203.0.113.5"),  # the left one is the client's claim
    ("10.0.0.1", ["203.0.113.5, 10.0.0.2"], "203.0.113.5"),  # two proxies
    ("10.0.0.1", ["203.0.113.5", "10.0.0.2"], "203.0.113.5"),  # in two lines
    ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),  # a client in our own network
    ("10.0.0.1", ["203.0.113.5:1234"], "203.0.113.5"),
    ("10.0.0.1", ["[2001:db9::5]:1234"], "2001:db9::5"),
    ("10.0.0.1", ["2001:db9::5"], "2001:db9::5"),
    ("10.0.0.1", ["unknown"], "10.0.0.1"),
    ("10.0.0.1", ["203.0.113.5, _hidden"], "10.0.0.1"),
    ("10.0.0.1", [""], "10.0.0.1"),
    ("10.0.0.1", ["," * 9_000], "10.0.0.1"),
    ("::ffff:10.0.0.1", ["203.0.113.5"], "203.0.113.5"),  # a socket for both families
    ("2001:db8::1", ["203.0.113.5"], "203.0.113.5"),
    ("fe80::1%eth0", ["203.0.113.5"], "fe80::1"),
    ("", ["203.0.113.5"], "a local socket"),
]


@pytest.mark.parametrize(("peer", "lines", "client"), CLIENTS)
def test_client(peer: str, lines: list[str], client: str) -> None:
    """The nearest address that is no trusted proxy."""
    request = asking(peer=peer, headers=[("X-Forwarded-For", line) for line in lines])
    assert PROXIES.client(request) == client


@pytest.mark.parametrize(
    ("peer", "lines", "host"),
    [
        ("10.0.0.1", ["voice.example"], "voice.example"),
        ("10.0.0.1", ["evil.example", "voice.example"], "voice.example"),
        ("10.0.0.1", ["evil.example , voice.example"], "voice.example"),
        ("10.0.0.1", [], ""),
        ("198.51.100.7", ["voice.example"], ""),
        ("", ["voice.example"], ""),
    ],
)
def test_forwarded(peer: str, lines: list[str], host: str) -> None:
    """What the trusted proxy itself wrote, which is the last."""
    request = asking(peer=peer, headers=[("X-Forwarded-Host", line) for line in lines])
    assert PROXIES.forwarded(request, "host") == host


def test_none_is_trusted() -> None:
    """Unless told, nobody's word counts."""
    request = asking(peer="127.0.0.1", headers=[("X-Forwarded-For", "203.0.113.5")])
    assert Proxies().client(request) == "127.0.0.1"
