"""FakeVendorNet: a Net in virtual time, whose servers are the fakes of rapida_tw.sim.vendors.

The client is the real one, the fakes' servers are Autobahn's and Twisted's; only TCP, TLS and DNS
are in memory.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionRefusedError, DNSLookupError
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from zope.interface import implementer

from rapida_tw.net.endpoints import Target
from rapida_tw.net.service import RealNet
from rapida_tw.sim.memory import Network
from rapida_tw.sim.memory_http import MemoryEndpoint
from rapida_tw.sim.vendors.base import Asked, FakeVendor
from rapida_tw.sim.vendors.serving import VendorSite, by_host


class FakeVendorNet(RealNet):
    """Leads to each of `vendors` by its `hosts`; another name is not found.

    `asked`: every request and handshake that has arrived. `down`: hosts where nothing listens;
    `unanswering`: hosts where nobody answers, not even no. `network`: see sim/memory.py.
    """

    def __init__(
        self, clock: IReactorTime, *vendors: FakeVendor, network: Network | None = None
    ) -> None:
        self.network = network or Network(clock)
        self.down: set[str] = set()
        self.unanswering: set[str] = set()
        self._find = by_host(vendors)
        self.site = VendorSite(self._find, clock)
        super().__init__(clock, _Ways(self))

    @property
    def asked(self) -> Sequence[Asked]:
        return self.site.asked

    @property
    def connections(self) -> int:
        """Connections that are open, those that are kept for further requests too."""
        return len(self.network.connected) // 2

    def leftovers(self) -> list[str]:
        """What is open or under way: empty when a call is over. Kept connections are none."""
        left = [f"socket: {socket!r}" for socket in (*self.sockets, *self.site.open)]
        left += [f"call: {call!r}" for call in self.site.calls]
        left += [f"request: {body!r}" for body in self.http.running]
        return left + [f"gRPC call: {number + 1}" for number in range(self.channels.running)]


class _Ways:
    """`Endpoints` in memory."""

    def __init__(self, net: FakeVendorNet) -> None:
        self._net = net

    def to(self, target: Target, protocols: tuple[bytes, ...] = ()) -> IStreamClientEndpoint:
        net = self._net
        if target.host in net.unanswering:
            return _Nowhere(Deferred())
        if target.host in net.down:
            return _Nowhere(fail(ConnectionRefusedError()))
        if net._find(target.host, "") is None:
            return _Nowhere(fail(DNSLookupError(f"no fake vendor has the host {target.host}")))
        return MemoryEndpoint(net.network, net.site)


@implementer(IStreamClientEndpoint)
class _Nowhere:
    def __init__(self, outcome: Deferred[IProtocol]) -> None:
        self._outcome = outcome

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        return self._outcome
