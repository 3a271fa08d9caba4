"""FakeVendor: what a fake of a speech or model vendor is to the ports that serve it.

A fake is one file, written from the vendor's documents and strict about what the real one rejects.
It knows no sockets: `FakeVendorNet` (simulation/vendor_net.py) puts fakes behind a Net in
virtual time, and `VendorPort` (port.py) on a real TCP port, where official client libraries and
benchmarks find them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from twisted.internet.interfaces import IReactorTime


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, or the handshake of a WebSocket. Names of headers are lower case."""

    method: str
    path: str  # percent-decoded
    query: Mapping[str, list[str]]  # decoded
    headers: Mapping[str, str]
    body: bytes = b""

    def one(self, name: str) -> str:
        """The first value of a query field; "" when there is none."""
        return self.query.get(name, [""])[0]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A handshake that is answered with a status instead of 101."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class Line(Protocol):
    """The vendor's end of a WebSocket. Nothing raises; after its end nothing happens."""

    clock: IReactorTime

    def send(self, message: bytes | str | Mapping[str, Any]) -> None:
        """Bytes as a binary message, text as text, a mapping as JSON."""

    def send_fragments(self, *pieces: bytes, binary: bool = False) -> None:
        """One message in several frames."""

    def ping(self, payload: bytes = b"") -> None: ...
    def close(self, code: int = 1000, reason: str = "") -> None: ...
    def drop(self) -> None:
        """Cut the connection without a word."""

    def pause(self) -> None:
        """Read no more, so that the far side's buffers fill, until `resume`."""

    def resume(self) -> None: ...


class Session(Protocol):
    """One WebSocket at the vendor."""

    def opened(self) -> None:
        """The handshake is done."""

    def received(self, message: bytes, binary: bool) -> None:
        """A whole message of the client's."""

    def closed(self, code: int) -> None:
        """The client is gone; 1006: without a close frame. Once."""


class Reply(Protocol):
    """The vendor's end of an HTTP request."""

    clock: IReactorTime

    def head(self, status: int, headers: Mapping[str, str] | None = None) -> None: ...
    def write(self, data: bytes) -> None:
        """A piece of the body, chunked."""

    def end(self) -> None: ...
    def whole(self, status: int, body: bytes | str | Mapping[str, Any] | list[Any]) -> None:
        """Head, body and end; a mapping or a list as JSON."""

    def drop(self) -> None:
        """Cut the connection without a word."""

    @property
    def gone(self) -> bool:
        """The client has closed the connection before the end."""


class FakeVendor(Protocol):
    """One vendor. `hosts`: the names of the servers that it stands for, with "*" as in a glob."""

    hosts: tuple[str, ...]

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        """A WebSocket is wanted."""

    def answer(self, asked: Asked, reply: Reply) -> None:
        """An HTTP request, whole."""
