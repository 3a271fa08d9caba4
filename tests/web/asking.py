"""Requests as they are after parsing, without a connection: for what only looks at them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

from rapida_tw.web.request import BoundedRequest


class _Channel:
    """Where the request came from."""

    transport = None

    def __init__(self, peer: object, secure: bool) -> None:
        self._peer = peer
        self._secure = secure

    def getPeer(self) -> object:
        return self._peer

    def getHost(self) -> object:
        return IPv4Address("TCP", "192.0.2.1", 9007)

    def isSecure(self) -> bool:
        return self._secure


def asking(
    target: bytes = b"/v1/talk/acme/call/1",
    headers: Sequence[tuple[str, str]] = (("Host", "asked.example"),),
    body: bytes = b"",
    method: bytes = b"GET",
    peer: str = "198.51.100.7",
    secure: bool = False,
) -> BoundedRequest:
    """`peer` "" is one at the other end of a Unix socket."""
    kind = IPv6Address if ":" in peer else IPv4Address
    far = kind("TCP", peer, 40_000) if peer else UNIXAddress(None)
    channel: Any = _Channel(far, secure)
    request = BoundedRequest(channel)
    request.method, request.uri = method, target
    request.path = target.partition(b"?")[0]
    for name, value in headers:
        request.requestHeaders.addRawHeader(name.encode("latin-1"), value.encode("latin-1"))
    request.gotLength(len(body))
    request.handleContentChunk(body)
    return request
