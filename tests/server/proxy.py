"""A reverse proxy that ends TLS, as its server sees it: what it says of its client is in headers.

Each connection carries one request, and after it whatever comes.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from types import TracebackType

_LONGEST_HEAD = 65_536  # bytes


class Proxy:
    """Listens on `port` while it is entered; adds `headers` to what it hands on to `server`."""

    def __init__(self, server: int, headers: dict[str, str]) -> None:
        added = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()

        class Connection(BaseRequestHandler):
            def handle(self) -> None:
                hand_on(self.request, server, added)

        self._listening = ThreadingTCPServer(("127.0.0.1", 0), Connection)
        self._listening.daemon_threads = True
        self.port: int = self._listening.server_address[1]
        self._thread = Thread(target=self._listening.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listening.shutdown()
        self._thread.join()
        self._listening.server_close()


def hand_on(client: socket.socket, server: int, added: bytes) -> None:
    """One connection, to its end."""
    received = b""
    while b"\r\n\r\n" not in received and len(received) < _LONGEST_HEAD:
        data = client.recv(4_096)
        if not data:
            return
        received += data
    line, _, rest = received.partition(b"\r\n")
    with socket.create_connection(("127.0.0.1", server), 5) as upstream:
        upstream.settimeout(None)
        for end in (client, upstream):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        upstream.sendall(line + b"\r\n" + added + rest)
        back = Thread(target=pump, args=(upstream, client), daemon=True)
        back.start()
        pump(client, upstream)
        back.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    """Carry bytes until one side has no more, and tell the other."""
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
