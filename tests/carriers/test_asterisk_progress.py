"""Where a call is by what a dialplan posts."""

from __future__ import annotations

import pytest

from rapida_tw.carriers.asterisk import ASTERISK
from rapida_tw.carriers.base import WebhookRequest
from rapida_tw.carriers.outbound import Progress, State

PERSON = {"id": "1795196486.2", "name": "PJSIP/pstn-00000001", "state": "Up"}
MEDIA = {"id": "1795196486.3", "name": "WebSocket/rapida/0x7f5f9c00a990", "state": "Up"}


def ari(**fields: object) -> Progress | None:
    return ASTERISK.read_event(WebhookRequest("POST", "/", json=fields)).progress


def dialplan(**fields: str) -> Progress | None:
    return ASTERISK.read_event(WebhookRequest("POST", "/", form=fields)).progress


def shown(progress: Progress | None) -> tuple[str, str] | None:
    """State and outcome, "" where there is none."""
    if progress is None:
        return None
    return progress.state.name, progress.outcome.status if progress.outcome else ""


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"type": "ChannelStateChange", "channel": PERSON}, ("ANSWERED", "")),
        ({"type": "ChannelStateChange", "channel": PERSON | {"state": "Ringing"}}, ("RINGING", "")),
        ({"type": "ChannelStateChange", "channel": PERSON | {"state": "Down"}}, None),
        ({"type": "ChannelStateChange", "channel": MEDIA}, None),
        ({"type": "Dial", "dialstatus": "RINGING", "peer": PERSON}, ("RINGING", "")),
        ({"type": "Dial", "dialstatus": "ANSWER", "peer": PERSON}, ("ANSWERED", "")),
        ({"type": "Dial", "dialstatus": "ANSWER", "peer": MEDIA, "channel": PERSON}, None),
        ({"type": "Dial", "dialstatus": "NOANSWER", "peer": PERSON}, None),
        ({"type": "Dial", "dialstatus": "ANSWER"}, None),
        ({"type": "ChannelDestroyed", "cause": 17, "channel": PERSON}, ("OVER", "busy")),
        ({"type": "ChannelDestroyed", "cause": 1, "channel": PERSON}, ("OVER", "bad_number")),
        ({"type": "ChannelDestroyed", "cause": 16, "channel": PERSON}, ("OVER", "")),
        ({"type": "ChannelDestroyed", "cause": 0, "channel": PERSON}, ("OVER", "")),
        ({"type": "ChannelDestroyed", "cause": 3, "channel": MEDIA}, None),
        ({"type": "ChannelDestroyed", "cause": 17, "channel": "x"}, None),
        ({"type": "StasisEnd", "channel": PERSON}, None),
        ({"type": "ChannelHangupRequest", "cause": 17, "channel": PERSON}, None),
    ],
)
def test_ari(fields: dict[str, object], wanted: tuple[str, str] | None) -> None:
    """Only of persons' channels, and only what is certain."""
    assert shown(ari(**fields)) == wanted


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"event": "ringing"}, ("RINGING", "")),
        ({"event": "Answered"}, ("ANSWERED", "")),
        ({"event": "busy"}, ("OVER", "busy")),
        ({"event": "failed", "cause": "21"}, ("OVER", "rejected")),
        ({"event": "hangup"}, ("OVER", "")),
        ({"event": "hangup", "cause": "16"}, ("OVER", "")),
        ({"event": "hangup", "hangupcause": "19"}, ("OVER", "no_answer")),
        ({"event": "voicemail"}, None),
        ({"event": "voicemail", "cause": "17"}, None),
        ({"cause": "17"}, ("OVER", "busy")),
        ({"cause": "16"}, ("OVER", "")),
        ({"cause": "x"}, None),
        ({"cause": "1717"}, None),
        ({"dialstatus": "BUSY"}, ("OVER", "busy")),
        ({"dialstatus": "NOANSWER"}, ("OVER", "no_answer")),
        ({"dialstatus": "NOANSWER", "cause": "1"}, ("OVER", "bad_number")),
        ({"dialstatus": "CHANUNAVAIL"}, ("OVER", "unreachable")),
        ({"dialstatus": "CONGESTION", "cause": "34"}, ("OVER", "capacity_exceeded")),
        ({"dialstatus": "CANCEL"}, ("OVER", "cancelled")),
        ({"dialstatus": "ANSWER"}, None),
        ({"dialstatus": "ANSWER", "cause": "16"}, None),
        ({"dialstatus": "TORTURE"}, None),
    ],
)
def test_dialplan(fields: dict[str, str], wanted: tuple[str, str] | None) -> None:
    """A cause says more than the other words; after ANSWER, Dial() has returned."""
    assert shown(dialplan(**fields)) == wanted


def test_states() -> None:
    """All states but the first can be told."""
    told = {"ringing": State.RINGING, "up": State.ANSWERED, "completed": State.OVER}
    for word, state in told.items():
        progress = dialplan(event=word)
        assert progress is not None
        assert progress.state is state
