"""The recognisers' shell: connections, audio that waits, and the end."""

from __future__ import annotations

from twisted.logger import capturedLogs

from rapida_tw.errors import VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.speech import counters
from rapida_tw.speech.recognizers.line import HASTY, SocketRecognizer
from tests.speech.recognizers.shell import ShellCase
from tests.speech.recognizers.stand_in import PlainWire, numbered

REFUSED = VendorFailed("plain.example refused: HTTP 401", 401, retryable=False)
BUSY = VendorFailed("plain.example refused: HTTP 503", 503)


class StartTests(ShellCase):
    def test_open(self) -> None:
        """It is ready when the socket is, and greets first."""
        self.start()
        self.assertEqual(self.net.socket.sent, [b"<hello>"])

    def test_greeted(self) -> None:
        """A vendor that greets is waited for."""
        self.make(greets=True)
        starting = self.recognizer.start(self.told)
        self.hear(5)
        self.assertNoResult(starting)
        self.assertEqual(self.net.socket.sent, [b"<hello>"])
        self.says("ready")
        self.successResultOf(starting)
        self.assertEqual(self.heard(), [0, 1, 2, 3, 4])

    def test_no_greeting(self) -> None:
        """A vendor that does not greet within 5 s is tried again, three times in all."""
        self.make(greets=True)
        starting = self.recognizer.start(self.told)
        self.wait(4.9)
        self.assertTrue(self.net.socket.open)
        self.wait(12)
        self.assertEqual([one.open for one in self.net.sockets], [False] * 3)
        self.assertIn("Plain: did not greet", str(self.failureResultOf(starting).value))

    def test_no_answer(self) -> None:
        """A connection that does not come about within 5 s is given up, and tried again."""
        self.net.outcomes = [None]
        starting = self.recognizer.start(self.told)
        self.wait(5.2)
        self.assertEqual((self.net.tried, self.net.cancelled), (1, 1))
        self.wait(0.5)
        self.successResultOf(starting)

    def test_refused(self) -> None:
        """A refusal that stays one is told at once, with the vendor's name."""
        self.net.outcomes = [REFUSED]
        error = self.failureResultOf(self.recognizer.start(self.told), VendorFailed).value
        self.assertEqual(str(error), "Plain: plain.example refused: HTTP 401")
        self.assertEqual((error.code, error.retryable, self.net.tried), (401, False, 1))
        self.assertEqual(self.told.events, [])

    def test_busy(self) -> None:
        """A refusal that may pass is tried again after half a second, and after a whole one."""
        self.net.outcomes = [BUSY] * 3
        starting = self.recognizer.start(self.told)
        for tries in (1, 2, 2, 3):
            self.assertEqual(self.net.tried, tries)
            self.wait(0.52)
        self.assertEqual(self.failureResultOf(starting, VendorFailed).value.code, 503)

    def test_asked_to_wait(self) -> None:
        """A vendor that names a pause gets it; one that is too long for a call is a failure."""
        self.net.outcomes = [VendorFailed("slower", 429, retry_after=2.0)]
        starting = self.recognizer.start(self.told)
        self.wait(1.9)
        self.assertEqual(self.net.tried, 1)
        self.wait(0.2)
        self.successResultOf(starting)
        self.make()
        self.net.outcomes = [VendorFailed("slower", 429, retry_after=60.0)]
        self.failureResultOf(self.recognizer.start(self.told), VendorFailed)

    def test_bad_address(self) -> None:
        """A wire that cannot make its address is a failure and no other exception."""

        def address(self: object, net: object) -> None:
            raise RuntimeError("no address")

        self.make(address=address)
        self.failureResultOf(self.recognizer.start(self.told), VendorFailed)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_cancelled(self) -> None:
        """Who does not wait any more leaves nothing behind, and may still stop it."""
        self.net.outcomes = [None]
        starting = self.recognizer.start(self.told)
        starting.addErrback(lambda _: None)
        starting.cancel()
        self.successResultOf(self.recognizer.stop())
        self.assertEqual((self.net.cancelled, self.clock.getDelayedCalls()), (1, []))

    def test_cancelled_between_tries(self) -> None:
        """Not even a timer for the next try."""
        self.net.outcomes = [BUSY]
        starting = self.recognizer.start(self.told)
        starting.addErrback(lambda _: None)
        starting.cancel()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_expectations(self) -> None:
        """What may be said next is no concern of these vendors."""
        self.start()
        self.recognizer.expect(Expectation(phrases=("yes",)))


class PreparedTests(ShellCase):
    def test_connected(self) -> None:
        """The call finds its connection open."""
        self.recognizer.prepare()
        self.assertEqual(len(self.net.sockets), 1)
        self.start()
        self.hear(5)
        self.assertEqual(len(self.net.sockets), 1)
        self.assertEqual(self.heard(), [0, 1, 2, 3, 4])

    def test_still_connecting(self) -> None:
        """The call waits for the connection that is under way."""
        self.make(greets=True)
        self.recognizer.prepare()
        starting = self.recognizer.start(self.told)
        self.assertNoResult(starting)
        self.says("ready")
        self.successResultOf(starting)
        self.assertEqual(len(self.net.sockets), 1)

    def test_idle(self) -> None:
        """After 20 s without a call it says goodbye, and connects when the call comes."""
        self.recognizer.prepare()
        self.wait(20.1)
        self.assertTrue(self.net.socket.closing)
        self.net.socket.end(1000)
        self.start()
        self.assertEqual(len(self.net.sockets), 2)
        self.assertEqual(self.told.events, [])

    def test_lost(self) -> None:
        """What happens before the call is nobody's failure; the call connects anew."""
        self.recognizer.prepare()
        self.net.socket.end()
        self.start()
        self.assertEqual(len(self.net.sockets), 2)

    def test_refused(self) -> None:
        """A refusal is told to the call, not to nobody."""
        self.net.outcomes = [REFUSED, REFUSED]
        self.recognizer.prepare()
        self.failureResultOf(self.recognizer.start(self.told), VendorFailed)

    def test_tries_begin_anew(self) -> None:
        """The call has its three tries, whatever happened before."""
        self.net.outcomes = [BUSY] * 3
        self.recognizer.prepare()
        starting = self.recognizer.start(self.told)
        self.wait(1.6)
        self.successResultOf(starting)

    def test_before_it_greets(self) -> None:
        """A vendor that has not greeted is not told goodbye."""
        self.make(greets=True)
        self.recognizer.prepare()
        self.recognizer.stop()
        self.assertEqual(self.net.socket.commands(), ["<hello>"])

    def test_never_started(self) -> None:
        """A call that does not come is stopped."""
        self.recognizer.prepare()
        stopping = self.recognizer.stop()
        self.net.socket.end(1000)
        self.successResultOf(stopping)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class AudioTests(ShellCase):
    def test_gathered(self) -> None:
        """100 ms to a message, nothing lost, nothing twice."""
        self.start()
        self.hear(12)
        self.assertEqual(self.heard(), list(range(10)))
        self.assertEqual(len(self.net.socket.sent), 1 + 2)

    def test_before_it_is_open(self) -> None:
        """Three seconds wait for the connection; older ones are lost, and counted."""
        before = counters.dropped.value("Plain")
        self.net.outcomes = [None]
        self.recognizer.start(self.told)
        self.hear(200)
        self.wait(2.0)
        self.assertEqual(self.heard(), list(range(50, 200)))
        self.assertAlmostEqual(counters.dropped.value("Plain") - before, 1.0)

    def test_catching_up(self) -> None:
        """To a vendor that dislikes haste, what has waited goes out at twice the speed."""
        self.make(greets=True, catch_up=2.0)
        self.recognizer.start(self.told)
        self.hear(50)
        self.says("ready")
        self.hear(25, first=50)
        self.assertEqual(len(self.heard()), 60)
        self.hear(50, first=75)
        self.assertEqual(self.heard(), list(range(125)))

    def test_blocked(self) -> None:
        """While the vendor takes nothing, two seconds wait, and go out when it does again."""
        self.start()
        self.net.socket.receiver.writable(False)
        self.hear(150)
        self.assertEqual(self.heard(), [])
        self.net.socket.receiver.writable(True)
        self.assertEqual(self.heard(), list(range(50, 150)))
        self.wait(6)
        self.assertTrue(self.net.socket.open)

    def test_blocked_for_long(self) -> None:
        """After 5 s it is another connection's turn, which gets the latest two seconds."""
        self.start()
        self.net.socket.receiver.writable(False)
        self.hear(255)
        self.assertFalse(self.net.sockets[0].open)
        self.wait(0.6)
        self.assertEqual(self.heard(1)[-100:], list(range(155, 255)))

    def test_keep_alive(self) -> None:
        """It is sent when there was no audio for so long, and only then."""
        self.start(keep_alive_every=3.0)
        self.hear(250)
        self.assertEqual(self.net.socket.commands(), ["<hello>"])
        self.wait(2.8)
        self.assertEqual(self.net.socket.commands(), ["<hello>"])
        self.wait(3.3)
        self.assertEqual(self.net.socket.commands(), ["<hello>", *["<keep alive>"] * 2])

    def test_keep_alive_into_the_void(self) -> None:
        """A vendor that takes nothing is not kept alive."""
        self.start(keep_alive_every=3.0)
        self.net.socket.receiver.writable(False)
        self.wait(4)
        self.assertEqual(self.net.socket.commands(), ["<hello>"])

    def test_greeted_twice(self) -> None:
        """Once is enough."""
        self.start(greets=True, keep_alive_every=3.0)
        self.says("ready")
        self.wait(3.2)
        self.assertEqual(self.net.socket.commands(), ["<hello>", "<keep alive>"])
        self.recognizer.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_blocked_from_the_beginning(self) -> None:
        """A vendor that greets and takes nothing is no better."""
        self.make(greets=True)
        self.recognizer.start(self.told)
        self.net.socket.receiver.writable(False)
        self.says("ready")
        self.hear(20)
        self.assertEqual(self.heard(), [])
        self.wait(4.8)
        self.assertFalse(self.net.sockets[0].open)

    def test_said_in_between(self) -> None:
        """What a vendor waits for is sent at once."""
        self.start()
        self.says("say <token>")
        self.assertEqual(self.net.socket.commands(), ["<hello>", "<token>"])


class DropTests(ShellCase):
    def test_replay(self) -> None:
        """Another connection hears again what had no final words yet."""
        self.start()
        self.hear(50)
        self.says("final hello")
        self.hear(50, first=50)
        self.net.socket.end()
        self.hear(5, first=100)
        self.assertEqual(self.heard(1), list(range(50, 105)))
        self.assertEqual(self.told.events, [("final", "hello")])

    def test_replay_is_bounded(self) -> None:
        """By two seconds."""
        self.start()
        self.hear(150)
        self.net.socket.end()
        self.wait(0.6)
        self.assertEqual(self.heard(1), list(range(50, 150)))

    def test_words_begin_anew(self) -> None:
        """The words of what is heard again replace the earlier ones."""
        self.start()
        self.hear(50)
        self.says("partial one two")
        self.net.socket.end()
        self.wait(0.6)
        self.says("partial one", "final one two three")
        self.assertEqual(
            self.told.events,
            [("partial", "one two"), ("partial", "one"), ("final", "one two three")],
        )

    def test_words_go_on(self) -> None:
        """Of a long turn only the end is heard again: its words are joined, and none is double."""
        self.start()
        self.hear(250)
        self.says("partial one two three four")
        self.net.socket.end()
        self.wait(0.6)
        self.says("partial three", "partial Three, four five", "final three four five six")
        self.assertEqual(self.told.events[-1], ("final", "one two three four five six"))
        self.assertIn(("partial", "one two Three, four five"), self.told.events)

    def test_back_off(self) -> None:
        """At once, after half a second, after a second; then the call is told."""
        self.start()
        self.says("partial hello")
        self.net.outcomes = [BUSY] * 3
        self.net.socket.end()
        for tries in (2, 3, 3, 4):
            self.wait(0.02)
            self.assertEqual(self.net.tried, tries)
            self.wait(0.5)
        self.assertIsInstance(self.told.error, VendorFailed)
        self.assertEqual(self.told.events[-1][1], "Plain: plain.example refused: HTTP 503")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_in_haste(self) -> None:
        """Where somebody else can be asked, it is tried once more, and not for long."""
        self.recognizer.hurry()
        self.start()
        self.says("partial hello")
        self.net.outcomes = [BUSY]
        self.net.socket.end()
        self.wait(0.02)
        self.assertEqual(self.net.tried, 2)
        self.assertIsInstance(self.told.error, VendorFailed)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_in_haste_without_an_answer(self) -> None:
        """A vendor that does not even say no is given up in a moment."""
        self.recognizer.hurry()
        self.start()
        self.says("partial hello")
        self.net.outcomes = [None]
        self.net.socket.end()
        self.wait(HASTY - 0.1)
        self.assertIsNone(self.told.error)
        self.wait(0.2)
        self.assertIn("did not come back", str(self.told.error))
        self.assertEqual(self.net.cancelled, 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_back_in_time(self) -> None:
        """Who comes back at once has lost nothing."""
        self.recognizer.hurry()
        self.start()
        self.says("partial hello")
        self.net.socket.end()
        self.wait(HASTY + 0.5)
        self.assertEqual(self.net.tried, 2)
        self.assertIsNone(self.told.error)

    def test_sign_of_life(self) -> None:
        """A vendor that has said a word since may drop as often as it likes."""
        self.start()
        for _ in range(6):
            self.says("partial hello")
            self.net.socket.end()
            self.wait(0.1)
        self.assertIsNone(self.told.error)

    def test_no_sign_of_life(self) -> None:
        """One that takes connections only to drop them is given up."""
        self.start()
        for _ in range(3):
            self.net.socket.end()
            self.wait(2)
        self.assertEqual(len(self.net.sockets), 3)
        self.assertIsNotNone(self.told.error)

    def test_greeting_is_no_sign(self) -> None:
        """Nor is a greeting one."""
        self.start(greets=True)
        for _ in range(3):
            self.says("ready")
            self.net.socket.end()
            self.wait(2)
        self.assertIsNotNone(self.told.error)

    def test_jitter(self) -> None:
        """Many calls that lost their vendor together do not come back together."""
        self.net.outcomes = [BUSY] * 2
        early, late = (
            SocketRecognizer(self.net, self.clock, "Plain", PlainWire, jitter)
            for jitter in (lambda: 0.0, lambda: 1.0)
        )
        early.start(self.told)
        late.start(self.told)
        self.wait(0.4)
        self.assertEqual(self.net.tried, 3)
        self.wait(0.2)
        self.assertEqual(self.net.tried, 3)
        self.wait(0.04)
        self.assertEqual(self.net.tried, 4)

    def test_long_life(self) -> None:
        """Nobody spoke, but the connection was good for ten seconds."""
        self.start()
        for _ in range(6):
            self.wait(10)
            self.net.socket.end()
            self.wait(2)
        self.assertIsNone(self.told.error)

    def test_counted(self) -> None:
        """Operators see it."""
        before = counters.reconnects.value("Plain")
        self.start()
        self.net.socket.end()
        self.wait(1)
        self.assertEqual(counters.reconnects.value("Plain") - before, 1)

    def test_closed_for_good(self) -> None:
        """What the vendor means by its code may be: never again."""
        self.start()
        self.net.socket.end(4001, "wrong key")
        self.wait(3)
        self.assertEqual(self.told.events, [("failed", "Plain: wrong key")])
        self.assertEqual((self.told.error.code, self.net.tried), (4001, 1))  # type: ignore[union-attr]

    def test_complaints(self) -> None:
        """A fatal one ends the connection, one for good the call's hearing, others nothing."""
        self.start()
        self.says("warning careful")
        self.assertTrue(self.net.socket.open)
        self.says("error no more", "partial late")
        self.wait(0.6)
        self.assertEqual(len(self.net.sockets), 2)
        self.says("never empty account|final late")
        self.assertEqual(self.told.events, [("failed", "Plain: empty account")])
        self.assertFalse(self.net.socket.open)

    def test_complaints_are_logged_once(self) -> None:
        """A vendor that complains of each message does not fill the log."""
        self.start()
        with capturedLogs() as logged:
            self.says("warning careful", "warning again", "warning again")
        self.assertEqual([event["reason"] for event in logged], ["careful"])

    def test_garbage(self) -> None:
        """What nobody understands ends the connection, and another one is made."""
        self.start()
        self.says("partial hello", "nonsense")
        self.wait(0.1)
        self.assertEqual([one.open for one in self.net.sockets], [False, True])
        self.says("final hello you")
        self.assertEqual(self.told.finals(), ["hello you"])


class StopTests(ShellCase):
    def test_goodbye(self) -> None:
        """It says goodbye, and is done when the socket is closed."""
        self.start(keep_alive_every=3.0)
        stopping = self.recognizer.stop()
        self.assertEqual(self.net.socket.commands(), ["<hello>", "<goodbye>"])
        self.assertTrue(self.net.socket.closing)
        self.assertNoResult(stopping)
        self.net.socket.end(1000)
        self.successResultOf(stopping)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nothing_afterwards(self) -> None:
        """Neither words nor a failure, whatever the vendor and the call still do."""
        self.start()
        self.hear(20)
        self.recognizer.speech_started()
        self.recognizer.finish()
        self.recognizer.stop()
        self.says("partial hello", "final hello", "never again")
        self.net.socket.end()
        self.recognizer.speech_started()
        self.recognizer.hear(numbered(1))
        self.recognizer.finish()
        self.recognizer.prepare()
        self.wait(3)
        self.assertEqual((self.told.events, self.net.tried), ([], 1))

    def test_between_tries(self) -> None:
        """While it waits for its next try."""
        self.start()
        self.net.outcomes = [BUSY]
        self.net.socket.end()
        self.wait(0.1)
        self.successResultOf(self.recognizer.stop())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_blocked(self) -> None:
        """A vendor that takes nothing does not take a goodbye."""
        self.start()
        self.net.socket.receiver.writable(False)
        self.successResultOf(self.recognizer.stop())
        self.assertFalse(self.net.socket.open)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_failed_before(self) -> None:
        """After a failure there is nothing left to stop."""
        self.start()
        self.says("never again")
        self.successResultOf(self.recognizer.stop())

    def test_while_starting(self) -> None:
        """The start is cancelled, and nobody is told of a failure."""
        self.net.outcomes = [None]
        starting = self.recognizer.start(self.told)
        ended: list[object] = []
        starting.addBoth(ended.append)
        self.successResultOf(self.recognizer.stop())
        self.assertEqual(len(ended), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])
