"""A fake of ElevenLabs' Scribe in realtime (its API reference, "Realtime speech to text", and its
own client for Python, 2.78).

What is wrong is told in a message that is named after it, and the session is closed; only a commit
of too little is no more than told.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.hearing import Began, Ended, Script, Words
from rapida_tw.sim.vendors.listening import Ear, Manners, Teller

_FORMATS = {
    "ulaw_8000": ("mulaw", 8_000),
    **{f"pcm_{rate}": ("linear16", rate) for rate in (8_000, 16_000, 22_050, 24_000, 44_100)},
    "pcm_48000": ("linear16", 48_000),
}
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_NUMBER = re.compile(r"\d+(\.\d+)?")
_SHORTEST = 0.3  # seconds that can be committed
_LONGEST = 2**20  # characters of audio in a message
_FLAGS = ("include_timestamps", "include_language_detection", "no_verbatim", "enable_logging")
# Names of numbers, and what they may be.
_RANGES = {
    "vad_silence_threshold_secs": (0.3, 3.0),
    "vad_threshold": (0.1, 0.9),
    "min_speech_duration_ms": (50, 2000),
    "min_silence_duration_ms": (50, 2000),
}


class Mistake(Exception):
    """What a session is closed for: the kind of the message, and what is wrong."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class ElevenLabsRecognizer:
    """`sessions`: all so far."""

    hosts: tuple[str, ...] = ("api.elevenlabs.io", "api.*.elevenlabs.io")

    def __init__(self, script: Sequence[str] = (), key: str = "elevenlabs-key") -> None:
        self.script = Script(script)
        self.manners = Manners()
        self.key = key
        self.sessions: list[ScribeSession] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            return _refusal(status, f"refused with {status}")
        if asked.path != "/v1/speech-to-text/realtime":
            return _refusal(404, "Not Found")
        session = ScribeSession(self, asked, line)
        self.sessions.append(session)
        return session

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(404, {"detail": "Not Found"})


class ScribeSession:
    """`chunks`: seconds of audio in each message."""

    def __init__(self, vendor: ElevenLabsRecognizer, asked: Asked, line: Line) -> None:
        self.asked = asked
        self.chunks: list[float] = []
        self._vendor = vendor
        self._line = line
        self._ear: Ear | None = None
        self._rate = 0
        self._second = 0  # bytes
        self._committed = 0.0  # seconds

    # -- from the client -----------------------------------------------------------------------

    def opened(self) -> None:
        try:
            if self.asked.headers.get("xi-api-key") != self._vendor.key:
                raise Mistake("auth_error", "You must be authenticated to use this endpoint.")
            self._ear = self._listening()
        except Mistake as mistake:
            self._fail(mistake)
            return
        config = {name: values[0] for name, values in self.asked.query.items()}
        self._say("session_started", session_id="0f3a", config=config)

    def _listening(self) -> Ear:
        asked, vendor = self.asked, self._vendor
        if asked.one("model_id") != "scribe_v2_realtime":
            raise Mistake("invalid_request", f"Model {asked.one('model_id')} is not available.")
        form = _FORMATS.get(asked.one("audio_format") or "pcm_16000")
        strategy = asked.one("commit_strategy") or "manual"
        if form is None or strategy not in ("manual", "vad"):
            raise Mistake("invalid_request", "Invalid audio_format or commit_strategy.")
        language = asked.one("language_code")
        if language and not _LANGUAGE.fullmatch(language):
            raise Mistake("invalid_request", f"Invalid language code {language}.")
        terms = asked.query.get("keyterms", [])
        if len(terms) > 50 or any(len(term) > 20 for term in terms):
            raise Mistake("invalid_request", "At most 50 keyterms of 20 characters.")
        for name in _FLAGS:
            if asked.one(name) not in ("", "true", "false"):
                raise Mistake("invalid_request", f"Invalid {name}.")
        for name, (low, high) in _RANGES.items():
            told = asked.one(name)
            if told and not (_NUMBER.fullmatch(told) and low <= float(told) <= high):
                raise Mistake("invalid_request", f"Invalid {name}.")
        encoding, rate = form
        self._rate, self._second = rate, rate * (1 if encoding == "mulaw" else 2)
        silence = float(asked.one("vad_silence_threshold_secs") or 1.5)
        pause = silence if strategy == "vad" else None
        clock, script, manners = self._line.clock, vendor.script, vendor.manners
        return Ear(clock, script, manners, self, encoding, rate, pause)

    def received(self, message: bytes, binary: bool) -> None:
        ear = self._ear
        if ear is None:
            return
        try:
            fields = _object(message, binary)
            if fields.get("message_type") != "input_audio_chunk":
                raise Mistake("input_error", "Unknown message_type.")
            if fields.get("sample_rate", self._rate) != self._rate:
                raise Mistake("input_error", "sample_rate is not that of audio_format.")
            if fields.get("previous_text") and self.chunks:
                raise Mistake("input_error", "previous_text only with the first chunk.")
            self._hear(ear, str(fields.get("audio_base_64", "")))
            if fields.get("commit"):
                self._commit(ear)
        except Mistake as mistake:
            self._fail(mistake)

    def closed(self, code: int) -> None:
        if self._ear is not None:
            self._ear.stop()

    def _hear(self, ear: Ear, audio: str) -> None:
        if len(audio) > _LONGEST:
            raise Mistake("chunk_size_exceeded", "The chunk is too large.")
        try:
            payload = base64.b64decode(audio, validate=True)
        except ValueError:
            raise Mistake("input_error", "audio_base_64 is not base64.") from None
        if payload:
            self.chunks.append(len(payload) / self._second)
            ear.hear(payload)

    def _commit(self, ear: Ear) -> None:
        waiting = ear.seconds - self._committed
        if waiting < _SHORTEST:
            told = f"Commit request ignored: only {waiting:.2f}s of uncommitted audio."
            self._say("commit_throttled", error=told)
            return
        self._committed = ear.seconds
        if not ear.flush():
            self._tell("")

    # -- what is heard: Teller -----------------------------------------------------------------

    def began(self, heard: Began) -> None:
        """It tells words only."""

    def words(self, heard: Words) -> None:
        self._say("partial_transcript", text=heard.text)

    def ended(self, heard: Ended) -> None:
        self._committed = heard.at
        self._tell(heard.text)

    def _tell(self, said: str) -> None:
        self._say("committed_transcript", text=said)
        timestamps = self.asked.one("include_timestamps") == "true"
        if timestamps or self.asked.one("include_language_detection") == "true":
            words = [{"text": word, "type": "word"} for word in said.split()]
            more = {"language_code": "en", "words": words if timestamps else None}
            self._say("committed_transcript_with_timestamps", text=said, **more)

    def garbage(self) -> None:
        self._line.send("]")

    def error(self) -> None:
        self._fail(Mistake("transcriber_error", "The transcriber failed."))

    def unknown(self) -> None:
        self._say("edited_transcript", text="maybe")

    def close(self) -> None:
        self._line.close(1000, "")

    def drop(self) -> None:
        self._line.drop()

    def _fail(self, mistake: Mistake) -> None:
        self._say(mistake.kind, error=str(mistake))
        self._line.close(1008 if mistake.kind == "auth_error" else 1011, mistake.kind)

    def _say(self, kind: str, **fields: Any) -> None:
        message: Mapping[str, Any] = {"message_type": kind, **fields}
        self._line.send(message)


def _object(message: bytes, binary: bool) -> dict[str, Any]:
    if binary:
        raise Mistake("input_error", "Binary messages are not supported.")
    try:
        value = json.loads(message)
    except ValueError:
        raise Mistake("input_error", "Not JSON.") from None
    if not isinstance(value, dict):
        raise Mistake("input_error", "Not an object.")
    return value


def _refusal(status: int, message: str) -> Refusal:
    return Refusal(status, json.dumps({"detail": {"status": "refused", "message": message}}))


_conforms: tuple[type[FakeVendor], type[Session], type[Teller]] = (
    ElevenLabsRecognizer,
    ScribeSession,
    ScribeSession,
)
