"""Scripted speech: hears and says what a script says. For simulation, tests and load.

The recogniser knows beforehand what the caller will say; it hears only when. The voice hums a
tone as long as the words would take.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache

import numpy as np
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from rapida_tw.account import NOBODY, Account
from rapida_tw.audio.format import RATE, TICKS_PER_SECOND, AudioFormat, Samples
from rapida_tw.errors import VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.speech.base import (
    Host,
    Options,
    Recognizer,
    RecognizerProvider,
    RecognizerSink,
    Synthesizer,
    SynthesizerProvider,
    VoiceSink,
)

SECONDS_PER_CHARACTER = 0.06
_PIECE = RATE // 5  # samples written at once
_WORD_TICKS = TICKS_PER_SECOND * 3 // 10  # a word is known 300 ms after it began


class ScriptedRecognizer:
    """Takes the next text of `script` at each utterance; None is a cough, without words."""

    turns = False

    def __init__(self, script: deque[str | None]) -> None:
        self._script = script
        self._sink: RecognizerSink | None = None
        self._text: str | None = None
        self._heard = 0
        self._in_speech = False
        self.expected: list[Expectation] = []

    def prepare(self) -> None:
        """It needs no time to start."""

    def start(self, sink: RecognizerSink) -> Deferred[None]:
        self._sink = sink
        return succeed(None)

    def expect(self, expectation: Expectation) -> None:
        self.expected.append(expectation)

    def hear(self, frame: Samples) -> None:
        if not self._in_speech or self._text is None or self._sink is None:
            return
        self._heard += 1
        if self._heard % _WORD_TICKS == 0:
            words = self._text.split()[: self._heard // _WORD_TICKS]
            self._sink.partial(" ".join(words))

    def speech_started(self) -> None:
        self._in_speech = True
        self._heard = 0
        self._text = self._script.popleft() if self._script else None

    def finish(self) -> None:
        text, self._text = self._text, None
        self._in_speech = False
        if self._sink is not None:
            self._sink.final(text or "", 1.0 if text else 0.0)

    def stop(self) -> Deferred[None]:
        self._sink = None
        return succeed(None)


class ScriptedSynthesizer:
    """Hums each phrase; `delay` seconds before the first piece, or fails after it."""

    def __init__(self, clock: IReactorTime, delay: float = 0.0) -> None:
        self._clock = clock
        self.delay = delay
        self.failing = False
        self.said: list[str] = []

    def prepare(self) -> None:
        """It needs no time to start."""

    def start(self) -> Deferred[None]:
        return succeed(None)

    def say(self, phrase: str, sink: VoiceSink) -> Deferred[None]:
        return Deferred.fromCoroutine(self._say(phrase, sink))

    async def _say(self, phrase: str, sink: VoiceSink) -> None:
        if self.delay:
            await deferLater(self._clock, self.delay)
        if self.failing:
            raise VendorFailed("the scripted voice fails")
        self.said.append(phrase)
        tone = hum(len(phrase) * SECONDS_PER_CHARACTER)
        for start in range(0, len(tone), _PIECE):
            sink.write(tone[start : start + _PIECE])

    def stop(self) -> Deferred[None]:
        return succeed(None)


@lru_cache(maxsize=64)
def hum(seconds: float, frequency: float = 200.0) -> Samples:
    """int16[n] at 16 kHz: a tone of -12 dBFS that counts as a voice for the energy detector.

    Kept, because under load all calls hum the same; read-only for that reason.
    """
    time = np.arange(int(seconds * RATE)) / RATE
    tone = (8000 * np.sin(2 * np.pi * frequency * time)).astype(np.int16)
    tone.flags.writeable = False
    return tone


class ScriptedRecognizerProvider:
    """Option `script`: a list of texts; without it nothing is ever understood."""

    description = "scripted: hears what its script says"

    def __init__(self, host: Host) -> None:
        pass

    def open(self, options: Options, account: Account = NOBODY) -> Recognizer:
        return ScriptedRecognizer(deque(options.get("script", ())))

    def stop(self) -> Deferred[None]:
        return succeed(None)


class ScriptedSynthesizerProvider:
    """Option `delay`: seconds before the first sound of a phrase."""

    description = "scripted: hums"
    remote = False

    def __init__(self, host: Host) -> None:
        self._clock = host.clock

    def open(
        self, options: Options, account: Account = NOBODY, leg: AudioFormat | None = None
    ) -> Synthesizer:
        return ScriptedSynthesizer(self._clock, float(options.get("delay", 0.0)))

    def stop(self) -> Deferred[None]:
        return succeed(None)


_conform_a: type[RecognizerProvider] = ScriptedRecognizerProvider
_conform_b: type[SynthesizerProvider] = ScriptedSynthesizerProvider
