"""A vendor's WebSocket, byte by byte."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError

from rapida_tw.net.base import Request
from rapida_tw.net.socket import masked
from rapida_tw.sim.websocket import BINARY, CLOSE, CONTINUATION, PING, TEXT, frame
from tests.net.case import HOST, WS, RawCase, Receiver

PAYLOADS = st.one_of(
    st.binary(max_size=300), st.binary(min_size=65_530, max_size=65_540), st.text().map(str.encode)
)


def unmasked_frame(opcode: int, payload: bytes, fin: bool = True) -> bytes:
    return frame(opcode, payload, fin=fin, masked=False)


@given(st.binary(max_size=70), st.binary(min_size=4, max_size=4))
def test_masked(payload: bytes, key: bytes) -> None:
    """As RFC 6455 says it, byte by byte."""
    expected = bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))
    assert masked(payload, key) == expected


class WireTests(RawCase):
    def test_request(self) -> None:
        """The handshake is what RFC 6455 asks for, and is written in one piece."""
        opening = self.net.connect(Request(f"ws://{HOST}", subprotocols=("a", "b")), Receiver())
        self.run_for()
        first, *lines = self.server.received.decode().split("\r\n")
        self.assertEqual(first, "GET / HTTP/1.1")
        key = next(line for line in lines if line.startswith("Sec-WebSocket-Key: "))
        lines.remove(key)
        self.assertEqual(len(key), len("Sec-WebSocket-Key: ") + 24)
        expected = [
            f"Host: {HOST}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "User-Agent: rapida_tw",
            "Sec-WebSocket-Protocol: a, b",
        ]
        self.assertEqual(lines, [*expected, "", ""])
        opening.cancel()
        self.failureResultOf(opening)

    def test_target(self) -> None:
        """TLS for wss alone, and the ports that the schemes mean."""
        for url in ("ws://a.test", "wss://a.test", "wss://[::1]:99/x"):
            self.net.connect(Request(url), Receiver()).addErrback(lambda _: None)
        expected = [("a.test", 80, False), ("a.test", 443, True), ("::1", 99, True)]
        self.assertEqual([tuple(target[:3]) for target in self.raw.targets], expected)
        for server in self.raw.servers:
            server.transport.abortConnection()
        self.run_for()

    def test_masks_are_fresh(self) -> None:
        """No two frames have the same key, and none is sent without one."""
        socket, _ = self.connect()
        for _ in range(20):
            socket.send(b"\0\0\0\0")
        self.run_for()
        data = self.server.received
        heads = {data[at : at + 2] for at in range(0, len(data), 10)}
        keys = {data[at : at + 4] for at in range(2, len(data), 10)}
        self.assertEqual((heads, len(keys)), ({b"\x81\x84"}, 20))

    def test_no_message_before_the_opening(self) -> None:
        """What comes in one piece with the handshake's answer is told after it."""
        receiver = Receiver()
        seen: list[int] = []
        opening = self.net.connect(WS, receiver)
        opening.addCallback(lambda _: seen.append(len(receiver.messages)))
        self.run_for()
        self.server.shake_hands(unmasked_frame(TEXT, b"hello") + unmasked_frame(TEXT, b"again")[:3])
        self.run_for()
        self.server.write(unmasked_frame(TEXT, b"again")[3:])
        self.run_for()
        self.assertEqual((seen, len(receiver.messages)), ([0], 2))

    def test_any_cut(self) -> None:
        """Where the network cuts the stream, and what is fragmented, makes no difference."""

        @settings(max_examples=60, deadline=None)
        @given(
            messages=st.lists(st.tuples(PAYLOADS, st.integers(0, 3)), max_size=8),
            cuts=st.lists(st.integers(1, 70_000), max_size=12),
        )
        def check(messages: list[tuple[bytes, int]], cuts: list[int]) -> None:
            stream, expected = b"", []
            for payload, manner in messages:
                stream += _written(payload, manner)
                expected.append((payload, True))
            _, receiver = self.connect()
            for cut in [*cuts, len(stream) + 1]:
                self.server.write(stream[:cut])
                self.run_for()
                stream = stream[cut:]
            self.assertEqual(receiver.messages, expected)
            self.server.write(unmasked_frame(CLOSE, b""))
            self.run_for()
            self.assertEqual([code for code, _ in receiver.endings], [1005])

        check()

    def test_any_garbage(self) -> None:
        """Whatever comes, nothing is raised, and the socket ends once."""

        @settings(max_examples=200, deadline=None)
        @given(st.binary(min_size=1, max_size=200))
        def check(garbage: bytes) -> None:
            _, receiver = self.connect()
            self.server.write(garbage)
            self.run_for()
            self.server.transport.abortConnection()
            self.run_for(1.1)
            self.assertEqual(len(receiver.endings), 1)

        check()

    def test_violations(self) -> None:
        """A vendor that breaks the rules is closed, with the code that says which."""
        for wrong, code in (
            (frame(TEXT, b"masked"), 1002),
            (unmasked_frame(CONTINUATION, b"of nothing"), 1002),
            (unmasked_frame(TEXT, b"\xff\xfe"), 1007),
            (unmasked_frame(TEXT, b"\xff", fin=False) + unmasked_frame(0, b"\xfe"), 1007),
            (b"\xf1\x01a", 1002),
            (unmasked_frame(3, b"a"), 1002),
        ):
            _, receiver = self.connect()
            self.server.write(wrong)
            self.run_for()
            self.assertEqual([code for code, _ in receiver.endings], [code], wrong)
            self.assertEqual(receiver.messages, [])

    def test_split_character(self) -> None:
        """A character that two fragments share is whole."""
        _, receiver = self.connect()
        pieces = unmasked_frame(TEXT, b"\xc3", fin=False), unmasked_frame(CONTINUATION, b"\xbc")
        self.server.write(b"".join(pieces))
        self.run_for()
        self.assertEqual(receiver.messages, [("ü".encode(), False)])
        self.server.transport.abortConnection()

    def test_late_bytes(self) -> None:
        """What comes behind a close is not told."""
        _, receiver = self.connect()
        self.server.write(unmasked_frame(CLOSE, b"\x03\xe8") + unmasked_frame(TEXT, b"late"))
        self.run_for()
        self.assertEqual((receiver.messages, receiver.endings), ([], [(1000, "")]))


def _written(payload: bytes, manner: int) -> bytes:
    """A binary message: whole, behind a ping, or in two fragments with one in between."""
    ping = unmasked_frame(PING, b"?")
    half = len(payload) // 2
    first = unmasked_frame(BINARY, payload[:half], fin=False)
    last = unmasked_frame(CONTINUATION, payload[half:])
    whole = unmasked_frame(BINARY, payload)
    return (whole, ping + whole, first + last, first + ping + last)[manner]


class HandshakeTests(RawCase):
    def answer(self, *pieces: bytes, request: Request = WS) -> str:
        """What is told of these bytes in answer to the handshake; then nobody is there any more."""
        opening = self.net.connect(request, Receiver())
        self.run_for()
        for piece in pieces:
            self.server.write(piece)
            self.run_for()
        text = str(self.failure(opening))
        self.assertEqual(self.raw.network.connected, set())
        return text

    def test_refusals(self) -> None:
        """A reason is read whichever way its end is told, and wherever it was cut."""
        head = b"HTTP/1.1 401 Unauthorized\r\n"
        length = head + b"Content-Length: 19\r\n\r\n"
        chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
        for pieces in (
            (length + b'{"err_msg":"wrong"}',),
            (length[:30], length[30:] + b'{"err_msg"', b':"wrong"}'),
            (chunked + b'a\r\n{"err_msg"\r\n', b'9\r\n:"wrong"}\r\n0\r\n\r\n'),
            (head + b"dg-error: wrong\r\nContent-Length: 0\r\n\r\n",),
            (head + b"Content-Length: 13\r\n\r\n<b>wrong </b>",),
        ):
            self.assertEqual(self.answer(*pieces), f"{HOST} refused: HTTP 401, wrong")

    def test_refusal_without_an_end(self) -> None:
        """After a second, what has come of the reason is all of it."""
        opening = self.net.connect(WS, Receiver())
        self.run_for()
        self.server.write(b"HTTP/1.1 403 Forbidden\r\n\r\nno, and")
        self.run_for(0.9)
        self.assertNoResult(opening)
        self.run_for(0.2)
        self.assertEqual(str(self.failure(opening)), f"{HOST} refused: HTTP 403, no, and")

    def test_refusal_that_ends_with_the_connection(self) -> None:
        """HTTP/1.0 ends a body so."""
        opening = self.net.connect(WS, Receiver())
        self.run_for()
        self.server.write(b"HTTP/1.0 502 Bad\r\n\r\nnobody behind me")
        self.server.transport.loseConnection()
        self.run_for()
        self.assertIn("HTTP 502, nobody behind me", str(self.failure(opening)))

    def test_wrong_answers(self) -> None:
        """What is no WebSocket's answer is told as that."""
        for wrong in (
            b"SSH-2.0-OpenSSH\r\n\r\n",
            b"HTTP/1.1 101 Yes\r\n\r\n",
            b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: wrong\r\n\r\n",
            b"HTTP/1.1 20x\r\n\r\n",
            b"x" * 70_000,
        ):
            self.assertIn("wrongly", self.answer(wrong))

    def test_subprotocol_that_was_not_offered(self) -> None:
        """It is refused, as RFC 6455 wants."""
        opening = self.net.connect(WS, Receiver())
        self.run_for()
        self.server.shake_hands(b"", **{"Sec-WebSocket-Protocol": "other"})
        self.assertIn("subprotocol", str(self.failure(opening)))

    def test_hung_up(self) -> None:
        """A server that closes without a word."""
        opening = self.net.connect(WS, Receiver())
        self.run_for()
        self.server.transport.loseConnection()
        self.run_for()
        error = self.failure(opening)
        self.assertIn("without an answer", str(error))
        self.assertTrue(error.retryable)

    def test_silent(self) -> None:
        """A server that takes the connection and says nothing has five seconds, too."""
        opening = self.net.connect(WS, Receiver())
        self.run_for(4.9)
        self.assertNoResult(opening)
        self.run_for(0.2)
        self.assertIn("within 5 s", str(self.failure(opening)))
        self.assertTrue(self.server.lost)

    def test_cancelled(self) -> None:
        """Whoever gives up leaves no connection behind, and is told of none that opens then."""
        for answered in (False, True):
            receiver = Receiver()
            opening = self.net.connect(WS, receiver)
            self.run_for()
            if answered:
                self.server.shake_hands(unmasked_frame(TEXT, b"hello"))
            opening.cancel()
            self.failureResultOf(opening, CancelledError)
            self.run_for()
            self.assertTrue(self.server.lost)
            self.assertEqual((self.net.sockets, receiver.messages), (set(), []))
