"""A fake of OpenAI's transcription sessions (its API reference, "Realtime", client and server
events, and its guide "Realtime transcription").

Models that hear live are strict about having no turn detection, the others hear nothing without.
Silence that is committed is turned into words that nobody said, as models do.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.hearing import Began, Ended, Script, Words
from rapida_tw.sim.vendors.listening import Ear, Manners, Teller

_LIVE = ("gpt-live-transcribe", "gpt-realtime-whisper")
_MODELS = (*_LIVE, "gpt-transcribe", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "whisper-1")
_FORMATS = {"audio/pcmu": ("mulaw", 8_000), "audio/pcma": ("alaw", 8_000)}
_PCM = ("linear16", 24_000)
_DETECTIONS = ("server_vad", "semantic_vad")
_SHORTEST = 0.1  # seconds that can be committed
_LONGEST = 15 * 2**20  # characters of audio in a message
_IMAGINED = "Thank you."
_TRANSCRIPTION = "conversation.item.input_audio_transcription."


class Mistake(Exception):
    """An event of the client's that is answered with an error: its code, and what is wrong."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class OpenAIRecognizer:
    """`sessions`: all so far."""

    hosts: tuple[str, ...] = ("api.openai.com",)

    def __init__(self, script: Sequence[str] = (), key: str = "openai-key") -> None:
        self.script = Script(script)
        self.manners = Manners()
        self.key = key
        self.sessions: list[OpenAISession] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            return _refusal(status, f"refused with {status}", "server_error")
        if asked.path != "/v1/realtime":
            return _refusal(404, f"Invalid URL (GET {asked.path})", "")
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            return _refusal(401, "Incorrect API key provided.", "invalid_api_key")
        if asked.one("intent") != "transcription":
            return _refusal(400, "You must provide a model parameter.", "missing_model")
        session = OpenAISession(self, asked, line)
        self.sessions.append(session)
        return session

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(404, {"error": {"message": "Invalid URL", "type": "invalid_request_error"}})


class OpenAISession:
    """`settings`: what of `session.update` is about audio; empty before it."""

    def __init__(self, vendor: OpenAIRecognizer, asked: Asked, line: Line) -> None:
        self.asked = asked
        self.settings: Mapping[str, Any] = {}
        self._vendor = vendor
        self._line = line
        self._ear: Ear | None = None
        self._live = False
        self._events = 0
        self._items = 0  # that were committed
        self._committed = 0.0  # seconds of audio
        self._deltas = 0  # words of the present item

    # -- from the client -----------------------------------------------------------------------

    def opened(self) -> None:
        self._say("session.created", session={"type": "transcription", "id": "sess_1"})

    def received(self, message: bytes, binary: bool) -> None:
        event = ""
        try:
            if binary:
                raise Mistake("invalid_event", "binary messages are not supported")
            fields = _object(message)
            event = str(fields.get("event_id", ""))
            self._understand(fields)
        except Mistake as mistake:
            self._say(
                "error",
                error={
                    "type": "invalid_request_error",
                    "code": mistake.code,
                    "message": str(mistake),
                    "event_id": event or None,
                },
            )

    def closed(self, code: int) -> None:
        if self._ear is not None:
            self._ear.stop()

    def _understand(self, fields: Mapping[str, Any]) -> None:
        kind = fields.get("type")
        if kind == "session.update":
            self._update(fields.get("session"))
        elif kind == "input_audio_buffer.append":
            self._append(fields.get("audio"))
        elif kind == "input_audio_buffer.commit":
            self._commit()
        elif kind != "input_audio_buffer.clear":
            raise Mistake("invalid_value", f"Invalid value: {kind!r}.")

    def _update(self, session: object) -> None:
        if not isinstance(session, dict) or session.get("type") != "transcription":
            raise Mistake("invalid_value", "session.type must be 'transcription'.")
        if set(session) - {"type", "audio", "include"}:
            raise Mistake("unknown_parameter", "Unknown parameter in 'session'.")
        heard = session.get("audio", {}).get("input", {})
        encoding, rate = _format(heard.get("format", {"type": "audio/pcm", "rate": 24_000}))
        model = heard.get("transcription", {}).get("model")
        detection = heard.get("turn_detection")
        if model not in _MODELS:
            raise Mistake("invalid_value", f"Invalid model: {model!r}.")
        self._live = model in _LIVE
        if self._live and detection is not None:
            raise Mistake("invalid_value", f"{model} does not support turn detection.")
        if detection is not None and detection.get("type") not in _DETECTIONS:
            raise Mistake("invalid_value", "Invalid turn_detection.")
        pause = None if detection is None else detection.get("silence_duration_ms", 500) / 1000
        self.settings = heard
        clock, vendor = self._line.clock, self._vendor
        self._ear = Ear(clock, vendor.script, vendor.manners, self, encoding, rate, pause)
        self._say("session.updated", session=session)

    def _append(self, audio: object) -> None:
        if not isinstance(audio, str) or len(audio) > _LONGEST:
            raise Mistake("invalid_value", "Invalid 'audio'.")
        try:
            payload = base64.b64decode(audio, validate=True)
        except ValueError:
            raise Mistake("invalid_value", "Expected base64-encoded audio bytes.") from None
        if self._ear is None:
            raise Mistake("invalid_state", "The session has not been updated.")
        self._ear.hear(payload)

    def _commit(self) -> None:
        ear = self._ear
        if ear is None or ear.seconds - self._committed < _SHORTEST:
            told = "Error committing input audio buffer: buffer too small."
            raise Mistake("input_audio_buffer_commit_empty", told)
        if not ear.flush():
            self._item()
            self._complete("" if self._live else _IMAGINED)

    # -- what is heard: Teller -----------------------------------------------------------------

    def began(self, heard: Began) -> None:
        self._deltas = 0
        if not self._live:
            at = int(1000 * heard.began)
            self._say("input_audio_buffer.speech_started", audio_start_ms=at, item_id=self._name)

    def words(self, heard: Words) -> None:
        if self._live:
            self._delta(heard.words[-1].text)

    def ended(self, heard: Ended) -> None:
        if not self._live:
            at = int(1000 * heard.ended)
            self._say("input_audio_buffer.speech_stopped", audio_end_ms=at, item_id=self._name)
        self._item()
        for word in heard.words[self._deltas :]:
            self._delta(word.text)
        self._complete(heard.text)

    @property
    def _name(self) -> str:
        """Of the item that is being heard."""
        return f"item_{self._items}"

    def _item(self) -> None:
        assert self._ear is not None
        self._committed = self._ear.seconds
        before = f"item_{self._items - 1}" if self._items else None
        self._say("input_audio_buffer.committed", item_id=self._name, previous_item_id=before)

    def _delta(self, word: str) -> None:
        delta = f" {word}" if self._deltas else word
        self._deltas += 1
        self._say(f"{_TRANSCRIPTION}delta", item_id=self._name, content_index=0, delta=delta)

    def _complete(self, said: str) -> None:
        self._say(
            f"{_TRANSCRIPTION}completed",
            item_id=self._name,
            content_index=0,
            transcript=said,
            usage={"type": "duration", "seconds": 1},
        )
        self._items += 1
        self._deltas = 0

    def garbage(self) -> None:
        self._line.send("{")

    def error(self) -> None:
        error = {"type": "server_error", "code": "session_expired", "message": "Too long."}
        self._say("error", error=error)

    def unknown(self) -> None:
        self._say("rate_limits.updated", rate_limits=[])

    def close(self) -> None:
        self._line.close(1001, "going away")

    def drop(self) -> None:
        self._line.drop()

    def _say(self, kind: str, **fields: Any) -> None:
        self._events += 1
        self._line.send({"type": kind, "event_id": f"event_{self._events}", **fields})


def _object(message: bytes) -> dict[str, Any]:
    try:
        value = json.loads(message)
    except ValueError:
        raise Mistake("invalid_json", "We could not parse the JSON body.") from None
    if not isinstance(value, dict):
        raise Mistake("invalid_json", "Not an object.")
    return value


def _format(told: Mapping[str, Any]) -> tuple[str, int]:
    kind = told.get("type")
    if kind == "audio/pcm":
        if told.get("rate", 24_000) != 24_000:
            raise Mistake("invalid_value", "Only a 24kHz sample rate is supported.")
        return _PCM
    if kind not in _FORMATS or "rate" in told:
        raise Mistake("invalid_value", "Invalid audio format.")
    return _FORMATS[kind]


def _refusal(status: int, message: str, code: str) -> Refusal:
    error = {"message": message, "type": "invalid_request_error", "code": code or None}
    return Refusal(status, json.dumps({"error": error}), {"content-type": "application/json"})


_conforms: tuple[type[FakeVendor], type[Session], type[Teller]] = (
    OpenAIRecognizer,
    OpenAISession,
    OpenAISession,
)
