"""A WebSocket client's handshake, without I/O (RFC 6455, section 4.1).

The answer is checked as strictly as the RFC says; a refusal is a value, not an error.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha1

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # section 1.3
_LONGEST_ANSWER = 16_384  # bytes of an answer's head


@dataclass(frozen=True, slots=True)
class Upgraded:
    """The server speaks WebSocket from now on; `rest` is what of it has come already."""

    subprotocol: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    rest: bytes = b""


@dataclass(frozen=True, slots=True)
class Refused:
    """The server's answer is no upgrade, or a wrong one; `status` 0: it is not even HTTP.

    Names of headers are lower case; `body` is what came together with the head.
    """

    status: int
    why: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Handshake:
    """The client's request. `host` with the port where it is not the scheme's own.

    `path` with the query; `nonce`: 16 bytes. Nothing is checked.
    """

    host: str
    path: str
    headers: Sequence[tuple[str, str]] = ()
    subprotocols: Sequence[str] = ()
    nonce: bytes = bytes(16)

    @property
    def key(self) -> bytes:
        """Sec-WebSocket-Key."""
        return b64encode(self.nonce)

    def request(self) -> bytes:
        """The GET, with everything that RFC 6455 asks for."""
        lines = [
            f"GET {self.path} HTTP/1.1",
            f"Host: {self.host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {self.key.decode()}",
            "Sec-WebSocket-Version: 13",
        ]
        if self.subprotocols:
            lines.append(f"Sec-WebSocket-Protocol: {', '.join(self.subprotocols)}")
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join((*lines, "", "")).encode("latin-1")

    def read(self, received: bytes) -> Upgraded | Refused | None:
        """All that the server has sent so far; None: its answer is not complete yet."""
        head, end, rest = received.partition(b"\r\n\r\n")
        if not end:
            if len(received) > _LONGEST_ANSWER:
                return Refused(0, "an answer without an end")
            return None
        status, headers = _head(head)
        why = self._why_not(status, headers)
        if why:
            return Refused(status, why, headers, rest)
        return Upgraded(headers.get("sec-websocket-protocol", ""), headers, rest)

    def _why_not(self, status: int, headers: Mapping[str, str]) -> str:
        if status != 101:
            return f"HTTP {status}" if status else "no HTTP"
        if headers.get("upgrade", "").lower() != "websocket":
            return "no Upgrade: websocket"
        connection = headers.get("connection", "").lower().split(",")
        if "upgrade" not in (token.strip() for token in connection):
            return "no Connection: Upgrade"
        if headers.get("sec-websocket-accept") != accept(self.key):
            return "a wrong Sec-WebSocket-Accept"
        if "sec-websocket-extensions" in headers:
            return "an extension that was not offered"
        chosen = headers.get("sec-websocket-protocol")
        if chosen is not None and chosen not in self.subprotocols:
            return f"the subprotocol {chosen!r}, which was not offered"
        return ""


def accept(key: bytes) -> str:
    """Sec-WebSocket-Accept for a key."""
    return b64encode(sha1(key + _GUID).digest()).decode()


def _head(head: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers, names lower case, repeated ones joined; status 0: no HTTP."""
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    code = rest[:3]
    if version not in ("HTTP/1.1", "HTTP/1.0") or not (code.isascii() and code.isdigit()):
        return 0, {}
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return int(code), headers
