"""A media socket whose address names one context and whose stream another.

chan_websocket appends the context to the address by an object that all its calls share.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail

from rapida_tw.errors import CapacityExceeded, ContextNotFound
from tests.transports.frames import TEXT, frame
from tests.transports.test_media_socket import Case


class TwoNamesTests(Case):
    def test_stream_wins(self) -> None:
        """The stream is believed, and the other context put back for the call whose it is."""
        connection = self.connect()
        connection.feed(frame(TEXT, b"Sad"))
        self.assertEqual(self.claims, [("context", "letters")])
        self.assertEqual(self.released, ["claimed"])
        self.assertEqual(self.attached, [("claimed late", self.leg)])
        self.assertEqual(self.listener.told, [("audio", 160), ("digit", "5")])

    def test_stale_name(self) -> None:
        """A name that is not good any more is that of an earlier call of the same channel."""
        self.answer = fail(ContextNotFound("used"))
        connection = self.connect()
        connection.feed(frame(TEXT, b"Sad"))
        self.assertEqual(self.attached, [("claimed", self.leg)])
        self.assertEqual((self.released, self.lost), ([], []))
        self.assertEqual(self.listener.told, [("audio", 160), ("digit", "5")])
        self.assertEqual(connection.wire.producerState, "producing")

    def test_no_answer(self) -> None:
        """Where it cannot be found out whose call it is, there is none."""
        self.answer = fail(CapacityExceeded("full"))
        connection = self.connect()
        connection.feed(frame(TEXT, b"S"))
        self.assertEqual(connection.close_code, 1013)
        self.assertEqual(self.lost, [("claimed", "capacity-exceeded")])

    def test_gone_meanwhile(self) -> None:
        """Whoever hangs up while it is found out leaves nothing behind."""
        self.answer = Deferred()
        connection = self.connect()
        connection.feed(frame(TEXT, b"S"))
        connection.lose()
        self.answer.callback("late")
        self.assertEqual((self.attached, self.released), ([], ["late"]))
        self.assertEqual(self.lost, [("claimed", "never-started")])
        self.over(connection)
