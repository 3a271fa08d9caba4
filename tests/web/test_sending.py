"""Long bodies: as fast as the client takes them."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred, TimeoutError, succeed
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rapida_tw.web.sending import PIECE, STALLED, Sending, Truncated


class Client:
    """Remembers what was written; pauses after so many pieces."""

    channel: object | None = object()

    def __init__(self, pause_after: int = 1000) -> None:
        self.written: list[bytes] = []
        self.producer: IPushProducer | None = None
        self._pause_after = pause_after

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        assert streaming
        self.producer = producer

    def unregisterProducer(self) -> None:
        assert self.channel is not None  # Twisted's request fails without one
        self.producer = None

    def write(self, data: bytes) -> None:
        self.written.append(data)
        if len(self.written) == self._pause_after:
            assert self.producer is not None
            self.producer.pauseProducing()


BODY = bytes(range(256)) * (3 * PIECE // 256) + b"the rest"


class SendingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.reads: list[tuple[int, int]] = []

    def tearDown(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def read(self, start: int, end: int) -> Deferred[bytes]:
        self.reads.append((start, end))
        return succeed(BODY[start:end])

    def start(self, client: Client, start: int = 0, end: int = len(BODY)) -> Deferred[None]:
        self.sending = Sending(client, self.read, self.clock)  # type: ignore[arg-type]
        return Deferred.fromCoroutine(self.sending.run(start, end))

    def test_interface(self) -> None:
        """It is what transports steer."""
        verifyObject(IPushProducer, Sending(Client(), self.read, self.clock))  # type: ignore[arg-type]

    def test_whole(self) -> None:
        """Everything, in pieces; the producer is gone afterwards."""
        client = Client()
        self.successResultOf(self.start(client))
        self.assertTrue(b"".join(client.written) == BODY)
        self.assertEqual([len(piece) for piece in client.written], [PIECE] * 3 + [8])
        self.assertIsNone(client.producer)

    def test_part(self) -> None:
        """Only what was asked for is read."""
        client = Client()
        self.successResultOf(self.start(client, 10, PIECE + 20))
        self.assertTrue(b"".join(client.written) == BODY[10 : PIECE + 20])
        self.assertEqual(self.reads, [(10, PIECE + 10), (PIECE + 10, PIECE + 20)])

    def test_slow_client(self) -> None:
        """Nothing more is read while the client has enough, and nothing is lost after that."""
        client = Client(pause_after=2)
        done = self.start(client)
        self.assertEqual(len(self.reads), 2)
        self.sending.resumeProducing()
        self.successResultOf(done)
        self.assertTrue(b"".join(client.written) == BODY)

    def test_stalled_client(self) -> None:
        """A client that takes nothing for a minute is given up."""
        done = self.start(Client(pause_after=1))
        self.clock.advance(STALLED)
        self.failureResultOf(done, TimeoutError)
        self.sending.resumeProducing()

    def test_client_gone(self) -> None:
        """Cancelled: no further read, no timer, and the dead request is left alone."""
        client = Client(pause_after=1)
        done = self.start(client)
        client.channel = None
        done.cancel()
        self.failureResultOf(done, CancelledError)
        self.sending.stopProducing()
        self.assertEqual(len(self.reads), 1)

    def test_truncated(self) -> None:
        """A source that ends too early is an error: the length was promised."""
        self.failureResultOf(self.start(Client(), 0, len(BODY) + 1), Truncated)
