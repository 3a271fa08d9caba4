"""Endpoints that lead to public addresses alone: for URLs that others have written.

A name is looked up once, every address that it has must be public, and the connection goes to one
of those that were checked: a second look-up could answer something else (DNS rebinding). TLS still
asks for the name. Which addresses are public: IANA's special-purpose registries (RFC 6890, 8190).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any

from twisted.internet.defer import Deferred, DeferredSemaphore, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import (
    IAddress,
    IHostResolution,
    IProtocol,
    IProtocolFactory,
    IResolutionReceiver,
    IStreamClientEndpoint,
)
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from zope.interface import implementer

from rapida_tw.errors import VendorFailed
from rapida_tw.net.endpoints import CONNECT_WITHIN, Endpoints, RealEndpoints, Target

MOST_RECEIVED = 65_536  # bytes of one connection: heads have no bound of their own
MOST_LOOKUPS = 4  # at once: each holds a thread of the reactor's few
_MOST_TRIED = 4  # addresses of a name

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]
Resolve = Callable[[str], Deferred[Sequence[str]]]  # a name's addresses, or DNSLookupError
Dial = Callable[[str, int], IStreamClientEndpoint]

_CLOSED_4 = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's metadata, on a public address
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",
        ),
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")
_CLOSED_6 = tuple(
    map(
        ip_network,
        (
            "2001::/23",  # Teredo and others that are no hosts
            "2001:db8::/32",
            "2002::/16",  # 6to4: an IPv4 address in disguise
            "2620:4f:8000::/48",
            "3fff::/20",
        ),
    )
)
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")  # where DNS64 puts hosts that have IPv4 alone


class AddressForbidden(VendorFailed):
    """The host has an address that is not public, and in no network that is allowed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False, sent=False)


def is_public(address: Address) -> bool:
    """Whether it can belong to anybody but this machine and its network."""
    inner = _inside(address)
    if isinstance(inner, IPv4Address):
        return not any(inner in network for network in _CLOSED_4)
    return inner in _GLOBAL_6 and not any(inner in network for network in _CLOSED_6)


def is_allowed(text: str, allowed: Networks) -> bool:
    """Whether a connection may go there; False for what is no address."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if "%" in text:  # a scope: link-local, whatever else it looks like
        return False
    inner = _inside(address)
    return is_public(address) or any(inner in network for network in allowed)


def _inside(address: Address) -> Address:
    """The IPv4 address that is reached through an IPv6 one."""
    if isinstance(address, IPv6Address) and (address in _MAPPED or address in _NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


class PublicEndpoints:
    """`allowed`: networks that may be reached besides.

    `resolve`, `dial`: other ways than the reactor's, for tests; `trust`: as of `RealEndpoints`.
    """

    def __init__(
        self,
        reactor: Any,
        allowed: Sequence[str] = (),
        resolve: Resolve | None = None,
        dial: Dial | None = None,
        trust: Any = None,
    ) -> None:
        self._allowed = tuple(ip_network(one, strict=False) for one in allowed)
        self._resolve = resolve or _Lookups(reactor)
        self._dial = dial or _dialler(reactor)
        self._hosts = RealEndpoints(reactor, trust)

    def to(self, target: Target, protocols: tuple[bytes, ...] = ()) -> IStreamClientEndpoint:
        return _Checked(self, target, protocols)

    async def addresses(self, host: str) -> Sequence[str]:
        """Those of a name or a literal; `AddressForbidden` unless all of them may be reached."""
        try:
            found: Sequence[str] = (str(ip_address(host)),)
        except ValueError:
            found = await self._resolve(host)
        if not found:
            raise DNSLookupError(host)
        for one in found:
            if not is_allowed(one, self._allowed):
                # Without the address: an answer that tells it would map the inner network.
                raise AddressForbidden(
                    f"{host} has an address that is not public and in no network of "
                    "webhooks.allowed_networks"
                )
        return found[:_MOST_TRIED]

    async def connect(
        self, target: Target, protocols: tuple[bytes, ...], factory: IProtocolFactory
    ) -> IProtocol:
        addresses = await self.addresses(target.host)
        for address in addresses:
            endpoint = self._dial(address, target.port)
            if target.secure:
                endpoint = wrapClientTLS(self._hosts.tls(target, protocols), endpoint)
            try:
                bounded: Any = await endpoint.connect(_Bounds(factory))
                protocol: IProtocol = bounded.wrappedProtocol
                return protocol
            except Exception:
                if address == addresses[-1]:
                    raise
        raise AssertionError("there is at least one address")


@implementer(IStreamClientEndpoint)
class _Checked:
    def __init__(
        self, endpoints: PublicEndpoints, target: Target, protocols: tuple[bytes, ...]
    ) -> None:
        self._endpoints = endpoints
        self._target = target
        self._protocols = protocols

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        work = self._endpoints.connect(self._target, self._protocols, protocolFactory)
        return Deferred.fromCoroutine(work)


class _Bounded(ProtocolWrapper):
    """Cuts off who sends too much."""

    transport: Any
    _received = 0

    def dataReceived(self, data: bytes) -> None:
        self._received += len(data)
        if self._received > MOST_RECEIVED:
            self.transport.abortConnection()
            return
        super().dataReceived(data)


class _Bounds(WrappingFactory):
    protocol = _Bounded
    noisy = False


class _Lookups:
    """The reactor's resolver, a few at a time."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._free = DeferredSemaphore(MOST_LOOKUPS)

    def __call__(self, host: str) -> Deferred[Sequence[str]]:
        asked: Deferred[Sequence[str]] = Deferred()
        # Who gives up waiting does not end the thread's work: its place is free when that is done.
        self._free.run(self._look_up, host, asked)
        return asked

    def _look_up(self, host: str, asked: Deferred[Sequence[str]]) -> Deferred[None]:
        done: Deferred[None] = Deferred()
        if asked.called:  # cancelled meanwhile
            return succeed(None)
        receiver = _Gathering(host, asked, done)
        self._reactor.nameResolver.resolveHostName(receiver, host, 0)
        return done


@implementer(IResolutionReceiver)
class _Gathering:
    def __init__(self, host: str, asked: Deferred[Sequence[str]], done: Deferred[None]) -> None:
        self._host = host
        self._asked = asked
        self._done = done
        self._found: list[str] = []

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        """Nothing was found yet."""

    def addressResolved(self, address: IAddress) -> None:
        host: str = address.host  # type: ignore[attr-defined]  # of both families
        self._found.append(host)

    def resolutionComplete(self) -> None:
        self._done.callback(None)
        if self._asked.called:
            return
        if self._found:
            self._asked.callback(tuple(dict.fromkeys(self._found)))
        else:
            self._asked.errback(DNSLookupError(self._host))


def _dialler(reactor: Any) -> Dial:
    def dial(address: str, port: int) -> IStreamClientEndpoint:
        kind = TCP6ClientEndpoint if ":" in address else TCP4ClientEndpoint
        return kind(reactor, address, port, timeout=CONNECT_WITHIN)

    return dial


_conforms: type[Endpoints] = PublicEndpoints
