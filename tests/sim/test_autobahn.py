"""The farm's WebSocket client against a server that we did not write."""

from __future__ import annotations

from typing import Any

import txaio
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim.carrier import Media
from rapida_tw.sim.memory import Network
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.phone import Reason
from rapida_tw.sim.websocket import BINARY, CONTINUATION, PING, TEXT, fragments, frame
from rapida_tw.sim.websocket_line import WebSocketLine
from tests.sim.peers import RecordingPhone, run
from tests.sim.test_websocket_line import Plain


class Server(WebSocketServerProtocol):
    """Notes everything and says it back."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[bytes] = []
        self.pongs: list[bytes] = []
        self.closed: tuple[bool, int | None, str | None] | None = None

    def onConnect(self, request: Any) -> str | None:
        self.factory.requests.append(request)
        return "media" if "media" in request.protocols else None

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.messages.append(payload)
        self.sendMessage(payload, isBinary)

    def onPong(self, payload: bytes) -> None:
        self.pongs.append(payload)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.closed = (wasClean, code, reason)


class Listening(Plain):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.heard: list[str | bytes] = []
        self.longest = 2**20

    def text(self, desk: Any, message: str) -> None:
        self.heard.append(message)

    def binary(self, desk: Any, message: bytes) -> None:
        self.heard.append(message)


class AutobahnTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.patch(txaio.config, "loop", self.clock)
        self.factory: Any = WebSocketServerFactory(
            "ws://x.test:81", protocols=["media"], reactor=self.clock
        )
        self.factory.protocol = Server
        self.factory.requests = []
        self.factory.setProtocolOptions(
            maxMessagePayloadSize=100_000, openHandshakeTimeout=2, failByDrop=False
        )
        self.phone = RecordingPhone()

    def connect(self) -> tuple[WebSocketLine, Server]:
        self.dialect = Listening()
        media = Media("ws://x.test:81/ctx/1?a=b", self.dialect, [("X-A", "abc")], ["media"])
        line = WebSocketLine(self.phone, media, Metronome(self.clock))
        transport = Network(self.clock).connect(self.factory, line)
        assert transport is not None
        run(self.clock, 0.02)
        server: Any = transport.peer.protocol
        return line, server

    def settle(self) -> None:
        run(self.clock, 0.02)

    def test_handshake(self) -> None:
        """Autobahn takes our request, and we its answer."""
        line, server = self.connect()
        self.assertIsNone(self.successResultOf(line.up))
        (request,) = self.factory.requests
        self.assertEqual((request.path, request.params), ("/ctx/1", {"a": ["b"]}))
        self.assertEqual((request.headers["x-a"], request.protocols), ("abc", ["media"]))
        self.assertEqual(server.messages, [b"opened"])
        line.hang_up()
        self.settle()

    def test_messages(self) -> None:
        """Text and binary of every form of length go both ways."""
        line, _ = self.connect()
        sent = ["grüß", "", bytes(125), bytes(126), b"\1" * 65_535, b"\2" * 65_536]
        for message in sent:
            line.say(message)
        self.settle()
        self.assertEqual(self.dialect.heard, ["opened", *sent])
        line.hang_up()
        self.settle()

    def test_fragments(self) -> None:
        """So do fragments, with a ping between them."""
        self.factory.setProtocolOptions(autoFragmentSize=2)
        line, _ = self.connect()
        first, *rest = fragments(TEXT, "grüßen".encode(), 3)
        line.send_raw(first + frame(PING, b"?") + b"".join(rest))
        self.settle()
        self.assertEqual(self.dialect.heard, ["opened", "grüßen"])
        line.hang_up()
        self.settle()

    def test_ping(self) -> None:
        """Our pong is the one that Autobahn waits for."""
        line, server = self.connect()
        server.sendPing(b"?")
        self.settle()
        self.assertEqual((line.pings, server.pongs), (1, [b"?"]))
        line.hang_up()
        self.settle()

    def test_we_close(self) -> None:
        """To Autobahn our hang-up is a clean close with 1000."""
        line, server = self.connect()
        line.hang_up()
        self.settle()
        self.assertEqual(server.closed, (True, 1000, None))
        self.assertEqual(self.successResultOf(line.closed).reason, Reason.CALLER_HUNG_UP)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_it_closes(self) -> None:
        """And its close is a hang-up to us, cleanly answered."""
        line, server = self.connect()
        server.sendClose(1000, "bye")
        self.settle()
        self.assertEqual(server.closed, (True, 1000, None))
        self.assertEqual(self.successResultOf(line.closed).reason, Reason.SERVER_HUNG_UP)

    def test_refused(self) -> None:
        """What Autobahn does not take, here our version of the protocol, is a refusal."""
        self.factory.setProtocolOptions(versions=[8])
        line, _ = self.connect()
        ending = self.successResultOf(line.up)
        assert ending is not None
        self.assertEqual(ending.reason, Reason.REFUSED)
        self.assertIn("HTTP 400", ending.detail)

    def closes(self, wrong: bytes) -> str:
        """With which code and reason Autobahn ends a connection that sends it."""
        self.phone = RecordingPhone()
        line, _ = self.connect()
        line.send_raw(wrong)
        self.settle()
        ((ending, _),) = self.phone.endings
        self.assertEqual(ending.reason, Reason.SERVER_FAILED)
        return ending.detail

    def test_wrong_frames(self) -> None:
        """Every wrong frame that we can make is seen as what it is."""
        wrong = {
            frame(TEXT, b"a", masked=False): "1002",
            frame(TEXT, b"a", rsv=4): "1002",
            frame(3, b"a"): "1002",
            frame(PING, fin=False): "1002",
            frame(PING, bytes(126)): "1002",
            frame(CONTINUATION, b"a"): "1002",
            frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"): "1002",
            frame(TEXT, b"\xff"): "1007",
            frame(BINARY, length=100_001): "1009",
        }
        for data, code in wrong.items():
            self.assertEqual(self.closes(data)[:4], code, data[:20])
