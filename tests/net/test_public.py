"""Endpoints that lead to public addresses alone."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionRefusedError, DNSLookupError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import VendorFailed
from rapida_tw.net.base import Request
from rapida_tw.net.public import (
    MOST_RECEIVED,
    AddressForbidden,
    PublicEndpoints,
    is_allowed,
)
from rapida_tw.net.service import RealNet
from rapida_tw.sim.memory_http import MemoryEndpoint
from rapida_tw.simulation.clock import VirtualClock
from tests.net.case import RawServers


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1"),
        *("127.255.255.254", "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255"),
        *("192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.7"),
        *("203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:7f00:1"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1"),
        *("2001:db8::1", "2002:7f00:1::1", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1"),
        *("fe80::1%eth0", "2606:4700::1111%eth0", "fec0::1", "ff02::1", "", "nonsense"),
    ],
)
def test_closed(address: str) -> None:
    """Addresses of this machine, its network, its cloud, or of nobody."""
    assert not is_allowed(address, ())


@pytest.mark.parametrize(
    "address",
    [
        *("1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1"),
        *("192.169.0.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1"),
        *("::ffff:8.8.8.8", "64:ff9b::808:808"),
    ],
)
def test_open(address: str) -> None:
    """Everybody's."""
    assert is_allowed(address, ())


# What people write to get past a check of the text; the system's resolver reads each.
SPELLINGS = ("2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1", "017700000001", "0")


class System:
    """The system's resolver, for what it reads without asking anybody."""

    def __call__(self, host: str) -> Deferred[Sequence[str]]:
        try:
            found = socket.getaddrinfo(
                host, 80, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
            )
        except OSError:
            return fail(DNSLookupError(host))
        return succeed([str(one[4][0]) for one in found])


class PublicCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = VirtualClock()
        self.servers = RawServers(self.clock)
        self.dialled: list[tuple[str, int]] = []
        self.refusing: set[str] = set()
        self.names: dict[str, Sequence[str]] = {"hooks.test": ["8.8.8.8"]}
        self.looked_up: list[str] = []
        self.net = self.make_net()

    def make_net(self, *allowed: str, resolve: Any = None) -> RealNet:
        endpoints = PublicEndpoints(self.clock, allowed, resolve or self.resolve, self.dial)
        return RealNet(self.clock, endpoints)

    def resolve(self, host: str) -> Deferred[Sequence[str]]:
        self.looked_up.append(host)
        found = self.names.get(host)
        return fail(DNSLookupError(host)) if found is None else succeed(found)

    def dial(self, address: str, port: int) -> IStreamClientEndpoint:
        self.dialled.append((address, port))
        if address in self.refusing:
            return _Refusing()  # type: ignore[return-value]
        return MemoryEndpoint(self.servers.network, self.servers)

    def run_for(self, seconds: float = 0.05) -> None:
        self.clock.run(self.clock.seconds() + seconds)

    def ask(self, url: str, net: RealNet | None = None) -> None:
        """Nobody answers it."""
        asking = (net or self.net).request(Request(url, once=True))
        asking.addErrback(lambda _: None)
        self.run_for()

    def refused(self, url: str, net: RealNet | None = None) -> VendorFailed:
        asking = (net or self.net).request(Request(url, once=True))
        self.run_for()
        error: VendorFailed = self.failureResultOf(asking, VendorFailed).value
        return error

    def forbidden(self, url: str, net: RealNet | None = None) -> None:
        error = self.refused(url, net)
        self.assertIsInstance(error, AddressForbidden, url)
        self.assertFalse(error.retryable)
        self.assertEqual(self.dialled, [])

    def test_literals(self) -> None:
        """Addresses in a URL, in every spelling, over http and https."""
        for host in ("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "10.1.2.3", "169.254.169.254"):
            for scheme in ("http", "https"):
                self.forbidden(f"{scheme}://{host}/")
        self.assertEqual(self.looked_up, [])

    def test_spellings(self) -> None:
        """Numbers that a resolver takes for an address are checked as what it makes of them."""
        net = self.make_net(resolve=System())
        for host in SPELLINGS:
            self.forbidden(f"http://{host}/", net)

    def test_names(self) -> None:
        """A name, too, when any of its addresses is not public: whichever would be taken."""
        self.names["mixed.test"] = ["8.8.8.8", "10.0.0.1"]
        self.names["mixed6.test"] = ["8.8.8.8", "::1"]
        self.names["localhost"] = ["127.0.0.1", "::1"]
        for host in ("mixed.test", "mixed6.test", "localhost"):
            self.forbidden(f"http://{host}/")

    def test_no_map(self) -> None:
        """The refusal does not tell what a name of the inner network resolves to."""
        self.names["db.internal"] = ["10.20.30.40"]
        self.assertNotIn("10.20.30.40", str(self.refused("http://db.internal/")))

    def test_pinned(self) -> None:
        """The connection goes to the address that was checked; the name is asked for once."""
        self.ask("http://hooks.test:8080/in")
        self.assertEqual(self.looked_up, ["hooks.test"])
        self.assertEqual(self.dialled, [("8.8.8.8", 8080)])
        (server,) = self.servers.servers
        self.assertIn(b"Host: hooks.test:8080\r\n", server.received)

    def test_next_address(self) -> None:
        """Where one address does not answer, the next one is tried."""
        self.names["two.test"] = ["8.8.8.8", "9.9.9.9"]
        self.refusing.add("8.8.8.8")
        self.ask("http://two.test/")
        self.assertEqual([address for address, _ in self.dialled], ["8.8.8.8", "9.9.9.9"])

    def test_unknown_name(self) -> None:
        """A name that is not there may be there later."""
        self.assertTrue(self.refused("http://nobody.test/").retryable)

    def test_allowed(self) -> None:
        """Networks that the operator has named may be reached, and no others."""
        net = self.make_net("10.0.0.0/8", "127.0.0.1")
        self.ask("http://10.9.8.7/", net)
        self.assertEqual(self.dialled, [("10.9.8.7", 80)])
        self.dialled.clear()
        self.forbidden("http://192.168.0.1/", net)
        self.forbidden("http://127.0.0.2/", net)

    def test_bounded(self) -> None:
        """A head without an end is cut off: it would be gathered in memory."""
        asking = self.net.request(Request("http://hooks.test/", once=True))
        self.run_for()
        (server,) = self.servers.servers
        server.write(b"HTTP/1.1 200 OK\r\n")
        for n in range(MOST_RECEIVED // 1000 + 2):
            server.write(b"X-%d: %s\r\n" % (n, b"a" * 1000))
        self.run_for()
        self.failureResultOf(asking, VendorFailed)
        self.assertTrue(server.lost)

    def tearDown(self) -> None:
        stopping = self.net.stop()
        for server in self.servers.servers:
            if not server.lost:
                server.transport.loseConnection()
        self.run_for(10)
        self.successResultOf(stopping)


class _Refusing:
    def connect(self, factory: object) -> Deferred[Any]:
        return fail(ConnectionRefusedError())
