"""gRPC calls, byte by byte: h2's own server side, which a test tells what to do."""

from __future__ import annotations

from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived
from h2.settings import SettingCodes, Settings
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.interfaces import IHandshakeListener, INegotiated
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from rapida_tw.errors import VendorFailed
from rapida_tw.net.base import Rpc
from rapida_tw.net.endpoints import Target
from rapida_tw.net.grpc import GrpcConnection
from rapida_tw.wire.grpc import Status, frame
from tests.net.case import HOST, RawCase
from tests.net.rpc import CALL, RpcReceiver

OK = [(":status", "200"), ("content-type", "application/grpc")]
DONE = [("grpc-status", "0")]


@implementer(INegotiated)
class SecureTransport(StringTransport):
    """TLS, whose handshake has chosen a protocol, or none."""

    negotiatedProtocol: bytes | None = None
    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True

    def setTcpNoDelay(self, enabled: bool) -> None: ...
    def setTcpKeepAlive(self, enabled: bool) -> None: ...


class HandshakeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.connection = GrpcConnection(Target(HOST, 443, True), Clock())
        self.transport = SecureTransport()
        verifyObject(IHandshakeListener, self.connection)
        self.connection.makeConnection(self.transport)

    def test_chosen(self) -> None:
        """Nothing is sent before TLS is there, and then HTTP/2."""
        self.assertEqual(self.transport.value(), b"")
        self.transport.negotiatedProtocol = b"h2"
        self.connection.handshakeCompleted()
        self.assertEqual(self.transport.value()[:3], b"PRI")

    def test_not_chosen(self) -> None:
        """A server that chooses no HTTP/2 is told as that, and not tried again."""
        self.connection.handshakeCompleted()
        error = self.failureResultOf(self.connection.opened, VendorFailed).value
        self.assertIn("speaks no HTTP/2", str(error))
        self.assertFalse(error.retryable)
        self.assertTrue(self.transport.aborted)


class WireTests(RawCase):
    def serve(self, **changes: int) -> tuple[Any, RpcReceiver]:
        """A call that has not got a connection yet; `h2` is the server's side of that."""
        receiver = RpcReceiver()
        opening = self.net.grpc(CALL, receiver)
        self.run_for()
        self.h2 = H2Connection(H2Configuration(client_side=False))
        values = {getattr(SettingCodes, name): value for name, value in changes.items()}
        self.h2.local_settings = Settings(client=False, initial_values=values)
        self.h2.initiate_connection()
        self.exchange()
        return opening, receiver

    def call(self) -> tuple[Rpc, RpcReceiver]:
        opening, receiver = self.serve()
        call: Rpc = self.successResultOf(opening)
        return call, receiver

    def exchange(self) -> list[Any]:
        """Everything that is to be sent arrives, both ways."""
        events = []
        for _ in range(8):
            self.server.write(self.h2.data_to_send())
            self.run_for()
            data, self.server.received = self.server.received, b""
            events += self.h2.receive_data(data)
        return events

    def answer(self, *parts: Any) -> None:
        """Headers and bytes of the first call's stream; the last of them ends it."""
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            if isinstance(part, bytes):
                self.h2.send_data(1, part, end_stream=last)
            else:
                self.h2.send_headers(1, part, end_stream=last)

    def test_preface(self) -> None:
        """What is sent first is HTTP/2's, and nothing of the call before the server's settings."""
        self.net.grpc(CALL, RpcReceiver()).addErrback(lambda _: None)
        self.run_for()
        self.assertEqual(self.server.received[:24], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        h2 = H2Connection(H2Configuration(client_side=False))
        events = h2.receive_data(self.server.received)
        self.assertEqual([one for one in events if isinstance(one, RequestReceived)], [])
        self.run_for(5)

    def test_any_cut(self) -> None:
        """Where the network cuts the stream makes no difference."""

        @settings(max_examples=40, deadline=None)
        @given(st.lists(st.integers(1, 40), max_size=30))
        def check(cuts: list[int]) -> None:
            _, receiver = self.call()
            self.answer(OK, frame(b"one") + frame(b"two"), frame(b"three"), DONE)
            data = self.h2.data_to_send()
            for cut in [*cuts, len(data)]:
                self.server.write(data[:cut])
                self.run_for()
                data = data[cut:]
            self.assertEqual(receiver.messages, [b"one", b"two", b"three"])
            self.assertEqual(receiver.endings, [(0, "")])
            self.server.transport.abortConnection()
            self.run_for()

        check()

    def test_any_garbage(self) -> None:
        """Whatever comes, nothing is raised, and the call ends once."""

        @settings(max_examples=100, deadline=None)
        @given(st.binary(min_size=1, max_size=100), st.integers(0, 9))
        def check(garbage: bytes, kind: int) -> None:
            _, receiver = self.call()
            head = len(garbage).to_bytes(3, "big") + bytes((kind,))
            self.server.write(head + garbage[:1] + b"\0\0\0\1" + garbage)
            self.run_for()
            self.server.transport.abortConnection()
            self.run_for()
            self.assertEqual(len(receiver.endings), 1)

        check()
        self.flushLoggedErrors()

    def test_windows_are_opened_again(self) -> None:
        """More than a window's bytes arrive, on the stream and on the connection."""
        _, receiver = self.call()
        self.h2.send_headers(1, OK)
        message, rest = bytes(60_000), 5_000_000 // 60_000
        waiting = frame(message) * rest
        while waiting:
            size = min(len(waiting), self.h2.local_flow_control_window(1), 16_384)
            self.assertGreater(size, 0)
            self.h2.send_data(1, waiting[:size])
            waiting = waiting[size:]
            if self.h2.local_flow_control_window(1) < 16_384:
                self.exchange()
        self.exchange()
        self.assertEqual(len(receiver.messages), rest)
        self.h2.send_headers(1, DONE, end_stream=True)
        self.exchange()
        self.assertEqual(receiver.endings, [(0, "")])

    def test_no_trailers(self) -> None:
        """An end without a status is a failure."""
        _, receiver = self.call()
        self.answer(OK, frame(b"one"))
        self.exchange()
        self.assertEqual(receiver.endings, [(2, "an end without a status")])

    def test_no_grpc(self) -> None:
        """A proxy's page, with the status that it means."""
        for http, status in (("502", 14), ("404", 12), ("200", 2), ("301", 2)):
            _, receiver = self.call()
            self.answer([(":status", http), ("content-type", "text/html")], b"<p>Sorry")
            self.exchange()
            self.assertEqual([one for one, _ in receiver.endings], [status])
            self.server.transport.abortConnection()
            self.run_for()

    def test_the_transport_is_full(self) -> None:
        """What TCP does not take waits here, and its sender is told."""
        call, receiver = self.call()
        self.h2.increment_flow_control_window(10_000_000)
        self.h2.increment_flow_control_window(10_000_000, 1)
        self.exchange()
        self.server.transport.pauseProducing()
        for _ in range(20):
            call.send(bytes(20_000))
            self.run_for()
        self.assertEqual(receiver.free, [False])
        self.server.transport.resumeProducing()
        self.run_for()
        self.assertEqual(receiver.free, [False, True])

    def test_no_http2(self) -> None:
        """A server that speaks HTTP/1.1, and one that says nothing."""
        for said in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\1\7\0\0\0\0\0\0"):
            opening = self.net.grpc(CALL, RpcReceiver())
            self.run_for()
            self.server.write(said)
            self.assertIn(HOST, str(self.failure(opening)))
            self.assertTrue(self.server.lost)
        opening = self.net.grpc(CALL, RpcReceiver())
        self.run_for(5.1)
        self.assertIn("in time", str(self.failure(opening)))

    def test_no_calls(self) -> None:
        """A server that takes none is not asked for ever."""
        opening, _ = self.serve(MAX_CONCURRENT_STREAMS=0)
        self.assertIn("takes no calls", str(self.failure(opening)))

    def test_statuses(self) -> None:
        """A call that was reset by us is not ended a second time by what was under way."""
        call, receiver = self.call()
        self.answer(OK, frame(b"one"), DONE)
        call.cancel()
        self.exchange()
        self.assertEqual([one for one, _ in receiver.endings], [Status.CANCELLED])
        self.assertEqual(receiver.messages, [])
