"""Addresses that descriptions name: where audio can be sent, and where it cannot."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from rapida_tw.wire.sdp import Media

Address = IPv4Address | IPv6Address

# "This network" and what is beyond multicast, limited broadcast among it (RFC 6890).
_NOWHERE = (ip_network("0.0.0.0/8"), ip_network("240.0.0.0/4"))
_RTCP = re.compile(r"([0-9]{1,5})(?: +IN +IP[46] +([^ ]{1,255}))?", re.IGNORECASE)


def read(host: str) -> Address | None:
    """The address that a literal stands for; None for a name, or one that needs a zone."""
    if "%" in host:
        return None
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def unspecified(host: str) -> bool:
    """0.0.0.0 or ::, by which RFC 2543 put a call on hold."""
    address = read(host)
    return address is not None and address.is_unspecified


def reachable(host: str, ours: str) -> str:
    """`host` in canonical form when audio can be sent there from `ours`, else "".

    Names are never looked up: their audio tells where it comes from. Nobody outside has us send to
    ourselves, to a group, or to everybody.
    """
    address, own = read(host), read(ours)
    if address is None or own is None or address.version != own.version:
        return ""
    if address.is_multicast or address.is_unspecified or any(address in net for net in _NOWHERE):
        return ""
    if address.is_loopback and not own.is_loopback:
        return ""
    return str(address)


def rtcp(theirs: Media, host: str, ours: str) -> tuple[str, int]:
    """Where their RTCP goes without multiplexing (RFC 3605): the next port, or what a=rtcp says.

    `host`: where their RTP goes. The port is 0 when there is none.
    """
    matched = _RTCP.fullmatch(theirs.value("rtcp") or "")
    if matched is not None and 0 < int(matched[1]) < 65_536:
        return reachable(matched[2], ours) if matched[2] else host, int(matched[1])
    return host, theirs.port + 1 if theirs.port < 65_535 else 0
