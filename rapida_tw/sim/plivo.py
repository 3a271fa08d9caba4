"""Plivo's side of an inbound call: the signed answer URL, its XML, the stream's callbacks.

Plivo's documents: "Answer URL", "<Stream>", "Signature validation V3".
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from rapida_tw.sim.carrier import FakeCarrier, Media
from rapida_tw.sim.http import HttpAnswer, HttpRequest, form
from rapida_tw.sim.markup import callback, check_media_url, no_stream, read_response
from rapida_tw.sim.phone import CallFailed, Ending
from rapida_tw.sim.plivo_media import PlivoMedia

_CONTENT_TYPES = {
    "audio/x-mulaw;rate=8000": ("audio/x-mulaw", 8_000),
    "audio/x-l16;rate=8000": ("audio/x-l16", 8_000),
    "audio/x-l16;rate=16000": ("audio/x-l16", 16_000),
}
_EXTRA_HEADERS = re.compile(r"[A-Za-z0-9_]+=[^,=]*(,[A-Za-z0-9_]+=[^,=]*)*")


@dataclass(frozen=True, slots=True)
class PlivoNumber:
    """What is set in the console for a number's application, the key being in the URL.

    Without an `auth_token` nothing is signed. `hangup_url` is told of the call's end. `tls` False
    takes a `ws:` stream too.
    """

    answer_url: str = field(repr=False)
    method: str = "POST"
    auth_token: str = field(default="", repr=False)
    hangup_url: str = ""
    tls: bool = True


@dataclass(frozen=True, slots=True)
class PlivoStream:
    """A `<Stream>` that Plivo connects."""

    url: str
    encoding: str
    rate: int
    keeps_call: bool
    status_url: str = ""
    status_method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)


class PlivoCall:
    """A call to the number. Numbers are E.164 without the plus."""

    def __init__(
        self, number: PlivoNumber, caller: str = "15550100001", callee: str = "15550100002"
    ) -> None:
        self.call_uuid = str(uuid4())
        self.stream_id = str(uuid4())
        self.stream: PlivoStream | None = None  # what the XML asked for
        self._number = number
        self._caller, self._callee = caller, callee

    def webhook(self, now: float) -> HttpRequest:
        fields = self._fields("ringing", "StartApp")
        return self._signed(self._number.method, self._number.answer_url, fields)

    def invited(self, answer: HttpAnswer, now: float) -> Media:
        self.stream = stream = read_stream(answer, tls=self._number.tls)
        dialect = PlivoMedia(
            self.call_uuid,
            self.stream_id,
            stream.encoding,
            stream.rate,
            json.dumps(dict(stream.headers)),
        )
        return Media(stream.url, dialect)

    def started(self, now: float) -> Sequence[HttpRequest]:
        return self._stream_event("StartStream")

    def ended(self, ending: Ending, now: float) -> Sequence[HttpRequest]:
        requests = self._stream_event("StopStream")
        if self._number.hangup_url:
            fields = self._fields("completed", "Hangup")
            requests.append(self._signed("POST", self._number.hangup_url, fields))
        return requests

    # -- inside -----------------------------------------------------------------------------------

    def _stream_event(self, event: str) -> list[HttpRequest]:
        stream = self.stream
        if stream is None or not stream.status_url:
            return []
        fields = {**self._fields("in-progress", event), "StreamID": self.stream_id}
        return [self._signed(stream.status_method, stream.status_url, fields)]

    def _fields(self, status: str, event: str) -> dict[str, str]:
        return {
            "CallUUID": self.call_uuid,
            "From": self._caller,
            "To": self._callee,
            "CallStatus": status,
            "Direction": "inbound",
            "Event": event,
        }

    def _signed(self, method: str, url: str, fields: Mapping[str, str]) -> HttpRequest:
        headers = {"User-Agent": "Plivo"}
        if self._number.auth_token:
            nonce = str(uuid4().int)[:20]
            headers["X-Plivo-Signature-V3-Nonce"] = nonce
            headers["X-Plivo-Signature-V3"] = signature(
                self._number.auth_token, method, url, fields, nonce
            )
        return form(method, url, fields, headers)


def signature(token: str, method: str, url: str, fields: Mapping[str, str], nonce: str) -> str:
    """X-Plivo-Signature-V3; of a GET `url` is without `fields`."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    base = f"{parts.scheme}://{parts.netloc}{parts.path}?"
    if method == "GET":
        base += _joined((*query, *fields.items()))
    else:
        base += _joined(query) + ("." if query else "")
        base += "".join(name + value for name, value in sorted(fields.items()))
    signed = hmac.digest(token.encode(), f"{base}.{nonce}".encode(), "sha256")
    return b64encode(signed).decode()


def _joined(fields: Sequence[tuple[str, str]]) -> str:
    return "&".join(f"{name}={value}" for name, value in sorted(fields))


def read_stream(answer: HttpAnswer, *, tls: bool = True) -> PlivoStream:
    """The stream that the XML leads to; `CallFailed` says what Plivo would not take."""
    root = read_response(answer)
    stream = root.find("Stream")
    if stream is None:
        raise no_stream(root, "Speak")
    url = (stream.text or "").strip()
    check_media_url(url, tls=tls)
    if stream.get("bidirectional") != "true":
        raise CallFailed("without bidirectional nothing of the server's is heard")
    if stream.get("audioTrack", "inbound") != "inbound":
        raise CallFailed(f"audioTrack {stream.get('audioTrack')!r} of a bidirectional stream")
    content_type = stream.get("contentType", "audio/x-l16;rate=8000").replace(" ", "")
    if content_type not in _CONTENT_TYPES:
        raise CallFailed(f"contentType {content_type!r}")
    encoding, rate = _CONTENT_TYPES[content_type]
    headers = stream.get("extraHeaders", "")
    if headers and not _EXTRA_HEADERS.fullmatch(headers):
        raise CallFailed(f"extraHeaders {headers!r}")
    pairs = (pair.partition("=") for pair in headers.split(",") if pair)
    return PlivoStream(
        url,
        encoding,
        rate,
        stream.get("keepCallAlive") == "true",
        *callback(stream, "statusCallbackUrl", "statusCallbackMethod"),
        {name: value for name, _, value in pairs},
    )


_conforms: type[FakeCarrier] = PlivoCall
