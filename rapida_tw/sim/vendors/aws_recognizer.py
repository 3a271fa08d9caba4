"""A fake of Amazon Transcribe's WebSocket (its developer guide, "Setting up streaming").

Strict about the signature of the address, and about every length and checksum of an event.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from twisted.internet.interfaces import IDelayedCall

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.hearing import Began, Ended, Script, Words
from rapida_tw.sim.vendors.listening import Ear, Manners, Teller

_PATH = "/stream-transcription-websocket"
_SCOPE = re.compile(r"([^/]+)/(\d{8})/([a-z0-9-]+)/transcribe/aws4_request")
_DATE = re.compile(r"\d{8}T\d{6}Z")
_RATES = ("8000", "16000", "44100", "48000")
_LANGUAGE = re.compile(r"[a-z]{2}-[A-Z]{2}")
_KNOWN = frozenset(
    (
        *("language-code", "media-encoding", "sample-rate", "vocabulary-name", "session-id"),
        *("enable-partial-results-stabilization", "partial-results-stability"),
        *("language-model-name", "show-speaker-label", "content-redaction-type"),
    )
)
_PAUSE = 0.4  # seconds of silence behind which a result is final
_PATIENCE = 15.0  # seconds without audio
_TIMED_OUT = (
    "Your request timed out because no new audio was received for 15 seconds. "
    "You can submit a new request when audio becomes available."
)


class Mistake(Exception):
    """What a handshake is refused or a stream is ended for."""


class AWSRecognizer:
    """`sessions`: all streams so far. `key` is the secret; the name of the key is anything."""

    hosts: tuple[str, ...] = ("transcribestreaming.*.amazonaws.com",)

    def __init__(self, script: Sequence[str] = (), key: str = "aws-secret") -> None:
        self.script = Script(script)
        self.manners = Manners()
        self.key = key
        self.sessions: list[AWSSession] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            return _refusal(status, f"refused with {status}")
        if not asked.path.endswith(_PATH):
            return _refusal(404, "<UnknownOperationException/>")
        try:
            _check_signature(asked, self.key)
        except Mistake as mistake:
            return _refusal(403, str(mistake))
        session = AWSSession(self, asked, line)
        self.sessions.append(session)
        return session

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(404, "<UnknownOperationException/>")


class AWSSession:
    """One stream."""

    def __init__(self, vendor: AWSRecognizer, asked: Asked, line: Line) -> None:
        self.asked = asked
        self._vendor = vendor
        self._line = line
        self._ear: Ear | None = None
        self._result = 0
        self._timer: IDelayedCall | None = None

    # -- from the client -----------------------------------------------------------------------

    def opened(self) -> None:
        try:
            rate = _checked(self.asked)
        except Mistake as mistake:
            self._fail("BadRequestException", str(mistake))
            return
        clock, vendor = self._line.clock, self._vendor
        self._ear = Ear(clock, vendor.script, vendor.manners, self, "linear16", rate, _PAUSE)
        self._timer = clock.callLater(_PATIENCE, self._impatient)

    def received(self, message: bytes, binary: bool) -> None:
        if self._ear is None:
            return
        try:
            headers, payload = read(message, binary)
            if headers.get(":message-type") != "event":
                raise Mistake("Unexpected message type.")
            if headers.get(":event-type") != "AudioEvent":
                raise Mistake("Unexpected event type.")
        except Mistake as mistake:
            self._fail("BadRequestException", str(mistake))
            return
        if self._timer is not None:
            self._timer.reset(_PATIENCE)
        if payload:
            self._ear.hear(payload)
        else:
            self._ear.flush()
            self._end()

    def closed(self, code: int) -> None:
        self._stop()

    def _impatient(self) -> None:
        self._timer = None
        self._fail("BadRequestException", _TIMED_OUT)

    def _end(self, code: int = 1000) -> None:
        self._stop()
        self._line.close(code)

    def _stop(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
        if self._ear is not None:
            self._ear.stop()

    # -- what is heard: Teller -----------------------------------------------------------------

    def began(self, heard: Began) -> None:
        self._result += 1

    def words(self, heard: Words) -> None:
        self._tell(heard, heard.at, partial=True)

    def ended(self, heard: Ended) -> None:
        if heard.words:
            self._tell(heard, heard.ended, partial=False)

    def _tell(self, heard: Words | Ended, end: float, partial: bool) -> None:
        items = [
            {
                "Content": word.text,
                "StartTime": word.start,
                "EndTime": word.end,
                "Type": "pronunciation",
                "Confidence": 0.9,
            }
            for word in heard.words
        ]
        result = {
            "ResultId": f"result-{self._result}",
            "StartTime": heard.began,
            "EndTime": end,
            "IsPartial": partial,
            "Alternatives": [{"Transcript": heard.text, "Items": items}],
        }
        self._say("TranscriptEvent", {"Transcript": {"Results": [result]}})

    def garbage(self) -> None:
        self._line.send(written({":message-type": "event"}, b"{}")[:-1] + b"\0")

    def error(self) -> None:
        self._fail("InternalFailureException", "A problem occurred while processing the audio.")

    def unknown(self) -> None:
        self._say("HealthEvent", {"Health": "good"})

    def close(self) -> None:
        self._end(1001)

    def drop(self) -> None:
        self._stop()
        self._line.drop()

    def _fail(self, kind: str, why: str) -> None:
        headers = {
            ":message-type": "exception",
            ":exception-type": kind,
            ":content-type": "application/json",
        }
        self._line.send(written(headers, json.dumps({"Message": why}).encode()))
        self._end()

    def _say(self, kind: str, body: Mapping[str, Any]) -> None:
        headers = {
            ":message-type": "event",
            ":event-type": kind,
            ":content-type": "application/json",
        }
        self._line.send(written(headers, json.dumps(body).encode()))


# -- events ---------------------------------------------------------------------------------------


def written(headers: Mapping[str, str], payload: bytes) -> bytes:
    """An event, with headers that are texts."""
    head = bytearray()
    for name, value in headers.items():
        head += struct.pack("!B", len(name)) + name.encode()
        head += struct.pack("!BH", 7, len(value.encode())) + value.encode()
    lengths = struct.pack("!II", len(head) + len(payload) + 16, len(head))
    whole = lengths + struct.pack("!I", zlib.crc32(lengths)) + bytes(head) + payload
    return whole + struct.pack("!I", zlib.crc32(whole))


def read(message: bytes, binary: bool) -> tuple[dict[str, str], bytes]:
    """Headers and payload; `Mistake` for anything else."""
    if not binary or len(message) < 16:
        raise Mistake("The request body is not an event stream.")
    total, size, check = struct.unpack_from("!III", message)
    if total != len(message) or size > total - 16 or check != zlib.crc32(message[:8]):
        raise Mistake("Prelude checksum mismatch.")
    if struct.unpack("!I", message[-4:])[0] != zlib.crc32(message[:-4]):
        raise Mistake("Message checksum mismatch.")
    headers: dict[str, str] = {}
    head = message[12 : 12 + size]
    while head:
        name_end = 1 + head[0]
        kind, length = struct.unpack_from("!BH", head, name_end)
        if kind != 7:
            raise Mistake("This fake reads headers that are texts.")
        end = name_end + 3 + length
        headers[head[1:name_end].decode()] = head[name_end + 3 : end].decode()
        head = head[end:]
    return headers, message[12 + size : -4]


# -- handshakes -----------------------------------------------------------------------------------


def _check_signature(asked: Asked, secret: str) -> None:
    """As "Signature Version 4" has it, of what has arrived."""
    scope = _SCOPE.fullmatch(asked.one("X-Amz-Credential"))
    date = asked.one("X-Amz-Date")
    if asked.one("X-Amz-Algorithm") != "AWS4-HMAC-SHA256" or scope is None:
        raise Mistake("Missing Authentication Token")
    if not _DATE.fullmatch(date) or date[:8] != scope[2]:
        raise Mistake("Credential should be scoped to the date of the request")
    if not 1 <= int(asked.one("X-Amz-Expires") or 0) <= 300:
        raise Mistake("X-Amz-Expires must be at most 300")
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, values in asked.query.items()
        for value in values
        if name != "X-Amz-Signature"
    )
    query = "&".join("=".join(pair) for pair in pairs)
    path = quote(asked.path, safe="/-_.~")
    empty = hashlib.sha256(b"").hexdigest()
    request = f"GET\n{path}\n{query}\nhost:{asked.headers['host']}\n\nhost\n{empty}"
    named = f"{scope[2]}/{scope[3]}/transcribe/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = ("AWS4" + secret).encode()
    for part in (scope[2], scope[3], "transcribe", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"AWS4-HMAC-SHA256\n{date}\n{named}\n{digest}"
    due = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(due, asked.one("X-Amz-Signature")):
        raise Mistake("The request signature we calculated does not match the one you provided.")


def _checked(asked: Asked) -> int:
    """The rate, where nothing is wrong."""
    unknown = {name for name in asked.query if not name.startswith("X-Amz-")} - _KNOWN
    if unknown:
        raise Mistake(f"Unknown parameters {sorted(unknown)}.")
    if not _LANGUAGE.fullmatch(asked.one("language-code")):
        raise Mistake("The requested language code isn't supported.")
    if asked.one("media-encoding") != "pcm" or asked.one("sample-rate") not in _RATES:
        raise Mistake("media-encoding must be pcm, and sample-rate one that is supported.")
    if asked.one("partial-results-stability") not in ("", "low", "medium", "high"):
        raise Mistake("partial-results-stability must be low, medium or high.")
    return int(asked.one("sample-rate"))


def _refusal(status: int, message: str) -> Refusal:
    return Refusal(status, json.dumps({"message": message}), {"content-type": "application/json"})


_conforms: tuple[type[FakeVendor], type[Session], type[Teller]] = (
    AWSRecognizer,
    AWSSession,
    AWSSession,
)
