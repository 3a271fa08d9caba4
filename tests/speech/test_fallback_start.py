"""RecognizerChain: recognisers that are slow to start, or do not start at all."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred, fail

from rapida_tw.errors import MisconfiguredAssistant, VendorFailed
from rapida_tw.roster import Member, failures, fallbacks
from rapida_tw.sickness import SHORTEST
from rapida_tw.speech.base import Recognizer, RecognizerSink
from rapida_tw.speech.fallback import START_WITHIN, RecognizerChain
from rapida_tw.speech.recollection import HELD, REPLAYED
from tests.speech.chain_case import GONE, ChainCase, Told


class SlowStartTests(ChainCase):
    """They need time to start."""

    def setUp(self) -> None:
        super().setUp()
        self.starting = Deferred

    def start_of(self, name: str) -> Deferred[None]:
        return self.the(name).starting

    def test_start(self) -> None:
        """Ready is ready: not before."""
        starting = self.chain.start(self.told)
        self.assertNoResult(starting)
        self.start_of("a").callback(None)
        self.successResultOf(starting)

    def test_refused(self) -> None:
        """A key that is refused: the second starts, and the next call begins with it."""
        before = failures.value("stt", "a"), fallbacks.value("stt", "a", "b")
        starting = self.chain.start(self.told)
        self.start_of("a").errback(VendorFailed("the key is wrong", 401, retryable=False))
        self.start_of("b").callback(None)
        self.successResultOf(starting)
        self.assertEqual(failures.value("stt", "a"), before[0] + 1)
        self.assertEqual(fallbacks.value("stt", "a", "b"), before[1] + 1)
        self.clock.advance(SHORTEST)
        other = self.another()
        other.start(Told()).addErrback(lambda failure: failure.trap(CancelledError))
        self.assertEqual((len(self.opened["a"]), len(self.opened["b"])), (1, 2))
        other.stop()
        self.start_of("b").callback(None)

    def test_too_slow(self) -> None:
        """The caller is not kept waiting where somebody else can be asked."""
        starting = self.chain.start(self.told)
        self.clock.advance(START_WITHIN)
        self.assertEqual(len(self.opened["b"]), 1)
        self.clock.advance(START_WITHIN)
        self.start_of("c").errback(GONE)
        self.assertEqual(len(self.opened["a"]), 2)  # it was only slow: now there is time
        self.clock.advance(3 * START_WITHIN)
        self.start_of("a").callback(None)
        self.successResultOf(starting)

    def test_nobody(self) -> None:
        """None can be started: the start fails with all reasons."""
        starting = self.chain.start(self.told)
        for name in "abc":
            self.start_of(name).errback(VendorFailed(f"{name} is down"))
        failure = self.failureResultOf(starting, VendorFailed)
        self.assertIn("a: a is down; b: b is down; c: c is down", failure.getErrorMessage())
        self.assertEqual(self.told.failures, [])

    def test_fails_in_its_start(self) -> None:
        """It fails by its sink before its start has returned: nothing of it is left to wait for."""
        cancelled: list[object] = []
        self.starting = lambda: Deferred(cancelled.append)
        opened = self.opener("a")

        def failing() -> Recognizer:
            one = opened()

            def start(sink: RecognizerSink) -> Deferred[None]:
                sink.failed(GONE)
                return Deferred(cancelled.append)

            one.start = start  # type: ignore[method-assign]
            return one

        members = [Member("x", failing), Member[Recognizer]("b", self.opener("b"))]
        self.chain = RecognizerChain(members, self.sickness, self.clock)
        self.chain.start(self.told).addErrback(lambda failure: failure.trap(CancelledError))
        self.assertEqual(len(cancelled), 1)
        self.assertEqual(len(self.opened["b"]), 1)

    def test_given_up(self) -> None:
        """Who no longer waits for the start leaves nothing behind."""
        starting = self.chain.start(self.told)
        starting.cancel()
        self.failureResultOf(starting, CancelledError)
        self.assertEqual(self.the("a").cues, ["stop"])

    def test_said_meanwhile(self) -> None:
        """What is said while the next one starts is kept, on top of the two seconds."""
        self.chain.start(self.told)
        self.start_of("a").callback(None)
        self.hear(120)
        self.drop("a")
        self.hear(30)
        self.chain.speech_started()
        self.hear(20)
        self.chain.finish()
        self.start_of("b").callback(None)
        self.assertEqual(self.frames("b"), list(range(20, 170)))
        self.assertEqual(self.the("b").cues, ["started", "finish"])
        self.hear(200)
        self.drop("b")
        self.start_of("c").callback(None)
        self.assertEqual(len(self.frames("c")), REPLAYED)

    def test_bounded(self) -> None:
        """Nobody starts for a long time: the oldest frames go."""
        self.chain.start(self.told)
        self.start_of("a").callback(None)
        self.drop("a")
        self.drop_the_starting("b")
        self.hear(1000)
        self.assertEqual(len(self.opened["c"]), 1)
        self.start_of("c").callback(None)
        self.assertEqual(self.frames("c"), list(range(1000 - HELD, 1000)))

    def drop_the_starting(self, name: str) -> None:
        """It fails by its sink before its start has fired."""
        self.sink(name).failed(GONE)

    def test_cannot_be_opened(self) -> None:
        """One that is wrongly configured is passed over."""

        def wrong() -> Recognizer:
            raise MisconfiguredAssistant("no such model")

        members = [Member[Recognizer]("x", wrong), Member[Recognizer]("b", self.opener("b"))]
        self.chain = RecognizerChain(members, self.sickness, self.clock)
        starting = self.chain.start(self.told)
        self.start_of("b").callback(None)
        self.successResultOf(starting)

    def test_none_can_be_opened(self) -> None:
        """The start says so."""

        def wrong() -> Recognizer:
            raise MisconfiguredAssistant("no such model")

        self.chain = RecognizerChain([Member("x", wrong)], self.sickness, self.clock)
        failure = self.failureResultOf(self.chain.start(self.told), VendorFailed)
        self.assertIn("x: no such model", failure.getErrorMessage())

    def test_fails_at_once(self) -> None:
        """Starts that fail before they return are failures like others, each told once."""
        self.starting = lambda: fail(GONE)
        self.failureResultOf(self.chain.start(self.told), VendorFailed)
        self.assertEqual(self.told.failures, [])
