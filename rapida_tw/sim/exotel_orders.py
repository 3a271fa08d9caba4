"""What Exotel takes for a new call ("Outgoing call to connect …", "Connect Voice AI")."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rapida_tw.sim.rest_request import BadRequest, is_e164, is_url, whole_number

LONGEST_FIELD, LONGEST_URL, LONGEST_NAME = 128, 600, 32  # characters
_KNOWN = frozenset(
    "From To CallerId CallType Url StreamUrl StreamType StreamName TimeLimit TimeOut Record "
    "RecordingChannels RecordingFormat WaitUrl CustomField StatusCallback "
    "StatusCallbackContentType".split()
)
_EVENT = re.compile(r"StatusCallbackEvents\[[0-9]*\]")
_EVENTS = ("terminal", "answered", "ringing")
_NATIONAL = re.compile(r"0[0-9]{9,11}|[6-9][0-9]{9}")
_CONTENT_TYPES = ("multipart/form-data", "application/json")
_USUAL_RING = 45  # seconds
_WORDS = {
    "CallType": ("trans",),
    "StreamType": ("bidirectional", "unidirectional"),
    "Record": ("true", "false"),
    "RecordingChannels": ("single", "dual"),
    "RecordingFormat": ("mp3", "mp3-hq"),
    "StatusCallbackContentType": _CONTENT_TYPES,
}


@dataclass(frozen=True, slots=True)
class Order:
    """A call to be placed, read: with the address of its stream, or that of a call flow."""

    callee: str  # whom Exotel calls its From
    caller: str  # the ExoPhone
    stream_url: str = field(default="", repr=False)
    flow_url: str = ""
    custom_field: str = ""
    status_url: str = ""
    status_json: bool = False
    events: Sequence[str] = ()  # none: only the end, in few fields
    ring_seconds: float = _USUAL_RING
    most_seconds: float = 0.0


def read_order(
    form: Sequence[tuple[str, str]],
    account_sid: str,
    exophones: frozenset[str],
    complain: Callable[[str], None],
) -> Order:
    """Raises `BadRequest`; what Exotel would swallow is complained of."""
    fields = dict(form)
    events = tuple(value for name, value in form if _EVENT.fullmatch(name))
    for name in fields:
        if name not in _KNOWN and not _EVENT.fullmatch(name):
            complain(f"there is no parameter {name}")
    if not form:
        raise _bad("the body is no form, or is empty")
    for name in ("From", "CallerId"):
        number = fields.get(name, "")
        if not is_e164(number) and not _NATIONAL.fullmatch(number):
            raise _bad(f"Invalid parameter: {name} is no valid phone number")
    if exophones and fields["CallerId"] not in exophones:
        raise BadRequest(403, 403, "CallerId is no ExoPhone of the account")
    _check(fields, account_sid)
    for event in events:
        if event not in _EVENTS:
            complain(f"StatusCallbackEvents {event!r}")
    if "ringing" in events and "StreamUrl" not in fields:
        complain("ringing is told only where there is a StreamUrl")
    return Order(
        fields["From"],
        fields["CallerId"],
        fields.get("StreamUrl", ""),
        fields.get("Url", ""),
        fields.get("CustomField", ""),
        fields.get("StatusCallback", ""),
        fields.get("StatusCallbackContentType") == "application/json",
        events,
        float(fields.get("TimeOut", _USUAL_RING)),
        float(fields.get("TimeLimit", 0)),
    )


def _check(fields: dict[str, str], account_sid: str) -> None:
    modes = [name for name in ("StreamUrl", "Url", "To") if name in fields]
    if len(modes) != 1:
        raise _bad(f"exactly one of StreamUrl, Url and To is needed, not {modes}")
    if modes == ["To"]:
        raise _bad("two numbers are connected by nobody here")
    for name, words in _WORDS.items():
        if name in fields and fields[name] not in words:
            raise _bad(f"{name} must be one of {', '.join(words)}")
    if "StreamUrl" in fields:
        if not is_url(fields["StreamUrl"], "wss", "ws"):
            raise _bad("StreamUrl must be a WebSocket's address")
        if len(fields["StreamUrl"]) >= LONGEST_URL:
            raise _bad(f"StreamUrl has {len(fields['StreamUrl'])} characters")
        if fields.get("StreamType") != "bidirectional":
            raise _bad("StreamType must be bidirectional")
    elif not _is_flow(fields["Url"], account_sid):
        raise _bad("Url must be that of a call flow of the account")
    if len(fields.get("CustomField", "")) > LONGEST_FIELD:
        raise _bad(f"CustomField has more than {LONGEST_FIELD} characters")
    if len(fields.get("StreamName", "")) > LONGEST_NAME:
        raise _bad(f"StreamName has more than {LONGEST_NAME} characters")
    if "StatusCallback" in fields and not is_url(fields["StatusCallback"]):
        raise _bad("StatusCallback is no URL")
    for name, most in (("TimeLimit", 14_400), ("TimeOut", 600)):
        try:
            whole_number(fields, name, 1, most)
        except ValueError as error:
            raise _bad(str(error)) from None


def _is_flow(url: str, account_sid: str) -> bool:
    flow = rf"https?://my(\.in)?\.exotel\.(com|in)/{re.escape(account_sid)}/exoml/start_voice/\d+"
    return re.fullmatch(flow, url) is not None


def _bad(why: str) -> BadRequest:
    return BadRequest(400, 34001, why)
