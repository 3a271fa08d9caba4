"""The voice without an account: the best engine that this machine has, in threads of its own.

In the order of how well callers understand them: flite, espeak-ng, a tone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import numpy as np
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from rapida_tw.account import NOBODY, Account
from rapida_tw.audio.format import RATE, AudioFormat, Samples
from rapida_tw.audio.resample import resample_all
from rapida_tw.errors import MisconfiguredAssistant, VendorFailed
from rapida_tw.options import read, within
from rapida_tw.speech.base import Host, Options, Synthesizer, SynthesizerProvider, VoiceSink
from rapida_tw.speech.engine import Engine, EngineMissing, Tone
from rapida_tw.speech.espeak import Espeak
from rapida_tw.speech.flite import Flite
from rapida_tw.speech.loudness import at_telephone_level, from_its_first_sound
from rapida_tw.speech.phrase_cache import PhraseCache

_PIECE = RATE // 5  # samples: at most 200 ms are written at once

ENGINES: tuple[Callable[[], Engine], ...] = (Flite, Espeak, Tone)


@dataclass(frozen=True, slots=True)
class VoiceOptions:
    """`voice`: a name that the engine knows, "" for its default; `rate`: 1.0 is ordinary speed."""

    voice: str = ""
    rate: float = 1.0

    def __post_init__(self) -> None:
        within("rate", self.rate, 0.5, 2.0)


class LocalSynthesizerProvider:
    """Opens voices of one engine; they share its threads and what was said before."""

    remote = False
    _log = Logger()

    def __init__(self, host: Host, engines: Sequence[Callable[[], Engine]] = ENGINES) -> None:
        self._reactor = host.reactor
        self._engine, why_not = _first(engines)
        self.description = "; ".join((self._engine.name, *why_not))
        if isinstance(self._engine, Tone):
            self._log.warn("there is no voice: {why}", why=self.description)
        # Each call has one phrase in the queue at most.
        self._threads = ThreadPool(0, self._engine.threads, "voice")
        # A program that ends without stopping us need not wait for threads that wait for work.
        self._threads.threadFactory = _DaemonThread
        self._cache = PhraseCache[tuple[str, float, str], Samples]()

    def open(
        self, options: Options, account: Account = NOBODY, leg: AudioFormat | None = None
    ) -> Synthesizer:
        chosen = read(VoiceOptions, options, "speak.", "the local voice")
        voice = chosen.voice or self._engine.voices[0]
        if voice not in self._engine.voices:
            known = ", ".join(self._engine.voices)
            raise MisconfiguredAssistant(f"the local voice has no voice {voice!r}; it has: {known}")
        return LocalSynthesizer(self, voice, chosen.rate)

    def stop(self) -> Deferred[None]:
        """Waits for the phrase under way, some 50 ms: only a stopping server does that."""
        if self._threads.started:
            self._threads.stop()
        return succeed(None)

    def speak(self, phrase: str, voice: str, rate: float) -> Deferred[Samples]:
        """int16[n] at 16 kHz, read-only; errbacks with `VendorFailed`. Can be cancelled."""
        key = (voice, rate, phrase)
        kept = self._cache.get(key)
        if kept is not None:
            return succeed(kept)
        cancelled = Event()
        spoken: Deferred[Samples] = Deferred(lambda _: cancelled.set())

        def done(ok: bool, result: Samples | Failure) -> None:
            self._reactor.callFromThread(self._spoken, key, spoken, cancelled, result)

        if not self._threads.started:
            self._threads.start()
        self._threads.callInThreadWithCallback(
            done, _voiced, self._engine, phrase, voice, rate, cancelled
        )
        return spoken

    def _spoken(
        self, key: Any, spoken: Deferred[Samples], cancelled: Event, result: Samples | Failure
    ) -> None:
        if cancelled.is_set():
            return
        if isinstance(result, Failure):
            if not result.check(VendorFailed):
                self._log.failure("the local voice failed", failure=result)
                result = Failure(VendorFailed(f"the local voice: {result.getErrorMessage()}"))
            spoken.errback(result)
            return
        result.flags.writeable = False
        self._cache.put(key, result)
        spoken.callback(result)


class LocalSynthesizer:
    """Speaks in one call."""

    def __init__(self, provider: LocalSynthesizerProvider, voice: str, rate: float) -> None:
        self._provider = provider
        self._voice = voice
        self._rate = rate
        self._said: Deferred[None] | None = None  # the latest phrase

    def prepare(self) -> None:
        """It needs no time to start."""

    def start(self) -> Deferred[None]:
        return succeed(None)

    def say(self, phrase: str, sink: VoiceSink) -> Deferred[None]:
        """See Synthesizer. The pieces are read-only: others may be given the same ones."""
        speaking = self._provider.speak(phrase, self._voice, self._rate)
        said: Deferred[None] = Deferred(lambda _: speaking.cancel())

        def write_pieces(samples: Samples) -> None:
            for start in range(0, len(samples), _PIECE):
                if said.called:  # cancelled by whoever was given the last piece
                    return
                sink.write(samples[start : start + _PIECE])
            if not said.called:
                said.callback(None)

        def failed(failure: Failure) -> None:
            if not said.called:
                said.errback(failure)

        speaking.addCallback(write_pieces).addErrback(failed)
        self._said = said
        return said

    def stop(self) -> Deferred[None]:
        said, self._said = self._said, None
        if said is not None:
            said.cancel()
        return succeed(None)


def _first(engines: Sequence[Callable[[], Engine]]) -> tuple[Engine, list[str]]:
    """The first engine that this machine has, and why not those before it."""
    why_not: list[str] = []
    for engine in engines:
        try:
            return engine(), why_not
        except EngineMissing as error:
            why_not.append(str(error))
    raise LookupError("no voice engine")  # the tone needs nothing, and is always the last


class _DaemonThread(Thread):
    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named, daemon=True)


def _voiced(engine: Engine, phrase: str, voice: str, rate: float, cancelled: Event) -> Samples:
    """What the threads do."""
    if cancelled.is_set():
        return np.zeros(0, np.int16)
    samples, source = engine.speak(phrase, voice, rate, cancelled)
    return from_its_first_sound(at_telephone_level(resample_all(samples, source, RATE)))


_conforms: tuple[type[SynthesizerProvider], type[Synthesizer]] = (
    LocalSynthesizerProvider,
    LocalSynthesizer,
)
