"""A gRPC call in the shape of a WebSocket."""

from __future__ import annotations

from rapida_tw.net.base import Request, Socket
from rapida_tw.net.rpc_socket import connect
from tests.net.case import HOST, WS, Receiver
from tests.net.rpc import CALL, RpcCase


class RpcSocketTests(RpcCase):
    def open(self, request: Request = CALL) -> tuple[Socket, Receiver]:
        receiver = Receiver()
        opening = connect(self.net, self.clock, request, receiver)
        self.run_for()
        return self.successResultOf(opening), receiver

    def test_messages(self) -> None:
        """Each is a binary one."""
        socket, receiver = self.open()
        socket.send(b"one")
        self.session.line.send(b"two")
        self.run_for()
        self.assertEqual((self.session.messages, receiver.messages), ([b"one"], [(b"two", True)]))

    def test_closed(self) -> None:
        """The code is the HTTP status that means the same."""
        for status, code in ((0, 200), (16, 401), (8, 429), (14, 503), (3, 400), (11, 416)):
            _, receiver = self.open()
            self.session.line.end(status, "words")
            self.run_for()
            self.assertEqual(receiver.endings, [(code, "words")])

    def test_we_close(self) -> None:
        """What the vendor says then is told; it has a second."""
        socket, receiver = self.open()
        socket.close()
        self.run_for()
        self.session.line.send(b"last words")
        self.run_for()
        self.assertEqual((self.session.closings, receiver.endings), (["half"], []))
        self.session.line.end()
        self.run_for()
        self.assertEqual(
            (receiver.messages, receiver.endings), ([(b"last words", True)], [(200, "")])
        )
        socket, receiver = self.open()
        socket.close()
        socket.close()
        self.run_for(1.1)
        self.assertEqual(self.session.closings, ["half", "closed"])
        self.assertEqual(len(receiver.endings), 1)

    def test_abort(self) -> None:
        """It is over before `abort` returns."""
        socket, receiver = self.open()
        socket.abort()
        self.assertEqual(len(receiver.endings), 1)

    def test_back_pressure(self) -> None:
        """It is passed on."""
        socket, receiver = self.open()
        self.session.line.pause()
        for _ in range(5):
            socket.send(bytes(60_000))
        self.run_for()
        self.session.line.resume()
        self.run_for()
        self.assertEqual(receiver.free, [False, True])

    def test_not_reached(self) -> None:
        """As with a socket."""
        self.fakes.down.add(HOST)
        opening = connect(self.net, self.clock, CALL, Receiver())
        self.assertIn("nothing listens", str(self.failure(opening)))

    def test_web_socket(self) -> None:
        """What has a socket's address is one."""
        socket, _ = self.open(WS)
        self.assertEqual(len(self.vendor.sessions), 1)
        socket.abort()
