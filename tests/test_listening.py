"""The open ports: all of them or none, and none after the stop."""

from __future__ import annotations

import errno
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.listening import Listening, tcp


class Port:
    """A port that notes when it is closed; `closing` is when that is done."""

    def __init__(self, closing: Deferred[None] | None = None) -> None:
        self.closing = closing
        self.closed = 0

    def stopListening(self) -> Deferred[None] | None:
        self.closed += 1
        return self.closing


class EndpointTests(SynchronousTestCase):
    """Twisted's endpoint strings."""

    def listened(self, where: str) -> list[Any]:
        reactor = MemoryReactorClock()
        Listening(reactor, [("it", where, Factory())]).privilegedStartService()
        return [(port, interface) for port, _, _, interface in reactor.tcpServers]

    def test_addresses(self) -> None:
        """IPv4, IPv6 and any address; the colons of IPv6 part nothing."""
        for host in ("127.0.0.1", "0.0.0.0", "::1", "::", ""):
            self.assertEqual(self.listened(tcp(host, 4573)), [(4573, host)])

    def test_backlog(self) -> None:
        """Callers who come at the same moment wait, and are not turned away by the kernel."""
        reactor = MemoryReactorClock()
        Listening(reactor, [("it", tcp("", 4573), Factory())]).privilegedStartService()
        self.assertEqual(reactor.tcpServers[0][2], 1024)


class ListeningTests(SynchronousTestCase):
    """The service."""

    def test_all(self) -> None:
        """Every port is opened, for its factory, before privileges are dropped."""
        reactor = MemoryReactorClock()
        one, two = Factory(), Factory()
        wanted = [("the API", tcp("", 9007), one), ("AudioSocket", tcp("", 4573), two)]
        listening = Listening(reactor, wanted)
        self.assertEqual(reactor.tcpServers, [])
        listening.privilegedStartService()
        opened = [(port, factory) for port, factory, _, _ in reactor.tcpServers]
        self.assertEqual(opened, [(9007, one), (4573, two)])
        self.assertEqual(len(listening.ports), 2)

    def test_taken(self) -> None:
        """Without one of its ports the process does not start, and says which and why."""

        class Taken(MemoryReactorClock):
            def listenTCP(self, port: int, *rest: Any, **more: Any) -> Any:
                if port == 4573:
                    raise CannotListenError("", port, OSError(errno.EADDRINUSE, "in use"))
                return super().listenTCP(port, *rest, **more)

        listening = Listening(Taken(), [("AudioSocket", tcp("", 4573), Factory())])
        error = self.assertRaises(SystemExit, listening.privilegedStartService)
        self.assertIn("AudioSocket cannot listen on tcp:4573", str(error))
        self.assertIn("in use", str(error))

    def test_no_endpoint(self) -> None:
        """An endpoint that cannot be read is told in the same way."""
        listening = Listening(MemoryReactorClock(), [("the API", "carrier pigeon", Factory())])
        error = self.assertRaises(SystemExit, listening.privilegedStartService)
        self.assertIn("the API cannot listen on carrier pigeon", str(error))

    def stopping(self, *ports: Port) -> tuple[Listening, Deferred[None]]:
        listening = Listening(MemoryReactorClock(), [])
        listening.privilegedStartService()
        listening.startService()
        listening.ports += ports  # type: ignore[arg-type]
        return listening, listening.stopService()

    def test_stop(self) -> None:
        """The stop is over when the last port is closed; a second stop closes nothing again."""
        slow: Deferred[None] = Deferred()
        ports = [Port(), Port(slow), Port(succeed(None))]
        listening, stopped = self.stopping(*ports)
        self.assertNoResult(stopped)
        self.assertEqual([port.closed for port in ports], [1, 1, 1])
        slow.callback(None)
        self.successResultOf(stopped)
        self.successResultOf(listening.stopService())
        self.assertEqual([port.closed for port in ports], [1, 1, 1])

    def test_port_that_does_not_close(self) -> None:
        """A port whose closing fails is logged, and keeps no other open."""
        ports = [Port(fail(OSError("a bug"))), Port()]
        _, stopped = self.stopping(*ports)
        self.successResultOf(stopped)
        self.assertEqual([port.closed for port in ports], [1, 1])
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
