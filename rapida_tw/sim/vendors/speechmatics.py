"""A fake of Speechmatics' realtime recogniser (its API reference, "Real-Time API", and its own
client for Python, 1.2).

Strict about the order of messages, the numbers of audio, and what can be configured. Punctuation
comes in a message of its own, behind the words that it belongs to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.hearing import Began, Ended, Script, Word, Words
from rapida_tw.sim.vendors.listening import Ear, Manners, Teller

_ENCODINGS = {"pcm_s16le": "linear16", "mulaw": "mulaw"}
_MODELS = ("standard", "enhanced", "melia-1")
_LANGUAGES = frozenset(("ar", "de", "en", "es", "fr", "hi", "it", "ja", "nl", "pt", "zh", "multi"))
_CONFIGURABLE = frozenset(
    (
        *(
            "language",
            "model",
            "operating_point",
            "output_locale",
            "additional_vocab",
            "diarization",
        ),
        *("max_delay", "max_delay_mode", "enable_partials", "conversation_config", "domain"),
        *("punctuation_overrides", "enable_entities", "audio_filtering_config"),
    )
)
# Types of errors, and what the session is closed with.
_CODES = {
    "protocol_error": 1003,
    "invalid_message": 1003,
    "invalid_config": 1003,
    "invalid_model": 4004,
    "invalid_audio_type": 1003,
    "job_error": 4013,
}


class Mistake(Exception):
    """What a session is closed for: the type of the error, and what is wrong."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind = kind


class Speechmatics:
    """`sessions`: all so far."""

    hosts: tuple[str, ...] = ("*.rt.speechmatics.com",)

    def __init__(self, script: Sequence[str] = (), key: str = "speechmatics-key") -> None:
        self.script = Script(script)
        self.manners = Manners()
        self.key = key
        self.sessions: list[SpeechmaticsSession] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            return Refusal(status, json.dumps({"code": status, "error": f"refused with {status}"}))
        if asked.path.rstrip("/") != "/v2":
            return Refusal(404, json.dumps({"code": 404, "error": "path not found"}))
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            return Refusal(401, json.dumps({"code": 401, "error": "Permission Denied"}))
        session = SpeechmaticsSession(self, line)
        self.sessions.append(session)
        return session

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(404, {"code": 404, "error": "path not found"})


class SpeechmaticsSession:
    """`config`: of the transcription; empty before the start. `forced`: timestamps."""

    def __init__(self, vendor: Speechmatics, line: Line) -> None:
        self.config: Mapping[str, Any] = {}
        self.forced: list[float | None] = []
        self.messages = 0  # of audio
        self._vendor = vendor
        self._line = line
        self._ear: Ear | None = None

    # -- from the client -----------------------------------------------------------------------

    def opened(self) -> None:
        """The client speaks first."""

    def received(self, message: bytes, binary: bool) -> None:
        try:
            if binary:
                self._audio(message)
            else:
                self._understand(_object(message))
        except Mistake as mistake:
            self._fail(mistake.kind, str(mistake))

    def closed(self, code: int) -> None:
        if self._ear is not None:
            self._ear.stop()

    def _understand(self, fields: Mapping[str, Any]) -> None:
        kind = fields.get("message")
        if kind == "StartRecognition":
            self._start(fields)
            return
        ear = self._ear
        if ear is None:
            raise Mistake("protocol_error", f"{kind} before StartRecognition")
        if kind == "ForceEndOfUtterance":
            timestamp = fields.get("timestamp")
            if timestamp is not None and not 0 <= timestamp <= ear.seconds + 0.1:
                raise Mistake("invalid_message", "timestamp is not of the audio so far")
            self.forced.append(timestamp)
            if not ear.flush():
                self._end_of_utterance(ear.seconds)
        elif kind == "SetRecognitionConfig":
            self.config = {**self.config, **_checked(fields.get("transcription_config"))}
        elif kind == "EndOfStream":
            if fields.get("last_seq_no") != self.messages:
                raise Mistake("protocol_error", "last_seq_no is not that of the last audio")
            ear.flush()
            self._line.send({"message": "EndOfTranscript"})
            self._line.close()
        else:
            raise Mistake("invalid_message", f"unknown message {kind!r}")

    def _start(self, fields: Mapping[str, Any]) -> None:
        if self._ear is not None:
            raise Mistake("protocol_error", "a second StartRecognition")
        form = fields.get("audio_format", {})
        encoding = _ENCODINGS.get(form.get("encoding"))
        rate = form.get("sample_rate")
        if form.get("type") != "raw" or encoding is None or not isinstance(rate, int):
            raise Mistake("invalid_audio_type", "audio_format is not supported")
        self.config = _checked(fields.get("transcription_config"))
        talk = self.config.get("conversation_config", {})
        pause = talk.get("end_of_utterance_silence_trigger")
        vendor, clock = self._vendor, self._line.clock
        self._ear = Ear(clock, vendor.script, vendor.manners, self, encoding, rate, pause or None)
        quality = {"type": "recognition_quality", "quality": "broadcast", "reason": "16 kHz"}
        self._line.send({"message": "Info", **quality})
        pack = {"word_delimiter": " ", "writing_direction": "left-to-right"}
        self._line.send({"message": "RecognitionStarted", "id": "1", "language_pack_info": pack})

    def _audio(self, message: bytes) -> None:
        if self._ear is None:
            raise Mistake("protocol_error", "audio before RecognitionStarted")
        self.messages += 1
        self._line.send({"message": "AudioAdded", "seq_no": self.messages})
        self._ear.hear(message)

    # -- what is heard: Teller -----------------------------------------------------------------

    def began(self, heard: Began) -> None:
        """It tells words only."""

    def words(self, heard: Words) -> None:
        if self.config.get("enable_partials"):
            self._say("AddPartialTranscript", [_result(word) for word in heard.words])

    def ended(self, heard: Ended) -> None:
        if heard.words:
            self._say("AddTranscript", [_result(word) for word in heard.words])
            stop = {"content": ".", "confidence": 1.0, "language": "en"}
            end = {"type": "punctuation", "attaches_to": "previous", "is_eos": True}
            self._say("AddTranscript", [{**end, "alternatives": [stop], **_when(heard.words[-1])}])
        self._end_of_utterance(heard.at)

    def _end_of_utterance(self, at: float) -> None:
        when = {"start_time": at, "end_time": at}
        self._line.send({"message": "EndOfUtterance", "metadata": when})

    def garbage(self) -> None:
        self._line.send("AddTranscript")

    def error(self) -> None:
        self._fail("job_error", "An error while transcribing")

    def unknown(self) -> None:
        self._line.send({"message": "AudioEventStarted", "event": {"type": "applause"}})

    def close(self) -> None:
        self._line.close(1011, "internal_error")

    def drop(self) -> None:
        self._line.drop()

    def _say(self, kind: str, results: Sequence[Mapping[str, Any]]) -> None:
        said = " ".join(result["alternatives"][0]["content"] for result in results)
        about = {
            "start_time": results[0]["start_time"],
            "end_time": results[-1]["end_time"],
            "transcript": f"{said} ",
        }
        self._line.send({"message": kind, "metadata": about, "results": results})

    def _fail(self, kind: str, why: str) -> None:
        self._line.send({"message": "Error", "type": kind, "reason": why})
        self._line.close(_CODES[kind], kind)


def _result(word: Word) -> dict[str, Any]:
    said = {"content": word.text, "confidence": 0.9, "language": "en"}
    return {"type": "word", **_when(word), "alternatives": [said]}


def _when(word: Word) -> dict[str, float]:
    return {"start_time": word.start, "end_time": word.end}


def _checked(config: object) -> Mapping[str, Any]:
    if not isinstance(config, dict):
        raise Mistake("invalid_message", "transcription_config is required")
    unknown = set(config) - _CONFIGURABLE
    if unknown:
        raise Mistake("invalid_config", f"Additional properties {sorted(unknown)} are not allowed")
    if "language" in config and config["language"] not in _LANGUAGES:
        raise Mistake("invalid_model", f"no model for language {config['language']!r}")
    if config.get("model", config.get("operating_point", "standard")) not in _MODELS:
        raise Mistake("invalid_model", "no such model")
    if "model" in config and "operating_point" in config:
        raise Mistake("invalid_config", "model and operating_point are the same")
    delay = config.get("max_delay", 4)
    if not 0.7 <= delay <= 4:
        raise Mistake("invalid_config", "max_delay must be between 0.7 and 4")
    trigger = config.get("conversation_config", {}).get("end_of_utterance_silence_trigger", 0)
    if not 0 <= trigger <= 2 or trigger > delay:
        raise Mistake("invalid_config", "end_of_utterance_silence_trigger must be at most 2")
    return config


def _object(message: bytes) -> dict[str, Any]:
    try:
        value = json.loads(message)
    except ValueError:
        raise Mistake("invalid_message", "not JSON") from None
    if not isinstance(value, dict):
        raise Mistake("invalid_message", "not an object")
    return value


_conforms: tuple[type[FakeVendor], type[Session], type[Teller]] = (
    Speechmatics,
    SpeechmaticsSession,
    SpeechmaticsSession,
)
