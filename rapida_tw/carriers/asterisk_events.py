"""What Asterisk tells of a call: ARI's JSON events, and what a dialplan posts by `CURL()`.

ARI names an event by `type` ("Events" in its documentation). A dialplan writes what it likes:
`dialstatus=${DIALSTATUS}`, `cause=${HANGUPCAUSE}`, `event=answered`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rapida_tw.carriers.asterisk_progress import progress
from rapida_tw.carriers.base import CarrierEvent, WebhookRequest
from rapida_tw.carriers.fields import LONGEST, fields, word
from rapida_tw.carriers.messages import text
from rapida_tw.errors import BadRequest

# What a dialplan may call a state by `event`: the states of channels and those of Dial().
_STATES: Final = frozenset(
    "down ring ringing up busy dialing progress answer answered noanswer cancel congestion"
    " chanunavail hangup failed completed".split()
)
_CHANNELS: Final = ("channel", "peer")  # ARI's objects; Dial() has two
_LONGEST_NAME = 64  # characters


def read_event(request: WebhookRequest) -> CarrierEvent:
    """Understand a status callback; `BadRequest` where nothing in it names an event."""
    told = fields(request)
    name = _name(told, text(_object(request, "channel"), "state"))
    if not name:
        raise BadRequest("no type (ARI), no dialstatus, no event and no cause")
    call_ids = tuple(dict.fromkeys(_call_ids(request, told)))
    return CarrierEvent(name, call_ids, told, progress(told, request.json))


def _name(told: Mapping[str, str], channel_state: str) -> str:
    kind = told.get("type", "").strip()
    state = ""
    if kind == "ChannelStateChange":
        state = channel_state
    elif kind in ("Dial", ""):
        state = told.get("dialstatus", "")
    if not state:
        said = kind or told.get("event", "").strip()
        if said and said.lower() not in _STATES:
            return said[:_LONGEST_NAME]
        state = said or ("hangup" if told.get("cause") or told.get("hangupcause") else "")
    state = word(state)
    return f"status.{state}" if state else kind


def _call_ids(request: WebhookRequest, told: Mapping[str, str]) -> Iterator[str]:
    ids = [text(_object(request, name), "id") for name in _CHANNELS]
    for one in (*ids, told.get("channel_id", ""), told.get("uniqueid", "")):
        if 0 < len(one) <= LONGEST:
            yield one


def _object(request: WebhookRequest, name: str) -> Mapping[str, object]:
    value = request.json.get(name)
    return value if isinstance(value, dict) else {}
