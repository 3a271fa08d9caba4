"""What a fake that is asked by gRPC is to the port that serves it; see base.py for the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from rapida_tw.sim.vendors.base import Asked


@dataclass(frozen=True, slots=True)
class RpcRefusal:
    """A call that ends before anything of it was read. `status`: gRPC's number."""

    status: int
    message: str = ""


class RpcLine(Protocol):
    """The vendor's end of a call. Nothing raises; after its end nothing happens."""

    clock: IReactorTime

    def send(self, message: bytes) -> None: ...
    def end(self, status: int = 0, message: str = "") -> None: ...
    def reset(self, code: int) -> None:
        """RST_STREAM with an error code of HTTP/2."""

    def write(self, data: bytes) -> None:
        """Bytes of the stream, whatever they are."""

    def go_away(self, last: bool = True) -> None:
        """GOAWAY. `last`: this call, and those before it, may come to their ends."""

    def drop(self) -> None:
        """Cut the connection without a word."""

    def pause(self) -> None:
        """Open the client's window no more, until `resume`."""

    def resume(self) -> None: ...


class RpcSession(Protocol):
    """One call at the vendor."""

    def received(self, message: bytes) -> None:
        """A whole message of the client's."""

    def half_closed(self) -> None:
        """That was the last one."""

    def closed(self) -> None:
        """The client has cancelled the call, or is gone. Once; not after `end`."""


class RpcVendor(Protocol):
    """A FakeVendor that has this, too, is asked by gRPC."""

    def rpc(self, asked: Asked, line: RpcLine) -> RpcSession | RpcRefusal:
        """A call: `asked.path` is /SERVICE/METHOD, `asked.headers` its metadata."""
