"""Dial strings, logins and options."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.account import Account
from rapida_tw.ari.endpoint import Way
from rapida_tw.ari.login import Login
from rapida_tw.ari.plan import Plan
from rapida_tw.errors import BadRequest, CallError, MisconfiguredAssistant, NotSupported
from tests.ari.case import NUMBER, account, order


@pytest.mark.parametrize(
    ("technology", "trunk", "options", "wanted"),
    [
        ("", "", {}, f"PJSIP/{NUMBER}"),
        ("", "trunk", {}, f"PJSIP/{NUMBER}@trunk"),
        ("pjsip", "trunk", {}, f"PJSIP/{NUMBER}@trunk"),
        ("PJSIP", "trunk", {"endpoint_form": "literal"}, f"PJSIP/trunk/{NUMBER}"),
        ("PJSIP", "trunk", {"trunk": "other"}, f"PJSIP/{NUMBER}@other"),
        ("PJSIP", "trunk", {"trunk": ""}, f"PJSIP/{NUMBER}@trunk"),
        ("PJSIP", "trunk", {"endpoint_technology": "IAX2"}, f"IAX2/trunk/{NUMBER}"),
        ("SIP", "trunk", {}, f"SIP/trunk/{NUMBER}"),
        ("SIP", "", {}, f"SIP/{NUMBER}"),
        ("DAHDI", "", {}, f"DAHDI/g1/{NUMBER}"),
        ("DAHDI", "g2", {}, f"DAHDI/g2/{NUMBER}"),
        ("Local", "people", {}, f"Local/{NUMBER}@people/n"),
    ],
)
def test_endpoint(technology: str, trunk: str, options: dict[str, str], wanted: str) -> None:
    """Each technology's own form; what the deployment says stands over the credential."""
    fields = Account("asterisk", {"endpoint_technology": technology, "trunk": trunk})
    assert Way.of(fields, options).endpoint(NUMBER) == wanted


def test_address() -> None:
    """A SIP address goes through the trunk."""
    way = Way.of(account(), {})
    assert way.endpoint("sip:bob@example.com:5070") == "PJSIP/trunk/sip:bob@example.com:5070"
    with pytest.raises(MisconfiguredAssistant, match="trunk"):
        Way().endpoint("sip:bob@example.com")
    with pytest.raises(BadRequest, match="PJSIP"):
        Way("SIP", "trunk").endpoint("sip:bob@example.com")


@pytest.mark.parametrize(
    ("target", "options", "wanted"),
    [
        (NUMBER, {}, f"PJSIP/{NUMBER}@trunk"),
        ("operator", {}, "PJSIP/operator"),
        ("operator", {"transfer_context": "rapida-transfer"}, "Local/operator@rapida-transfer/n"),
        ("200", {"transfer_context": "rapida-transfer"}, "Local/200@rapida-transfer/n"),
        ("sip:bob@example.com", {}, "PJSIP/trunk/sip:bob@example.com"),
    ],
)
def test_transfer_target(target: str, options: dict[str, str], wanted: str) -> None:
    """A number, a name of an endpoint, or an extension of the context for transfers."""
    assert Way.of(account(), options).transfer(target) == wanted


@given(st.text(max_size=40))
def test_no_injection(text: str) -> None:
    """Whatever is asked for, it is one dial string, or none."""
    for technology in ("PJSIP", "SIP", "IAX2", "DAHDI", "Local"):
        way = Way(technology, "trunk", transfers="people" if len(text) % 2 else "")
        for dialled in (way.endpoint, way.transfer):
            try:
                endpoint = dialled(text)
            except (BadRequest, NotSupported):
                continue
            rest = (
                endpoint.replace("@trunk", "")
                .replace("@people", "")
                .removeprefix("PJSIP/trunk/sip")
            )
            assert not set(rest) & set("&,|;${}()\"'\\ \r\n\0^")


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://asterisk.local:8088", "http://asterisk.local:8088/ari"),
        ("http://asterisk.local:8088/", "http://asterisk.local:8088/ari"),
        ("http://asterisk.local:8088/ari", "http://asterisk.local:8088/ari"),
        ("http://asterisk.local:8088/ari/", "http://asterisk.local:8088/ari"),
        ("https://pbx.example.com/asterisk", "https://pbx.example.com/asterisk/ari"),
    ],
)
def test_address_of_ari(url: str, base: str) -> None:
    """With or without a slash and /ari, and with the prefix that http.conf may have."""
    login = Login.of(account(ari_url=url))
    assert login.base == base
    assert login.sockets == base.replace("http", "ws", 1)


def test_no_password_shown() -> None:
    """Neither by the login nor by what complains of it."""
    assert "ari-secret" not in repr(Login.of(account()))
    with pytest.raises(MisconfiguredAssistant) as caught:
        Login.of(account(ari_url="http://rapida:ari-secret@asterisk.test"))
    assert "ari-secret" not in str(caught.value)


def test_caller() -> None:
    """The deployment's caller id stands over the order's number."""
    query, _ = Plan.of(order(options={"caller_id": '"Rapida" <+1555>'}), "").originate()
    assert query["callerId"] == '"Rapida" <+1555>'
    query, _ = Plan.of(order(caller="sip:desk@voice.test"), "").originate()
    assert query["callerId"] == "desk@voice.test"
    query, _ = Plan.of(order(caller=""), "").originate()
    assert "callerId" not in query


def test_channel_id() -> None:
    """The same call has the same name, another has another, and the context is not told by it."""
    first, same, other = (Plan.of(order(number=n), "").channel for n in (7, 7, 8))
    assert first == same != other
    assert Plan.of(order(context_id="77"), "").channel != first
    assert order().context_id[:8] not in first


@given(
    st.dictionaries(st.sampled_from(["context", "app", "media", "trunk", "caller_id"]), st.text())
)
def test_any_options(options: dict[str, Any]) -> None:
    """A plan, or a sentence about what is wrong."""
    with suppress(CallError):
        assert Plan.of(order(options=options), "").endpoint
