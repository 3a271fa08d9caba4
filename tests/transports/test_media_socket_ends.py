"""Ways out of a media socket that somebody forces: what is told, to whom, and nothing is left."""

from __future__ import annotations

from tests.transports.frames import CLOSE, TEXT, frame
from tests.transports.test_media_socket import MALFORMED, Case


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

    def test_before_the_start(self) -> None:
        """It was no call."""
        connection = self.connect()
        connection.feed(frame(TEXT, b"s", mask=b""))
        self.assertEqual(self.lost, [("claimed", "never-started")])
        connection.lose()
        self.over(connection)
        self.assertEqual(len(self.lost), 1)


class OrderTests(Case):
    def test_hangs_up_at_the_end(self) -> None:
        """A call hangs up when it is told of its end: too late to change the close code."""
        for data, code in (([b"?"] * (MALFORMED + 1), 1008), ([b"bug"], 1011), ([b"e"], 1000)):
            self.setUp()
            connection = self.started()
            self.listener.act = lambda name: self.leg.hang_up() if name == "ended" else None
            connection.feed(*[frame(TEXT, letter) for letter in data])
            self.assertEqual(connection.close_code, code)
            self.assertEqual([opcode for opcode, _ in connection.sent], [CLOSE])
            self.assertEqual([name for name, _ in self.listener.told], ["ended"])
        self.flushLoggedErrors(ZeroDivisionError)
