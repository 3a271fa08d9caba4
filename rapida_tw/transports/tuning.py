"""What a TCP connection needs that carries a call's audio."""

from __future__ import annotations

import socket
from typing import Any

# The kernel's own buffer is cut down, else it would hide minutes of unread audio from us.
_KERNEL_BUFFER_BYTES = 32_768
_DEAD_HOST_MS = 10_000  # TCP_USER_TIMEOUT: unacknowledged for this long, the host is gone


def for_media(transport: Any, buffer_bytes: int) -> None:
    """Send at once, and say soon when the far side takes nothing.

    `buffer_bytes` unsent ones make the transport pause its producer.
    """
    transport.setTcpNoDelay(True)
    # TLS tells its producer of the buffer below it.
    getattr(transport, "transport", transport).bufferSize = buffer_bytes
    handle = getattr(transport, "socket", None)
    if handle is None:  # an in-memory transport
        return
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BUFFER_BYTES)
    if handle.family != socket.AF_UNIX and hasattr(socket, "TCP_USER_TIMEOUT"):
        handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_HOST_MS)
