"""Listener with a RecognizerChain: what the caller said is one turn, whoever understood it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import FRAME, TICK, Samples
from rapida_tw.errors import VendorFailed
from rapida_tw.pipeline.endpointing import Endpointing
from rapida_tw.pipeline.listen import Listener
from rapida_tw.roster import Member
from rapida_tw.sickness import Sickness
from rapida_tw.speech.base import Recognizer, RecognizerSink
from rapida_tw.speech.fallback import RecognizerChain
from tests.pipeline.fakes import LevelDetector
from tests.pipeline.test_listen import _Told

_WORD = 25  # frames: half a second
GONE = VendorFailed("the socket is gone")


class _Ear:
    """Understands frames: each word is half a second of frames with the word's number."""

    turns = False

    def __init__(self) -> None:
        self.starting: Deferred[None] = succeed(None)
        self.sink: RecognizerSink
        self.frames: dict[int, int] = {}
        self.stopped = False

    def prepare(self) -> None: ...
    def start(self, sink: RecognizerSink) -> Deferred[None]:
        self.sink = sink
        return self.starting

    def expect(self, expectation: object) -> None: ...
    def speech_started(self) -> None: ...
    def hear(self, frame: Samples) -> None:
        number = int(frame[0])
        if number:
            self.frames[number] = self.frames.get(number, 0) + 1
            self.sink.partial(self.words())

    def words(self) -> str:
        """Words of which more than half was heard."""
        return " ".join(f"w{one}" for one, count in self.frames.items() if 2 * count > _WORD)

    def finish(self) -> None:
        words, self.frames = self.words(), {}
        self.sink.final(words, 0.9 if words else 0.0)

    def stop(self) -> Deferred[None]:
        self.stopped = True
        return succeed(None)


_conforms: type[Recognizer] = _Ear


class ListenFallbackTests(SynchronousTestCase):
    hot_spare = False

    def setUp(self) -> None:
        self.clock = Clock()
        self.ears: list[_Ear] = []
        self.told = _Told()
        members = [Member[Recognizer](name, self.open) for name in "abc"]
        sickness = Sickness(self.clock.seconds)
        self.chain = RecognizerChain(members, sickness, self.clock, self.hot_spare)
        self.listener = Listener(
            LevelDetector(), self.chain, Endpointing(), self.told, self.clock.seconds
        )
        self.successResultOf(self.listener.start())

    def open(self) -> Recognizer:
        self.ears.append(_Ear())
        return self.ears[-1]

    def tearDown(self) -> None:
        self.listener.stop()
        self.chain.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def hear(self, number: int, frames: int = _WORD) -> None:
        for _ in range(frames):
            self.listener.hear(np.full(FRAME, number, np.int16))
            self.clock.advance(TICK)

    def says(self, *numbers: int) -> None:
        for number in numbers:
            self.hear(number)

    def fails(self) -> None:
        """Whoever is believed at this moment."""
        next(ear for ear in self.ears if not ear.stopped).sink.failed(GONE)

    def turns(self) -> list[str]:
        return [turn.text for turn in self.told.turns]

    def test_in_mid_sentence(self) -> None:
        """Wherever it drops, a sentence of three seconds is understood whole, once."""
        for dropped in range(1, 7):
            self.setUp()
            self.hear(0, 50)
            self.says(*range(1, dropped))
            self.hear(dropped, _WORD // 2)
            self.fails()
            self.hear(dropped, _WORD - _WORD // 2)
            self.says(*range(dropped + 1, 7))
            self.hear(0, 100)
            self.assertEqual(self.turns(), ["w1 w2 w3 w4 w5 w6"], dropped)

    def test_in_the_pause(self) -> None:
        """It drops when the caller has just fallen silent: the next one answers in time."""
        self.says(1, 2)
        self.hear(0, 10)
        self.fails()
        self.hear(0, 100)
        self.assertEqual(self.turns(), ["w1 w2"])

    def test_while_it_answers(self) -> None:
        """It drops instead of answering, having answered what it must: the turn has its words."""
        first = self.ears[0]

        def finish() -> None:
            first.sink.final("", 0.0)
            first.sink.failed(GONE)

        first.finish = finish  # type: ignore[method-assign]
        self.says(1, 2)
        self.hear(0, 100)
        self.assertEqual(self.turns(), ["w1 w2"])

    def test_slow_to_take_over(self) -> None:
        """The next one takes half a second to start; what is said meanwhile is understood, too."""
        self.says(1, 2)
        starting: Deferred[None] = Deferred()
        plain = self.open

        def opened() -> Recognizer:
            plain()
            self.ears[-1].starting = starting
            return self.ears[-1]

        self.chain.stop()
        self.ears.clear()
        members = [Member[Recognizer]("a", plain), Member[Recognizer]("b", opened)]
        self.chain = RecognizerChain(members, Sickness(self.clock.seconds), self.clock)
        self.told = _Told()
        self.listener = Listener(
            LevelDetector(), self.chain, Endpointing(), self.told, self.clock.seconds
        )
        self.successResultOf(self.listener.start())
        self.says(1, 2)
        self.fails()
        self.says(3)
        starting.callback(None)
        self.says(4)
        self.hear(0, 100)
        self.assertEqual(self.turns(), ["w1 w2 w3 w4"])

    def test_between_turns(self) -> None:
        """It drops while nobody speaks: nothing is told, and the next turn is understood."""
        self.says(1)
        self.hear(0, 100)
        self.fails()
        self.hear(0, 100)
        self.says(2)
        self.hear(0, 100)
        self.assertEqual(self.turns(), ["w1", "w2"])

    def test_all(self) -> None:
        """When none is left the conversation is told, once."""
        self.says(1)
        for _ in range(3):
            self.fails()
        self.hear(0, 100)
        self.assertEqual(len([line for line in self.told.log if line.startswith("failed")]), 1)


class HotSpareTests(ListenFallbackTests):
    """The same with a second one that hears everything."""

    hot_spare = True


@given(
    st.sampled_from((ListenFallbackTests, HotSpareTests)),
    st.lists(st.integers(1, 7), min_size=1, max_size=3),
    st.lists(st.integers(0, 600), max_size=2, unique=True),
)
@settings(max_examples=60, deadline=None)
def test_any_moment(case: type[ListenFallbackTests], lengths: list[int], drops: list[int]) -> None:
    """Turns of so many words, failures at any frames: each word is in its turn, once."""
    call = case("test_all")
    call.setUp()
    frames: list[int] = []
    turns: list[str] = []
    for length in lengths:
        first = 1 + sum(len(turn.split()) for turn in turns)
        words = range(first, first + length)
        turns.append(" ".join(f"w{word}" for word in words))
        frames += [word for word in words for _ in range(_WORD)] + [0] * 100
    for moment, number in enumerate(frames):
        if moment in drops:
            call.fails()
        call.hear(number, 1)
    assert call.turns() == turns
    call.tearDown()
