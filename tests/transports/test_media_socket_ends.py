"""Ways out of a media socket that somebody forces: what is told, to whom, and nothing is left."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from rapida_tw.errors import CapacityExceeded, ContextNotFound
from rapida_tw.media.leg import Leg, LegListener
from rapida_tw.transports.door import WAITING, refused
from rapida_tw.transports.media_socket import MediaSockets
from tests.transports.frames import CLOSE, TEXT, frame
from tests.transports.test_media_socket import Case, LetterWire


class BrokenTests(Case):
    """Far sides that break RFC 6455."""

    def test_in_a_call(self) -> None:
        """It ends at once, and is not the caller's hang-up."""
        connection = self.started()
        connection.feed(frame(TEXT, b"a", rsv=1))
        (name, end), *more = self.listener.told
        self.assertEqual((name, end.reason, more), ("ended", "protocol_error", []))
        self.assertEqual(connection.close_code, 1002)
        connection.feed(frame(CLOSE, b"\x03\xea"))
        connection.lose()
        self.assertEqual(len(self.listener.told), 1)
        self.over(connection)

    def test_in_its_close(self) -> None:
        """A close with a code that is none is a hang-up all the same."""
        connection = self.started()
        connection.feed(frame(CLOSE, b"\x03\xed"))
        connection.lose()
        ((name, end),) = self.listener.told
        self.assertEqual((name, end.reason), ("ended", "remote_hangup"))

    def test_before_the_start(self) -> None:
        """It was no call."""
        connection = self.connect()
        connection.feed(frame(TEXT, b"s", mask=b""))
        self.assertEqual(self.lost, [("claimed", "never-started")])
        connection.lose()
        self.over(connection)
        self.assertEqual(len(self.lost), 1)


class AtOnceTests(Case):
    """A call that is over before `attach` has returned."""

    def _attach(self, claimed: Any, leg: Leg) -> LegListener:
        leg.hang_up()
        return super()._attach(claimed, leg)

    def test_hung_up(self) -> None:
        """Nothing of it is heard, nobody reads for it, and nobody is told of the close."""
        for letter in (b"sa", b"Sad"):
            self.setUp()
            self.answer = Deferred()
            connection = self.connect()
            connection.feed(frame(TEXT, letter))
            self.answer.callback("late")
            self.assertEqual(connection.close_code, 1000)
            connection.feed(frame(TEXT, b"a"), frame(CLOSE, b"\x03\xe8"))
            connection.lose()
            self.assertEqual(self.listener.told, [])
            self.assertEqual(self.door.reader._arriving, set())
            self.over(connection)


class NamelessTests(Case):
    """Sockets whose context nobody knows: all that tells of them is the count."""

    def test_counted(self) -> None:
        """Closed or broken before the start, each is counted once."""
        before = refused._values.get(("never-started",), 0)
        for data in (b"", frame(CLOSE, b"\x03\xe8"), frame(TEXT, b"a", rsv=1)):
            connection = self.connect(claimed=None)
            connection.feed(data)
            connection.lose()
            self.over(connection)
        self.assertEqual(refused._values[("never-started",)] - before, 3)
        self.assertEqual(self.lost, [])

    def test_gone_before_the_refusal(self) -> None:
        """Who is gone when its claim fails is not counted a second time."""
        before = sum(refused._values.values())
        self.answer = Deferred()
        connection = self.connect(claimed=None)
        connection.feed(frame(TEXT, b"S"))
        connection.lose()
        self.answer.errback(ContextNotFound("used"))
        self.assertEqual(sum(refused._values.values()) - before, 1)
        self.over(connection)

    def test_crowd(self) -> None:
        """They leave room for those that are known."""
        self.connect()
        sockets = MediaSockets(self.door)
        self.door.waiting = WAITING // 2
        wire = LetterWire()
        self.assertRaises(CapacityExceeded, sockets.resource, "letters", wire, (), False)
        sockets.resource("letters", wire, (), False, "claimed")
        self.door.waiting = WAITING
        self.assertRaises(CapacityExceeded, sockets.resource, "letters", wire, (), False, "claimed")


class StopTests(Case):
    def test_hung_up(self) -> None:
        """The server's stop also cuts those that were hung up and do not close."""
        connection = self.started()
        self.leg.hang_up()
        self.assertFalse(connection.wire.aborted)
        self.door.abort_all()
        self.assertTrue(connection.wire.aborted)
        connection.lose()
        self.over(connection)
