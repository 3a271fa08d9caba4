"""What Asterisk tells of a call: ARI's JSON events, and what a dialplan posts by `CURL()`.

ARI names an event by `type` ("Events" in its documentation). A dialplan writes what it likes:
`dialstatus=${DIALSTATUS}`, `cause=${HANGUPCAUSE}`, `event=answered`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from rapida_tw.carriers.base import CarrierEvent, WebhookRequest
from rapida_tw.carriers.messages import text
from rapida_tw.errors import BadRequest

# Where ARI tells a state of the call itself: by the event's type, the name below which it stands.
_STATES: Final[Mapping[str, str]] = {
    "ChannelStateChange": "channel.state",
    "Dial": "dialstatus",
}
# What a dialplan may call a state by `event`: those of channels and of Dial().
_WORDS: Final = frozenset(
    "down ring ringing up busy dialing progress answer answered noanswer cancel congestion"
    " chanunavail donotcall hangup hungup failed completed".split()
)
_IDS: Final = ("channel.id", "peer.id", "channel_id", "uniqueid")
_SECRETS: Final = frozenset(("x-api-key", "authorization"))
_LONGEST_NAME = 64  # characters
_MOST_FIELDS = 64
_DEEPEST = 3  # objects in objects; ARI's channels have that many


def read_event(request: WebhookRequest) -> CarrierEvent:
    """Understand a status callback; `BadRequest` where nothing in it names an event."""
    fields: dict[str, str] = {}
    for source in (request.json, request.form, request.query):
        fields.update(islice(_flat(source), _MOST_FIELDS))
    name = "".join(one for one in _name(fields) if one.isprintable())[:_LONGEST_NAME].strip()
    if not name:
        raise BadRequest("no type (ARI), no dialstatus, no event and no cause")
    call_ids = dict.fromkeys(fields[one] for one in _IDS if fields.get(one))
    return CarrierEvent(name, tuple(call_ids), fields)


def _name(fields: Mapping[str, str]) -> str:
    kind = fields.get("type", "")
    place = _STATES.get(kind) if kind else "dialstatus"
    if place and fields.get(place):
        return f"status.{fields[place].lower()}"
    word = kind or fields.get("event", "")
    if word.lower() in _WORDS:
        return f"status.{word.lower()}"
    if not word and (fields.get("cause") or fields.get("hangupcause")):
        return "status.hangup"
    return word


def _flat(source: Mapping[str, Any], above: str = "", depth: int = 1) -> Iterator[tuple[str, str]]:
    """Texts, numbers and truths by their path, `channel.state`; no lists, and no secret."""
    for name, value in source.items():
        if name.lower() in _SECRETS:
            continue
        if isinstance(value, dict):
            if depth < _DEEPEST:
                yield from _flat(value, f"{above}{name}.", depth + 1)
        elif isinstance(value, bool):
            yield above + name, "true" if value else "false"
        elif value is not None and not isinstance(value, list):
            yield above + name, text({name: value}, name)
