"""What Asterisk and its dialplan tell of a call."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.carriers.asterisk import ASTERISK
from rapida_tw.carriers.base import CarrierEvent, WebhookRequest
from rapida_tw.errors import BadRequest

CHANNEL = {
    "id": "1795196486.2",
    "name": "PJSIP/pstn-00000001",
    "state": "Ringing",
    "caller": {"name": "", "number": "+15551234567"},
    "dialplan": {"context": "rapida-outbound", "exten": "s", "priority": 1},
}


def ari(**fields: object) -> CarrierEvent:
    """An event as ARI posts it."""
    body = {"application": "rapida", **fields}
    return ASTERISK.read_event(WebhookRequest("POST", "/", json=body))


def dialplan(**fields: str) -> CarrierEvent:
    """An event as a dialplan posts it, by `CURL()` with a form."""
    return ASTERISK.read_event(WebhookRequest("POST", "/", {"x-api-key": "rpd-secret"}, fields))


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"type": "ChannelStateChange", "channel": CHANNEL}, "status.ringing"),
        ({"type": "ChannelStateChange", "channel": CHANNEL | {"state": "Up"}}, "status.up"),
        ({"type": "ChannelStateChange"}, "ChannelStateChange"),
        ({"type": "Dial", "dialstatus": ""}, "Dial"),
        ({"type": "Dial", "dialstatus": "RINGING"}, "status.ringing"),
        ({"type": "Dial", "dialstatus": "ANSWER"}, "status.answer"),
        ({"type": "StasisStart", "channel": CHANNEL}, "StasisStart"),
        ({"type": "ChannelDestroyed", "cause": 17, "channel": CHANNEL}, "ChannelDestroyed"),
    ],
)
def test_ari(fields: dict[str, object], name: str) -> None:
    """States of the call have names of their own, all else is called what ARI calls it."""
    assert ari(**fields).name == name


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"dialstatus": "CHANUNAVAIL", "cause": "3"}, "status.chanunavail"),
        ({"event": "Answered"}, "status.answered"),
        ({"event": "voicemail"}, "voicemail"),
        ({"cause": "16"}, "status.hangup"),
        ({"hangupcause": "16"}, "status.hangup"),
        ({"type": "StasisEnd", "event": "x"}, "StasisEnd"),
    ],
)
def test_dialplan(fields: dict[str, str], name: str) -> None:
    """A dialplan tells what it likes; states are known by Asterisk's words for them."""
    assert dialplan(**fields).name == name


def test_ids() -> None:
    """Every name that the event has for the call's channels, each once."""
    assert ari(type="x", channel=CHANNEL, channel_id="1795196486.2").call_ids == ("1795196486.2",)
    assert ari(type="Dial", peer={"id": "7.1"}, channel={"id": "7.0"}).call_ids == ("7.0", "7.1")
    assert dialplan(event="x", channel_id="7.0", uniqueid="7.2").call_ids == ("7.0", "7.2")
    assert dialplan(event="x", channel_id="").call_ids == ()


def test_long_ids() -> None:
    """What cannot be the id of a channel is none."""
    assert ari(type="x", channel={"id": "7" * 129}, channel_id=7).call_ids == ("7",)


def test_data() -> None:
    """All that was told, as text."""
    data = ari(type="x", cause=16, channel={"id": "7.0"}).data
    assert data["cause"] == "16"
    assert json.loads(data["channel"]) == {"id": "7.0"}


def test_no_secret() -> None:
    """The API key stands in the address, and stays there."""
    assert dialplan(event="x").data == {"event": "x"}
    assert "X-Api-Key" not in ari(type="x", **{"X-Api-Key": "rpd-secret"}).data


def test_body_wins() -> None:
    """What the body says counts before the address."""
    request = WebhookRequest("POST", "/", {"type": "query"}, json={"type": "body"})
    assert ASTERISK.read_event(request).name == "body"


@pytest.mark.parametrize("fields", [{}, {"type": ""}, {"type": " \0"}, {"a": "1"}])
def test_nothing_to_understand(fields: dict[str, str]) -> None:
    """An event without a name is none."""
    with pytest.raises(BadRequest, match="type"):
        dialplan(**fields)


def test_long_name() -> None:
    """A name is no text."""
    assert ari(type="x" * 1000).name == "x" * 64


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_anything(text: str) -> None:
    """Whatever JSON holds, it is an event or a bad request."""
    for name in ("type", "dialstatus", "channel", "event", "cause"):
        for fields in ({name: json.loads(text)}, {"type": "Dial", name: {"id": json.loads(text)}}):
            try:
                event = ari(**fields)
            except BadRequest:
                continue
            assert event.name.isprintable()
