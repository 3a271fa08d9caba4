"""A voice over HTTP: a request a phrase, read as it comes, aborted, and tried again."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import RATE
from rapida_tw.errors import VendorFailed
from rapida_tw.net.base import BodyReceiver
from rapida_tw.speech.base import Pieces
from rapida_tw.speech.voices.upload import HttpVoice
from tests.speech.voices.stand_in import PlainAnswer, PlainNet, PlainRequest, nothing_left


class HttpVoiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.net = PlainNet()
        self.voice = HttpVoice(self.net, self.clock, "Acme", PlainRequest())
        self.sound = Pieces()
        self.voice.prepare()
        self.successResultOf(self.voice.start())

    def say(self) -> Deferred[None]:
        return self.voice.say("Hello there, Bob!", self.sound)

    def answer(self, status: int = 200, **headers: str) -> PlainAnswer:
        answer = PlainAnswer(status, {name.replace("_", "-"): v for name, v in headers.items()})
        self.net.asked[-1].callback(answer)
        return answer

    def retried(self, said: Deferred[None]) -> None:
        """It was asked for once more, and is complete."""
        self.assertEqual(len(self.net.requests), 2)
        answer = self.answer()
        answer.sound()
        answer.end()
        self.successResultOf(said)
        self.assertAlmostEqual(self.seconds, 0.1)
        self.assertTrue(nothing_left(self.clock))

    def fails(self, said: Deferred[None]) -> VendorFailed:
        error = self.failureResultOf(said, VendorFailed).value
        assert isinstance(error, VendorFailed)
        self.assertTrue(nothing_left(self.clock))
        return error

    @property
    def seconds(self) -> float:
        return sum(map(len, self.sound.samples)) / RATE

    def test_streamed(self) -> None:
        """The sound is heard while the body is still coming."""
        said = self.say()
        self.assertEqual(self.net.requests[0].body, b"Hello there, Bob!")
        answer = self.answer()
        answer.sound()
        self.assertAlmostEqual(self.seconds, 0.1)
        self.assertNoResult(said)
        answer.sound()
        answer.end()
        self.successResultOf(said)
        self.assertAlmostEqual(self.seconds, 0.2)
        self.assertFalse(answer.aborted)
        self.assertTrue(nothing_left(self.clock))

    def test_all_at_once(self) -> None:
        """A body that is there already is complete before it is asked for again."""

        class Whole(PlainAnswer):
            def read(self, receiver: BodyReceiver) -> None:
                super().read(receiver)
                self.sound()
                self.end()

        said = self.say()
        self.net.asked[0].callback(Whole())
        self.successResultOf(said)
        self.assertAlmostEqual(self.seconds, 0.1)
        self.assertTrue(nothing_left(self.clock))

    def test_cancelled(self) -> None:
        """The vendor notices that nobody listens any more."""
        said = self.say()
        answer = self.answer()
        answer.sound()
        said.cancel()
        self.failureResultOf(said, CancelledError)
        self.assertTrue(answer.aborted)
        answer.sound()
        self.assertAlmostEqual(self.seconds, 0.1)
        self.assertTrue(nothing_left(self.clock))

    def test_cancelled_before_its_answer(self) -> None:
        """A request that has no answer yet is given up."""
        said = self.say()
        said.cancel()
        self.failureResultOf(said, CancelledError)
        self.assertEqual(self.net.given_up, self.net.asked)

    def test_stop(self) -> None:
        """The end of the call ends its phrase."""
        said = self.say()
        answer = self.answer()
        self.successResultOf(self.voice.stop())
        self.failureResultOf(said, CancelledError)
        self.assertTrue(answer.aborted)

    def test_refused(self) -> None:
        """A wrong key is told at once, in the vendor's words."""
        said = self.say()
        answer = self.answer(401)
        answer.words.callback("no such key")
        failure = self.fails(said)
        self.assertEqual((str(failure), failure.code), ("Acme: 401 no such key", 401))
        self.assertFalse(failure.retryable)
        self.assertFalse(answer.aborted)

    def test_refused_for_the_moment(self) -> None:
        """A vendor that is broken is asked once more, and told of then."""
        said = self.say()
        for _ in range(2):
            self.answer(503).words.callback("broken")
        self.assertEqual(self.fails(said).code, 503)
        self.assertEqual(len(self.net.requests), 2)

    def test_busy(self) -> None:
        """One that is busy is asked again when it says, once."""
        said = self.say()
        self.answer(429, retry_after="1.5").words.callback("")
        self.clock.advance(1.4)
        self.assertEqual(len(self.net.requests), 1)
        self.clock.advance(0.1)
        self.retried(said)

    def test_busy_for_long(self) -> None:
        """But not when that is longer than a caller waits."""
        said = self.say()
        self.answer(429, retry_after="20").words.callback("")
        self.assertEqual(self.fails(said).retry_after, 20)

    def test_busy_without_a_time(self) -> None:
        """Half a second later another call's phrase may be over."""
        for header in ({}, {"retry_after": "Fri, 31 Dec 1999 23:59:59 GMT"}):
            self.setUp()
            said = self.say()
            self.answer(429, **header).words.callback("")
            self.assertEqual(len(self.net.requests), 1)
            self.clock.advance(0.5)
            self.retried(said)

    def test_not_reached(self) -> None:
        """A connection that failed is tried once more."""
        said = self.say()
        self.net.asked[0].errback(VendorFailed("not reached"))
        self.retried(said)

    def test_cut_before_sound(self) -> None:
        """So is a body that is cut off before its first sound."""
        said = self.say()
        self.answer().end(VendorFailed("cut off"))
        self.retried(said)

    def test_empty(self) -> None:
        """And one without any sound."""
        said = self.say()
        self.answer().end()
        self.retried(said)

    def test_garbage(self) -> None:
        """And one that is not understood, which is closed."""
        said = self.say()
        answer = self.answer()
        assert answer.receiver is not None
        answer.receiver.data_received(b"{}")
        self.assertTrue(answer.aborted)
        self.retried(said)

    def test_silence(self) -> None:
        """And an answer that does not come within 4 s, or a body without sound."""
        said = self.say()
        self.clock.advance(4)
        self.retried(said)
        self.setUp()
        said = self.say()
        answer = self.answer()
        self.clock.advance(4)
        self.assertTrue(answer.aborted)
        self.retried(said)

    def test_cut_in_mid_phrase(self) -> None:
        """Of what was heard already, nothing is said again."""
        said = self.say()
        answer = self.answer()
        answer.sound()
        answer.end(VendorFailed("cut off"))
        self.assertEqual(str(self.fails(said)), "Acme: cut off")
        self.assertEqual(len(self.net.requests), 1)

    def test_no_end(self) -> None:
        """A body that stays open behind a whole phrase is complete after 5 s, and closed."""
        said = self.say()
        answer = self.answer()
        answer.sound(1.0)
        self.clock.advance(5)
        self.successResultOf(said)
        self.assertTrue(answer.aborted)
