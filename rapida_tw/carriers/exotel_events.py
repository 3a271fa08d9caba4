"""What Exotel tells of a call: a status callback, or a Passthru applet that the flow comes by.

Keys are spelt in many ways: case and underscores make no difference here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from rapida_tw.carriers.base import CarrierEvent, WebhookRequest
from rapida_tw.carriers.endings import over
from rapida_tw.carriers.fields import fields, identity, our_uuid, printable, word
from rapida_tw.carriers.outbound import Progress, State
from rapida_tw.errors import BadRequest

_OF_STREAM = re.compile(r"stream\[(\w+)\]")
# Of a status callback: what happened, where that is not the call's end, which `Status` tells.
_PROGRESS = ("answered", "ringing")
_ADDRESS = "streamurl"  # our own, with whatever its query holds

_STATES: Final = {
    "queued": State.QUEUED,
    "in-progress": State.DIALLED,  # said of every call from the beginning
    "ringing": State.RINGING,
    "answered": State.ANSWERED,
}
_OVER: Final = {
    "completed": "",  # it was answered
    "busy": "busy",
    "no-answer": "no_answer",
    "canceled": "cancelled",
    "failed": "failed",
}
_ANSWERED_BY = re.compile(r"legs\[\d{1,2}\]\[answeredby\]")
_VERDICTS: Final = {"human": "human", "machine": "machine", "notsure": "unknown"}


def by_name(told: Mapping[str, str]) -> dict[str, str]:
    """The fields by the one spelling of their names that is used here."""
    return {name.lower().replace("_", ""): value for name, value in told.items()}


def read_event(request: WebhookRequest) -> CarrierEvent:
    """Understand what was told; `BadRequest` where nothing is known of it."""
    told = dict(_flattened(fields(request)))
    by = by_name(told)
    name = _name(by, dict(_stream(by)))
    call_ids = (identity(by, "callsid"), our_uuid(by.get("customfield", "")))
    data = {
        key: value
        for key, value in told.items()
        if not key.lower().replace("_", "").rstrip("]").endswith(_ADDRESS)
    }
    names = tuple(one for one in call_ids if one)
    return CarrierEvent(name, names, data, _progress(name), _verdict(by))


def _progress(name: str) -> Progress | None:
    family, _, status = name.partition(".")
    if family != "status":
        return None
    if status in _STATES:
        return Progress(_STATES[status])
    return over(_OVER[status], status if _OVER[status] else "") if status in _OVER else None


def _verdict(by: Mapping[str, str]) -> str:
    """Who has answered the only leg, in JSON or spread over a form's fields."""
    said = next((value for name, value in by.items() if _ANSWERED_BY.fullmatch(name)), "")
    if not said:
        try:
            legs = json.loads(by.get("legs", ""))
        except (ValueError, RecursionError):
            return ""
        first = legs[0] if isinstance(legs, list) and legs else None
        found = by_name(first).get("answeredby") if isinstance(first, dict) else None
        said = found if isinstance(found, str) else ""
    return _VERDICTS.get(said.lower(), "")


def _flattened(told: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The fields, those of a JSON object in `Stream` as `Stream[…]` like in the other form."""
    for name, value in told.items():
        inner = _json_object(value) if name.lower() == "stream" else None
        if inner is None:
            yield name, value
            continue
        for key, part in inner.items():
            if part is not None:
                text = part if isinstance(part, str) else json.dumps(part)
                yield f"Stream[{printable(key)}]", printable(text)


def _json_object(text: str) -> dict[str, object] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _stream(by: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is told of the stream, if that is what it is about."""
    if "streamsid" in by:
        yield from by.items()
    for name, value in by.items():
        if match := _OF_STREAM.fullmatch(name):
            yield match[1], value


def _name(by: Mapping[str, str], stream: Mapping[str, str]) -> str:
    if stream:
        status = word(stream.get("status") or stream.get("eventtype") or "event")
        return f"stream.{status.removeprefix('stream').strip('-._') or 'event'}"
    progress, status = word(by.get("eventtype", "")), word(by.get("status", ""))
    if progress in _PROGRESS or status:
        return f"status.{progress if progress in _PROGRESS else status}"
    kind = word(by.get("calltype", ""))
    if kind:  # of the flow so far: "completed" is not the call's end
        return f"passthru.{kind}"
    if by.get("recordingurl"):
        return "recording.completed"
    if by.get("callsid"):
        return "passthru"
    raise BadRequest("neither a status, nor a stream, nor a call's CallSid")
