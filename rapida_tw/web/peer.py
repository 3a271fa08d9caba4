"""Who is at the other end of a request, seen through the reverse proxies that are trusted.

What a proxy says of its client stands in `X-Forwarded-For`, `-Host` and `-Proto`. Anybody can send
these headers: they count only when the connection comes from one of `http.trusted_proxies`, and of
several values only the last, which that proxy itself has written. `Forwarded` (RFC 7239) is not
read, because common proxies neither write it nor remove it: it would be the client's own words.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from twisted.web.http import Request

_Address = IPv4Address | IPv6Address


class Proxies:
    """The reverse proxies in front of this server."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """`networks`: addresses or networks, "10.0.0.0/8"."""
        self._networks = tuple(map(ip_network, networks))

    def forwarded(self, request: Request, name: str) -> str:
        """What a trusted proxy says of its client's `name` (host, proto); "" without one."""
        peer = _peer(request)
        if peer is None or not self._trust(peer):
            return ""
        return _items(request, name)[-1]

    def client(self, request: Request) -> str:
        """The client's address, for the log: the nearest one that is no trusted proxy."""
        peer = _peer(request)
        if peer is None:
            return "a local socket"
        for item in reversed(_items(request, "for")):
            before = _parse(item)
            if before is None or not self._trust(peer):
                break
            peer = before
        return str(peer)

    def _trust(self, peer: _Address) -> bool:
        return any(peer in network for network in self._networks)


def _peer(request: Request) -> _Address | None:
    host = getattr(request.getClientAddress(), "host", None)
    return None if host is None else _parse(host)


def _items(request: Request, name: str) -> list[str]:
    """All values of the header, in the order in which proxies have added them; at least ""."""
    lines = request.requestHeaders.getRawHeaders(f"x-forwarded-{name}".encode("ascii")) or [b""]
    return [item.strip() for item in b",".join(lines).decode("latin-1").split(",")]


def _parse(text: str) -> _Address | None:
    """An address, with or without a port; None for what is none ("unknown")."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
