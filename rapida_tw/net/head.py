"""Heads of HTTP messages: what is put into ours, and a refusal that is read by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from rapida_tw.errors import RemoteProtocolError, VendorFailed
from rapida_tw.net.base import Request
from rapida_tw.net.endpoints import Target

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
USER_AGENT = "rapida_tw"


def checked_headers(request: Request, host: str) -> dict[str, str]:
    """The request's headers, fit to be sent: keys are pasted with blanks and line breaks around.

    `VendorFailed` for what can be in no header.
    """
    headers = {"User-Agent": USER_AGENT}
    if request.subprotocols:
        headers["Sec-WebSocket-Protocol"] = ", ".join(request.subprotocols)
    headers |= {name: value.strip() for name, value in request.headers.items()}
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise VendorFailed(
                f"{host}: {name!r} is no name of a header", retryable=False, sent=False
            )
        if not value.isascii() or not value.isprintable():
            why = f"{host}: what is to be sent as {name} has characters that no header can have"
            raise VendorFailed(why, retryable=False, sent=False)
    return headers


def handshake(target: Target, request: Request, checked: Mapping[str, str], key: bytes) -> bytes:
    """A WebSocket's request (RFC 6455, section 4.1); `checked` are the request's headers."""
    parts = urlsplit(request.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {
        "Host": target.authority,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": key.decode(),
        "Sec-WebSocket-Version": "13",
        **checked,
    }
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers (names in lower case) of an answer; `head` ends before the empty line."""
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    status = rest[:3]
    if not version.startswith("HTTP/1.") or not (status.isascii() and status.isdigit()):
        raise RemoteProtocolError("its answer is no HTTP")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return int(status), headers


def whole_body(headers: Mapping[str, str], received: bytes) -> bytes | None:
    """The body of an answer of which `received` has come so far; None: there is more."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return unchunked(received) if received.endswith(b"0\r\n\r\n") else None
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and len(received) >= int(length):
        return received[: int(length)]
    return None


def body_so_far(headers: Mapping[str, str], received: bytes) -> bytes:
    """As much of it as has come."""
    whole = whole_body(headers, received)
    if whole is not None:
        return whole
    return unchunked(received) if "transfer-encoding" in headers else received


def unchunked(received: bytes) -> bytes:
    """The chunks that are whole, joined (RFC 9112, section 7.1)."""
    body = bytearray()
    while True:
        size, line_end, rest = received.partition(b"\r\n")
        try:
            length = int(size.partition(b";")[0], 16)
        except ValueError:
            return bytes(body)
        if not line_end or not length or length < 0:
            return bytes(body)
        body += rest[:length]
        received = rest[length + 2 :]
