"""A voice's chain of three, and voices that speak as many words as they are told to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import RATE
from rapida_tw.errors import VendorFailed
from rapida_tw.roster import Member
from rapida_tw.sickness import Sickness
from rapida_tw.speech.base import Pieces, Synthesizer, VoiceSink, Word
from rapida_tw.speech.fallback_voice import VoiceChain

PHRASE = "We open at nine, every day."
GONE = VendorFailed("the socket is gone")
_WORD = 0.5  # seconds


class Speaker:
    """A voice that says as many words as it is told to, half a second each."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tells_words = True
        self.payload = b""
        self.starting: Deferred[None] = succeed(None)
        self.said: list[str] = []
        self.saying: Deferred[None] | None = None
        self.sink: VoiceSink
        self.cancelled = self.prepared = self.started = self.stopped = 0
        self._words: list[str] = []
        self._at = 0

    def prepare(self) -> None:
        self.prepared += 1

    def start(self) -> Deferred[None]:
        self.started += 1
        return self.starting

    def say(self, phrase: str, sink: VoiceSink) -> Deferred[None]:
        self.said.append(phrase)
        self.sink, self._words, self._at = sink, phrase.split(), 0
        self.saying = Deferred(self._cancel)
        return self.saying

    def _cancel(self, _: Deferred[None]) -> None:
        self.cancelled += 1

    def speak(self, words: int = 100) -> None:
        """So many words more; the samples of each hold the voice's name and its number."""
        for word in self._words[self._at : self._at + words]:
            if self.tells_words:
                start = self._at * _WORD
                self.sink.timed([Word(word, start, start + _WORD)])
            sample = 100 * ord(self.name) + self._at
            self.sink.write(np.full(int(RATE * _WORD), sample, np.int16), self.payload)
            self._at += 1

    def done(self) -> None:
        self.speak()
        assert self.saying is not None
        self.saying.callback(None)

    def fails(self, error: Exception = GONE) -> None:
        assert self.saying is not None
        self.saying.errback(error)

    def stop(self) -> Deferred[None]:
        self.stopped += 1
        return succeed(None)


class VoiceChainCase(SynchronousTestCase):
    """A chain of three voices that has started."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.sickness = Sickness(self.clock.seconds)
        self.opened: dict[str, list[Speaker]] = {"a": [], "b": [], "c": []}
        self.starting: Callable[[], Deferred[None]] = lambda: succeed(None)
        self.chain = self.another()
        self.sound = Pieces()
        self.begin()

    def another(self, *names: str) -> VoiceChain:
        members = [Member(name, self.opener(name)) for name in names or ("a", "b", "c")]
        return VoiceChain(members, self.sickness, self.clock)

    def opener(self, name: str) -> Callable[[], Synthesizer]:
        def opened() -> Synthesizer:
            one = Speaker(name)
            one.starting = self.starting()
            self.opened[name].append(one)
            return one

        return opened

    def begin(self) -> None:
        self.successResultOf(self.chain.start())

    def tearDown(self) -> None:
        self.successResultOf(self.chain.stop())
        self.successResultOf(self.chain.stop())
        for opened in self.opened.values():
            self.assertTrue(all(one.stopped for one in opened))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def the(self, name: str) -> Speaker:
        return self.opened[name][-1]

    def say(self, phrase: str = PHRASE) -> Deferred[None]:
        self.sound = Pieces()
        return self.chain.say(phrase, self.sound)

    @property
    def heard(self) -> list[str]:
        """The words whose samples came, as their voice and its word's number."""
        sound = np.concatenate([np.zeros(0, np.int16), *self.sound.samples])
        numbers = [int(sample) for sample in sound[:: int(RATE * _WORD)]]
        return [f"{chr(number // 100)}{number % 100}" for number in numbers]
