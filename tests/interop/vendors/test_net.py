"""The way out over real sockets: TLS by a certificate of our own, and a kernel's buffers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.ssl import Certificate, trustRootFromCertificates
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from rapida_tw.errors import VendorFailed
from rapida_tw.net.base import Request
from rapida_tw.net.endpoints import RealEndpoints
from rapida_tw.net.service import RealNet
from rapida_tw.sim.vendors.port import VendorPort
from tests.interop.certificate import self_signed
from tests.net.case import BodyKeeper, Receiver, Vendor

PATIENCE = 10.0  # seconds


class RealNetTests(TestCase):
    timeout = 30

    def setUp(self) -> None:
        self.vendor = Vendor()
        self.port = VendorPort(reactor, self.vendor)
        folder = Path(self.mktemp())
        folder.mkdir()
        self.files = self_signed(folder)
        authority = Certificate.loadPEM(self.files.certificate.read_bytes())
        trust = trustRootFromCertificates([authority])
        self.net = RealNet(reactor, RealEndpoints(reactor, trust))

    def tearDown(self) -> Deferred[None]:  # type: ignore[override]  # as trial has it
        async def stop() -> None:
            await self.net.stop()
            await self.port.stop()
            # What a server's connections have been told takes them a turn.
            await deferLater(_time(), 0.05)

        return Deferred.fromCoroutine(stop())

    def listen(self, secure: bool = True, interface: str = "127.0.0.1") -> int:
        certificate, key = (self.files.certificate, self.files.key) if secure else (None, None)
        return self.port.start(0, certificate, key, interface)

    async def until(self, condition: Callable[[], object]) -> None:
        waited = 0.0
        while not condition():
            self.assertLess(waited, PATIENCE)
            await deferLater(_time(), 0.01)
            waited += 0.01

    async def refusal(self, opening: Awaitable[object]) -> VendorFailed:
        try:
            await opening
        except VendorFailed as error:
            return error
        raise AssertionError("it was opened")

    async def test_socket(self) -> None:
        """A WebSocket by the name that the certificate has; large messages, and a clean close."""
        receiver = Receiver()
        url = f"wss://localhost:{self.listen()}/"
        socket = await self.net.connect(Request(url), receiver)
        (session,) = self.vendor.sessions
        large = bytes(range(256)) * 16_384
        socket.send(large, True)
        session.line.send(large)
        await self.until(lambda: session.messages and receiver.messages)
        self.assertTrue(session.messages == receiver.messages == [(large, True)])
        socket.close()
        await self.until(lambda: receiver.endings and session.ending)
        self.assertEqual((receiver.endings[0][0], session.ending), (1000, 1000))

    async def test_requests(self) -> None:
        """HTTP by the same certificate, on one connection; an abort is seen over there."""
        request = Request(f"https://127.0.0.1:{self.listen()}/x", "POST", body=b"x" * 200_000)
        for _ in range(2):
            asking = self.net.request(request)
            await self.until(lambda: self.vendor.replies)
            reply = self.vendor.replies.pop()
            reply.head(200)
            reply.write(b"one")
            answer = await asking
            keeper = BodyKeeper()
            answer.read(keeper)
            await self.until(lambda: keeper.data)  # noqa: B023
            answer.abort()
            await self.until(lambda: reply.gone)  # noqa: B023
        self.assertEqual([len(asked.body) for asked in self.port.site.asked], [200_000] * 2)

    async def test_not_trusted(self) -> None:
        """A certificate that the platform does not know is told as that, and not tried again."""
        net = RealNet(reactor)
        port = self.listen()
        for asking in (
            net.connect(Request(f"wss://localhost:{port}/"), Receiver()),
            net.request(Request(f"https://localhost:{port}/")),
        ):
            error = await self.refusal(asking)
            self.assertIn("is not trusted", str(error))
            self.assertFalse(error.retryable)
        await net.stop()

    async def test_another_name(self) -> None:
        """A certificate of another name is one, too."""
        url = f"wss://127.0.0.2:{self.listen(interface='127.0.0.2')}/"
        error = await self.refusal(self.net.connect(Request(url), Receiver()))
        self.assertIn("certificate of another name", str(error))

    async def test_nobody_listens(self) -> None:
        """A closed port, and a name that is none."""
        port = self.listen()
        await self.port.stop()
        error = await self.refusal(self.net.request(Request(f"http://127.0.0.1:{port}/")))
        self.assertIn("nothing listens", str(error))
        error = await self.refusal(self.net.connect(Request("ws://name.invalid/"), Receiver()))
        self.assertIn("not known to DNS", str(error))
        self.listen()

    async def test_back_pressure(self) -> None:
        """A vendor that reads nothing is noticed, plain and by TLS, and so is that it reads again.

        What is under way until then is the far side's window, and no megabytes of ours.
        """
        for secure in (False, True):
            receiver = Receiver()
            url = f"{'wss' if secure else 'ws'}://localhost:{self.listen(secure)}/"
            socket = await self.net.connect(Request(url), receiver)
            session = self.vendor.sessions[-1]
            session.line.pause()
            sent = 0
            while not receiver.free and sent < 20_000:
                socket.send(bytes(1_000), True)
                sent += 1
                if sent % 50 == 0:
                    await deferLater(_time(), 0.0)
            self.assertEqual(receiver.free, [False])
            session.line.resume()
            await self.until(lambda: len(session.messages) == sent)  # noqa: B023
            self.assertEqual(receiver.free, [False, True])
            socket.close()
            await self.until(lambda: receiver.endings)  # noqa: B023
            await self.port.stop()
        self.listen()


def _time() -> Any:
    return reactor
