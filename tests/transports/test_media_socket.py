"""A media socket between a wire, whose messages are one letter each, and a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import IResource

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.carriers.base import (
    Audio,
    Complaint,
    Digit,
    Full,
    MarkHeard,
    MediaEvent,
    Message,
    Started,
    Stopped,
)
from rapida_tw.errors import (
    REMOTE_HANGUP,
    CallError,
    CapacityExceeded,
    ContextNotFound,
    End,
    MisconfiguredAssistant,
    RemoteProtocolError,
)
from rapida_tw.media.leg import Leg, LegListener
from rapida_tw.transports.door import WAITING, Door
from rapida_tw.transports.media_socket import (
    CLAIM_WITHIN,
    MALFORMED,
    START_WITHIN,
    MediaSocket,
    MediaSockets,
)
from rapida_tw.transports.pace import BURST
from tests.transports.case import Listener
from tests.transports.frames import BINARY, CLOSE, TEXT, Connection, frame

EVENTS: dict[bytes, Sequence[MediaEvent]] = {
    b"s": [Started()],
    b"S": [Started("call", "context")],
    b"sa": [Started(), Audio(bytes(160))],
    b"Sad": [Started("call", "context"), Audio(bytes(160)), Digit("5")],
    b"a": [Audio(bytes(160))],
    b"d": [Digit("5")],
    b"m": [MarkHeard("1.5")],
    b"f": [Full(True)],
    b"g": [Full(False)],
    b"c": [Complaint("too loud")],
    b"e": [Stopped(REMOTE_HANGUP.because("callended"))],
    b"-": [],
}


class LetterWire:
    """A wire whose messages are single letters."""

    format = AudioFormat(Encoding.MULAW, 8_000, False, 5)
    one_frame_a_record = False

    def received(self, message: bytes, binary: bool) -> Sequence[MediaEvent]:
        if message == b"bug":
            raise ZeroDivisionError
        if message not in EVENTS:
            raise RemoteProtocolError("no such letter")
        return EVENTS[message]

    def audio(self, payload: bytes) -> Sequence[Message]:
        return [Message(payload, True)]

    def mark(self, name: str) -> Sequence[Message]:
        return [Message(b"mark " + name.encode())]

    def clear(self) -> Sequence[Message]:
        return [Message(b"clear")]

    def digits(self, digits: str) -> Sequence[Message]:
        return [Message(b"digits " + digits.encode())]

    def hang_up(self) -> Sequence[Message]:
        return [Message(b"bye")]


class Call(Listener):
    """A call that keeps its whole end."""

    def leg_ended(self, end: End) -> None:
        self._tell("ended", end)


class Case(SynchronousTestCase):
    """Opens media sockets and writes down what becomes of them."""

    def setUp(self) -> None:
        self.listener = Call()
        self.claims: list[tuple[str, str]] = []
        self.answer: Deferred[Any] = succeed("claimed late")
        self.attached: list[tuple[Any, Leg]] = []
        self.released: list[Any] = []
        self.lost: list[tuple[Any, str]] = []
        self.refusal: CallError | None = None
        self.leg: Any = None

    def connect(
        self, claimed: Any = "claimed", secure: bool = False, headers: bytes = b"", **wire: Any
    ) -> Connection:
        """An open socket, not yet started. `wire`: what the wire is to be."""
        letters = LetterWire()
        for name, value in wire.items():
            setattr(letters, name, value)
        return Connection(
            receiver=lambda clock: self._receiver(clock, letters, secure, claimed),
            headers=headers,
        )

    def _receiver(self, clock: Clock, wire: Any, secure: bool, claimed: Any) -> MediaSocket:
        self.door = Door(
            clock,
            self._claim,
            self._attach,
            self.released.append,
            lambda claimed, error: self.lost.append((claimed, error.reason)),
        )
        self.leg = MediaSocket(self.door, "letters", wire, secure, claimed)
        return self.leg

    def _claim(self, context_id: str, carrier: str) -> Deferred[Any]:
        self.claims.append((context_id, carrier))
        return self.answer

    def _attach(self, claimed: Any, leg: Leg) -> LegListener:
        if self.refusal is not None:
            raise self.refusal
        self.attached.append((claimed, leg))
        return self.listener

    def started(self, **options: Any) -> Connection:
        connection = self.connect(**options)
        connection.feed(frame(TEXT, b"s"))
        return connection

    def over(self, connection: Connection) -> None:
        """Nothing is left of it."""
        self.assertEqual(connection.clock.getDelayedCalls(), [])
        self.assertEqual(self.door.sockets, set())
        self.assertEqual(self.door.waiting, 0)


class StartTests(Case):
    def test_start(self) -> None:
        """The start makes a call of it, with the wire's format; what came with it is heard."""
        connection = self.connect()
        self.assertEqual(self.door.waiting, 1)
        connection.feed(frame(TEXT, b"-"), frame(TEXT, b"sa"))
        self.assertEqual(self.attached, [("claimed", self.leg)])
        self.assertEqual(self.leg.format.lead, 5)
        self.assertEqual(self.listener.told, [("audio", 160)])
        self.assertEqual(self.door.waiting, 0)
        self.assertEqual(connection.clock.getDelayedCalls(), [])

    def test_no_start(self) -> None:
        """Who does not start in time is closed, counted and remembered."""
        connection = self.connect()
        connection.clock.advance(START_WITHIN)
        self.assertEqual(connection.close_code, 1008)
        self.assertEqual(self.lost, [("claimed", "never-started")])
        connection.lose()
        self.over(connection)
        self.assertEqual(self.lost, [("claimed", "never-started")])

    def test_nonsense_before_the_start(self) -> None:
        """Before the start one malformed message is enough."""
        connection = self.connect()
        connection.feed(frame(TEXT, b"?"), frame(TEXT, b"s"))
        self.assertEqual(connection.close_code, 1008)
        self.assertEqual(self.attached, [])
        self.assertEqual(self.lost, [("claimed", "never-started")])

    def test_stop_before_the_start(self) -> None:
        """So is a stop."""
        connection = self.connect()
        connection.feed(frame(TEXT, b"e"))
        self.assertEqual(connection.close_code, 1000)
        self.assertEqual(self.lost, [("claimed", "never-started")])

    def test_closed_before_the_start(self) -> None:
        """A socket that goes before it started is no call."""
        connection = self.connect()
        connection.lose()
        self.assertEqual(self.lost, [("claimed", "never-started")])
        self.over(connection)

    def test_handshake_refused(self) -> None:
        """What was claimed for it waits again: the carrier may come back."""
        self.connect(headers=b"Sec-WebSocket-Key: twice\r\n").lose()
        self.assertEqual((self.released, self.lost), (["claimed"], []))

    def test_call_refused(self) -> None:
        """A call that cannot be made closes the socket; its history knows already."""
        self.refusal = MisconfiguredAssistant("no voice")
        connection = self.started()
        self.assertEqual(connection.close_code, 1011)
        self.assertEqual(self.lost, [])
        connection.lose()
        self.over(connection)

    def test_second_start(self) -> None:
        """A second start is one malformed message, and no second call."""
        connection = self.started()
        connection.feed(frame(TEXT, b"s"), frame(TEXT, b"a"))
        self.assertEqual(len(self.attached), 1)
        self.assertEqual(self.listener.told, [("audio", 160)])

    def test_crowd(self) -> None:
        """So many that wait for their start, and no more."""
        self.connect()
        sockets = MediaSockets(self.door)
        wire = LetterWire()
        self.assertTrue(IResource.providedBy(sockets.resource("letters", wire, (), False)))
        self.door.waiting = WAITING
        self.assertRaises(CapacityExceeded, sockets.resource, "letters", wire, (), False)


class InBandTests(Case):
    """The stream itself names its context."""

    def test_claimed(self) -> None:
        """Reading stops until the call is known; what came with the start is heard after it."""
        self.answer = Deferred()
        connection = self.connect(claimed=None)
        connection.feed(frame(TEXT, b"Sad"))
        self.assertEqual(self.claims, [("context", "letters")])
        self.assertEqual(connection.wire.producerState, "paused")
        self.answer.callback("late")
        self.assertEqual(self.attached, [("late", self.leg)])
        self.assertEqual(self.listener.told, [("audio", 160), ("digit", "5")])
        self.assertEqual(connection.wire.producerState, "producing")

    def test_nameless(self) -> None:
        """A start that names none is refused."""
        connection = self.connect(claimed=None)
        connection.feed(frame(TEXT, b"s"))
        self.assertEqual(connection.close_code, 1008)
        self.assertEqual(self.lost, [])

    def test_unknown(self) -> None:
        """Unknown, late or used."""
        self.answer = Deferred()
        connection = self.connect(claimed=None)
        connection.feed(frame(TEXT, b"S"))
        self.answer.errback(ContextNotFound("used"))
        self.assertEqual(connection.close_code, 1008)
        connection.lose()
        self.over(connection)

    def test_full(self) -> None:
        """A full node says "try again later"."""
        self.answer = Deferred()
        connection = self.connect(claimed=None)
        connection.feed(frame(TEXT, b"S"))
        self.answer.errback(CapacityExceeded("full"))
        self.assertEqual(connection.close_code, 1013)

    def test_slow_store(self) -> None:
        """A store that does not answer."""
        self.answer = Deferred()
        connection = self.connect(claimed=None)
        connection.feed(frame(TEXT, b"S"))
        connection.clock.advance(CLAIM_WITHIN)
        self.assertEqual(connection.close_code, 1008)
        self.assertEqual(self.attached, [])

    def test_gone_meanwhile(self) -> None:
        """A claim that succeeds for a connection that is gone is taken back."""
        self.answer = Deferred()
        connection = self.connect(claimed=None)
        connection.feed(frame(TEXT, b"S"))
        connection.lose()
        self.answer.callback("late")
        self.assertEqual((self.attached, self.released), ([], ["late"]))
        self.over(connection)


class CallTests(Case):
    def test_events(self) -> None:
        """Each event reaches the call under its name."""
        connection = self.started()
        connection.feed(*[frame(TEXT, letter) for letter in (b"a", b"d", b"m", b"c")])
        connection.feed(frame(BINARY, b"a"))
        self.assertEqual(
            self.listener.told,
            [("audio", 160), ("digit", "5"), ("mark", "1.5"), ("audio", 160)],
        )

    def test_leg(self) -> None:
        """What the call wants is sent in the wire's words."""
        connection = self.started()
        self.leg.send_audio(b"*" * 160)
        self.leg.mark("1.5")
        self.leg.clear()
        self.leg.send_digits("12")
        self.leg.hang_up()
        self.leg.send_audio(b"late")
        self.leg.hang_up()
        self.assertEqual(
            connection.sent,
            [
                (BINARY, b"*" * 160),
                *((TEXT, text) for text in (b"mark 1.5", b"clear", b"digits 12", b"bye")),
                (CLOSE, b"\x03\xe8"),
            ],
        )
        connection.lose()
        self.assertEqual(self.listener.told, [])
        self.over(connection)

    def test_full(self) -> None:
        """Full is who says so or whose buffer is: either, and free only without both."""
        connection = self.started()
        self.listener.told.clear()
        connection.feed(frame(TEXT, b"f"))
        connection.socket.pauseProducing()
        connection.feed(frame(TEXT, b"g"))
        connection.socket.resumeProducing()
        self.assertEqual([value for name, value in self.listener.told], [True, True, True, False])

    def test_few_malformed(self) -> None:
        """Some messages that make no sense are counted and passed over."""
        connection = self.started()
        connection.feed(*[frame(TEXT, b"?")] * MALFORMED, frame(TEXT, b"a"))
        self.assertEqual(self.listener.told, [("audio", 160)])

    def test_many_malformed(self) -> None:
        """Many end the call."""
        connection = self.started()
        connection.feed(*[frame(TEXT, b"?")] * (MALFORMED + 1), frame(TEXT, b"a"))
        self.assertEqual(connection.close_code, 1008)
        (name, end), *more = self.listener.told
        self.assertEqual((name, end.reason, more), ("ended", "protocol_error", []))

    def test_who_hangs_up_when_told(self) -> None:
        """A call that ends hangs up its leg: the close says why it ended all the same."""
        for text, times, code in ((b"?", MALFORMED + 1, 1008), (b"\xff", 1, 1007), (b"e", 1, 1000)):
            connection = self.started()
            self.listener.leg_ended = lambda end: self.leg.hang_up()  # type: ignore[method-assign]
            connection.feed(*[frame(TEXT, text)] * times)
            self.assertEqual(connection.close_code, code)
            self.assertNotIn(b"bye", [payload for _, payload in connection.sent])

    def test_no_utf8(self) -> None:
        """Text that is no UTF-8 ends it at once (RFC 6455, section 8.1)."""
        connection = self.started()
        connection.feed(frame(TEXT, b"\xff"), frame(TEXT, b"a"))
        self.assertEqual(connection.close_code, 1007)
        self.assertEqual([name for name, _ in self.listener.told], ["ended"])

    def test_bug(self) -> None:
        """An error of ours ends this call with 1011."""
        connection = self.started()
        connection.feed(frame(TEXT, b"bug"), frame(TEXT, b"a"))
        self.assertEqual(connection.close_code, 1011)
        self.assertEqual(self.listener.told[0][1].reason, "internal_error")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_bug_of_the_listener(self) -> None:
        """So does one while a frame is heard."""

        def fail(name: str) -> None:
            if name == "audio":
                raise ZeroDivisionError

        connection = self.started()
        self.listener.act = fail
        connection.feed(frame(TEXT, b"a"), frame(TEXT, b"a"))
        self.assertEqual([name for name, _ in self.listener.told], ["audio", "ended"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_flood(self) -> None:
        """Audio much faster than real time ends the call."""
        connection = self.started()
        connection.feed(*[frame(TEXT, b"a")] * (round(BURST * 50) + MALFORMED + 2))
        self.assertEqual(connection.close_code, 1008)


class EndTests(Case):
    def ended(self, connection: Connection) -> Any:
        ends = [value for name, value in self.listener.told if name == "ended"]
        self.assertEqual(len(ends), 1)
        self.over(connection)
        return ends[0]

    def test_stop(self) -> None:
        """A stop closes normally."""
        connection = self.started()
        connection.feed(frame(TEXT, b"e"))
        self.assertEqual(connection.close_code, 1000)
        connection.lose()
        self.assertEqual(self.ended(connection).detail, "callended")

    def test_close(self) -> None:
        """A close, or a connection that just ends, is the caller's hang-up."""
        for data in (frame(CLOSE, b"\x03\xe8"), frame(CLOSE), b""):
            self.setUp()
            connection = self.started()
            connection.feed(data)
            connection.lose()
            self.assertEqual(self.ended(connection), REMOTE_HANGUP)

    def test_close_with_a_reason(self) -> None:
        """A close with an error's code is one."""
        connection = self.started()
        connection.feed(frame(CLOSE, b"\x03\xf1too big"))
        connection.lose()
        end = self.ended(connection)
        self.assertEqual((end.reason, end.status), ("network_failed", "failed"))
        self.assertIn("1009 too big", end.detail)

    def test_reset(self) -> None:
        """A reset is a hang-up, unless nothing was taken any more."""
        for stuck, reason in ((False, "remote_hangup"), (True, "network_failed")):
            self.setUp()
            connection = self.started()
            if stuck:
                connection.socket.pauseProducing()
            connection.lose(ConnectionLost())
            self.assertEqual(self.ended(connection).reason, reason)

    def test_abort(self) -> None:
        """The server's stop cuts what is left."""
        connection = self.started()
        self.door.abort_all()
        self.assertTrue(connection.wire.aborted)
        connection.lose()
        self.ended(connection)


class ApartTests(Case):
    """Asterisk over TLS: a record for each frame."""

    def test_one_a_turn(self) -> None:
        """Of what is sent in one turn, each message waits for a turn of its own."""
        connection = self.started(secure=True, one_frame_a_record=True)
        for number in range(3):
            self.leg.send_audio(b"%d" % number)
        counts = []
        for _ in range(4):
            counts.append(len(connection.sent))
            connection.clock.advance(0.002)
        self.assertEqual(counts, [1, 2, 3, 3])
        self.leg.send_audio(b"3")
        self.assertEqual(len(connection.sent), 4)

    def test_hang_up(self) -> None:
        """What waits, the goodbye and the close each have a turn of their own, too."""
        connection = self.started(secure=True, one_frame_a_record=True)
        self.leg.send_audio(b"0")
        self.leg.send_audio(b"1")
        self.leg.hang_up()
        self.leg.send_audio(b"too late")
        for sent in ([b"0"], [b"0", b"1"], [b"0", b"1", b"bye"]):
            self.assertEqual([payload for _, payload in connection.sent], sent)
            connection.clock.advance(0.001)
        opcode, _ = connection.sent[-1]
        self.assertEqual((len(connection.sent), opcode), (4, CLOSE))
        connection.lose()
        self.over(connection)

    def test_hang_up_of_nothing(self) -> None:
        """A close for which nothing waits is sent at once."""
        connection = self.started(secure=True, one_frame_a_record=True)
        connection.feed(frame(TEXT, b"e"))
        self.assertEqual([opcode for opcode, _ in connection.sent], [CLOSE])
        connection.lose()
        self.over(connection)

    def test_plain(self) -> None:
        """Without TLS nothing waits."""
        connection = self.started(one_frame_a_record=True)
        self.leg.send_audio(b"0")
        self.leg.send_audio(b"1")
        self.assertEqual(len(connection.sent), 2)
