"""Trunks: what a stored credential may say, and what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest

from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.sip.login import Login
from rapida_tw.sip.trunk import CREDENTIAL_FIELDS, LONGEST, Trunk


def test_all() -> None:
    """Every field."""
    trunk = Trunk.read(
        {
            "sip_server": "trunk.example",
            "sip_port": "5080",
            "sip_username": "acme",
            "sip_password": "secret",
            "sip_auth_user": "acme-auth",
            "sip_caller_id": "+1 (555) 000-1111",
            "sip_transport": "tls",
            "sip_domain": "acme.example",
            "sip_realm": "acme",
            "sip_register": "yes",
            "sip_learning": "any",
            "sip_prefix": "011",
            "sip_headers": '{"x-account": "7", "P-Charging-Vector": "a"}',
        },
        7,
    )
    assert trunk == Trunk(
        "trunk.example",
        5080,
        "acme",
        "secret",
        "acme-auth",
        "+15550001111",
        "TLS",
        "acme.example",
        "acme",
        True,
        "any",
        "011",
        (("X-Account", "7"), ("P-Charging-Vector", "a")),
        7,
    )
    assert trunk.login == Login("acme-auth", "secret", "acme")
    assert trunk.hosts == {"trunk.example", "acme.example"}
    assert str(trunk.uri("1")) == "sip:1@acme.example;transport=tls"
    assert str(trunk.address("1")) == "<sip:1@acme.example>"


def test_little() -> None:
    """A server is enough."""
    trunk = Trunk.read({"server": "trunk.example"})
    assert trunk == Trunk("trunk.example")
    assert trunk.login is None
    assert str(trunk.uri("1")) == "sip:1@trunk.example"


@pytest.mark.parametrize(
    ("name", "spellings"),
    [
        ("host", "sip_server sipServer server host host_port hostPort sip_uri sipUri uri"),
        ("user", "sip_username sipUsername sip_user sipUser username user"),
        ("password", "sip_password sipPassword password"),
        ("caller_id", "sip_caller_id sipCallerId caller_id callerId from_number fromNumber"),
        ("auth_user", "sip_auth_user sipAuthUser auth_user authUser"),
        ("domain", "sip_domain sipDomain domain"),
        ("realm", "sip_realm sipRealm realm"),
        ("prefix", "sip_prefix sipPrefix prefix"),
    ],
)
def test_spellings(name: str, spellings: str) -> None:
    """Each field as users write it; all of them are known to the vault, with a sentence."""
    for spelling in spellings.split():
        trunk = Trunk.read({"sip_server": "other.example", spelling: "here"})
        if name == "host" and spelling != "sip_server":
            trunk = Trunk.read({spelling: "here"})
        assert getattr(trunk, name) == "here"
        assert CREDENTIAL_FIELDS[spelling].endswith(".")


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("trunk.example", ("trunk.example", None, "UDP", "")),
        ("trunk.example:5080", ("trunk.example", 5080, "UDP", "")),
        ("TRUNK.example", ("trunk.example", None, "UDP", "")),
        ("192.0.2.1:5080", ("192.0.2.1", 5080, "UDP", "")),
        ("2001:db8::1", ("2001:db8::1", None, "UDP", "")),
        ("[2001:db8::1]", ("2001:db8::1", None, "UDP", "")),
        ("[2001:DB8:0::1]:5080", ("2001:db8::1", 5080, "UDP", "")),
        ("sip:trunk.example;transport=tcp", ("trunk.example", None, "TCP", "")),
        ("sips:trunk.example:5071", ("trunk.example", 5071, "TLS", "")),
        ("sip:acme@trunk.example", ("trunk.example", None, "UDP", "acme")),
    ],
)
def test_servers(server: str, expected: tuple[Any, ...]) -> None:
    """Names, addresses and URIs."""
    trunk = Trunk.read({"server": server})
    assert (trunk.host, trunk.port, trunk.transport, trunk.user) == expected


def test_fields_beat_the_uri() -> None:
    """What is said on its own counts more than what the URI says."""
    trunk = Trunk.read(
        {"uri": "sips:a:x@trunk.example:5", "port": "6", "user": "b", "transport": "tcp"}
    )
    assert (trunk.port, trunk.user, trunk.password, trunk.transport) == (6, "b", "x", "TCP")


WRONG = [
    ("server", "no host"),
    ("server", "http://trunk.example"),
    ("server", "trunk.example:99999"),
    ("server", "trunk.example:0"),
    ("server", "..."),
    ("port", "0"),
    ("port", "65536"),
    ("port", "5_0"),
    ("port", "\u0665"),
    ("username", "a\r\nb"),
    ("username", "a" * (LONGEST + 1)),
    ("username", "\ud800"),
    ("password", "\ud800"),
    ("caller_id", "bob@example"),
    ("caller_id", "1\n2"),
    ("caller_id", '"Bob" <1>'),
    ("transport", "sctp"),
    ("domain", "a b"),
    ("domain", "acme.example:5060"),
    ("register", "maybe"),
    ("learning", "everybody"),
    ("prefix", "<9"),
    ("headers", "X: 1"),
    ("headers", "[" * 100_000),
    ("headers", '["x"]'),
    ("headers", '{"X": 1}'),
    ("headers", '{"X": "a\\r\\nb"}'),
    ("headers", '{"Via": "x"}'),
    ("headers", '{"f": "x"}'),
    ("headers", '{"cseq": "x"}'),
    ("headers", '{"a b": "x"}'),
    ("headers", '{"\u00e4": "x"}'),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=range(len(WRONG)))
def test_mistakes(name: str, value: str) -> None:
    """The sentence names the field as it was written, and nothing of its value."""
    with pytest.raises(MisconfiguredAssistant) as caught:
        Trunk.read({name: value} if name == "server" else {"uri": "trunk.example", name: value})
    text = str(caught.value)
    assert text.startswith(f"the SIP trunk: {name} ")
    assert value not in text
    assert "; " not in text


def test_all_mistakes() -> None:
    """At once."""
    with pytest.raises(MisconfiguredAssistant) as caught:
        Trunk.read({"sipPort": "x", "transport": "y", "register": "true", "password": "z"})
    text = str(caught.value)
    for part in ("sipPort", "transport", "sip_server is missing", "sip_register needs"):
        assert part in text


def test_nothing_is_shown() -> None:
    """The password is in no repr."""
    trunk = Trunk.read({"server": "trunk.example", "user": "a", "password": "hidden"})
    assert "hidden" not in repr(trunk)
    assert "hidden" not in repr(trunk.login)
