"""gRPC connections: what they may take of us, and how they end."""

from __future__ import annotations

from h2.errors import ErrorCodes
from hyperframe.frame import DataFrame, HeadersFrame, PingFrame, SettingsFrame, WindowUpdateFrame

from rapida_tw.rpc import bounds
from rapida_tw.wire.http2 import PREFACE
from tests.rpc.case import ECHO, SLOW, RpcCase
from tests.rpc.client import Client, framed

CALM = ErrorCodes.ENHANCE_YOUR_CALM
REFUSED = ErrorCodes.REFUSED_STREAM


class BoundTests(RpcCase):
    def test_streams(self) -> None:
        """Beyond the bound they are refused, and clients try those again."""
        client = self.client()
        client.h2.remote_settings.acknowledge()
        numbers = [client.start(SLOW) for _ in range(bounds.MOST_STREAMS)]
        with self.subTest("told"):
            self.assertEqual(client.h2.remote_settings.max_concurrent_streams, len(numbers))
        client.h2.remote_settings[3] = 1_000
        client.h2.remote_settings.acknowledge()
        refused = client.start(SLOW)
        self.assertEqual(client.answers[refused].reset, REFUSED)
        self.slow.opened[0].stream.end()
        client.pump()
        self.assertEqual(client.call(ECHO, b"x").status, 0)

    def test_rapid_resets(self) -> None:
        """CVE-2023-44487: calls that are reset as soon as they are made."""
        client, other = self.client(), self.client()
        made = 0
        while client.goaway is None:
            made += 1
            self.assertLess(made, 1_000)
            number = client.h2.get_next_available_stream_id()
            client.start(SLOW)
            if client.goaway is None:
                client.h2.reset_stream(number, ErrorCodes.CANCEL)
                client.pump()
        self.assertEqual(client.goaway.code, CALM)
        self.assertGreater(made, 100)
        self.assertTrue(client.lost)
        self.assertEqual(other.call(ECHO, b"x").status, 0)

    def test_refused_ones(self) -> None:
        """Streams beyond the bound, one after the other, are a flood too."""
        client = self.client()
        client.h2.remote_settings[3] = 100_000
        client.h2.remote_settings.acknowledge()
        for _ in range(bounds.MOST_STREAMS + 300):
            if client.goaway is None:
                client.start(SLOW)
        assert client.goaway is not None
        self.assertEqual(client.goaway.code, CALM)

    def test_patient_resets(self) -> None:
        """A client whose patience ends now and then is no flood."""
        client = self.client()
        for _ in range(1_000):
            number = client.start(SLOW)
            client.h2.reset_stream(number, ErrorCodes.CANCEL)
            client.pump()
            self.clock.advance(0.05)
        self.assertIsNone(client.goaway)

    def test_trifles(self) -> None:
        """Frames that cost their sender nothing, and us an answer."""
        empty = DataFrame(1, b"")
        for frame in (PingFrame(0, b"12345678"), SettingsFrame(0), empty):
            client = self.client()
            client.start(SLOW)
            for _ in range(40):
                if not client.lost:
                    client.raw(frame.serialize() * 100)
                    client.pump()
            self.assertIsNotNone(client.goaway, frame)
            assert client.goaway is not None
            self.assertEqual(client.goaway.code, CALM, frame)

    def test_headers(self) -> None:
        """32 kB of headers are too many."""
        client = self.client()
        client.start(SLOW, **{f"x-{one}": "y" * 1_000 for one in range(20)})
        self.assertIsNone(client.goaway)
        client.start(SLOW, **{f"x-{one}": "y" * 1_000 for one in range(40)})
        self.assertIsNotNone(client.goaway)

    def test_nonsense(self) -> None:
        """Frames that the protocol forbids end the connection, and its calls are told."""
        for data in (
            HeadersFrame(2, b"\x82", flags=["END_HEADERS"]).serialize(),  # a stream of the server's
            b"\xff\xff\xff\x00\x00\x00\x00\x00\x01",  # a frame of 16 MB
            WindowUpdateFrame(0, 2**31 - 1).serialize(),  # a window beyond all bounds
        ):
            client = self.client()
            client.start(SLOW)
            client.raw(data)
            client.pump()
            self.assertTrue(client.lost, data)
            self.assertEqual(self.slow.opened[-1].told, ["cancelled"])

    def test_any_split(self) -> None:
        """Where the network cuts the stream makes no difference."""
        recorded = Client(self.server)
        recorded.h2.initiate_connection()
        number = recorded.h2.get_next_available_stream_id()
        head = [(":method", "POST"), (":scheme", "http"), (":path", "/test.Service/Open")]
        head += [(":authority", "x"), ("content-type", "application/grpc")]
        recorded.h2.send_headers(number, head)
        recorded.h2.send_data(number, framed(b"hello"), end_stream=True)
        data = recorded.h2.data_to_send()
        recorded.lose()
        for cut in range(len(PREFACE), len(data)):
            client = Client(self.server)
            client.raw(data[:cut])
            client.raw(data[cut:])
            self.assertIn(framed(b"hello"), client.wire.value())
            client.lose()

    def test_many_connections(self) -> None:
        """At the bound those without calls make room for others."""
        self.patch(bounds, "MOST_CONNECTIONS", 3)
        busy = [self.client() for _ in range(2)]
        for client in busy:
            client.start(SLOW)
        idle = self.client()
        fresh = self.client()
        idle.pump()
        self.assertTrue(idle.lost)
        self.assertEqual(fresh.call(ECHO, b"x").status, 0)
        fresh.start(SLOW)
        self.assertIsNone(self.server.buildProtocol(None))
        self.assertEqual([client.lost for client in busy], [False, False])


class TimeTests(RpcCase):
    def test_idle(self) -> None:
        """A connection without calls is closed after a while, with a word."""
        client = self.client()
        client.call(ECHO, b"x")
        self.clock.advance(bounds.IDLE_SECONDS - 1)
        client.pump()
        self.assertIsNone(client.goaway)
        self.clock.advance(1)
        client.pump()
        assert client.goaway is not None
        self.assertEqual((client.goaway.code, client.lost), (0, True))
        # TLS would wait for it before it closes.
        self.assertIsNone(client.wire.producer)

    def test_ping(self) -> None:
        """While a call runs, the client is asked whether it lives."""
        client = self.client()
        self.slow.seconds = None
        client.start(SLOW)
        for _ in range(10):
            self.clock.advance(bounds.PING_EVERY)
            client.pump()
            self.clock.advance(bounds.ANSWERED_WITHIN)
            client.pump()
        self.assertFalse(client.lost)
        self.clock.advance(bounds.PING_EVERY)
        client.wire.clear()  # it never came
        self.clock.advance(bounds.ANSWERED_WITHIN)
        self.assertTrue(client.wire.aborted)
        client.pump()
        self.assertEqual(self.slow.opened[0].told, ["cancelled"])

    def test_stalled(self) -> None:
        """Of a client that reads nothing, nothing is read, and after a while it is cut off."""
        client = self.client()
        client.start(SLOW)
        client.wire.full = True
        (call,) = self.slow.opened
        call.stream.send(b"x")
        self.assertEqual((client.wire.paused, call.free), (True, [False]))
        client.wire.drained()
        self.assertEqual((client.wire.paused, call.free), (False, [False, True]))
        client.wire.full = True
        call.stream.send(b"x")
        self.slow.seconds = None
        self.clock.advance(bounds.STALLED_WITHIN)
        self.assertTrue(client.wire.aborted)


class StopTests(RpcCase):
    def test_idle_connections(self) -> None:
        """They are told to go, and it is over."""
        client = self.client()
        stopping = self.server.stop()
        client.pump()
        self.assertIsNotNone(client.goaway)
        self.assertIsNone(self.successResultOf(stopping))
        self.assertIsNone(self.server.buildProtocol(None))

    def test_running_calls(self) -> None:
        """They are waited for; new ones are refused."""
        client = self.client()
        number = client.start(SLOW)
        stopping = self.server.stop()
        stream = self.slow.opened[0].stream
        client.raw(_second_call())
        stream.send(b"last")
        stream.end()
        self.assertNoResult(stopping)
        data = client.wire.value()
        client.pump()
        self.assertIn(framed(b"last"), data)
        self.assertIn(b"\x00\x00\x04\x03\x00\x00\x00\x00\x03\x00\x00\x00\x07", data)  # refused
        self.assertIsNone(self.successResultOf(stopping))
        self.assertEqual(number, 1)
        self.assertEqual(len(self.slow.opened), 1)

    def test_patience(self) -> None:
        """Not for ever."""
        client = self.client()
        client.start(SLOW)
        stopping = self.server.stop()
        client.wire.clear()
        self.clock.advance(bounds.DRAINED_WITHIN)
        self.assertTrue(client.wire.aborted)
        client.lose()
        self.assertIsNone(self.successResultOf(stopping))
        self.assertEqual(self.slow.opened[0].told, ["cancelled"])

    def test_nothing_behind_the_last_word(self) -> None:
        """What comes behind a client's GOAWAY, when nothing runs any more, is not looked at."""
        client = self.client()
        client.raw(
            b"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + bytes(8) + DataFrame(1, b"x").serialize()
        )
        self.assertTrue(client.wire.disconnecting)

    def test_the_client_goes(self) -> None:
        """It asks for nothing more, and gets what it has asked for."""
        client = self.client()
        client.start(SLOW)
        client.raw(b"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + bytes(8))
        self.slow.opened[0].stream.send(b"last")
        self.slow.opened[0].stream.end()
        self.assertIn(framed(b"last"), client.wire.value())
        self.assertTrue(client.wire.disconnecting)


def _second_call() -> bytes:
    """The head of stream 3, by a client of its own: h2 would send nothing behind a GOAWAY."""
    client = Client(_Silent())
    client.h2.initiate_connection()
    client.h2.data_to_send()
    client.h2.get_next_available_stream_id()
    head = [(":method", "POST"), (":scheme", "http"), (":path", SLOW), (":authority", "x")]
    client.h2.send_headers(3, head)
    return bytes(client.h2.data_to_send())


class _Silent:
    """The factory of a protocol that does nothing."""

    def buildProtocol(self, addr: object) -> _Silent:
        return self

    def makeConnection(self, transport: object) -> None: ...
