"""Telnyx's side of an inbound call by TeXML: the signed webhook, the document, the callbacks.

Telnyx's documents: "TeXML", "Media Streaming over WebSockets", "Webhook signing".
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rapida_tw.sim.carrier import FakeCarrier, Media
from rapida_tw.sim.http import HttpAnswer, HttpRequest, form
from rapida_tw.sim.markup import callback, check_media_url, no_stream, read_response
from rapida_tw.sim.phone import CallFailed, Ending
from rapida_tw.sim.telnyx_media import LAWS, TelnyxMedia
from rapida_tw.sim.twilio import stamp


@dataclass(frozen=True, slots=True)
class TelnyxNumber:
    """What is set in the portal for a number's TeXML application, the key being in the URL.

    `signing_key`: the 32 bytes of an Ed25519 private key; without it nothing is signed.
    `status_url` is told of the call's end. `tls` False takes a `ws:` stream too.
    """

    voice_url: str = field(repr=False)
    method: str = "POST"
    signing_key: bytes = field(default=b"", repr=False)
    status_url: str = ""
    tls: bool = True


@dataclass(frozen=True, slots=True)
class TelnyxStream:
    """A `<Stream>` that Telnyx connects."""

    url: str
    codec: str
    name: str = ""
    status_url: str = ""
    status_method: str = "POST"


class TelnyxCall:
    """A call to the number. `jumbled`: its packets may overtake each other."""

    def __init__(
        self,
        number: TelnyxNumber,
        caller: str = "+15550100001",
        callee: str = "+15550100002",
        jumbled: bool = False,
    ) -> None:
        self.call_control_id = f"v3:{uuid4().hex}"
        self.stream_id = str(uuid4())
        self.stream: TelnyxStream | None = None  # what the TeXML asked for
        self._number = number
        self._caller, self._callee = caller, callee
        self._jumbled = jumbled

    def webhook(self, now: float) -> HttpRequest:
        return self._signed(
            self._number.method, self._number.voice_url, self._fields("ringing"), now
        )

    def invited(self, answer: HttpAnswer, now: float) -> Media:
        self.stream = stream = read_texml(answer, tls=self._number.tls)
        dialect = TelnyxMedia(
            self.call_control_id,
            self.stream_id,
            self._caller,
            self._callee,
            stream.codec,
            self._jumbled,
        )
        return Media(stream.url, dialect)

    def started(self, now: float) -> Sequence[HttpRequest]:
        return self._stream_event("stream-started", now)

    def ended(self, ending: Ending, now: float) -> Sequence[HttpRequest]:
        requests = self._stream_event("stream-stopped", now)
        if self._number.status_url:
            fields = {**self._fields("completed"), "Timestamp": stamp(now)}
            requests.append(self._signed("POST", self._number.status_url, fields, now))
        return requests

    # -- inside -----------------------------------------------------------------------------------

    def _stream_event(self, event: str, now: float) -> list[HttpRequest]:
        stream = self.stream
        if stream is None or not stream.status_url:
            return []
        fields = {
            "AccountSid": "acd8df13-68e3-4a08-a1b9-3a4bd2d5a8c1",
            "CallSid": self.call_control_id,
            "CallSidLegacy": self.call_control_id,
            "StreamSid": self.stream_id,
            "StreamName": stream.name or self.stream_id,
            "StreamEvent": event,
            "Timestamp": stamp(now),
        }
        return [self._signed(stream.status_method, stream.status_url, fields, now)]

    def _fields(self, status: str) -> dict[str, str]:
        return {
            "AccountSid": "acd8df13-68e3-4a08-a1b9-3a4bd2d5a8c1",
            "CallSid": self.call_control_id,
            "CallSidLegacy": self.call_control_id,
            "From": self._caller,
            "To": self._callee,
            "CallStatus": status,
            "Direction": "inbound",
        }

    def _signed(self, method: str, url: str, fields: Mapping[str, str], now: float) -> HttpRequest:
        headers = {"User-Agent": "telnyx-webhooks"}
        if self._number.signing_key:
            body = form(method, url, fields, headers).body
            headers["telnyx-timestamp"] = str(int(now))
            headers["telnyx-signature-ed25519"] = signature(
                self._number.signing_key, int(now), body
            )
        return form(method, url, fields, headers)


def signature(key: bytes, timestamp: int, body: bytes) -> str:
    """telnyx-signature-ed25519: of the time and the raw body."""
    signing = Ed25519PrivateKey.from_private_bytes(key)
    return b64encode(signing.sign(f"{timestamp}|".encode() + body)).decode()


def read_texml(answer: HttpAnswer, *, tls: bool = True) -> TelnyxStream:
    """The stream that the document leads to; `CallFailed` says what Telnyx would not take."""
    root = read_response(answer)
    stream = root.find("Connect/Stream")
    if stream is None:
        raise no_stream(root, "Say")
    url = stream.get("url", "")
    check_media_url(url, tls=tls)
    if stream.get("bidirectionalMode") != "rtp":
        raise CallFailed(f"bidirectionalMode {stream.get('bidirectionalMode')!r} and not rtp")
    codec = stream.get("bidirectionalCodec", "PCMU")
    if codec not in LAWS:
        raise CallFailed(f"bidirectionalCodec {codec!r}: the farm speaks {', '.join(LAWS)}")
    status_url, status_method = callback(stream, "statusCallback", "statusCallbackMethod")
    return TelnyxStream(url, codec, stream.get("name", ""), status_url, status_method)


_conforms: type[FakeCarrier] = TelnyxCall
