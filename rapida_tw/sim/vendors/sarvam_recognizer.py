"""A fake of Sarvam's recognisers, realtime and classic (its API reference and the types of its own
client for Python, 0.1.39).

The realtime one says what is wrong with a connection in an event, and closes it: 4000 for what was
asked for, 1003 for the key.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.hearing import Began, Ended, Script, Words
from rapida_tw.sim.vendors.listening import Ear, Manners, Teller

_INDIAN = (
    *("en", "hi", "bn", "kn", "ml", "mr", "pa", "ta", "te", "gu", "as", "ur", "ne", "kok", "ks"),
    *("sd", "sa", "sat", "mni", "brx", "mai", "doi"),
)
_REALTIME = frozenset(("auto", "or-IN", *(f"{one}-IN" for one in _INDIAN)))
_CLASSIC = frozenset(("unknown", "od-IN", *(f"{one}-IN" for one in _INDIAN)))
_MODES = ("transcribe", "translate", "verbatim", "translit", "codemix")
_ENCODINGS = {"linear16": "linear16", "mulaw": "mulaw", "alaw": "alaw"}
_CODECS = ("pcm_s16le", "pcm_l16", "pcm_raw")
_RATES = ("", "8000", "16000")
_REQUEST = "20261121_6f0c5a52"


class Mistake(Exception):
    """What the connection is closed for."""


class SarvamRecognizer:
    """`sessions`: all so far, of both kinds."""

    hosts: tuple[str, ...] = ("api.sarvam.ai",)

    def __init__(self, script: Sequence[str] = (), key: str = "sarvam-key") -> None:
        self.script = Script(script)
        self.manners = Manners()
        self.key = key
        self.sessions: list[RealtimeSession | ClassicSession] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            return _refusal(status, f"refused with {status}")
        session: RealtimeSession | ClassicSession
        if asked.path == "/speech-to-text-realtime/ws":
            session = RealtimeSession(self, asked, line)
        elif asked.path != "/speech-to-text/ws":
            return _refusal(404, "Not Found")
        elif asked.headers.get("api-subscription-key") != self.key:
            return _refusal(403, "Invalid API key")
        else:
            session = ClassicSession(self, asked, line)
        self.sessions.append(session)
        return session

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(404, {"error": {"message": "Not Found", "code": "not_found_error"}})


class RealtimeSession:
    """`updates`: each `config.update`."""

    def __init__(self, vendor: SarvamRecognizer, asked: Asked, line: Line) -> None:
        self.asked = asked
        self.updates: list[Mapping[str, Any]] = []
        self._vendor = vendor
        self._line = line
        self._ear: Ear | None = None
        self._manual = asked.one("endpointing") == "manual"
        self._utterance = 0

    # -- from the client -----------------------------------------------------------------------

    def opened(self) -> None:
        if self.asked.headers.get("api-subscription-key") != self._vendor.key:
            self._fatal("invalid_api_key", "Invalid API subscription key", 401, 1003)
            return
        try:
            self._ear = self._listening()
        except Mistake as mistake:
            self._fatal("invalid_request", str(mistake), 400, 4000)
            return
        config = {"turn_detection": "manual" if self._manual else "vad"}
        self._say("session.begin", request_id=_REQUEST, config=config)

    def _listening(self) -> Ear:
        asked, vendor = self.asked, self._vendor
        if asked.one("language_code") not in _REALTIME:
            raise Mistake("Unsupported language_code")
        model = asked.one("model")
        if model not in ("", "saaras:v3-realtime", "saaras:v4"):
            raise Mistake(f"Invalid model {model}")
        if asked.one("keyterms") and model != "saaras:v4":
            raise Mistake("keyterms is only supported with saaras:v4")
        if asked.one("stream_type") not in ("", "fast", "balanced", "simulated"):
            raise Mistake("Invalid stream_type")
        if asked.one("mode") not in ("", *_MODES):
            raise Mistake("Invalid mode")
        encoding = _ENCODINGS.get(asked.one("encoding") or "linear16")
        rate = asked.one("sample_rate")
        silence = asked.one("silence_duration_ms") or "300"
        if encoding is None or rate not in _RATES or not silence.isdigit():
            raise Mistake("Invalid encoding, sample_rate or silence_duration_ms")
        pause = None if self._manual else int(silence) / 1000
        rate = rate or "16000"
        script, manners = vendor.script, vendor.manners
        return Ear(self._line.clock, script, manners, self, encoding, int(rate), pause)

    def received(self, message: bytes, binary: bool) -> None:
        ear = self._ear
        if ear is None:
            return
        try:
            fields = _object(message, binary)
            event = fields.get("event")
            if event == "audio_input":
                ear.hear(_audio(fields.get("audio")))
            elif event in ("speech_end", "flush") and self._manual:
                ear.flush()
            elif event == "end":
                self._end(ear)
            elif event == "ping":
                self._say("pong")
            elif event == "config.update":
                self.updates.append(fields)
                self._say("config.updated", applied=sorted(set(fields) - {"event"}))
            elif event not in ("speech_start", "speech_end", "flush"):
                raise Mistake(f"unknown event {event!r}")
        except Mistake as mistake:
            self._fatal("invalid_message", str(mistake), 400, 4000)

    def closed(self, code: int) -> None:
        if self._ear is not None:
            self._ear.stop()

    def _end(self, ear: Ear) -> None:
        ear.flush()
        heard = {"total_utterances": self._utterance, "audio_duration_s": ear.seconds}
        self._say("session.end", request_id=_REQUEST, **heard)
        self._line.close()

    def _fatal(self, code: str, message: str, status: int, close: int) -> None:
        self._say("error", code=code, is_fatal=True, message=message, status_code=status)
        self._line.close(close, message)

    # -- what is heard: Teller -----------------------------------------------------------------

    def began(self, heard: Began) -> None:
        if not self._manual:
            self._say("vad.speech_start", utterance_idx=self._utterance, confidence=0.9)

    def words(self, heard: Words) -> None:
        if self.asked.one("stream_type") != "simulated":
            said = {"text": heard.text, **self._language()}
            self._say("transcript.partial", utterance_idx=self._utterance, **said)

    def ended(self, heard: Ended) -> None:
        if not self._manual:
            self._say("vad.speech_end", utterance_idx=self._utterance)
        said = {"text": heard.text, **self._language()}
        self._say("transcript.final", utterance_idx=self._utterance, **said)
        self._utterance += 1

    def _language(self) -> dict[str, str]:
        return {"language": "hi-IN"} if self.asked.one("language_code") == "auto" else {}

    def garbage(self) -> None:
        self._line.send("<html>")

    def error(self) -> None:
        self._fatal("internal_error", "Internal server error", 500, 1011)

    def unknown(self) -> None:
        self._say("transcript.guess", text="maybe")

    def close(self) -> None:
        self._line.close(1008, "Inactivity timeout")

    def drop(self) -> None:
        self._line.drop()

    def _say(self, event: str, **fields: Any) -> None:
        self._line.send({"event": event, **fields})


class ClassicSession:
    """Utterances, when they are over."""

    def __init__(self, vendor: SarvamRecognizer, asked: Asked, line: Line) -> None:
        self.asked = asked
        self._line = line
        self._flushes = asked.one("flush_signal") == "true"
        self._signals = asked.one("vad_signals") == "true"
        rate = int(asked.one("sample_rate") or 16_000)
        self._ear = Ear(line.clock, vendor.script, vendor.manners, self, "linear16", rate, 1.0)

    def opened(self) -> None:
        asked = self.asked
        if asked.one("language-code") not in _CLASSIC:
            self._fail("Invalid language code")
        elif asked.one("model") not in ("", "saaras:v3", "saaras:v4"):
            self._fail(f"Invalid model {asked.one('model')}")
        elif asked.one("sample_rate") not in _RATES:
            self._fail("Invalid sample rate")
        elif asked.one("input_audio_codec") not in _CODECS:
            self._fail("Audio must be WAV: a header is missing")

    def received(self, message: bytes, binary: bool) -> None:
        try:
            fields = _object(message, binary)
            audio = fields.get("audio")
            if fields.get("type") == "flush":
                if self._flushes:
                    self._ear.flush()
            elif isinstance(audio, dict):
                if audio.get("encoding") != "audio/wav" or not audio.get("sample_rate"):
                    raise Mistake("encoding must be audio/wav")
                self._ear.hear(_audio(audio.get("data")))
            elif fields.get("type") not in ("config", "end_of_stream"):
                raise Mistake("unknown message")
        except Mistake as mistake:
            self._fail(str(mistake))

    def closed(self, code: int) -> None:
        self._ear.stop()

    def began(self, heard: Began) -> None:
        self._signal("START_SPEECH", heard.at)

    def words(self, heard: Words) -> None:
        """They are kept until the end."""

    def ended(self, heard: Ended) -> None:
        self._signal("END_SPEECH", heard.at)
        metrics = {"audio_duration": heard.ended - heard.began, "processing_latency": 0.2}
        said = {"request_id": _REQUEST, "transcript": heard.text, "language_code": "en-IN"}
        self._line.send({"type": "data", "data": {**said, "metrics": metrics}})

    def _signal(self, kind: str, at: float) -> None:
        if self._signals:
            self._line.send({"type": "events", "data": {"signal_type": kind, "occured_at": at}})

    def garbage(self) -> None:
        self._line.send("<html>")

    def error(self) -> None:
        self._fail("Internal server error")

    def unknown(self) -> None:
        self._line.send({"type": "guess", "data": {}})

    def close(self) -> None:
        self._line.close(1003, "Rate limit exceeded")

    def drop(self) -> None:
        self._line.drop()

    def _fail(self, message: str) -> None:
        self._line.send({"type": "error", "data": {"error": message, "code": "bad_request"}})
        self._line.close(1011 if message.startswith("Internal") else 4000, message)


def _object(message: bytes, binary: bool) -> dict[str, Any]:
    if binary:
        raise Mistake("binary messages are not supported")
    try:
        value = json.loads(message)
    except ValueError:
        raise Mistake("not JSON") from None
    if not isinstance(value, dict):
        raise Mistake("not an object")
    return value


def _audio(told: object) -> bytes:
    try:
        return base64.b64decode(str(told), validate=True)
    except ValueError:
        raise Mistake("audio is not base64") from None


def _refusal(status: int, message: str) -> Refusal:
    return Refusal(status, json.dumps({"error": {"message": message, "code": str(status)}}))


_conforms: tuple[type[FakeVendor], type[Session], type[Teller], type[Session], type[Teller]] = (
    SarvamRecognizer,
    RealtimeSession,
    RealtimeSession,
    ClassicSession,
    ClassicSession,
)
