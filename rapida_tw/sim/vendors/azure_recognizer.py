"""A fake of Azure's speech recognition (Microsoft's "Speech WebSocket protocol", and what its SDK
for Python 1.53 was seen to send).

Strict about what the service terminates a connection for: messages without their headers, ids with
dashes, audio before `speech.config`, a turn without a RIFF header, pieces over 8192 bytes.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.hearing import Began, Ended, Script, Words
from rapida_tw.sim.vendors.listening import Ear, Manners, Teller

_PATH = re.compile(
    r"(?:/stt)?/speech/recognition/(conversation|interactive|dictation)/cognitiveservices/v1"
)
_ID = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,7}Z")
_LANGUAGE = re.compile(r"[a-z]{2,3}-[A-Za-z]{2,4}(-[A-Za-z]+)?")
_RIFF = struct.Struct("<4sI4s4sIHHIIHH4sI")
_ENCODINGS = {(1, 16): "linear16", (6, 8): "alaw", (7, 8): "mulaw"}
_LONGEST = 8_192  # bytes of audio in a message
_TICKS = 10_000_000  # a second
_KNOWN = ("speech.config", "speech.context", "audio", "telemetry")


class Mistake(Exception):
    """What the service closes the connection for."""


class AzureRecognizer:
    """`sessions`: all connections so far."""

    hosts: tuple[str, ...] = ("*.stt.speech.microsoft.com", "*.cognitiveservices.azure.com")

    def __init__(self, script: Sequence[str] = (), key: str = "azure-key") -> None:
        self.script = Script(script)
        self.manners = Manners()
        self.key = key
        self.sessions: list[AzureSession] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            return Refusal(status, "" if status == 429 else f"refused with {status}")
        if not _PATH.fullmatch(asked.path):
            return Refusal(404, "Resource not found")
        if asked.headers.get("ocp-apim-subscription-key") != self.key:
            return Refusal(
                401, "Access denied due to invalid subscription key or wrong API endpoint."
            )
        if not _LANGUAGE.fullmatch(asked.one("language")):
            return Refusal(400, f"Unsupported language: {asked.one('language')}")
        if not _ID.fullmatch(asked.headers.get("x-connectionid", "")):
            return Refusal(400, "X-ConnectionId must be a UUID without dashes")
        session = AzureSession(self, asked, line)
        self.sessions.append(session)
        return session

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(404, {"error": {"code": "404", "message": "Resource not found"}})


class AzureSession:
    """`contexts`: the `speech.context` of each turn. `turns`: their ids."""

    def __init__(self, vendor: AzureRecognizer, asked: Asked, line: Line) -> None:
        self.asked = asked
        self.contexts: list[Mapping[str, Any]] = []
        self.turns: list[str] = []
        self._vendor = vendor
        self._line = line
        self._configured = False
        self._ear: Ear | None = None
        self._ended = True  # the turn
        self._pause = 0.5  # seconds that end a phrase

    # -- from the client -----------------------------------------------------------------------

    def opened(self) -> None:
        """The service waits."""

    def received(self, message: bytes, binary: bool) -> None:
        try:
            headers, body = _binary(message) if binary else _text(message)
            path = headers.get("path", "").lower()
            if path not in _KNOWN:
                raise Mistake(f"unknown path {path!r}")
            if not _STAMP.fullmatch(headers.get("x-timestamp", "")):
                raise Mistake("X-Timestamp")
            if binary is not (path == "audio"):
                raise Mistake(f"{path} in a message of the wrong kind")
            if path == "speech.config":
                self._config(body)
            elif path == "speech.context":
                self._context(headers, body)
            elif path == "audio":
                self._audio(_id(headers), headers, body)
        except Mistake as mistake:
            self._line.close(1007, f"Invalid message: {mistake}"[:120])

    def closed(self, code: int) -> None:
        if self._ear is not None:
            self._ear.stop()

    def _config(self, body: bytes) -> None:
        context = _object(body).get("context")
        if not isinstance(context, dict) or "system" not in context:
            raise Mistake("speech.config without its context")
        self._configured = True

    def _context(self, headers: Mapping[str, str], body: bytes) -> None:
        _id(headers)
        context = _object(body)
        conversation = context.get("phraseDetection", {}).get("CONVERSATION", {})
        pause = conversation.get("segmentation", {}).get("segmentationSilenceTimeoutMs", 500)
        if not 100 <= pause <= 5000:
            raise Mistake("segmentationSilenceTimeoutMs must be 100 to 5000")
        self.contexts.append(context)
        self._pause = pause / 1000

    def _audio(self, request: str, headers: Mapping[str, str], body: bytes) -> None:
        if not self._configured:
            raise Mistake("audio before speech.config")
        if len(body) > _LONGEST + _RIFF.size:
            raise Mistake("more than 8192 bytes of audio")
        if not self.turns or request != self.turns[-1]:
            body = self._begin(request, headers, body)
            if not body and headers.get("content-type") == "audio/x-wav":
                return  # only the header, as SDKs send it
        if self._ear is None or self._ended:
            return  # of a turn that the service has ended
        if body:
            self._ear.hear(body)
        else:
            self.end_turn()

    def _begin(self, request: str, headers: Mapping[str, str], body: bytes) -> bytes:
        """A turn; what of its first message is sound. A turn without any may be empty."""
        encoding, rate = ("linear16", 16_000) if not body else _format(headers, body)
        if self._ear is not None:
            self._ear.stop()  # what is queued of the turn before is discarded
        teller = _Turn(self, request, self._line)
        vendor = self._vendor
        self.turns.append(request)
        self._ended = False
        self._ear = Ear(
            self._line.clock, vendor.script, vendor.manners, teller, encoding, rate, self._pause
        )
        self.say(request, "turn.start", {"context": {"serviceTag": request[::-1]}})
        return body[_RIFF.size :]

    # -- from the service ----------------------------------------------------------------------

    def say(self, request: str, path: str, body: Mapping[str, Any]) -> None:
        kind = "application/json; charset=utf-8"
        self._line.send(
            f"X-RequestId:{request}\r\nContent-Type:{kind}\r\nPath:{path}\r\n\r\n{json.dumps(body)}"
        )

    def end_turn(self) -> None:
        """The audio is over, or the service has had enough of it."""
        if self._ended or self._ear is None:
            return
        self._ear.flush()
        request, offset = self.turns[-1], int(self._ear.seconds * _TICKS)
        self._ended = True
        self.say(request, "speech.endDetected", {"Offset": offset})
        last = {"RecognitionStatus": "EndOfDictation", "Offset": offset, "Duration": 0}
        self.say(request, "speech.phrase", last)
        self.say(request, "turn.end", {})


class _Turn:
    """Tells what is heard in one turn."""

    def __init__(self, session: AzureSession, request: str, line: Line) -> None:
        self._session = session
        self._request = request
        self._line = line
        self._detailed = session.asked.one("format") == "detailed"
        self._started = False

    def began(self, heard: Began) -> None:
        if not self._started:
            self._started = True
            self._say("speech.startDetected", {"Offset": int(heard.began * _TICKS)})

    def words(self, heard: Words) -> None:
        self._say("speech.hypothesis", {"Text": heard.text, **_when(heard.began, heard.at)})

    def ended(self, heard: Ended) -> None:
        when = _when(heard.began, heard.ended)
        if not heard.words:
            self._say("speech.phrase", {"RecognitionStatus": "NoMatch", **when})
            return
        said = heard.text
        body: dict[str, Any] = {"RecognitionStatus": "Success", **when}
        if self._detailed:
            plain = heard.text.lower()
            best = {"Confidence": 0.9, "Lexical": plain, "ITN": plain, "MaskedITN": plain}
            body["NBest"] = [
                {**best, "Display": said},
                {**best, "Confidence": 0.4, "Display": "No"},
            ]
        self._say("speech.phrase", {**body, "DisplayText": said})

    def garbage(self) -> None:
        self._line.send("neither headers nor a body")

    def error(self) -> None:
        self._say("speech.phrase", {"RecognitionStatus": "Error", "Offset": 0, "Duration": 0})

    def unknown(self) -> None:
        self._say("speech.premonition", {"Text": "maybe"})

    def close(self) -> None:
        self._line.close(4429, "Quota exceeded")

    def drop(self) -> None:
        self._line.drop()

    def _say(self, path: str, body: Mapping[str, Any]) -> None:
        self._session.say(self._request, path, body)


def _when(began: float, ended: float) -> dict[str, int]:
    return {"Offset": int(began * _TICKS), "Duration": int((ended - began) * _TICKS)}


def _format(headers: Mapping[str, str], body: bytes) -> tuple[str, int]:
    """Encoding and rate of a turn, by its RIFF header."""
    if headers.get("content-type") != "audio/x-wav" or len(body) < _RIFF.size:
        raise Mistake("a turn without a RIFF header")
    riff, _, wave, fmt, size, tag, channels, rate, _, _, bits, *_ = _RIFF.unpack_from(body)
    encoding = _ENCODINGS.get((tag, bits))
    if (riff, wave, fmt, size, channels) != (b"RIFF", b"WAVE", b"fmt ", 16, 1) or not encoding:
        raise Mistake("a RIFF header of an unsupported format")
    if rate not in (8_000, 16_000):
        raise Mistake("a rate that is not supported")
    return encoding, rate


def _text(message: bytes) -> tuple[dict[str, str], bytes]:
    head, blank, body = message.partition(b"\r\n\r\n")
    if not blank:
        raise Mistake("headers without an end")
    return _headers(head), body


def _binary(message: bytes) -> tuple[dict[str, str], bytes]:
    length = int.from_bytes(message[:2], "big")
    if len(message) < 2 + length or length > _LONGEST:
        raise Mistake("a length of headers that is not theirs")
    return _headers(message[2 : 2 + length]), message[2 + length :]


def _headers(head: bytes) -> dict[str, str]:
    try:
        lines = head.decode("ascii").removesuffix("\r\n").split("\r\n")
    except UnicodeDecodeError:
        raise Mistake("headers must be ASCII") from None
    pairs = [line.partition(":") for line in lines]
    if not all(colon for _, colon, _ in pairs):
        raise Mistake("a header without a colon")
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _id(headers: Mapping[str, str]) -> str:
    request = headers.get("x-requestid", "")
    if not _ID.fullmatch(request):
        raise Mistake("X-RequestId must be a UUID without dashes")
    return request


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        raise Mistake("a body that is no JSON") from None
    if not isinstance(value, dict):
        raise Mistake("a body that is no object")
    return value


_conforms: tuple[type[FakeVendor], type[Session], type[Teller]] = (
    AzureRecognizer,
    AzureSession,
    _Turn,
)
