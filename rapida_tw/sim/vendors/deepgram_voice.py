"""A fake of Deepgram's Aura (`/v1/speak`) and Flux (`/v2/speak`) text to speech.

Its API reference, "Text to Speech Streaming" and "Turn-based Speech (Flux)". Sound is binary and
carries no label. Aura takes 20 flushes a minute and answers those beyond with a `Warning` alone;
`Clear` drops what is not sent yet, also where nothing is. Flux does not know Aura's voices, and
warns of an `Interrupt` when nothing is spoken.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from typing import Any

from twisted.internet.interfaces import IDelayedCall

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.delivery import Delivery, Manners, Teller
from rapida_tw.sim.vendors.speaking import ALAW, LINEAR, MULAW, Piece, Spoken

_FORMS = {"linear16": LINEAR, "mulaw": MULAW, "alaw": ALAW}
_RATES = {
    "linear16": ("8000", "16000", "24000", "32000", "48000"),
    "mulaw": ("8000", "16000"),
    "alaw": ("8000", "16000"),
}
_AURA = ("aura-asteria-en", "aura-2-thalia-en", "aura-2-andromeda-en", "aura-2-celeste-es")
_FLUX = ("flux-haley-en",)
_KNOWN = frozenset(("model", "encoding", "sample_rate", "speed", "mip_opt_out", "tag", "container"))
_FLUSHES = 20
_MINUTE = 60.0  # seconds
_LONGEST = 2000  # characters of one Speak
_SESSION = 3600  # seconds
_REQUEST = "6f2d1f2e-7c5b-4b6a-9a4d-0a5d0a6f7b11"
_UUID = "ecb76e9d-f2db-4127-8060-79b05590d22f"


class DeepgramVoice:
    """`sessions`: all so far. `heard`: every client message of all of them, with its time."""

    hosts: tuple[str, ...] = ("api.deepgram.com",)

    def __init__(self, key: str = "deepgram-key") -> None:
        self.key = key
        self.manners = Manners()
        self.sessions: list[_Aura] = []
        self.heard: list[tuple[float, dict[str, Any]]] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            return _refusal(status, "REFUSED", "refused", self.manners.retry_after)
        kind = {"/v1/speak": _Aura, "/v2/speak": _Flux}.get(asked.path)
        if kind is None:
            return _refusal(404, "NOT_FOUND", "Not Found")
        if asked.headers.get("authorization") != f"Token {self.key}":
            return _refusal(401, "INVALID_AUTH", "Invalid credentials.")
        wrong = _wrong(asked, kind.models)
        if wrong:
            return _refusal(400, "INVALID_QUERY_PARAMETER", wrong)
        session = kind(self, asked, line)
        self.sessions.append(session)
        return session

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(404, {"err_code": "NOT_FOUND", "err_msg": "Not Found", "request_id": _REQUEST})


def _refusal(status: int, code: str, message: str, retry_after: str = "") -> Refusal:
    told = {"err_code": code, "err_msg": message, "request_id": _REQUEST}
    return Refusal(status, json.dumps(told), {"Retry-After": retry_after} if retry_after else {})


def _wrong(asked: Asked, models: tuple[str, ...]) -> str:
    encoding = asked.one("encoding") or "linear16"
    speed = asked.one("speed") or "1"
    if set(asked.query) - _KNOWN:
        return f"Unknown query parameters: {sorted(set(asked.query) - _KNOWN)}"
    if (asked.one("model") or models[0]) not in models:
        return f"No such model: {asked.one('model')}"
    if encoding not in _FORMS:
        return f"encoding must be one of {sorted(_FORMS)}"
    if (asked.one("sample_rate") or _RATES[encoding][0]) not in _RATES[encoding]:
        return f"sample_rate must be one of {_RATES[encoding]}"
    if asked.one("container") not in ("", "none"):
        return "container is not supported"
    if not speed.replace(".", "", 1).isdigit() or not 0.7 <= float(speed) <= 1.5:
        return "speed must be between 0.7 and 1.5"
    return ""


class _Aura:
    """`/v1/speak`: texts that are spoken one after the other, a flush's worth each."""

    models: tuple[str, ...] = _AURA
    stop = "Clear"

    def __init__(self, vendor: DeepgramVoice, asked: Asked, line: Line) -> None:
        encoding = asked.one("encoding") or "linear16"
        self.line = line
        self.manners = vendor.manners
        self.model = asked.one("model") or self.models[0]
        self.delivery: Delivery | None = None
        self._vendor = vendor
        self._form = _FORMS[encoding]
        self._rate = int(asked.one("sample_rate") or "24000")
        self._text = ""
        self._waiting: deque[str] = deque()
        self._flushed_at: deque[float] = deque()
        self._sequence = 0
        self._closing = False
        self._timer: IDelayedCall | None = None

    def opened(self) -> None:
        self._timer = self.line.clock.callLater(_SESSION, self.line.close, 1000, "session limit")
        self.greet()

    def greet(self) -> None:
        model = {"model_name": self.model, "model_version": "2025-04-15.0", "model_uuid": _UUID}
        self.line.send({"type": "Metadata", "request_id": _REQUEST, **model})

    def received(self, message: bytes, binary: bool) -> None:
        try:
            fields = json.loads(message)
        except ValueError:
            fields = None
        if binary or not isinstance(fields, dict):
            self.fail("DATA-0000", "The payload cannot be decoded as a message of ours.")
            return
        self._vendor.heard.append((self.line.clock.seconds(), fields))
        kind = fields.get("type")
        if kind == "Speak":
            self._speak(fields)
        elif kind == "Flush":
            self._flush()
        elif kind == self.stop:
            self._stop()
        elif kind == "Close":
            self._closing = True
            self.go_on()
        else:
            self.fail("DATA-0000", f"There is no message of the type {kind}.")

    def _speak(self, fields: Mapping[str, Any]) -> None:
        said = fields.get("text")
        if not isinstance(said, str) or set(fields) != {"type", "text"}:
            self.fail("DATA-0000", "Speak has a text, and nothing else.")
        elif len(said) > _LONGEST:
            self.fail("DATA-0001", f"Speak takes {_LONGEST} characters at most.")
        else:
            self._text += said

    def _flush(self) -> None:
        if self.flushes_too_often():
            return
        self._waiting.append(self._text.strip())
        self._text = ""
        self.go_on()

    def flushes_too_often(self) -> bool:
        now, flushed = self.line.clock.seconds(), self._flushed_at
        while flushed and flushed[0] + _MINUTE <= now:
            flushed.popleft()
        if len(flushed) == _FLUSHES:
            told = f"Flush is taken {_FLUSHES} times in {_MINUTE:.0f} seconds at most."
            self.warn("EXCESSIVE_FLUSH", told)
            return True
        flushed.append(now)
        return False

    def _stop(self) -> None:
        self._text = ""
        self._waiting.clear()
        delivery, self.delivery = self.delivery, None
        if delivery is None:
            self.nothing_to_stop()
        else:
            delivery.cancel()

    def go_on(self) -> None:
        while self.delivery is None and self._waiting:
            text = self._waiting.popleft()
            if not text:
                self.ended()
                continue
            self.begin()
            spoken = Spoken(text, self._rate, self._form)
            self.delivery = Delivery(self.line.clock, spoken, self.manners, self)
        if self.delivery is None and self._closing:
            self.line.close()

    def begin(self) -> None:
        """The next text is about to be spoken."""

    def ended(self) -> None:
        self.line.send({"type": "Flushed", "sequence_id": self._next()})

    def nothing_to_stop(self) -> None:
        self.stopped()

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence - 1

    def warn(self, code: str, description: str) -> None:
        self.line.send({"type": "Warning", "code": code, "description": description})

    def fail(self, code: str, description: str) -> None:
        self.line.close(1008 if code.startswith("DATA") else 1011, f"{code}: {description}")

    def closed(self, code: int) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self.delivery is not None:
            self.delivery.end()

    # -- Teller --------------------------------------------------------------------------------

    def sound(self, piece: Piece) -> None:
        self.line.send(piece.payload)

    def done(self) -> None:
        self.delivery = None
        self.ended()
        self.go_on()

    def stopped(self) -> None:
        self.line.send({"type": "Cleared", "sequence_id": self._next()})

    def garbage(self) -> None:
        self.line.send('{"type": 17}')

    def error(self) -> None:
        self.fail("NET-0000", "The service has not been able to speak in time.")

    def drop(self) -> None:
        self.line.drop()


class _Flux(_Aura):
    """`/v2/speak`: a flush's worth is a turn, with an id."""

    models = _FLUX
    stop = "Interrupt"

    def greet(self) -> None:
        model = {"model_name": self.model, "model_version": "2026.06.01", "model_uuids": [_UUID]}
        self.line.send({"type": "Connected", "request_id": _REQUEST, **model})

    def flushes_too_often(self) -> bool:
        return False

    def begin(self) -> None:
        self._next()
        self.line.send({"type": "SpeechStarted", "speech_id": self._speech})
        self.line.send({"type": "Flushed", "speech_id": self._speech})

    def ended(self) -> None:
        self.line.send({"type": "SpeechMetadata", **self._metadata})

    def stopped(self) -> None:
        told = {"audio_played_ms": 0, "metadata": self._metadata}
        self.line.send({"type": "SpeechInterrupted", **told})

    def nothing_to_stop(self) -> None:
        self.warn("NO_ACTIVE_SPEECH", "There is no active speech.")

    def fail(self, code: str, description: str) -> None:
        self.line.send({"type": "Error", "code": code, "description": description})
        self.line.close(1008 if code.startswith("DATA") else 1011)

    @property
    def _speech(self) -> str:
        return f"dg_sp_{self._sequence}"

    @property
    def _metadata(self) -> dict[str, Any]:
        applied = {"pronunciations_applied": 0, "breaks_applied": 0, "pronunciation_warnings": 0}
        counts = {"input_character_count": 9, "billable_character_count": 9}
        speech = {"speech_id": self._speech, "audio_duration_ms": 540}
        return {**speech, **counts, "controls_applied": applied}


_conforms: tuple[type[FakeVendor], type[Session], type[Teller]] = (DeepgramVoice, _Aura, _Aura)
