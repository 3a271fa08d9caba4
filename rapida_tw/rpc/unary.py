"""A method of one request and one answer, as a coroutine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import DecodeError, Message
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.rpc.base import Caller, Method, RpcHandler, RpcStream
from rapida_tw.rpc.bounds import UNARY_WITHIN
from rapida_tw.wire.grpc import Status

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)


@dataclass(frozen=True, slots=True)
class Unary(Generic[Q, A]):
    """`answer(caller, request)`; what it raises is a bug, but for a `RemoteProtocolError`."""

    request: type[Q]
    answer: Callable[[Any, Q], Awaitable[A]]  # of a Caller, or None where no key is asked for
    scope: str | None
    seconds: float | None = UNARY_WITHIN

    def open(self, stream: RpcStream, caller: Caller | None) -> RpcHandler:
        return _Answering(self, stream, caller)


class _Answering:
    """One call of it."""

    _log = Logger()

    def __init__(self, method: Unary[Any, Any], stream: RpcStream, caller: Caller | None) -> None:
        self._method = method
        self._stream = stream
        self._caller = caller
        self._asked = False
        self._answering: Deferred[Any] | None = None

    def message_received(self, message: bytes) -> None:
        if self._asked:
            raise RemoteProtocolError("a second request, where one is taken")
        self._asked = True
        try:
            request = self._method.request.FromString(message)
        except DecodeError:
            raise RemoteProtocolError("the request cannot be decoded") from None
        if b"\0" in message:
            check_texts(request)
        answering = Deferred.fromCoroutine(self._answer(request))
        self._answering = answering
        answering.addCallbacks(self._answered, self._failed)

    async def _answer(self, request: Message) -> bytes:
        answer = await self._method.answer(self._caller, request)
        encoded: bytes = answer.SerializeToString()
        return encoded

    def _answered(self, answer: bytes) -> None:
        self._answering = None
        self._stream.send(answer)
        self._stream.end()

    def _failed(self, failure: Failure) -> None:
        self._answering = None
        if failure.check(CancelledError):
            return
        if failure.check(RemoteProtocolError):
            self._stream.end(Status.INVALID_ARGUMENT, str(failure.value))
            return
        self._log.failure("gRPC {path} failed", failure, path=self._stream.path)
        self._stream.end(Status.INTERNAL, "something went wrong on the server")

    def half_closed(self) -> None:
        if not self._asked:
            raise RemoteProtocolError("no request came")

    def cancelled(self) -> None:
        if self._answering is not None:
            self._answering.cancel()

    def writable(self, free: bool) -> None:
        """One answer is all that there is."""


def check_texts(message: Message) -> None:
    """`RemoteProtocolError` for a NUL: no database keeps it as text."""
    for field, value in message.ListFields():
        several = [*value, *value.values()] if isinstance(value, Mapping) else value
        if isinstance(value, str | Message) or not isinstance(several, Iterable):
            several = (value,)
        for one in several:
            if isinstance(one, Message):
                check_texts(one)
            elif isinstance(one, str) and "\0" in one:
                raise RemoteProtocolError(f"{field.name} has a NUL in it")


_conforms: type[Method] = Unary
