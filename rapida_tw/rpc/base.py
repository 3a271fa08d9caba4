"""The port between a gRPC call and what answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from rapida_tw.store.records import ApiKey
from rapida_tw.wire.grpc import Status


class RpcStream(Protocol):
    """A call as its handler sees it. Nothing raises; after its end nothing happens."""

    path: str  # /package.Service/Method
    metadata: Mapping[str, str]  # names in lower case, of a repeated one the last value

    def send(self, message: bytes) -> None:
        """One message, 10 MiB at most; what the client does not take yet waits."""

    def end(self, status: Status = Status.OK, text: str = "") -> None:
        """After what was sent. The handler is told nothing more."""

    def pause(self) -> None:
        """No messages until `resume`: the client's windows fill up, and it must wait."""

    def resume(self) -> None:
        """Messages may be handed over before this returns."""


class RpcHandler(Protocol):
    """Who answers a call. What it raises ends the call with INTERNAL, and nothing else."""

    def message_received(self, message: bytes) -> None:
        """A whole message, decompressed. `RemoteProtocolError`: INVALID_ARGUMENT."""

    def half_closed(self) -> None:
        """The client sends nothing more, and waits for the end."""

    def cancelled(self) -> None:
        """The client, its connection or its deadline is gone. Once, last; not after `end`."""

    def writable(self, free: bool) -> None:
        """The client takes nothing (64 kB wait unsent) / takes again."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the key, and what the metadata tells besides. `user_id` "" = nobody named.

    `idempotency_key`: as of `CallRequest`.
    """

    key: ApiKey
    user_id: str = ""
    source: str = "sdk"
    idempotency_key: str = ""

    @property
    def project_id(self) -> int:
        return self.key.project_id


class Method(Protocol):
    """One method of a service."""

    @property
    def scope(self) -> str | None:
        """That a key must have; None: no key is asked for."""

    @property
    def seconds(self) -> float | None:
        """For the whole call; None: as long as the client wants."""

    def open(self, stream: RpcStream, caller: Caller | None) -> RpcHandler:
        """A call has begun; None where no key is asked for. Nothing was received yet."""


Methods = Mapping[str, Method]  # by path
