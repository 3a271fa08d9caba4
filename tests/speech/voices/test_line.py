"""A voice over a socket: connecting early, phrases and contexts, cancelling, trying again."""

from __future__ import annotations

from typing import Any

import numpy as np
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import RATE, Samples
from rapida_tw.errors import VendorFailed
from rapida_tw.speech.base import Pieces
from rapida_tw.speech.voices.line import SocketVoice
from tests.speech.voices.stand_in import PlainNet, PlainSocket, PlainWire, nothing_left


class LineCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.net = PlainNet()
        self.wire: Any = type("Wire", (PlainWire,), {})
        self.voice = SocketVoice(self.net, self.clock, "Acme", lambda: self.wire())
        self.sound = Pieces()

    def start(self) -> None:
        self.successResultOf(self.voice.start())

    def say(self, phrase: str = "Hello there") -> Deferred[None]:
        return self.voice.say(phrase, self.sound)

    @property
    def socket(self) -> PlainSocket:
        return self.net.sockets[-1]

    @property
    def seconds(self) -> float:
        return sum(map(len, self.sound.samples)) / RATE

    def fails(self, said: Deferred[None]) -> VendorFailed:
        error = self.failureResultOf(said, VendorFailed).value
        assert isinstance(error, VendorFailed)
        return error

    def cancel(self, said: Deferred[None]) -> None:
        said.cancel()
        self.failureResultOf(said, CancelledError)


class ConnectingTests(LineCase):
    def test_prepared(self) -> None:
        """The socket is opened when the call is announced, and is the one that is used."""
        self.voice.prepare()
        self.assertEqual(self.socket.sent, ["hello"])
        self.start()
        self.assertEqual(len(self.net.sockets), 1)

    def test_start_waits(self) -> None:
        """The voice is ready when its socket is."""
        self.net.slow = True
        started = self.voice.start()
        self.assertNoResult(started)
        self.net.connected()
        self.successResultOf(started)

    def test_greeting(self) -> None:
        """A vendor that greets is given no text before."""
        self.wire.greets = True
        started = self.voice.start()
        said = self.say()
        self.assertNoResult(started)
        self.assertEqual(self.socket.sent, ["hello"])
        self.socket.say("ready")
        self.successResultOf(started)
        self.assertEqual(self.socket.sent, ["hello", "say p1 Hello there"])
        self.cancel(said)

    def test_no_greeting(self) -> None:
        """A vendor that does not greet is tried once more, and failed."""
        self.wire.greets = True
        started = self.voice.start()
        self.clock.advance(6)
        self.clock.advance(6)
        self.assertIn("not ready", str(self.fails(started)))
        self.assertEqual([socket.open for socket in self.net.sockets], [False, False])
        self.assertTrue(nothing_left(self.clock))

    def test_start_tries_again(self) -> None:
        """A connection that failed for the moment is tried once more."""
        self.net.failing = [VendorFailed("busy", 503)]
        self.start()

    def test_wrong_key(self) -> None:
        """What would fail again is not."""
        self.net.failing = [VendorFailed("no such key", 401), VendorFailed("again")]
        failure = self.fails(self.voice.start())
        self.assertEqual((str(failure), failure.code), ("Acme: no such key", 401))
        self.assertFalse(failure.retryable)
        self.assertEqual(len(self.net.failing), 1)

    def test_prepare_fails_silently(self) -> None:
        """A failure before the call is nobody's: `start` tries again, and tells."""
        self.net.failing = [VendorFailed("busy")]
        self.voice.prepare()
        self.start()

    def test_bug_in_address(self) -> None:
        """An error that is none of the vendor's is logged, and final."""

        def address(self: PlainWire, net: object) -> Deferred[None]:
            raise ZeroDivisionError

        self.wire.address = address
        self.assertFalse(self.fails(self.voice.start()).retryable)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class SayingTests(LineCase):
    def test_phrases(self) -> None:
        """Each phrase has a context of its own, and is said when its sound is complete."""
        self.start()
        for number in (1, 2):
            said = self.say("One")
            self.assertEqual(self.socket.sent[-1], f"say p{number} One")
            self.socket.sound(f"p{number}")
            self.assertNoResult(said)
            self.socket.say(f"done p{number}")
            self.successResultOf(said)
        self.assertAlmostEqual(self.seconds, 0.2)
        self.assertEqual(len(self.net.sockets), 1)
        self.assertTrue(nothing_left(self.clock))

    def test_at_once(self) -> None:
        """Sound is given on while the message that brings it is read."""
        self.start()
        said = self.say()
        self.socket.sound("p1", 0.05)
        self.assertAlmostEqual(self.seconds, 0.05)
        self.cancel(said)

    def test_to_its_end(self) -> None:
        """What a resampler holds back is given at the end: nobody's last consonant is cut off."""
        self.wire.rate = 8_000
        self.start()
        said = self.say()
        self.socket.sound("p1", 1.0)  # of 16 kHz: two seconds here
        self.assertAlmostEqual(self.seconds, 2.0)
        self.socket.say("done p1")
        self.successResultOf(said)
        self.assertGreater(self.seconds, 2.0015)

    def test_words(self) -> None:
        """Words are told with their times."""
        self.start()
        said = self.say()
        self.socket.say("word p1 Hello")
        self.assertEqual([word.text for word in self.sound.words], ["Hello"])
        self.cancel(said)

    def test_said_at_once(self) -> None:
        """The next phrase may be asked for by whoever hears that this one is complete."""
        self.start()
        after: list[Deferred[None]] = []
        self.say("One").addCallback(lambda _: after.append(self.say("Two")))
        self.socket.say("all p1")
        self.socket.say("all p2")
        self.successResultOf(after[0])

    def test_nothing_to_say(self) -> None:
        """A phrase of dashes is silence, and the vendor is not asked."""
        self.start()
        self.successResultOf(self.say(" — ..."))
        self.assertEqual(self.socket.sent, ["hello"])

    def test_unlabelled(self) -> None:
        """A vendor that names no contexts speaks of the oldest phrase that is open."""
        self.wire.contexts = 1
        self.start()
        said = self.say()
        self.socket.sound("-")
        self.socket.say("done -")
        self.successResultOf(said)
        self.socket.sound("-")
        self.assertAlmostEqual(self.seconds, 0.1)

    def test_bad_sink(self) -> None:
        """A mistake of whoever takes the sound comes back to him, and the vendor is stopped."""

        class Bad(Pieces):
            def write(self, samples: Samples, payload: bytes = b"") -> None:
                raise ZeroDivisionError

        self.start()
        said = self.voice.say("Hello", Bad())
        self.socket.sound("p1")
        self.failureResultOf(said, ZeroDivisionError)
        self.assertEqual(self.socket.sent[-1], "cancel p1")
        self.assertTrue(self.socket.open)

    def test_keep_alive(self) -> None:
        """Without text for so long, the vendor is told that we are still here."""
        self.wire.keep_alive_every = 10.0
        self.start()
        self.clock.advance(6)
        said = self.say()
        self.socket.say("all p1")
        self.successResultOf(said)
        self.clock.advance(6)
        self.assertNotIn("still here", self.socket.sent)
        self.clock.advance(4)
        self.clock.advance(10)
        self.assertEqual(self.socket.sent.count("still here"), 2)


class CancellingTests(LineCase):
    def test_cancelled(self) -> None:
        """The vendor is told, and what it still sends is not heard; the next phrase is."""
        self.start()
        said = self.say()
        self.socket.sound("p1")
        self.cancel(said)
        self.assertEqual(self.socket.sent[-1], "cancel p1")
        again = self.say("Next")
        self.socket.sound("p1", level=5)
        self.socket.sound("p2", level=7)
        self.socket.say("done p1")
        self.socket.say("done p2")
        self.successResultOf(again)
        levels = {int(level) for piece in self.sound.samples for level in np.unique(piece)}
        self.assertEqual(levels, {1000, 7})

    def test_by_its_own_sound(self) -> None:
        """Whoever cancels when given a piece is given no other."""

        class Once(Pieces):
            def write(self, samples: Samples, payload: bytes = b"") -> None:
                super().write(samples)
                said.cancel()

        self.start()
        once = Once()
        said = self.voice.say("Hello", once)
        self.socket.say("all p1")
        self.failureResultOf(said, CancelledError)
        self.socket.sound("p1")
        self.assertEqual(len(once.samples), 1)

    def test_before_it_was_sent(self) -> None:
        """While the socket is still being opened there is nothing to stop."""
        self.net.slow = True
        said = self.say()
        self.cancel(said)
        self.net.connected()
        self.assertEqual(self.socket.sent, ["hello"])

    def test_full(self) -> None:
        """Where the vendor has not ended the cancelled ones, a second socket is opened."""
        self.start()
        for _ in range(3):
            self.cancel(self.say())
        said = self.say()
        self.assertEqual(len(self.net.sockets), 2)
        self.socket.say("all p4")
        self.successResultOf(said)
        self.net.sockets[0].say("done p1")
        self.cancel(self.say("Again"))
        self.assertIn("say p5 Again", self.net.sockets[0].sent)

    def test_both_full(self) -> None:
        """There are never more than two: the older one ends."""
        self.start()
        for _ in range(7):
            self.cancel(self.say())
        self.assertEqual([socket.open for socket in self.net.sockets], [False, True, True])

    def test_acknowledged(self) -> None:
        """Where sound has no label, the next phrase waits until the vendor has stopped this one."""
        self.wire.contexts = 1
        self.start()
        self.cancel(self.say())
        said = self.say("Next")
        self.socket.sound("-")
        self.assertEqual(self.socket.sent[-1], "cancel p1")
        self.socket.say("done -")
        self.assertEqual(self.socket.sent[-1], "say p2 Next")
        self.socket.sound("-", 0.2)
        self.socket.say("done -")
        self.successResultOf(said)
        self.assertAlmostEqual(self.seconds, 0.2)
        self.assertTrue(nothing_left(self.clock))

    def test_not_acknowledged(self) -> None:
        """If it does not stop within a second, the next one is said on another socket."""
        self.wire.contexts = 1
        self.start()
        self.cancel(self.say())
        said = self.say("Next")
        self.clock.advance(1)
        self.assertFalse(self.net.sockets[0].open)
        self.assertEqual(self.socket.sent, ["hello", "say p2 Next"])
        self.cancel(said)

    def test_only_by_closing(self) -> None:
        """A vendor that cannot be stopped loses its socket, and another one is opened at once."""
        self.wire.cancels = False
        self.start()
        self.cancel(self.say())
        self.assertFalse(self.net.sockets[0].open)
        self.assertEqual(len(self.net.sockets), 2)
        said = self.say("Next")
        self.assertEqual(len(self.net.sockets), 2)
        self.socket.say("all p2")
        self.successResultOf(said)


class TroubleTests(LineCase):
    def retried(self, said: Deferred[None]) -> None:
        """The phrase was asked for once more, on another socket, and is complete."""
        self.assertEqual([socket.open for socket in self.net.sockets], [False, True])
        self.assertEqual(self.socket.sent, ["hello", "say p2 Hello there"])
        self.socket.say("all p2")
        self.successResultOf(said)
        self.assertAlmostEqual(self.seconds, 1.0)
        self.assertTrue(nothing_left(self.clock))

    def test_dropped_before_sound(self) -> None:
        """Nothing was heard: the phrase is asked for once more."""
        self.start()
        said = self.say()
        self.socket.end(1006)
        self.retried(said)

    def test_silence(self) -> None:
        """So it is after 4 s without sound."""
        self.start()
        said = self.say()
        self.clock.advance(3.9)
        self.assertEqual(len(self.net.sockets), 1)
        self.clock.advance(0.1)
        self.retried(said)

    def test_empty(self) -> None:
        """An end without sound is a failure, too."""
        self.start()
        said = self.say()
        self.socket.say("done p1")
        self.retried(said)

    def test_garbage(self) -> None:
        """A vendor that is not understood is left."""
        self.start()
        said = self.say()
        self.socket.say("?")
        self.retried(said)

    def test_complaint(self) -> None:
        """A complaint about the phrase, or about the connection."""
        for context in ("p1", "-"):
            self.setUp()
            self.start()
            said = self.say()
            self.socket.say(f"complaint {context} busy")
            self.retried(said)

    def test_once_only(self) -> None:
        """The second failure is told."""
        self.start()
        said = self.say()
        self.socket.end(1006)
        self.socket.end(1011)
        failure = self.fails(said)
        self.assertEqual((str(failure), failure.code), ("Acme: closed with 1011", 1011))
        self.assertTrue(failure.retryable)

    def test_final(self) -> None:
        """What would happen again is told at once, and said to be so."""
        for message in ("final p1 no such voice", "final - no such voice"):
            self.setUp()
            self.start()
            said = self.say()
            self.socket.say(message)
            failure = self.fails(said)
            self.assertEqual(str(failure), "Acme: no such voice")
            self.assertFalse(failure.retryable)
            self.assertEqual(len(self.net.sockets), 1)

    def test_dropped_in_mid_phrase(self) -> None:
        """Half of it was heard: nobody says it again."""
        self.start()
        said = self.say()
        self.socket.sound("p1")
        self.socket.end(1006)
        self.assertIn("closed with 1006", str(self.fails(said)))
        self.assertEqual(len(self.net.sockets), 1)

    def test_no_end(self) -> None:
        """A phrase of a plausible length whose end is not told is taken as complete after 5 s."""
        self.start()
        said = self.say("Hello there, Bob!")
        self.socket.sound("p1", 1.0)
        self.clock.advance(4.9)
        self.assertNoResult(said)
        self.clock.advance(0.1)
        self.successResultOf(said)
        self.assertEqual(self.socket.sent[-1], "cancel p1")

    def test_stalled(self) -> None:
        """One that is too short to be all is not."""
        self.start()
        said = self.say("Hello there, Bob!")
        for _ in range(5):
            self.socket.sound("p1")
            self.clock.advance(4)
        self.assertNoResult(said)
        self.clock.advance(1)
        self.assertIn("fell silent", str(self.fails(said)))

    def test_endless(self) -> None:
        """A vendor that does not stop speaking is stopped."""
        self.start()
        said = self.say()
        for _ in range(121):
            self.socket.sound("p1", 1.0)
        self.assertIn("without end", str(self.fails(said)))
        self.assertFalse(self.socket.open)

    def test_busy(self) -> None:
        """A vendor that is busy is asked again when it says so, but not if that is long."""
        self.start()
        self.socket.end(1006)
        for wait, retried in ((1.5, True), (2.5, False)):
            self.net.failing = [VendorFailed("busy", 429, retry_after=wait)]
            said = self.say()
            if not retried:
                self.assertEqual(self.fails(said).retry_after, wait)
                continue
            self.clock.advance(1.4)
            self.assertNoResult(said)
            self.clock.advance(0.1)
            self.socket.say("all p1")
            self.successResultOf(said)
            self.socket.end(1006)

    def test_no_connection(self) -> None:
        """A connection that takes too long in the middle of a call is given up, twice."""
        self.start()
        self.socket.end(1006)
        self.net.slow = True
        said = self.say()
        self.clock.advance(3)
        self.assertEqual(len(self.net.sockets), 3)
        self.clock.advance(3)
        self.assertIn("cannot be reached", str(self.fails(said)))
        self.assertTrue(nothing_left(self.clock))


class IdleTests(LineCase):
    def setUp(self) -> None:
        super().setUp()
        self.wire.idle = 20.0
        self.start()

    def test_closed_for_idleness(self) -> None:
        """A socket that the vendor closes because nothing is said is replaced at once."""
        self.clock.advance(20)
        self.socket.end(1000)
        self.assertEqual(len(self.net.sockets), 2)
        said = self.say()
        self.socket.say("all p1")
        self.successResultOf(said)

    def test_nothing_waits(self) -> None:
        """Of a socket that the vendor has closed, no timer is left."""
        self.wire.keep_alive_every = 10.0
        self.socket.end()
        self.start()
        self.socket.end()
        self.assertTrue(nothing_left(self.clock))

    def test_closed_otherwise(self) -> None:
        """One that it closes for another reason is replaced when there is something to say."""
        self.clock.advance(5)
        self.socket.end(1011)
        self.assertEqual(len(self.net.sockets), 1)
        said = self.say()
        self.socket.say("all p1")
        self.successResultOf(said)

    def test_about_to_be_closed(self) -> None:
        """Nothing is said on a socket that the vendor is about to close."""
        self.clock.advance(19.5)
        said = self.say()
        self.assertEqual(len(self.net.sockets), 2)
        self.assertTrue(self.net.sockets[0].closing)
        self.net.sockets[0].end()
        self.socket.say("all p1")
        self.successResultOf(said)


class StopTests(LineCase):
    def test_stop(self) -> None:
        """The phrase ends, the vendor is told goodbye, and it is over when the socket is closed."""
        self.wire.keep_alive_every = 10.0
        self.start()
        said = self.say()
        stopped = self.voice.stop()
        self.failureResultOf(said, CancelledError)
        self.assertEqual(self.socket.sent[-2:], ["cancel p1", "goodbye"])
        self.assertTrue(self.socket.closing)
        self.assertNoResult(stopped)
        self.socket.end()
        self.successResultOf(stopped)
        self.assertTrue(nothing_left(self.clock))
        self.successResultOf(self.voice.stop())

    def test_while_connecting(self) -> None:
        """A connection that is not there yet is given up."""
        self.net.slow = True
        started = self.voice.start()
        self.successResultOf(self.voice.stop())
        self.failureResultOf(started, VendorFailed)
        self.assertTrue(nothing_left(self.clock))

    def test_prepared_only(self) -> None:
        """A call that never came leaves nothing, and one that never was announced neither."""
        self.voice.prepare()
        stopped = self.voice.stop()
        self.socket.end()
        self.successResultOf(stopped)
        self.successResultOf(SocketVoice(self.net, self.clock, "Acme", self.wire).stop())

    def test_afterwards(self) -> None:
        """A phrase after the end of the call is a failure, and opens nothing."""
        self.start()
        self.voice.stop()
        self.socket.end()
        self.fails(self.say())
        self.assertEqual(len(self.net.sockets), 1)
