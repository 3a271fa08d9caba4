"""Where a message comes from: sources as the guard counts them, and those that are trusted."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


def source(host: str) -> str | bytes:
    """Who is counted as one: an IPv4 address, or the /64 of an IPv6 one. `host`: canonical."""
    if ":" not in host:
        return host
    try:
        return socket.inet_pton(socket.AF_INET6, host.partition("%")[0])[:8]
    except OSError:
        return host


def address(host: str) -> IPv4Address | IPv6Address | None:
    """None for what is no address. IPv4 within IPv6 is IPv4."""
    try:
        parsed = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed


class Networks:
    """A list of addresses and networks, "10.0.0.0/8"."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = tuple(map(ip_network, networks))

    def __contains__(self, host: str) -> bool:
        parsed = address(host)
        return parsed is not None and any(parsed in network for network in self._networks)
