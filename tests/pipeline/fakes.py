"""Vendors for tests of the pipeline: they record what they are asked, and do what they are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from twisted.internet.defer import Deferred, succeed

from rapida_tw.audio.format import FRAME, Samples
from rapida_tw.expect import Expectation
from rapida_tw.models.base import Completion, Message, Model, Tool
from rapida_tw.speech.base import (
    Recognizer,
    RecognizerSink,
    Synthesizer,
    VoiceDetector,
    VoiceSink,
)

SPEECH: Samples = np.full(FRAME, 1000, np.int16)
QUIET: Samples = np.zeros(FRAME, np.int16)


class LevelDetector:
    """Certain: a frame that is not silent is speech."""

    def hear(self, frame: Samples) -> float:
        return float(frame.any())


class RecordingRecognizer:
    """Notes each cue; frames are noted by their first sample."""

    def __init__(self) -> None:
        self.sink: RecognizerSink
        self.starting: Deferred[None] = Deferred()
        self.noted: list[str] = []
        self.expected: list[Expectation] = []

    turns = False

    def prepare(self) -> None:
        self.noted.append("prepare")

    def start(self, sink: RecognizerSink) -> Deferred[None]:
        self.sink = sink
        return self.starting

    def expect(self, expectation: Expectation) -> None:
        self.expected.append(expectation)

    def hear(self, frame: Samples) -> None:
        self.noted.append(str(frame[0]))

    def speech_started(self) -> None:
        self.noted.append("started")

    def finish(self) -> None:
        self.noted.append("finish")

    def stop(self) -> Deferred[None]:
        self.noted.append("stop")
        return succeed(None)

    @property
    def cues(self) -> list[str]:
        return [note for note in self.noted if not note.lstrip("-").isdigit()]


class HeldVoice:
    """Speaks when told to: `pieces` and then `done` of the newest phrase."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.cancelled: list[str] = []
        self.saying: list[Deferred[None]] = []
        self._sinks: list[VoiceSink] = []
        self.starting: Deferred[None] = succeed(None)

    def prepare(self) -> None:
        """Nothing to prepare."""

    def start(self) -> Deferred[None]:
        return self.starting

    def say(self, phrase: str, sink: VoiceSink) -> Deferred[None]:
        self.said.append(phrase)
        self._sinks.append(sink)
        self.saying.append(Deferred(lambda _: self.cancelled.append(phrase)))
        return self.saying[-1]

    def piece(self, frames: int) -> None:
        self._sinks[-1].write(np.tile(SPEECH, frames))

    def done(self, frames: int = 0) -> None:
        """Give the newest phrase's last frames."""
        if frames:
            self.piece(frames)
        self.saying[-1].callback(None)

    def stop(self) -> Deferred[None]:
        return succeed(None)


class HeldModel:
    """Writes when told to: `say(delta)`, then `asked[-1].callback(Completion(...))`."""

    def __init__(self) -> None:
        self.seen: list[tuple[Message, ...]] = []
        self.asked: list[Deferred[Completion]] = []
        self.cancelled = 0
        self.say: Callable[[str], None]

    def prepare(self) -> None:
        """Nothing to prepare."""

    def opening(self) -> Expectation | None:
        return None

    def reply(
        self, messages: Sequence[Message], tools: Sequence[Tool], say: Callable[[str], None]
    ) -> Deferred[Completion]:
        self.seen.append(tuple(messages))
        self.say = say
        self.asked.append(Deferred(self._cancel))
        return self.asked[-1]

    def _cancel(self, _: Deferred[Completion]) -> None:
        self.cancelled += 1

    def answers(self, text: str, **completion: object) -> None:
        """The whole of the newest run, at once."""
        self.say(text)
        self.asked[-1].callback(Completion(text, **completion))  # type: ignore[arg-type]

    def stop(self) -> Deferred[None]:
        return succeed(None)


_recognizer: type[Recognizer] = RecordingRecognizer
_voice: type[Synthesizer] = HeldVoice
_model: type[Model] = HeldModel
_detector: type[VoiceDetector] = LevelDetector
