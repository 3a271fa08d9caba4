"""A recogniser's chain of three, in a call that hears frames with numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import FRAME, TICK
from rapida_tw.errors import VendorFailed
from rapida_tw.roster import Member
from rapida_tw.sickness import Sickness
from rapida_tw.speech.base import Recognizer, RecognizerSink
from rapida_tw.speech.fallback import RecognizerChain
from tests.pipeline.fakes import RecordingRecognizer

GONE = VendorFailed("the socket is gone")


class Told:
    """A RecognizerSink that writes down."""

    def __init__(self) -> None:
        self.partials: list[str] = []
        self.finals: list[tuple[str, float]] = []
        self.cues: list[str] = []
        self.failures: list[str] = []

    def partial(self, text: str) -> None:
        self.partials.append(text)

    def final(self, text: str, confidence: float) -> None:
        self.finals.append((text, confidence))

    def speech_started(self) -> None:
        self.cues.append("voice")

    def turn_ended(self) -> None:
        self.cues.append("ended")

    def failed(self, error: Exception) -> None:
        self.failures.append(str(error))

    @property
    def texts(self) -> list[str]:
        return [text for text, _ in self.finals]


class ChainCase(SynchronousTestCase):
    """A chain of three, a call that hears, and what each of the three was told."""

    hot_spare = False

    def setUp(self) -> None:
        self.clock = Clock()
        self.starting: Callable[[], Deferred[None]] = lambda: succeed(None)
        self.sickness = Sickness(self.clock.seconds)
        self.opened: dict[str, list[RecordingRecognizer]] = {"a": [], "b": [], "c": []}
        self.told = Told()
        self.count = 0  # frames
        self.prepared: list[str] = []
        self.chain = self.another()

    def another(self, *names: str) -> RecognizerChain:
        """The recogniser of another call."""
        members = [Member[Recognizer](name, self.opener(name)) for name in names or ("a", "b", "c")]
        return RecognizerChain(members, self.sickness, self.clock, self.hot_spare)

    def opener(self, name: str) -> Callable[[], Recognizer]:
        def opened() -> Recognizer:
            one = RecordingRecognizer()
            one.prepare = lambda: self.prepared.append(name)  # type: ignore[method-assign]
            one.starting = self.starting()
            self.opened[name].append(one)
            return one

        return opened

    def tearDown(self) -> None:
        """A chain that is stopped has stopped all of them, and tells nothing any more."""
        self.successResultOf(self.chain.stop())
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.successResultOf(self.chain.stop())
        told = len(self.told.finals), len(self.told.failures), len(self.told.partials)
        for opened in self.opened.values():
            for one in opened:
                self.assertIn("stop", one.noted)
                if hasattr(one, "sink"):
                    one.sink.partial("more")
                    one.sink.final("more", 1.0)
                    one.sink.failed(GONE)
        self.hear(2)
        self.chain.finish()
        now = len(self.told.finals), len(self.told.failures), len(self.told.partials)
        self.assertEqual(now, told)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def the(self, name: str) -> RecordingRecognizer:
        """The one of this name that was opened last."""
        return self.opened[name][-1]

    def sink(self, name: str) -> RecognizerSink:
        return self.the(name).sink

    def start(self) -> None:
        self.successResultOf(self.chain.start(self.told))

    def hear(self, frames: int) -> None:
        """So many frames more; each holds its number."""
        for _ in range(frames):
            self.chain.hear(np.full(FRAME, self.count, np.int16))
            self.count += 1
            self.clock.advance(TICK)

    def drop(self, name: str) -> None:
        self.sink(name).failed(GONE)

    def frames(self, name: str) -> list[int]:
        """The numbers of the frames that it was given."""
        return [int(note) for note in self.the(name).noted if note.lstrip("-").isdigit()]


_conforms: type[RecognizerSink] = Told
