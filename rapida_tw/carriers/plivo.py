"""Plivo: XML that opens an audio stream, the stream's messages, and its webhooks' signature.

After its documentation ("Stream XML", "Audio streaming", "Signature validation") and its Python
library. A stream is much like Twilio's, but that it has no `connected` and mostly no `stop`.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from rapida_tw.account import URL_FIELDS
from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.carriers import markup
from rapida_tw.carriers.base import (
    NOTHING,
    Audio,
    Carrier,
    CarrierEvent,
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
from rapida_tw.carriers.fields import LONGEST, fields, identity, our_uuid, word
from rapida_tw.carriers.markup import element, response
from rapida_tw.carriers.messages import Marks, decoded, digit, encoded, parse, part, text, written
from rapida_tw.carriers.outbound import RestControl
from rapida_tw.carriers.pairs import Pairs, form, pairs
from rapida_tw.carriers.plivo_control import CONTEXT, PlivoControl
from rapida_tw.carriers.plivo_events import progress, verdict
from rapida_tw.carriers.withheld import withheld
from rapida_tw.errors import REMOTE_HANGUP, BadRequest, CallError, Forged, RemoteProtocolError

LEAD: Final = 5  # ticks that Plivo holds: what our beat and the network may be late
_LONGEST_STREAM: Final = "86400"  # seconds; our own limit is the deployment's
_FORMAT: Final = {"encoding": "audio/x-mulaw", "sampleRate": "8000"}
_BEFORE_PAYLOAD: Final = (
    b'{"event":"playAudio","media":{"contentType":"audio/x-mulaw","sampleRate":8000,"payload":"'
)
_SIGNATURE, _NONCE = "x-plivo-signature-v3", "x-plivo-signature-v3-nonce"

# What `Event` says of a stream; the others have words of their own.
_STREAM_EVENTS: Final = {
    "startstream": "stream.started",
    "stopstream": "stream.stopped",
    "droppedstream": "stream.dropped",
    "degradedstream": "stream.degraded",
    "playedstream": "stream.played",
    "clearedaudio": "stream.cleared",
}


class Plivo:
    """The carrier `plivo`."""

    name = "plivo"
    description = "Plivo Voice, by audio streaming"
    credential_fields: Mapping[str, str] = {
        "auth_id": "The account's Auth ID.",
        "auth_token": "The account's Auth Token, with which Plivo signs its requests.",
        **URL_FIELDS,
    }
    subprotocols: tuple[str, ...] = ()
    control: RestControl | None = PlivoControl()
    context_in_band = False

    def read_call(self, request: WebhookRequest) -> IncomingCall:
        told = fields(request)
        caller = identity(told, "From")
        if caller is None:
            raise BadRequest("From is missing: the number of the caller")
        event = told.get("Event", "StartApp")
        if event != "StartApp":
            # An application without a hangup URL reports the end here.
            raise BadRequest(f"an event and no call: {word(event)}")
        call_id = identity(told, "CallUUID") or ""
        leg_id = identity(told, "ALegUUID") or ""
        return IncomingCall(
            carrier=self.name,
            caller="" if withheld(caller) else caller,
            callee=identity(told, "To") or "",
            provider_call_id=call_id,
            aliases=(leg_id,) if leg_id not in ("", call_id) else (),
            media=PlivoMedia.format,
            context_id=our_uuid(request.query.get(CONTEXT, "")),
        )

    def answer(self, invitation: Invitation, request: WebhookRequest) -> Document:
        stream = element(
            "Stream",
            text=invitation.media_url,
            attributes={
                "bidirectional": "true",
                "keepCallAlive": "true",
                "audioTrack": "inbound",
                "contentType": "audio/x-mulaw;rate=8000",
                "streamTimeout": _LONGEST_STREAM,
                "statusCallbackUrl": invitation.event_url,
                "statusCallbackMethod": "POST",
            },
        )
        # What stands behind it is done when the stream has ended, by us or by its time.
        return response(stream, element("Hangup"))

    def apology(self, error: CallError) -> Document:
        return markup.apology(error, say="Speak", reject="Hangup")

    def read_event(self, request: WebhookRequest) -> CarrierEvent:
        told = fields(request)
        event, status = word(told.get("Event", "")), word(told.get("CallStatus", ""))
        if event in _STREAM_EVENTS:
            name = _STREAM_EVENTS[event]
        elif event == "machinedetection":
            name = f"machine.{word(told.get('Machine', '')) or 'unknown'}"
        elif "RecordUrl" in told:
            name = "recording.completed"
        elif status:
            name = f"status.{status}"
        elif event:
            name = event
        else:
            raise BadRequest("neither Event nor CallStatus")
        ids = (identity(told, "CallUUID"), identity(told, "RequestUUID"))
        call_ids = tuple(dict.fromkeys(one for one in ids if one))
        return CarrierEvent(name, call_ids, told, progress(name, told), verdict(name))

    def verify(self, request: WebhookRequest, secrets: Mapping[str, str], now: float) -> bool:
        given, token = request.headers.get(_SIGNATURE, ""), secrets.get("auth_token", "")
        if not given.strip() or not token:
            return False
        nonce = request.headers.get(_NONCE, "")
        key = token.encode("utf-8", "replace")
        # Several while a token is changed; all are compared, so that the time tells nothing.
        signatures = [one.strip().encode("utf-8", "replace") for one in given.split(",")]
        right = [
            hmac.compare_digest(_sign(key, f"{text}.{nonce}"), signature)
            for text in _signed_texts(request)
            for signature in signatures
        ]
        if not any(right):
            raise Forged("the signature does not match the address and the fields")
        return True

    def media(self, request: WebhookRequest, options: Mapping[str, Any]) -> MediaWire:
        return PlivoMedia()


# -- the signature, version 3 -----------------------------------------------------------------


def _signed_texts(request: WebhookRequest) -> Iterator[str]:
    """What may have been signed: a socket's address is seen as wss and as https."""
    fields = form(request)
    if fields is None and request.body:
        raise Forged("the signature does not cover a body of this kind")
    scheme, colon, rest = request.url.partition(":")
    yield _signed_text(request.method, request.url, fields or [])
    if scheme in ("ws", "wss"):
        plain = f"http{scheme.removeprefix('ws')}{colon}{rest}"
        yield _signed_text(request.method, plain, fields or [])


def _signed_text(method: str, url: str, fields: Pairs) -> str:
    """The address without its query, then the query's fields, then the form's.

    Of a GET all fields are the query's. The question mark stands before a form even alone.
    """
    address, _, query = url.partition("?")
    asked = pairs(query)
    if method == "GET":
        names = {name for name, _ in asked}
        asked += [field for field in fields if field[0] not in names]
        fields = []
    joined = "&".join(f"{name}={value}" for name, value in sorted(asked))
    if not fields:
        return f"{address}?{joined}" if joined else address
    appended = "".join(name + value for name, value in sorted(fields))
    return f"{address}?{joined}.{appended}" if joined else f"{address}?{appended}"


def _sign(key: bytes, text: str) -> bytes:
    return b64encode(hmac.digest(key, text.encode("utf-8", "replace"), hashlib.sha256))


# -- the stream -------------------------------------------------------------------------------


class PlivoMedia:
    """One stream: it begins with `start` and ends when the socket is closed."""

    format = AudioFormat(Encoding.MULAW, 8_000, continuous=False, lead=LEAD)
    one_frame_a_record = False

    def __init__(self) -> None:
        self._stream = ""  # the streamId; "" before the start
        self._marks = Marks()

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
        stream, call = text(start, "streamId"), text(start, "callId")
        if not stream or len(stream) > LONGEST or len(call) > LONGEST:
            raise RemoteProtocolError("a start without its streamId, or with too long an id")
        offered = part(start, "mediaFormat")
        for name, due in _FORMAT.items():
            if text(offered, name) != due:
                raise RemoteProtocolError(f"{name} must be {due}, as was asked for")
        self._stream = stream
        return (Started(call),)

    def _media(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        self._check(fields)
        media = part(fields, "media")
        if text(media, "track") not in ("inbound", ""):
            return NOTHING
        payload = decoded(media.get("payload"))
        return (Audio(payload),) if payload else NOTHING

    def _dtmf(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        self._check(fields)
        pressed = part(fields, "dtmf")
        if text(pressed, "track") not in ("inbound", ""):
            return NOTHING
        return (Digit(digit(text(pressed, "digit"))),)

    def _played(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        self._check(fields)
        return self._marks.returned(text(fields, "name"))

    def _stop(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        self._check(fields)
        return (Stopped(REMOTE_HANGUP),)

    def _check(self, fields: Mapping[str, Any]) -> None:
        if not self._stream:
            raise RemoteProtocolError("a message before the start")
        # playedStream has come without it.
        if fields.get("streamId", self._stream) != self._stream:
            raise RemoteProtocolError("a message of another stream")

    def audio(self, payload: bytes) -> Sequence[Message]:
        if not self._stream:
            return NOTHING
        return (Message(_BEFORE_PAYLOAD + encoded(payload) + b'"}}'),)

    def mark(self, name: str) -> Sequence[Message]:
        if not self._stream:
            return NOTHING
        self._marks.sent(name)
        return (written({"event": "checkpoint", "streamId": self._stream, "name": name}),)

    def clear(self) -> Sequence[Message]:
        if not self._stream:
            return NOTHING
        self._marks.cleared()
        return (written({"event": "clearAudio", "streamId": self._stream}),)

    def digits(self, digits: str) -> Sequence[Message]:
        return (written({"event": "sendDTMF", "dtmf": digits}),)

    def hang_up(self) -> Sequence[Message]:
        return NOTHING  # closing ends the call: <Hangup> follows our <Stream>


_EVENTS: Final[Mapping[str, Callable[[PlivoMedia, Mapping[str, Any]], Sequence[MediaEvent]]]] = {
    "start": PlivoMedia._start,
    "media": PlivoMedia._media,
    "dtmf": PlivoMedia._dtmf,
    "playedStream": PlivoMedia._played,
    "stop": PlivoMedia._stop,
}

PLIVO = Plivo()

_conforms: Carrier = PLIVO
