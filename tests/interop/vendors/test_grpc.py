"""gRPC against the official library: our client with its server, its client with our fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from rapida_tw.errors import VendorFailed
from rapida_tw.net.base import Request, Rpc
from rapida_tw.net.service import RealNet
from rapida_tw.sim.vendors.port import VendorPort
from rapida_tw.sim.vendors.rpc import RpcRefusal
from tests.interop.certificate import self_signed
from tests.net.rpc import RpcReceiver, RpcVendor

grpc = pytest.importorskip("grpc", reason="grpcio is not installed")

PATIENCE = 10.0  # seconds


class Service:
    """Handlers as grpcio has them, without message classes."""

    def __init__(self) -> None:
        self.metadata: dict[str, Any] = {}
        self.cancelled = Event()
        self.begun = Event()
        self.go_on = Event()

    def handler(self, method: str) -> Any:
        return grpc.stream_stream_rpc_method_handler(getattr(self, method))

    def echo(self, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        self.metadata = dict(context.invocation_metadata())
        yield from requests

    def fail(self, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        next(requests)
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "100% verbraucht, ä")
        yield b""

    def wait(self, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        context.add_callback(self.cancelled.set)
        self.begun.set()
        self.go_on.wait(PATIENCE)
        yield from requests


class CallTests(TestCase):
    timeout = 60

    def setUp(self) -> None:
        self.service = Service()
        self.pool = ThreadPoolExecutor(8)
        self.net = RealNet(reactor)
        self.server: Any = None

    def tearDown(self) -> Deferred[None]:  # type: ignore[override]  # as trial has it
        async def stop() -> None:
            self.service.go_on.set()
            await self.net.stop()
            await deferLater(_time(), 0.05)
            stopping = self.server.stop(None)
            await deferToThread(stopping.wait, PATIENCE)
            self.pool.shutdown(wait=False)

        return Deferred.fromCoroutine(stop())

    def serve(self, credentials: Any = None, **options: Any) -> int:
        self.server = grpc.server(
            self.pool,
            compression=options.pop("compression", None),
            options=[(f"grpc.{name}", value) for name, value in options.items()],
        )
        handlers = {name: self.service.handler(name) for name in ("echo", "fail", "wait")}
        generic = grpc.method_handlers_generic_handler("pkg.Test", handlers)
        self.server.add_generic_rpc_handlers((generic,))
        address = "127.0.0.1:0"
        port = (
            self.server.add_secure_port(address, credentials)
            if credentials
            else self.server.add_insecure_port(address)
        )
        self.server.start()
        return int(port)

    async def call(self, url: str, **arguments: Any) -> tuple[Rpc, RpcReceiver]:
        receiver = RpcReceiver()
        deadline = arguments.pop("deadline", 0)
        request = Request(url, **arguments)
        return await self.net.grpc(request, receiver, deadline), receiver

    async def until(self, condition: Callable[[], object]) -> None:
        waited = 0.0
        while not condition():
            self.assertLess(waited, PATIENCE)
            await deferLater(_time(), 0.01)
            waited += 0.01

    async def test_echo(self) -> None:
        """Messages of every size, metadata and a deadline, without TLS."""
        port = self.serve(max_receive_message_length=-1, max_send_message_length=-1)
        call, receiver = await self.call(
            f"http://127.0.0.1:{port}/pkg.Test/echo", headers={"X-Key": "k"}, deadline=30
        )
        messages = [b"", b"a", bytes(100_000), bytes(6_000_000)]
        for message in messages:
            call.send(message)
        call.half_close()
        await self.until(lambda: receiver.endings)
        self.assertTrue(receiver.messages == messages)
        self.assertEqual(receiver.endings, [(0, "")])
        self.assertEqual(self.service.metadata["x-key"], "k")

    async def test_tls(self) -> None:
        """The same over TLS, where ALPN chooses HTTP/2."""
        folder = Path(self.mktemp())
        folder.mkdir()
        files = self_signed(folder)
        pair = files.key.read_bytes(), files.certificate.read_bytes()
        port = self.serve(grpc.ssl_server_credentials([pair]))
        url = f"https://localhost:{port}/pkg.Test/echo"
        with pytest.raises(VendorFailed, match="not trusted"):
            await self.call(url)
        call, receiver = await self.call(url, trust=files.certificate.read_text())
        call.send(b"hello")
        call.half_close()
        await self.until(lambda: receiver.endings)
        self.assertEqual((receiver.messages, receiver.endings), ([b"hello"], [(0, "")]))

    async def test_statuses(self) -> None:
        """A failure with words, and a method that is not there."""
        port = self.serve()
        call, receiver = await self.call(f"http://127.0.0.1:{port}/pkg.Test/fail")
        call.send(b"x")
        await self.until(lambda: receiver.endings)
        self.assertEqual(receiver.endings, [(8, "100% verbraucht, ä")])
        _, receiver = await self.call(f"http://127.0.0.1:{port}/pkg.Test/nothing")
        await self.until(lambda: receiver.endings)
        self.assertEqual(receiver.endings[0][0], 12)

    async def test_compressed(self) -> None:
        """What the server compresses is read."""
        port = self.serve(compression=grpc.Compression.Gzip)
        call, receiver = await self.call(f"http://127.0.0.1:{port}/pkg.Test/echo")
        call.send(b"a" * 10_000)
        await self.until(lambda: receiver.messages)
        self.assertEqual(receiver.messages, [b"a" * 10_000])

    async def test_cancel(self) -> None:
        """The server's side learns of it."""
        port = self.serve()
        call, _ = await self.call(f"http://127.0.0.1:{port}/pkg.Test/wait")
        await self.until(self.service.begun.is_set)
        call.cancel()
        await self.until(self.service.cancelled.is_set)

    async def test_back_pressure(self) -> None:
        """A server that reads nothing is noticed, and so is that it reads again."""
        port = self.serve()
        call, receiver = await self.call(f"http://127.0.0.1:{port}/pkg.Test/wait")
        sent = 0
        while not receiver.free or receiver.free[-1]:  # its window grows for a while
            self.assertLess(sent, 50_000)
            for _ in range(50):
                call.send(bytes(1_000))
            sent += 50
            await deferLater(_time(), 0.02)
        call.half_close()
        self.service.go_on.set()
        await self.until(lambda: receiver.endings)
        self.assertEqual((len(receiver.messages), receiver.free[-1]), (sent, True))

    async def test_goaway(self) -> None:
        """A server whose connections grow old: the call goes on, the next has a new connection."""
        port = self.serve(max_connection_age_ms=300, max_connection_age_grace_ms=20_000)
        url = f"http://127.0.0.1:{port}/pkg.Test/echo"
        call, receiver = await self.call(url)
        for number in range(8):
            call.send(b"%d" % number)
            await deferLater(_time(), 0.1)
        other, other_receiver = await self.call(url)
        other.send(b"new")
        call.half_close()
        await self.until(lambda: receiver.endings and other_receiver.messages)
        self.assertEqual((len(receiver.messages), receiver.endings), (8, [(0, "")]))
        other.cancel()


class FakeTests(TestCase):
    """grpcio's client, which a fake must satisfy."""

    timeout = 60

    def setUp(self) -> None:
        self.vendor = RpcVendor()
        self.port = VendorPort(reactor, self.vendor)
        self.port.start()
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port.port}")

    def tearDown(self) -> Deferred[None]:  # type: ignore[override]  # as trial has it
        async def stop() -> None:
            await deferToThread(self.channel.close)
            await self.port.stop()
            await deferLater(_time(), 0.1)

        return Deferred.fromCoroutine(stop())

    async def test_echo(self) -> None:
        """Messages both ways, and an end with words."""

        def received(message: bytes) -> None:
            session.line.send(message * 2)
            session.line.end(5, "sonst nichts, ä")

        def talk() -> tuple[list[bytes], Any]:
            method = self.channel.stream_stream("/pkg.Service/Method")
            answers, call = [], method(iter([b"one"]), metadata=[("x-key", "k")])
            try:
                answers += call
            except grpc.RpcError as error:
                return answers, error
            return answers, None

        talking = deferToThread(talk)
        while not self.vendor.calls:
            await deferLater(_time(), 0.01)
        session = self.vendor.calls[0]
        if session.messages:
            received(session.messages[0])
        session.received = received  # type: ignore[method-assign]
        answers, error = await talking
        self.assertEqual(answers, [b"oneone"])
        self.assertEqual((error.code().value[0], error.details()), (5, "sonst nichts, ä"))
        self.assertEqual(session.asked.headers["x-key"], "k")

    async def test_refused(self) -> None:
        """Trailers only."""
        self.vendor.ending = RpcRefusal(16, "who?")

        def talk() -> Any:
            with pytest.raises(grpc.RpcError) as caught:
                list(self.channel.stream_stream("/pkg.Service/Method")(iter([])))
            return caught.value

        error = await deferToThread(talk)
        self.assertEqual((error.code().value[0], error.details()), (16, "who?"))


def _time() -> Any:
    return reactor
