"""What Twilio takes for a new call, and for a change of one ("Create a Call", "Update a Call")."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rapida_tw.sim.habits import Detection
from rapida_tw.sim.rest_request import BadRequest, is_e164, is_url, whole_number

LONGEST_TWIML = 4_000  # characters
_LONGEST_RING, _USUAL_RING = 600, 60  # seconds
_EVENTS = ("initiated", "ringing", "answered", "completed")
_METHODS = ("GET", "POST")
_SEND_DIGITS = re.compile(r"[0-9A-D#*wW]{1,32}")
_NUMBERS = {  # with their least and most
    "Timeout": (1, _LONGEST_RING),
    "TimeLimit": (1, 86_400),
    "MachineDetectionTimeout": (3, 59),
    "MachineDetectionSpeechThreshold": (1_000, 6_000),
    "MachineDetectionSpeechEndThreshold": (500, 5_000),
    "MachineDetectionSilenceTimeout": (2_000, 10_000),
}
_URLS = (
    "Url",
    "FallbackUrl",
    "StatusCallback",
    "AsyncAmdStatusCallback",
    "RecordingStatusCallback",
)
_WORDS = {
    "MachineDetection": ("Enable", "DetectMessageEnd"),
    "AsyncAmd": ("true", "false"),
    "Record": ("true", "false"),
    "RecordingChannels": ("mono", "dual"),
    "RecordingTrack": ("inbound", "outbound", "both"),
    "Trim": ("trim-silence", "do-not-trim"),
    "Method": _METHODS,
    "FallbackMethod": _METHODS,
    "StatusCallbackMethod": _METHODS,
    "AsyncAmdStatusCallbackMethod": _METHODS,
    "RecordingStatusCallbackMethod": _METHODS,
}
_TEXTS = (
    "To From Twiml ApplicationSid SendDigits CallerId CallReason CallToken Byoc SipAuthUsername "
    "SipAuthPassword"
).split()
_REPEATED = ("StatusCallbackEvent", "RecordingStatusCallbackEvent")
_OF_CREATE = frozenset((*_TEXTS, *_URLS, *_WORDS, *_NUMBERS, *_REPEATED))
_OF_UPDATE = frozenset(
    "Status Url Method Twiml StatusCallback StatusCallbackMethod FallbackUrl FallbackMethod "
    "TimeLimit".split()
)

Complain = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """A call to be placed, read."""

    callee: str
    caller: str
    url: str = field(default="", repr=False)
    method: str = "POST"
    twiml: str = field(default="", repr=False)
    status_url: str = ""
    status_method: str = "POST"
    events: Sequence[str] = ("completed",)
    ring_seconds: float = _USUAL_RING
    most_seconds: float = 0.0
    detection: Detection | None = None
    amd_url: str = ""
    amd_method: str = "POST"


def read_order(
    form: Sequence[tuple[str, str]], numbers: frozenset[str], complain: Complain
) -> Order:
    """Raises `BadRequest`; what Twilio would swallow is complained of.

    `numbers`: those that the account may show; empty: any.
    """
    fields = _once(form, _OF_CREATE, complain)
    _address(fields, "To", 21201, 21211)
    _address(fields, "From", 21213, 21212)
    if numbers and fields["From"] not in numbers:
        raise _bad(
            21210, f"The source phone number provided, {fields['From']}, is not yet verified"
        )
    if not any(fields.get(name) for name in ("Url", "Twiml", "ApplicationSid")):
        raise _bad(21205, "Url parameter is required.")
    if "Url" in fields and "Twiml" in fields:
        complain("Twiml is ignored besides Url")
    _check(fields)
    digits = fields.get("SendDigits")
    if digits is not None and not _SEND_DIGITS.fullmatch(digits):
        raise _bad(21218, "Invalid SendDigits")
    events = [value for name, value in form if name == "StatusCallbackEvent"]
    for event in events:
        if event not in _EVENTS:
            complain(f"StatusCallbackEvent {event!r}")
    if events and "StatusCallback" not in fields:
        complain("StatusCallbackEvent without StatusCallback")
    detection = None if digits else _detection(fields, complain)
    return Order(
        fields["To"],
        fields["From"],
        fields.get("Url", ""),
        fields.get("Method", "POST"),
        "" if fields.get("Url") else fields.get("Twiml", ""),
        fields.get("StatusCallback", ""),
        fields.get("StatusCallbackMethod", "POST"),
        tuple(event for event in events if event in _EVENTS) or ("completed",),
        float(fields.get("Timeout", _USUAL_RING)),
        float(fields.get("TimeLimit", 0)),
        detection,
        fields.get("AsyncAmdStatusCallback", ""),
        fields.get("AsyncAmdStatusCallbackMethod", "POST"),
    )


def read_update(form: Sequence[tuple[str, str]], complain: Complain) -> Mapping[str, str]:
    """The fields of a change; raises `BadRequest`."""
    fields = _once(form, _OF_UPDATE, complain)
    if "Url" in fields and "Twiml" in fields:
        raise _bad(21220, "Url and Twiml are mutually exclusive")
    if fields.get("Status") not in (None, "completed", "canceled"):
        raise _bad(21218, f"Invalid Status: {fields['Status']}")
    if not fields:
        raise _bad(21218, "Nothing to update")
    _check(fields)
    return fields


def _detection(fields: Mapping[str, str], complain: Complain) -> Detection | None:
    mode = fields.get("MachineDetection")
    is_async = fields.get("AsyncAmd") == "true"
    if mode is None:
        for name in fields:
            if name.startswith(("AsyncAmd", "MachineDetection")):
                complain(f"{name} without MachineDetection")
        return None
    if is_async and "AsyncAmdStatusCallback" not in fields:
        complain("AsyncAmd without AsyncAmdStatusCallback")
    if "AsyncAmdStatusCallback" in fields and not is_async:
        complain("AsyncAmdStatusCallback without AsyncAmd=true")
    ends = mode == "DetectMessageEnd"
    return Detection(start=not ends, end=ends, waits=not is_async)


def _once(
    form: Sequence[tuple[str, str]], known: frozenset[str], complain: Complain
) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in form:
        if name not in known:
            complain(f"there is no parameter {name}")
        elif name in fields and name not in _REPEATED:
            complain(f"{name} is given twice")
        fields[name] = value
    return fields


def _address(fields: Mapping[str, str], name: str, missing: int, invalid: int) -> None:
    value = fields.get(name, "")
    if not value:
        raise _bad(missing, f"No '{name}' number is specified")
    if not is_e164(value) and not value.startswith(("client:", "sip:")):
        raise _bad(invalid, f"The '{name}' number {value} is not a valid phone number.")


def _check(fields: Mapping[str, str]) -> None:
    if len(fields.get("Twiml", "")) > LONGEST_TWIML:
        raise _bad(21658, f"The Twiml parameter exceeds {LONGEST_TWIML} characters")
    for name in _URLS:
        if name in fields and not is_url(fields[name]):
            code = 21205 if name == "Url" else 21609
            raise _bad(code, f"{name} is not a valid URL: {fields[name]}")
    for name, words in _WORDS.items():
        if name in fields and fields[name] not in words:
            raise _bad(20001, f"{name} must be one of {', '.join(words)}")
    for name, (least, most) in _NUMBERS.items():
        try:
            whole_number(fields, name, least, most)
        except ValueError as error:
            raise _bad(20001, str(error)) from None


def _bad(code: int, why: str) -> BadRequest:
    return BadRequest(400, code, why)
