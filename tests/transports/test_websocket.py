"""The short way of small frames, and that nothing is lost of Autobahn's.

The cases are those of the Autobahn test-suite that apply to a server without extensions; their
numbers are in the docstrings.
"""

from __future__ import annotations

import struct

import pytest
from autobahn.twisted.websocket import WebSocketServerProtocol
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rapida_tw.transports.websocket import CLOSED_WITHIN, LARGEST, FrameSocket, unmasked
from tests.transports.frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Connection,
    Receiver,
    frame,
)


class PlainSocket(FrameSocket):
    """The reference: every byte goes Autobahn's way."""

    def dataReceived(self, data: bytes) -> None:
        WebSocketServerProtocol.dataReceived(self, data)


class Watched(FrameSocket):
    """Counts what goes Autobahn's way after the handshake."""

    long_way = 0

    def _dataReceived(self, data: bytes) -> None:
        if self.state == self.STATE_OPEN:
            self.long_way += len(data)
        super()._dataReceived(data)


class HandshakeTests(SynchronousTestCase):
    def test_open(self) -> None:
        """RFC 6455 section 1.3: the answer to its own example, and no extension."""
        connection = Connection(headers=b"Sec-WebSocket-Extensions: permessage-deflate\r\n")
        self.assertIn(b"HTTP/1.1 101 ", connection.answer)
        self.assertIn(b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", connection.answer)
        self.assertNotIn(b"Sec-WebSocket-Extensions", connection.answer)
        self.assertIs(connection.receiver.socket, connection.socket)

    def test_subprotocol(self) -> None:
        """One that is offered and known is taken; none is insisted on."""
        offered = b"Sec-WebSocket-Protocol: other, media\r\n"
        answer = Connection(headers=offered, subprotocols=("media",)).answer
        self.assertIn(b"Sec-WebSocket-Protocol: media\r\n", answer)
        self.assertNotIn(b"Protocol:", Connection(headers=offered).answer)
        self.assertIn(b" 101 ", Connection(subprotocols=("media",)).answer)

    def test_refused(self) -> None:
        """A handshake that Autobahn refuses never opens, and its end is told."""
        connection = Connection(headers=b"Sec-WebSocket-Key: twice\r\n")
        self.assertIn(b" 400 ", connection.answer)
        connection.clock.advance(CLOSED_WITHIN)
        self.assertTrue(connection.wire.aborted)  # who has no more to say must go
        connection.socket.connectionLost(Failure(ConnectionDone()))
        self.assertIsNone(connection.receiver.socket)
        self.assertEqual(connection.receiver.ended, [(None, "", False)])

    def test_failing(self) -> None:
        """A bug of ours at the opening cuts the connection: nobody else would ever end it."""
        receiver = Receiver()
        receiver.opened = lambda socket: 1 // 0  # type: ignore[assignment]
        connection = Connection(receiver=lambda clock: receiver)
        self.assertTrue(connection.wire.aborted)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_producer(self) -> None:
        """Back-pressure of the transport reaches the receiver."""
        connection = Connection()
        verifyObject(IPushProducer, connection.socket)
        self.assertIs(connection.wire.producer, connection.socket)
        connection.socket.pauseProducing()
        connection.socket.resumeProducing()
        self.assertEqual(connection.receiver.full, [True, False])


SIZES = (0, 1, 125, 126, 127, 128, 1_000, 16_384, 16_385, 65_535, 65_536, LARGEST)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("size", SIZES)
def test_sizes(opcode: int, size: int) -> None:
    """Cases 1.1.1-8, 1.2.1-8: a message of each form of length, whole and in pieces of 997."""
    data = frame(opcode, b"*" * size)
    for pieces in ([data], [data[at : at + 997] for at in range(0, len(data), 997)]):
        connection = Connection()
        connection.feed(*pieces)
        assert connection.receiver.messages == [(b"*" * size, opcode == BINARY)]


@pytest.mark.parametrize("size", SIZES)
def test_sending(size: int) -> None:
    """Ours are whole, unmasked and of the shortest form of length."""
    connection = Connection()
    connection.socket.send(b"*" * size, True)
    connection.socket.send(b"{}", False)
    assert connection.sent == [(BINARY, b"*" * size), (TEXT, b"{}")]


VIOLATIONS = {
    "3.1 reserved bit": frame(TEXT, b"a", rsv=1),
    "3.5 all reserved bits": frame(BINARY, b"a", rsv=7),
    "4.1.1 opcode 3": frame(3, b"a"),
    "4.2.1 opcode 11": frame(11),
    "5.3 fragmented ping": frame(PING, b"a", fin=False),
    "5.9 continuation of nothing": frame(0, b"a"),
    "5.18 text within a text": frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"),
    "2.5 ping of 126": frame(PING, b"*" * 126),
    "7.3.2 close of one byte": frame(CLOSE, b"a"),
    "7.9.1 close code 0": frame(CLOSE, struct.pack("!H", 0)),
    "7.9.5 close code 1005": frame(CLOSE, struct.pack("!H", 1005)),
    "unmasked": frame(TEXT, b"a", mask=b""),
    "length 5 written in 16 bits": frame(TEXT, b"hello", form=126),
    "length 5 written in 64 bits": frame(TEXT, b"hello", form=127),
}
# Wrong closes, but closes: nobody has to be told that they were wrong.
CLOSES = ("7.9.1 close code 0", "7.9.5 close code 1005")


@pytest.mark.parametrize("case", VIOLATIONS)
def test_violations(case: str) -> None:
    """What breaks RFC 6455 closes with 1002, wherever in the stream it comes, and is told once."""
    for before in ([], [frame(TEXT, b"{}")], [frame(BINARY, b"*" * 640)] * 2):
        connection = Connection()
        connection.feed(b"".join(before) + VIOLATIONS[case], frame(TEXT, b"late"))
        assert connection.close_code == 1002, case
        assert len(connection.receiver.broke) == (case not in CLOSES)
        assert len(connection.receiver.messages) == len(before)


class FragmentTests(SynchronousTestCase):
    def test_fragments(self) -> None:
        """Cases 5.3-5.8: a message in pieces is one message, with a ping in its middle."""
        connection = Connection()
        connection.feed(
            frame(TEXT, b"one ", fin=False),
            frame(PING, b"?"),
            frame(0, b"two", fin=False) + frame(0, b"", fin=True) + frame(TEXT, b"three"),
        )
        self.assertEqual(connection.receiver.messages, [(b"one two", False), (b"three", False)])
        self.assertEqual(connection.sent, [(PONG, b"?")])

    def test_text_within_a_text(self) -> None:
        """Case 5.18 in two reads: the second begins with a small whole frame, and is wrong."""
        connection = Connection()
        connection.feed(frame(TEXT, b"a", fin=False), frame(TEXT, b"b"))
        self.assertEqual(connection.close_code, 1002)
        self.assertEqual(connection.receiver.messages, [])

    def test_short_way_again(self) -> None:
        """After a fragmented message small frames go the short way again."""
        connection = Connection(Watched)
        connection.feed(frame(TEXT, b"a", fin=False), frame(0, b"b"))
        before = connection.socket.long_way
        self.assertGreater(before, 0)
        connection.feed(*[frame(BINARY, b"*" * 640)] * 3)
        self.assertEqual(connection.socket.long_way, before)
        self.assertEqual(len(connection.receiver.messages), 4)

    def test_torn_small_frames(self) -> None:
        """A small frame that comes in two pieces, cut anywhere, never goes the long way."""
        data = frame(TEXT, b"x" * 200) + frame(BINARY, b"y" * 50)
        for cut in range(1, len(data)):
            connection = Connection(Watched)
            connection.feed(data[:cut], data[cut:])
            self.assertEqual([len(one) for one, _ in connection.receiver.messages], [200, 50], cut)
            self.assertEqual(connection.socket.long_way, 0, cut)

    def test_too_large(self) -> None:
        """Case 9-like: a frame, or fragments together, beyond the limit: 1009."""
        connection = Connection()
        connection.feed(frame(BINARY, b"*" * (LARGEST + 1)))
        self.assertEqual(connection.close_code, 1009)
        connection = Connection()
        connection.feed(b"\x82\xff" + struct.pack("!Q", 1 << 40) + bytes(4))
        self.assertEqual((connection.close_code, connection.wire.aborted), (1009, False))
        connection = Connection()
        half = frame(BINARY, b"*" * LARGEST, fin=False)
        connection.feed(half, frame(0, b"*", fin=True))
        self.assertEqual(connection.close_code, 1009)
        self.assertEqual(connection.receiver.messages, [])


class UTF8Tests(SynchronousTestCase):
    def test_long_way(self) -> None:
        """Cases 6.3-6.4: fragmented text that is no UTF-8 closes with 1007."""
        connection = Connection()
        connection.feed(frame(TEXT, b"\xce\xba\xe1\xbd", fin=False), frame(0, b"\xff"))
        self.assertEqual(connection.close_code, 1007)

    def test_split_character(self) -> None:
        """Case 6.2.3: fragments may cut a character."""
        connection = Connection()
        connection.feed(frame(TEXT, b"\xce", fin=False), frame(0, b"\xba"))
        self.assertEqual(connection.receiver.messages, [("κ".encode(), False)])

    def test_refusal(self) -> None:
        """What the receiver finds to be no UTF-8 closes with 1007, too."""
        connection = Connection()
        connection.feed(frame(TEXT, b"\xff"))
        connection.socket.refuse_payload("no UTF-8")
        self.assertEqual(connection.close_code, 1007)


class CloseTests(SynchronousTestCase):
    def test_far_side_closes(self) -> None:
        """Case 7.1.1: its close is answered, and its code told."""
        connection = Connection()
        connection.feed(frame(TEXT, b"{}") + frame(CLOSE, struct.pack("!H", 1001) + b"bye"))
        self.assertEqual(connection.receiver.broke, [])
        self.assertEqual(connection.close_code, 1000)
        self.assertTrue(connection.wire.disconnecting)
        connection.socket.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(connection.receiver.ended, [(1001, "bye", False)])
        self.assertEqual(connection.receiver.messages, [(b"{}", False)])
        self.assertEqual(connection.clock.getDelayedCalls(), [])

    def test_we_close(self) -> None:
        """Ours is answered within a second, or the connection is cut; nothing is sent behind it."""
        for answers in (True, False):
            connection = Connection()
            connection.socket.close(1000)
            connection.socket.close(1000)
            connection.socket.send(b"{}", False)
            self.assertEqual(connection.sent, [(CLOSE, b"\x03\xe8")])
            self.assertEqual(connection.receiver.broke, [])
            if answers:
                connection.feed(frame(CLOSE, b"\x03\xe8"))
            else:
                connection.clock.advance(CLOSED_WITHIN)
            self.assertTrue(connection.wire.aborted)
            connection.socket.connectionLost(Failure(ConnectionDone()))
            self.assertEqual(connection.clock.getDelayedCalls(), [])

    def test_closing_in_a_frame(self) -> None:
        """The answer is understood behind a frame that our close has cut in two."""
        data = frame(BINARY, b"*" * 640) + frame(CLOSE, b"\x03\xe8")
        for cut in (1, 3, 100, 647):
            connection = Connection()
            connection.feed(data[:cut])
            connection.socket.close(1000)
            connection.feed(data[cut:])
            self.assertTrue(connection.wire.aborted, cut)
            connection.lose()
            self.assertEqual(connection.receiver.ended[0][0], 1000)

    def test_behind_a_close(self) -> None:
        """Case 7.1.2-4: what comes behind a close frame is not heard."""
        connection = Connection()
        connection.feed(frame(CLOSE), frame(TEXT, b"late"))
        self.assertEqual(connection.receiver.messages, [])

    def test_nothing_is_kept(self) -> None:
        """Who goes on sending behind its close fills no buffer of ours."""
        connection = Connection()
        connection.feed(frame(CLOSE))
        for _ in range(10):
            connection.socket.dataReceived(bytes(65_536))
        self.assertEqual(connection.socket.data, b"")

    def test_closing_in_a_message(self) -> None:
        """Whoever closes while a message is heard hears no other of the same read."""
        connection = Connection()
        heard = connection.receiver.messages
        connection.receiver.message_received = lambda payload, binary: (  # type: ignore
            heard.append((payload, binary)),
            connection.socket.close(),
        )
        connection.feed(frame(TEXT, b"one") + frame(TEXT, b"two"))
        self.assertEqual(heard, [(b"one", False)])

    def test_cut(self) -> None:
        """A lost connection is told as such."""
        connection = Connection()
        connection.socket.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(connection.receiver.ended, [(None, "", True)])

    def test_pings(self) -> None:
        """Cases 2.1-2.11: answered with what they carry; pongs are ignored."""
        connection = Connection()
        connection.feed(frame(PING), frame(PING, bytes(range(125))), frame(PONG, b"unasked"))
        self.assertEqual(connection.sent, [(PONG, b""), (PONG, bytes(range(125)))])


@given(st.binary(min_size=4, max_size=4), st.binary(max_size=700))
def test_unmasking(mask: bytes, payload: bytes) -> None:
    """Byte i is masked by byte i modulo 4 of the mask."""
    assert unmasked(mask, payload) == bytes(
        byte ^ mask[place % 4] for place, byte in enumerate(payload)
    )


FRAMES = st.builds(
    frame,
    st.sampled_from([TEXT, TEXT, BINARY, BINARY, PING, 0, CLOSE, 3]),
    st.sampled_from([b"", b"a", b"*" * 124, b"*" * 130, b"*" * 17_000]),
    fin=st.sampled_from([True, True, True, False]),
    rsv=st.sampled_from([0, 0, 0, 0, 1]),
)


@given(st.lists(FRAMES, max_size=8), st.data())
def test_same_as_autobahn(frames: list[bytes], data: st.DataObject) -> None:
    """The short way changes nothing: the same messages, answers and closings, however cut."""
    stream = b"".join(frames)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=6).map(sorted))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    short, long = Connection(), Connection(PlainSocket)
    short.feed(*pieces)
    long.feed(*pieces)
    assert short.receiver.messages == long.receiver.messages
    assert short.wire.value() == long.wire.value()
    assert short.wire.aborted == long.wire.aborted
    assert short.wire.disconnecting == long.wire.disconnecting
