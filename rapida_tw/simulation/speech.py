"""Hearing and speaking of a virtual server: scripted, and remembered for the story."""

from __future__ import annotations

from collections import deque

from twisted.internet.defer import Deferred

from rapida_tw.account import NOBODY, Account
from rapida_tw.audio.format import AudioFormat
from rapida_tw.speech.base import Host, Options, Recognizer, RecognizerSink
from rapida_tw.speech.scripted import (
    ScriptedRecognizer,
    ScriptedRecognizerProvider,
    ScriptedSynthesizer,
    ScriptedSynthesizerProvider,
)


class Ears:
    """Recognisers that know what their callers will say, in the order of the calls."""

    description = ScriptedRecognizerProvider.description

    def __init__(self) -> None:
        self.scripts: deque[deque[str | None]] = deque()
        self.opened: list[ScriptedRecognizer] = []

    def open(self, options: Options, account: Account = NOBODY) -> Recognizer:
        return _Ear(self)

    def stop(self) -> Deferred[None]:
        return ScriptedRecognizerProvider.stop(self)  # type: ignore[arg-type]


class _Ear(ScriptedRecognizer):
    """Takes the next script when its call begins: it is opened when the call is announced."""

    def __init__(self, ears: Ears) -> None:
        super().__init__(deque())
        self._ears = ears

    def start(self, sink: RecognizerSink) -> Deferred[None]:
        if self._ears.scripts:
            self._script = self._ears.scripts.popleft()
        self._ears.opened.append(self)
        return super().start(sink)


class Voices(ScriptedSynthesizerProvider):
    """Remembers what it opened, so that a story can make a voice slow or broken."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.opened: list[ScriptedSynthesizer] = []

    def open(
        self, options: Options, account: Account = NOBODY, leg: AudioFormat | None = None
    ) -> ScriptedSynthesizer:
        voice = ScriptedSynthesizer(self._clock, float(options.get("delay", 0.0)))
        self.opened.append(voice)
        return voice
