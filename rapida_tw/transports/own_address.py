"""Own address: by which of this machine's addresses a peer can answer us, as the kernel routes."""

from __future__ import annotations

import socket
from functools import lru_cache


@lru_cache(maxsize=1_024)
def own_address(peer: str) -> str:
    """The local address of packets to that IP address; the loopback's where there is no way.

    Nothing is sent.
    """
    family = socket.AF_INET6 if ":" in peer else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((peer, 9))
            address: str = probe.getsockname()[0]
        except OSError:
            return "::1" if family == socket.AF_INET6 else "127.0.0.1"
    return address.partition("%")[0]
