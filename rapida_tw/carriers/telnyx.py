"""Telnyx: TeXML that opens a media stream, the stream's messages, and its webhooks' signature.

After its documentation ("TeXML: Stream", "Media streaming over WebSockets", "Webhook signing").
TeXML is TwiML's relative, and its forms are Twilio's. The other front end, Call Control, tells a
call as JSON and wants to be commanded over REST: its events are understood, a call of it is not
answered yet.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from rapida_tw.account import URL_FIELDS
from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.audio.g711 import ALAW, MULAW
from rapida_tw.carriers import markup
from rapida_tw.carriers.base import (
    NOTHING,
    Audio,
    Carrier,
    CarrierEvent,
    Complaint,
    Digit,
    Document,
    IncomingCall,
    Invitation,
    MediaEvent,
    MediaWire,
    Message,
    Started,
    Stopped,
    WebhookRequest,
)
from rapida_tw.carriers.fields import LONGEST, fields, identity, printable, word
from rapida_tw.carriers.markup import element, response
from rapida_tw.carriers.messages import Marks, decoded, digit, encoded, parse, part, text, written
from rapida_tw.carriers.order import Order
from rapida_tw.carriers.outbound import RestControl
from rapida_tw.carriers.telnyx_control import TelnyxControl
from rapida_tw.carriers.telnyx_events import progress, verdict
from rapida_tw.carriers.withheld import withheld
from rapida_tw.errors import (
    REMOTE_HANGUP,
    BadRequest,
    CallError,
    Forged,
    NotSupported,
    RemoteProtocolError,
)

LEAD: Final = 5  # ticks that Telnyx holds: what our beat and the network may be late
WINDOW: Final = 300  # seconds that a webhook's time may differ from ours
_LONGEST_COMPLAINT = 200  # characters
_TIME, _SIGNATURE = "telnyx-timestamp", "telnyx-signature-ed25519"
_CODEC: Final = "PCMU"  # of what we send; asked for in the other direction, too

_ENCODINGS: Final = {
    "PCMU": Encoding.MULAW,
    "PCMA": Encoding.ALAW,
    # As it comes in practice: little-endian, unlike in RTP (RFC 3551, section 4.5.11).
    "L16": Encoding.LINEAR16,
}
_RATES: Final = {"PCMU": (8_000,), "PCMA": (8_000,), "L16": (8_000, 16_000, 24_000, 48_000)}
_A_TO_MU: Final = MULAW.encode(ALAW.decode(bytes(range(256))))

# How an event of Call Control begins → how ours does.
_FAMILIES: Final = {
    "streaming.": "stream.",
    "call.recording.": "recording.",
    "call.machine.": "machine.",
}
_LIFE: Final = frozenset(("call.initiated", "call.answered", "call.bridged", "call.hangup"))


class Telnyx:
    """The carrier `telnyx`."""

    name = "telnyx"
    description = "Telnyx Voice by TeXML, with media streaming"
    credential_fields: Mapping[str, str] = {
        "api_key": "An API v2 key of the account.",
        "connection_id": "The id of a Call Control application, to place calls with.",
        "public_key": "The account's public key, in base64, that proves a webhook's signature.",
        **URL_FIELDS,
    }
    subprotocols: tuple[str, ...] = ()
    control: RestControl | None = TelnyxControl()
    context_in_band = False

    def read_call(self, request: WebhookRequest) -> IncomingCall:
        """A TeXML form, or Call Control's call.initiated."""
        event, told = _told(request)
        if event not in ("", "call.initiated"):
            raise BadRequest(f"an event and no call: {event}")
        if event and told.get("direction") == "outgoing":
            raise BadRequest("a call of our own")
        caller = identity(told, "From", "from")
        if caller is None:
            raise BadRequest("From is missing: the number of the caller")
        call_id = identity(told, "CallSid", "call_control_id") or ""
        other = identity(told, "CallSidLegacy", "call_leg_id") or ""
        return IncomingCall(
            carrier=self.name,
            caller="" if withheld(caller) else caller,
            callee=identity(told, "To", "to") or "",
            provider_call_id=call_id,
            aliases=(other,) if other not in ("", call_id) else (),
        )

    def answer(self, invitation: Invitation, request: WebhookRequest) -> Document:
        """TeXML; to Call Control, which reads no answer, an apology until we command it."""
        if _told(request)[0]:
            return self.apology(
                NotSupported("Call Control takes commands, no documents: use TeXML")
            )
        stream = element(
            "Stream",
            attributes={
                "url": invitation.media_url,
                "codec": _CODEC,
                "bidirectionalMode": "rtp",
                "bidirectionalCodec": _CODEC,
                "statusCallback": invitation.event_url,
                "statusCallbackMethod": "POST",
            },
        )
        return response(element("Connect", stream))

    def apology(self, error: CallError) -> Document:
        return markup.apology(error, say="Say", reject="Reject")

    def read_event(self, request: WebhookRequest) -> CarrierEvent:
        event, told = _told(request)
        name = _control_name(event, told) if event else _texml_name(told)
        if not name:
            raise BadRequest("neither an event of Call Control nor one of TeXML")
        call_id = identity(told, "CallSid", "call_control_id")
        call_ids = (call_id,) if call_id else ()
        where = progress(event, name, told)
        return CarrierEvent(name, call_ids, told, where, verdict(event, told))

    def verify(self, request: WebhookRequest, secrets: Mapping[str, str], now: float) -> bool:
        """The signature covers the body alone: where there is none, it proves nothing."""
        signature = request.headers.get(_SIGNATURE, "").strip()
        key = secrets.get("public_key", "").strip()
        if not signature or not key or not request.body:
            return False
        time = request.headers.get(_TIME, "").strip()
        if not (time.isascii() and time.isdigit() and abs(now - int(time[:12])) <= WINDOW):
            raise Forged(f"the time of the signature differs from ours by more than {WINDOW} s")
        try:
            signed = time.encode() + b"|" + request.body
            Ed25519PublicKey.from_public_bytes(b64decode(key)).verify(b64decode(signature), signed)
        except InvalidSignature:
            raise Forged("the signature does not match the body") from None
        except ValueError:
            raise Forged("the signature, or our public key, is none of Ed25519") from None
        return True

    def media(self, request: WebhookRequest, options: Mapping[str, Any]) -> MediaWire:
        return TelnyxMedia()


def _told(request: WebhookRequest) -> tuple[str, dict[str, str]]:
    """The type of a Call Control event ("" of a form) and what is told, flat."""
    data = request.json.get("data")
    if not isinstance(data, dict):
        return "", fields(request)
    payload = data.get("payload")
    flat = {name: value for name, value in data.items() if name != "payload"}
    flat |= payload if isinstance(payload, dict) else {}
    event = data.get("event_type")
    told = fields(WebhookRequest(request.method, request.path, json=flat))
    return printable(event)[:LONGEST] if isinstance(event, str) else "", told


def _control_name(event: str, told: Mapping[str, str]) -> str:
    if event in _LIFE:
        return "status." + event.removeprefix("call.")
    if event == "call.machine.detection.ended":
        return f"machine.{word(told.get('result', '')) or 'unknown'}"
    for family, ours in _FAMILIES.items():
        if event.startswith(family):
            return ours + word(event.removeprefix(family))
    return word(event)


def _texml_name(told: Mapping[str, str]) -> str:
    for field, family in (
        ("StreamEvent", "stream."),
        ("RecordingStatus", "recording."),
        ("CallStatus", "status."),
    ):
        value = word(told.get(field, ""))
        if value:
            return family + value.removeprefix("stream-")
    return ""


# -- the stream -------------------------------------------------------------------------------


class TelnyxMedia:
    """One stream: it begins with `start`, which tells the format of what we hear."""

    one_frame_a_record = False

    def __init__(self) -> None:
        self.format = AudioFormat(Encoding.MULAW, 8_000, continuous=False, lead=LEAD)
        self._stream = ""  # the stream_id; "" before the start
        self._marks = Marks()
        self._order = Order()

    # -- from Telnyx ------------------------------------------------------------------------------

    def received(self, message: bytes, binary: bool) -> Sequence[MediaEvent]:
        fields = parse(message, binary)
        event = fields.get("event")
        if not isinstance(event, str):
            raise RemoteProtocolError("a message without an event")
        read = _EVENTS.get(event)
        return NOTHING if read is None else read(self, fields)

    def _start(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        if self._stream:
            raise RemoteProtocolError("a second start")
        start = part(fields, "start")
        stream, call = text(fields, "stream_id"), text(start, "call_control_id")
        if not stream or len(stream) > LONGEST or len(call) > LONGEST:
            raise RemoteProtocolError("a start without its stream_id, or with too long an id")
        offered = part(start, "media_format")
        codec, rate = text(offered, "encoding"), text(offered, "sample_rate")
        encoding = _ENCODINGS.get(codec)
        if encoding is None or rate not in map(str, _RATES[codec]):
            raise RemoteProtocolError(f"no audio for us: {codec[:20]!r} of {rate[:20]!r} Hz")
        self._stream = stream
        self.format = AudioFormat(encoding, int(rate), continuous=False, lead=LEAD)
        return (Started(call),)

    def _media(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        self._check(fields)
        media = part(fields, "media")
        if text(media, "track") not in ("inbound", ""):
            return NOTHING
        payload = decoded(media.get("payload"))
        if len(payload) % self.format.sample_bytes:
            raise RemoteProtocolError("half a sample")
        chunk = text(media, "chunk")
        if not (chunk.isascii() and chunk.isdigit() and len(chunk) < 16):
            raise RemoteProtocolError("media without its chunk")
        return [Audio(one) for one in self._order.arrived(int(chunk), payload) if one]

    def _dtmf(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        self._check(fields)
        return (Digit(digit(text(part(fields, "dtmf"), "digit"))),)

    def _mark(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        self._check(fields)
        return self._marks.returned(text(part(fields, "mark"), "name"))

    def _error(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        payload = part(fields, "payload")
        told = " ".join(text(payload, name) for name in ("code", "title", "detail"))
        return (Complaint(printable(told[:_LONGEST_COMPLAINT])),)

    def _stop(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        self._check(fields)
        return [*map(Audio, self._order.rest()), Stopped(REMOTE_HANGUP)]

    def _check(self, fields: Mapping[str, Any]) -> None:
        if not self._stream:
            raise RemoteProtocolError("a message before the start")
        if fields.get("stream_id") != self._stream:
            raise RemoteProtocolError("a message of another stream")

    # -- to Telnyx --------------------------------------------------------------------------------

    def audio(self, payload: bytes) -> Sequence[Message]:
        if not self._stream:
            return NOTHING
        if self.format.encoding is Encoding.ALAW:
            # What Telnyx could not recode comes as it is on the line; what we send is PCMU still.
            payload = payload.translate(_A_TO_MU)
        return (Message(b'{"event":"media","media":{"payload":"' + encoded(payload) + b'"}}'),)

    def mark(self, name: str) -> Sequence[Message]:
        if not self._stream:
            return NOTHING
        self._marks.sent(name)
        return (written({"event": "mark", "mark": {"name": name}}),)

    def clear(self) -> Sequence[Message]:
        if not self._stream:
            return NOTHING
        self._marks.cleared()
        return (written({"event": "clear"}),)

    def digits(self, digits: str) -> Sequence[Message]:
        raise NotSupported("Telnyx's media socket carries no digits towards the phone")

    def hang_up(self) -> Sequence[Message]:
        return NOTHING  # closing ends the call: no verb follows our <Connect>


_EVENTS: Final[Mapping[str, Callable[[TelnyxMedia, Mapping[str, Any]], Sequence[MediaEvent]]]] = {
    "start": TelnyxMedia._start,
    "media": TelnyxMedia._media,
    "dtmf": TelnyxMedia._dtmf,
    "mark": TelnyxMedia._mark,
    "error": TelnyxMedia._error,
    "stop": TelnyxMedia._stop,
}

TELNYX = Telnyx()

_conforms: Carrier = TELNYX
