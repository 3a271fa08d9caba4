"""Far sides that send much more than a call: cut off before they cost the neighbours a beat."""

from __future__ import annotations

import pytest

from rapida_tw.transports.pace import BURST, LEAST
from tests.transports.frames import BINARY, CLOSE, PING, PONG, TEXT, Connection, frame
from tests.transports.test_media_socket import MALFORMED, Case

MOST = round(BURST / LEAST)  # messages that may come at once
FLOODS = {
    "pings": [frame(PING)],
    "pongs": [frame(PONG, b"unasked")],
    "empty fragments": [frame(TEXT, b"-", fin=False), *[frame(0, fin=False)] * MOST],
    "long frames": [frame(BINARY, bytes(100_000))],
}


@pytest.mark.parametrize("closing", [False, True])
@pytest.mark.parametrize("kind", FLOODS)
def test_frames(kind: str, closing: bool) -> None:
    """Frames that are Autobahn's are counted one by one, also while it waits for a close."""
    connection = Connection()
    if closing:
        connection.socket.close()
    data = b"".join(FLOODS[kind] * (MOST // len(FLOODS[kind]) + 1))
    for start in range(0, len(data), 65_536):
        connection.feed(data[start : start + 65_536])
        if connection.wire.aborted:
            break
    assert connection.wire.aborted
    assert len(connection.receiver.broke) == 1
    assert len(connection.wire.value()) < 8 * MOST  # nor is each ping answered


def test_pings_of_a_long_call() -> None:
    """Ten pings a second for ten minutes, each second at once, are no flood; nor are fragments."""
    connection = Connection()
    for _ in range(600):
        connection.feed(frame(PING) * 10, *[frame(TEXT, b"a", fin=False), frame(0, b"b")] * 50)
        connection.clock.advance(1)
    assert not connection.wire.aborted
    assert len(connection.receiver.messages) == 30_000


class MessagesTests(Case):
    def test_in_a_call(self) -> None:
        """Messages that say nothing, or nothing of audio, are counted as audio is."""
        for letter in (b"-", b"m", b"d", b"c"):
            self.setUp()
            connection = self.started()
            connection.feed(frame(TEXT, letter) * MOST)
            self.assertIsNone(connection.close_code)
            connection.feed(frame(TEXT, letter) * (MALFORMED + 2))
            self.assertEqual(connection.close_code, 1008)
            name, end = self.listener.told[-1]
            self.assertEqual((name, end.reason), ("ended", "protocol_error"))

    def test_before_the_start(self) -> None:
        """So are those before it, where nobody need be known to us."""
        for letter in (b"-", b"a", b"d"):
            self.setUp()
            connection = self.connect(claimed=None)
            connection.feed(frame(TEXT, letter) * (MOST + 1))
            self.assertEqual(connection.close_code, 1008)

    def test_cut(self) -> None:
        """Who is cut off for its frames is no caller who hung up."""
        connection = self.started()
        connection.feed(frame(PING) * MOST)
        self.assertTrue(connection.wire.aborted)
        connection.lose()
        ((name, end),) = self.listener.told
        self.assertEqual((name, end.reason), ("ended", "protocol_error"))
        self.assertNotIn(CLOSE, [opcode for opcode, _ in connection.sent])
        self.over(connection)
