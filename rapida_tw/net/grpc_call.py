"""One gRPC call: its messages on an HTTP/2 stream, with what waits for the vendor's window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.net.base import Rpc, RpcReceiver
from rapida_tw.wire.grpc import (
    CONTENT_TYPE,
    Deframer,
    Status,
    TooLarge,
    frame,
    percent_decoded,
    status_of,
)

_FULL_BYTES = 65_536  # unsent


class Stream(Protocol):
    """What a call may do to its stream of the connection."""

    @property
    def free(self) -> bool:
        """The connection takes something."""

    def push(self, data: bytearray) -> None:
        """Send from the beginning of `data` what the windows allow, and take it out."""

    def finish(self) -> None:
        """END_STREAM."""

    def reset(self) -> None:
        """RST_STREAM, where the stream is not over for both sides."""


class Call:
    """See `Rpc`."""

    _log = Logger()

    def __init__(
        self, host: str, receiver: RpcReceiver, stream: Stream, over: Callable[[Call], None]
    ) -> None:
        self._host = host
        self._receiver = receiver
        self._stream = stream
        self._over = over
        self._waiting = bytearray()
        self._closing = False  # when nothing waits any more
        self._closed = False  # our side
        self._free = True
        self._deframer: Deframer | None = None  # there has been a head
        self._deadline: IDelayedCall | None = None
        self._ended = False

    def expire(self, clock: IReactorTime, seconds: float) -> None:
        """End it then with DEADLINE_EXCEEDED."""
        text = f"no end within {seconds:g} s"
        self._deadline = clock.callLater(seconds, self.end, Status.DEADLINE_EXCEEDED, text)

    # -- Rpc --------------------------------------------------------------------------------------

    def send(self, message: bytes) -> None:
        if self._ended or self._closing:
            return
        self._waiting += frame(message)
        self.pump()

    def half_close(self) -> None:
        if not self._ended and not self._closing:
            self._closing = True
            self.pump()

    def cancel(self) -> None:
        self.end(Status.CANCELLED, "we have cancelled it")

    # -- the connection's -------------------------------------------------------------------------

    def pump(self) -> None:
        """Send what can be sent."""
        if self._ended:
            return
        if self._waiting and self._stream.free:
            self._stream.push(self._waiting)
        if self._closing and not self._waiting and not self._closed:
            self._closed = True
            self._stream.finish()
        free = self._stream.free  # it may have changed by what was sent
        if self._free and (not free or len(self._waiting) > _FULL_BYTES):
            self._tell_writable(False)
        elif not self._free and free and not self._waiting:
            self._tell_writable(True)

    def _tell_writable(self, free: bool) -> None:
        self._free = free
        try:
            self._receiver.writable(free)
        except Exception:
            self._failed()

    def head_received(self, headers: dict[str, str], last: bool) -> None:
        """The answer's head; `last`: there is nothing else, and it is the trailers as well."""
        if self._ended:
            return
        http = int(status) if (status := headers.get(":status", "")).isdigit() else 0
        if last:
            self._trailers(headers, http)
        elif http != 200 or not headers.get("content-type", "").startswith(CONTENT_TYPE):
            self.end(status_of(headers.get("grpc-status"), http), f"no gRPC, but HTTP {http}")
        else:
            self._deframer = Deframer(headers.get("grpc-encoding", "identity"))

    def trailers_received(self, headers: dict[str, str]) -> None:
        if not self._ended:
            self._trailers(headers, 200)

    def _trailers(self, headers: dict[str, str], http: int) -> None:
        status = status_of(headers.get("grpc-status"), http)
        text = percent_decoded(headers.get("grpc-message", ""))
        if status is Status.OK and self._deframer is not None:
            try:
                self._deframer.finish()
            except RemoteProtocolError as error:
                status, text = Status.INTERNAL, str(error)
        self.end(status, text)

    def data_received(self, data: bytes) -> None:
        if self._ended:
            return
        if self._deframer is None:
            self.end(Status.INTERNAL, "a body without a head")
            return
        try:
            for message in self._deframer.feed(data):
                self._hand_on(message)
                if self._ended:
                    return
        except TooLarge as error:
            self.end(Status.RESOURCE_EXHAUSTED, str(error))
        except RemoteProtocolError as error:
            self.end(Status.INTERNAL, str(error))

    def _hand_on(self, message: bytes) -> None:
        try:
            self._receiver.message_received(message)
        except RemoteProtocolError as error:
            self._log.warn("{host}: {error}", host=self._host, error=error)
            self.end(Status.INTERNAL, str(error))
        except Exception:
            self._failed()

    def _failed(self) -> None:
        self._log.failure("{host}: failed on what it sent", host=self._host)
        self.end(Status.INTERNAL, "what it sent could not be used")

    def end(self, status: Status, text: str) -> None:
        """It is over, for whatever reason; only the first counts."""
        if self._ended:
            return
        self._ended = True
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._waiting.clear()
        self._stream.reset()
        self._over(self)
        try:
            self._receiver.ended(status, text)
        except Exception:
            self._log.failure("{host}: failed at the end of a call", host=self._host)


_conforms: type[Rpc] = Call
