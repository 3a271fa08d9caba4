"""Direct writing: a packet goes to the kernel in the beat that made it.

Twisted gathers what is written and sends it in the next turn of the reactor, for which it asks
epoll to be told that the socket can be written to, and then not to be told any more: two system
calls and a turn for each 20 ms of each call. Where nothing waits to be sent, sending at once saves
them.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.tcp import Connection


def direct_writer(transport: Any) -> Callable[[bytes], None]:
    """What writes to `transport` from now on.

    The bytes, their order and the transport's back-pressure are the same as with its own `write`,
    which is the answer for any transport but Twisted's plain TCP.
    """
    handle = getattr(transport, "socket", None)
    # TLS is a wrapper that answers for the transport in it, its socket too; a library that renames
    # the buffers of the transport gets the plain way.
    plain = isinstance(transport, Connection) and not transport.TLS
    if not plain or type(handle) is not socket.socket or not hasattr(transport, "_tempDataBuffer"):
        write: Callable[[bytes], None] = transport.write
        return write

    def write_directly(data: bytes) -> None:
        if transport.dataBuffer or transport._tempDataBuffer or transport.disconnecting:
            transport.write(data)  # behind what waits
            return
        try:
            sent = handle.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            sent = 0  # Twisted meets the same error and ends the connection in its own way
        if sent < len(data):
            transport.write(data[sent:])

    return write_directly
