"""Fakes of vendors behind a port: who is asked, and what a fake's ends of things do."""

from __future__ import annotations

from typing import Any

from rapida_tw.net.base import Request
from rapida_tw.sim.vendors.base import Line, Refusal, Session
from rapida_tw.sim.vendors.deepgram import Deepgram
from rapida_tw.sim.vendors.port import by_host_or_path, name_of
from rapida_tw.sim.vendors.process import make
from rapida_tw.simulation.vendor_net import FakeVendorNet
from tests.net.case import HOST, WS, BodyKeeper, NetCase, Receiver, Vendor, VendorSession


class LineTests(NetCase):
    def setUp(self) -> None:
        super().setUp()
        _, self.receiver = self.connect()
        self.line: Line = self.vendor.sessions[-1].line

    def test_send(self) -> None:
        """Bytes are binary, text is text, a mapping is JSON."""
        self.line.send(b"\xff")
        self.line.send("text")
        self.line.send({"a": 1})
        self.run_for()
        self.assertEqual(
            self.receiver.messages, [(b"\xff", True), (b"text", False), (b'{"a": 1}', False)]
        )

    def test_fragments(self) -> None:
        """They arrive as one message."""
        self.line.send_fragments(b"a", b"", b"b")
        self.run_for()
        self.assertEqual(self.receiver.messages, [(b"ab", False)])

    def test_after_the_end(self) -> None:
        """Nothing happens, and nothing is raised."""
        self.line.close()
        self.run_for()
        self.line.send("late")
        self.line.send_fragments(b"late")
        self.line.ping()
        self.line.pause()
        self.line.resume()
        self.line.close()
        self.line.drop()
        self.run_for()
        self.assertEqual(self.receiver.messages, [])

    def test_any_code(self) -> None:
        """A fake closes with whatever code its vendor does."""
        self.line.close(1011, "NET-0001")
        self.run_for()
        self.assertEqual(self.receiver.endings, [(1011, "NET-0001")])

    def test_the_fake_fails(self) -> None:
        """Its error is in the log, and the client is not left waiting."""

        def fail(message: bytes, binary: bool) -> None:
            raise KeyError("type")

        self.vendor.sessions[-1].received = fail  # type: ignore[method-assign]
        next(iter(self.net.sockets)).send(b"?")
        self.run_for()
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
        self.assertEqual([code for code, _ in self.receiver.endings], [1011])


class ReplyTests(NetCase):
    def test_whole(self) -> None:
        """JSON, text and bytes, each with its type and length."""
        for body, kind, sent in (
            ({"a": 1}, "application/json", b'{"a": 1}'),
            ([1], "application/json", b"[1]"),
            ("no", "text/plain; charset=utf-8", b"no"),
            (b"\xff", "application/octet-stream", b"\xff"),
        ):
            asking = self.net.request(Request(f"https://{HOST}/"))
            self.run_for()
            reply = self.vendor.replies[-1]
            reply.whole(201, body)
            reply.whole(500, "late")
            self.run_for()
            answer = self.successResultOf(asking)
            keeper = BodyKeeper()
            answer.read(keeper)
            self.assertEqual((answer.status, keeper.data, keeper.endings), (201, sent, [None]))
            self.assertEqual(answer.headers["content-type"], kind)

    def test_refusal(self) -> None:
        """A refused handshake is an ordinary answer."""
        self.vendor.refusal = Refusal(403, "not you", {"X-A": "b"})
        self.assertIn("HTTP 403, not you", str(self.refused()))


class RoutingTests(NetCase):
    def test_hosts(self) -> None:
        """Each fake has its hosts, with globs; nobody else is there."""
        vendor = Vendor()
        vendor.hosts = ("*.api.glob.test",)
        net = FakeVendorNet(self.clock, self.vendor, vendor)
        for url in (WS.url, "wss://eu.api.glob.test/", "wss://glob.test/"):
            net.connect(Request(url), Receiver()).addErrback(lambda _: None)
        self.run_for()
        self.assertEqual((len(self.vendor.sessions), len(vendor.sessions)), (1, 1))
        self.assertEqual(len(net.leftovers()), 4)
        self.successResultOf(net.stop())
        self.run_for(1)
        self.assertEqual(net.leftovers(), [])

    def test_by_host_or_path(self) -> None:
        """By a known host, else the only one, else by the module's name at the path's head."""
        one, other = Vendor(), Deepgram()
        self.assertEqual((name_of(one), name_of(other)), ("case", "deepgram"))
        alone = by_host_or_path((one,))
        self.assertEqual(alone("127.0.0.1", "/v1/x"), (one, "/v1/x"))
        both = by_host_or_path((one, other))
        self.assertEqual(both(HOST, "/deepgram/x"), (one, "/deepgram/x"))
        self.assertEqual(both("127.0.0.1", "/deepgram/v1/x"), (other, "/v1/x"))
        self.assertEqual(both("127.0.0.1", "/deepgram"), (other, "/"))
        self.assertIsNone(both("127.0.0.1", "/v1/x"))

    def test_by_name(self) -> None:
        """A process finds a fake by its module, and makes it with what it is given."""
        self.assertIsInstance(make("deepgram", {}), Deepgram)
        self.assertRaises(ValueError, make, "base", {})
        self.assertRaises(TypeError, make, "deepgram", {"no such": 1})


class Choosy(VendorSession):
    subprotocol = "second"


class SubprotocolTests(NetCase):
    def test_chosen(self) -> None:
        """The first that is offered, or the session's own choice where it is offered."""

        def connect(asked: object, line: Line) -> Session:
            return Choosy(line)

        offer = Request(WS.url, subprotocols=("first", "second"))
        for chosen in ("first", "second"):
            socket: Any = self.connect(offer)[0]
            self.assertEqual(socket.websocket_protocol_in_use, chosen)
            self.vendor.connect = connect  # type: ignore[method-assign]
        self.connect(WS)
