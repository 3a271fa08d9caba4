"""A vendor to talk to by gRPC, and who talks to it."""

from __future__ import annotations

from rapida_tw.net.base import Request, Rpc
from rapida_tw.sim.vendors.base import Asked
from rapida_tw.sim.vendors.rpc import RpcLine, RpcRefusal, RpcSession
from tests.net.case import HOST, NetCase, Vendor

CALL = Request(f"https://{HOST}/pkg.Service/Method", headers={"x-goog-api-key": "key-12345"})


class RpcVendorSession:
    """Keeps what it is told."""

    def __init__(self, asked: Asked, line: RpcLine) -> None:
        self.asked = asked
        self.line = line
        self.messages: list[bytes] = []
        self.closings: list[str] = []

    def received(self, message: bytes) -> None:
        self.messages.append(message)

    def half_closed(self) -> None:
        self.closings.append("half")

    def closed(self) -> None:
        self.closings.append("closed")


class RpcVendor(Vendor):
    """Takes every call, or answers `ending`."""

    def __init__(self) -> None:
        super().__init__()
        self.ending: RpcRefusal | None = None
        self.calls: list[RpcVendorSession] = []

    def rpc(self, asked: Asked, line: RpcLine) -> RpcSession | RpcRefusal:
        if self.ending is not None:
            return self.ending
        self.calls.append(RpcVendorSession(asked, line))
        return self.calls[-1]


class RpcReceiver:
    """Keeps what it is told; raises `error` once, when it has one."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.free: list[bool] = []
        self.endings: list[tuple[int, str]] = []
        self.error: Exception | None = None

    def message_received(self, message: bytes) -> None:
        self.messages.append(message)
        error, self.error = self.error, None
        if error is not None:
            raise error

    def writable(self, free: bool) -> None:
        self.free.append(free)

    def ended(self, status: int, message: str) -> None:
        self.endings.append((int(status), message))


class RpcCase(NetCase):
    def make_vendor(self) -> RpcVendor:
        self.rpc_vendor = RpcVendor()
        return self.rpc_vendor

    @property
    def session(self) -> RpcVendorSession:
        return self.rpc_vendor.calls[-1]

    def call(self, request: Request = CALL, deadline: float = 0) -> tuple[Rpc, RpcReceiver]:
        receiver = RpcReceiver()
        opening = self.net.grpc(request, receiver, deadline)
        self.run_for()
        return self.successResultOf(opening), receiver
