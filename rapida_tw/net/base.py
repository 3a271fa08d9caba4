"""Net: how adapters reach their vendors; the port that keeps sockets out of them.

An adapter describes a request as a value and receives bytes by plain calls. Real sockets are in
net/socket.py and net/http.py; tests and simulations give a Net that ends in fakes in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from twisted.internet.defer import Deferred, fail

from rapida_tw.errors import VendorFailed


class Frame(NamedTuple):
    """One WebSocket message."""

    payload: bytes
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request, or a WebSocket's handshake (`url` begins with ws: or wss:).

    `url` is whole, its query escaped. `trust`, for gRPC: certificates in PEM, of whom the server's
    must be, instead of the platform's. `once`: an HTTP request that must not be sent a second time,
    whatever becomes of it: it has a connection of its own. The repr shows neither headers nor the
    query nor the body: keys may be in them.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    subprotocols: tuple[str, ...] = ()
    trust: str = ""
    once: bool = False

    def __repr__(self) -> str:
        return f"Request({self.method} {self.url.partition('?')[0]})"


class SocketReceiver(Protocol):
    """Who reads a vendor's WebSocket. No call comes before `connect` has fired."""

    def message_received(self, payload: bytes, binary: bool) -> None:
        """A whole message; text has been checked to be UTF-8. What it raises closes the socket."""

    def writable(self, free: bool) -> None:
        """The vendor takes nothing (64 kB wait unsent) / takes again."""

    def closed(self, code: int, reason: str) -> None:
        """The socket is gone, whoever closed it; once, last. `code` 1006: without a close frame."""


class Socket(Protocol):
    """An open WebSocket to a vendor. Nothing raises; after its end nothing happens."""

    def send(self, payload: bytes, binary: bool = False) -> None:
        """One message."""

    def close(self, code: int = 1000) -> None:
        """Say goodbye; what was sent before still goes out. `closed` follows within a second."""

    def abort(self) -> None:
        """Gone at once; `closed` is called before this returns."""


class BodyReceiver(Protocol):
    """Who reads the body of an answer."""

    def data_received(self, data: bytes) -> None:
        """The next bytes, cut anywhere. What it raises closes the connection, as `ended`."""

    def ended(self, failure: VendorFailed | None) -> None:
        """The body is over; `failure`: cut off before its end. Once, last; not after `abort`."""


class Answer(Protocol):
    """The head of an HTTP answer; its body waits for `read`."""

    status: int
    headers: Mapping[str, str]  # names in lower case

    def read(self, receiver: BodyReceiver) -> None:
        """Give the body to `receiver` as it comes; once."""

    def text(self, limit: int = 65_536) -> Deferred[str]:
        """The whole body instead, cut off at `limit` bytes; what is no UTF-8 is replaced."""

    def pause(self) -> None:
        """Read no more until `resume`."""

    def resume(self) -> None: ...
    def abort(self) -> None:
        """Close the connection now: the vendor must notice that nobody listens any more."""


class RpcReceiver(Protocol):
    """Who reads the answers of a gRPC call. No call comes before `grpc` has fired."""

    def message_received(self, message: bytes) -> None:
        """A whole message. What it raises cancels the call, as `ended`."""

    def writable(self, free: bool) -> None:
        """The vendor takes nothing (64 kB wait unsent) / takes again."""

    def ended(self, status: int, message: str) -> None:
        """The call is over, whoever ended it; once, last. `status`: see wire/grpc.py.

        14 (UNAVAILABLE): the connection is gone. `failed` of wire/grpc.py makes an error of it.
        """


class Rpc(Protocol):
    """A running gRPC call. Nothing raises; after its end nothing happens."""

    def send(self, message: bytes) -> None:
        """One message."""

    def half_close(self) -> None:
        """That was the last one; the vendor's answers go on."""

    def cancel(self) -> None:
        """Gone at once; `ended` is called (1, CANCELLED) before this returns."""


class Net(Protocol):
    """All Deferreds can be cancelled, and errback with `VendorFailed` (errors.py).

    Its `code` is the HTTP status with which a handshake was refused; 0: not reached.
    """

    def connect(self, request: Request, receiver: SocketReceiver) -> Deferred[Socket]:
        """Open a WebSocket; 5 s for all of it."""

    def request(self, request: Request) -> Deferred[Answer]:
        """Fires with the head of the answer, whatever its status; connections are kept alive.

        5 s to connect. How long the answer may take is the caller's to bound.
        """

    def grpc(self, request: Request, receiver: RpcReceiver, deadline: float = 0) -> Deferred[Rpc]:
        """Begin a call: `url` is https://HOST/SERVICE/METHOD (http: without TLS).

        `headers` are the metadata. Fires when messages can be sent: connections are shared and
        kept, and a new one has 5 s. `deadline`: seconds for the whole call; 0: none.
        """


class Nowhere:
    """A Net for processes that use no vendor: nobody is reached."""

    def connect(self, request: Request, receiver: SocketReceiver) -> Deferred[Socket]:
        return fail(VendorFailed("there is no way out of here", sent=False))

    def request(self, request: Request) -> Deferred[Answer]:
        return fail(VendorFailed("there is no way out of here", sent=False))

    def grpc(self, request: Request, receiver: RpcReceiver, deadline: float = 0) -> Deferred[Rpc]:
        return fail(VendorFailed("there is no way out of here", sent=False))


_conforms: type[Net] = Nowhere
