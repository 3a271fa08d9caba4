"""The local voice: the engine chosen, phrases written in pieces, kept, and cancelled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from queue import Queue
from threading import Event
from typing import Any

import numpy as np
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import RATE, Samples
from rapida_tw.errors import MisconfiguredAssistant, VendorFailed
from rapida_tw.speech.base import Host, Pieces, Synthesizer
from rapida_tw.speech.engine import Engine, EngineMissing, Tone
from rapida_tw.speech.local_voice import LocalSynthesizerProvider

PATIENCE = 10  # seconds for a thread


class Threads(Clock):
    """A reactor whose calls from threads are made by the test."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: Queue[tuple[Callable[..., object], tuple[Any, ...]]] = Queue()

    def callFromThread(self, function: Callable[..., object], *args: Any) -> None:
        self._calls.put((function, args))

    def run_one(self) -> None:
        function, args = self._calls.get(timeout=PATIENCE)
        function(*args)


class Hummer:
    """An engine that hums a second for each word, at 8 kHz; "fail" and "break" do what they say."""

    name = "hummer"
    threads = 1
    voices = ("low", "high")

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, float]] = []
        self.cancelled: Event | None = None
        self.go_on = Event()
        self.go_on.set()

    def speak(self, phrase: str, voice: str, rate: float, cancelled: Event) -> tuple[Samples, int]:
        self.asked.append((phrase, voice, rate))
        self.cancelled = cancelled
        self.go_on.wait(PATIENCE)
        if phrase == "fail":
            raise VendorFailed("it cannot say this")
        if phrase == "break":
            raise ZeroDivisionError("a bug")
        time = np.arange(8000 * len(phrase.split())) / 8000
        return np.rint(20_000 * np.sin(2 * np.pi * 300 * time)).astype(np.int16), 8000


class LocalVoiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.engine = Hummer()
        self.reactor = Threads()
        self.provider = self.provide(lambda: self.engine)
        self.voice = self.provider.open({})
        self.successResultOf(self.voice.start())
        self.sound = Pieces()
        self.pieces = self.sound.samples

    def provide(self, *engines: Callable[[], Engine]) -> LocalSynthesizerProvider:
        provider = LocalSynthesizerProvider(Host(self.reactor, Path()), engines)
        self.addCleanup(provider.stop)
        return provider

    def say(self, phrase: str, voice: Synthesizer | None = None) -> None:
        said = (voice or self.voice).say(phrase, self.sound)
        self.reactor.run_one()
        self.successResultOf(said)

    def test_pieces(self) -> None:
        """A phrase comes at 16 kHz, at telephone level, in pieces of 200 ms at most."""
        self.say("one two")
        self.assertLessEqual(max(map(len, self.pieces)), RATE // 5)
        samples = np.concatenate(self.pieces)
        self.assertEqual(len(samples), 2 * RATE)
        level = 20 * np.log10(samples[:RATE].astype(float).std() / 32768)
        self.assertApproximates(level, -20, 0.3)

    def test_kept(self) -> None:
        """The same phrase again is written at once, in another call too."""
        self.say("hello")
        self.pieces.clear()
        said = self.provider.open({}).say("hello", self.sound)
        self.successResultOf(said)
        self.assertEqual(len(np.concatenate(self.pieces)), RATE)
        self.assertEqual(len(self.engine.asked), 1)
        self.assertFalse(any(piece.flags.writeable for piece in self.pieces))

    def test_options(self) -> None:
        """Voice and rate reach the engine; other voices and rates are other phrases."""
        for options in ({"voice": "high"}, {"rate": "1.5"}, {}):
            self.say("hello", self.provider.open(options))
        asked = [("hello", "high", 1.0), ("hello", "low", 1.5), ("hello", "low", 1.0)]
        self.assertEqual(self.engine.asked, asked)

    def test_bad_options(self) -> None:
        """A voice that is not there is refused, with those that are."""
        error = self.assertRaises(MisconfiguredAssistant, self.provider.open, {"voice": "bass"})
        self.assertIn("low, high", str(error))
        self.assertRaises(MisconfiguredAssistant, self.provider.open, {"rate": 3})

    def test_cancelled(self) -> None:
        """Cancelling ends it at once; the audio that comes later is thrown away."""
        self.engine.go_on.clear()
        said = self.voice.say("hello", self.sound)
        said.cancel()
        self.failureResultOf(said, CancelledError)
        self.engine.go_on.set()
        self.reactor.run_one()
        self.assertEqual(self.pieces, [])

    def test_engine_told(self) -> None:
        """An engine that can stop in mid-sentence is told to."""
        self.engine.go_on.clear()
        first = self.voice.say("hello", self.sound)
        second = self.provider.open({}).say("hello", self.sound)
        for said in (first, second):
            said.cancel()
            self.failureResultOf(said, CancelledError)
        self.engine.go_on.set()
        for _ in range(2):
            self.reactor.run_one()
        # The second was still waiting for the thread: the engine was not even asked.
        self.assertLessEqual(len(self.engine.asked), 1)

    def test_cancelled_by_its_audio(self) -> None:
        """Whoever cancels when given a piece is given no other."""

        class Once(Pieces):
            def write(self, samples: Samples, payload: bytes = b"") -> None:
                super().write(samples)
                said.cancel()

        once = Once()
        said = self.voice.say("one two three", once)
        self.reactor.run_one()
        self.failureResultOf(said, CancelledError)
        self.assertEqual(len(once.samples), 1)

    def test_stop(self) -> None:
        """The end of the call cancels its phrase."""
        said = self.voice.say("hello", self.sound)
        self.successResultOf(self.voice.stop())
        self.failureResultOf(said, CancelledError)

    def test_fails(self) -> None:
        """What the engine cannot say is its failure; a bug is one too, and logged."""
        for phrase in ("fail", "break"):
            said = self.voice.say(phrase, self.sound)
            self.reactor.run_one()
            self.failureResultOf(said, VendorFailed)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_bad_write(self) -> None:
        """A mistake of whoever takes the audio comes back to him."""

        class Bad(Pieces):
            def write(self, samples: Samples, payload: bytes = b"") -> None:
                raise ZeroDivisionError

        said = self.voice.say("hello", Bad())
        self.reactor.run_one()
        self.failureResultOf(said, ZeroDivisionError)


class ChoiceTests(SynchronousTestCase):
    def test_first_that_works(self) -> None:
        """The first engine that is installed is taken, and why not the others is told."""

        def missing() -> Engine:
            raise EngineMissing("libflite1 is not installed")

        host = Host(Threads(), Path())
        provider = LocalSynthesizerProvider(host, (missing, Hummer, Tone))
        self.assertEqual(provider.description, "hummer; libflite1 is not installed")

    def test_tone(self) -> None:
        """Without any voice there is a tone."""
        reactor = Threads()
        provider = LocalSynthesizerProvider(Host(reactor, Path()), (Tone,))
        self.addCleanup(provider.stop)
        pieces = Pieces()
        said = provider.open({}).say("Welcome", pieces)
        reactor.run_one()
        self.successResultOf(said)
        self.assertEqual(len(np.concatenate(pieces.samples)), RATE * 6 // 10)
