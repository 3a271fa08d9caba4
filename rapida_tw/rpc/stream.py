"""One gRPC call on the server's side: its messages, its windows, its deadline and its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from h2.errors import ErrorCodes
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.rpc.base import RpcHandler, RpcStream
from rapida_tw.rpc.bounds import FULL_BYTES, STALLED_WITHIN, requests
from rapida_tw.wire.grpc import (
    CONTENT_TYPE,
    ENCODINGS,
    LARGEST,
    Deframer,
    Status,
    TooLarge,
    frame,
    percent_encoded,
)

_LONGEST_TEXT = 500  # characters of a status' sentence: clients bound their headers
_BUG = "something went wrong on the server"

Headers = list[tuple[str, str]]


class Line(Protocol):
    """What a call may do to its stream of the connection. Nothing raises."""

    @property
    def free(self) -> bool:
        """The connection takes something."""

    def push(self, data: bytearray) -> None:
        """Send from the beginning of `data` what the windows allow, and take it out."""

    def headers(self, headers: Headers, last: bool) -> None:
        """`last`: END_STREAM."""

    def reset(self, code: ErrorCodes) -> None: ...
    def acknowledge(self, size: int) -> None:
        """The client may send so many bytes again."""

    def hold(self, size: int) -> bool:
        """So many bytes more are kept of an unfinished message, or fewer; False: too many."""

    def over(self) -> None:
        """The call is over; the line is not used any more."""


class Nobody:
    """The handler of a call that has none, or none any more."""

    def message_received(self, message: bytes) -> None: ...
    def half_closed(self) -> None: ...
    def cancelled(self) -> None: ...
    def writable(self, free: bool) -> None: ...


class Stream:
    """See `RpcStream`; paused until its handler is there and `resume` is called."""

    _log = Logger()

    def __init__(
        self,
        line: Line,
        clock: IReactorTime,
        path: str,
        metadata: Mapping[str, str],
        half_closed: bool = False,
    ) -> None:
        """`half_closed`: the client sends no more than the head."""
        self.path = path
        self.metadata = metadata
        self.handler: RpcHandler = Nobody()
        self.label = ""  # the method's name among the metrics
        self._line = line
        self._clock = clock
        self._deframer = Deframer(metadata.get("grpc-encoding", "identity"), LARGEST)
        self._held = 0
        self._unread = bytearray()  # came while nobody reads
        self._unacknowledged = 0
        self._paused = True
        self._taking = False
        self._half_closed = half_closed
        self._told_half_closed = False
        self._waiting = bytearray()
        self._head_sent = False
        self._free = True
        self._ending: tuple[Status, str] | None = None
        self._deadline: IDelayedCall | None = None
        self._over = False

    @property
    def done(self) -> bool:
        """Ended, or about to be."""
        return self._over or self._ending is not None

    def expire(self, seconds: float) -> None:
        """End it then, whatever it does."""
        if self._deadline is None and not self._over:
            self._deadline = self._clock.callLater(seconds, self._expired)

    # -- RpcStream --------------------------------------------------------------------------------

    def send(self, message: bytes) -> None:
        if self.done:
            return
        if not self._head_sent:
            self._head_sent = True
            self._line.headers([(":status", "200"), *_HEAD], last=False)
        self._waiting += frame(message)
        self.pump()

    def end(self, status: Status = Status.OK, text: str = "") -> None:
        if self.done:
            return
        self._ending = status, text[:_LONGEST_TEXT]
        self.handler = Nobody()
        self._drop_unread()
        self.pump()
        if not self._over:
            self.expire(STALLED_WITHIN)

    def refuse(self, http: int) -> None:
        """What came is no gRPC: an HTTP status, and nothing else."""
        if not self.done:
            self._line.headers([(":status", str(http)), ("content-length", "0")], last=True)
            self._close(Status.UNKNOWN)

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        if self._paused and not self.done:
            self._paused = False
            self._take()

    # -- from the connection ----------------------------------------------------------------------

    def data_received(self, data: bytes, size: int, last: bool) -> None:
        """Bytes of messages, which count for `size` in the windows. `last`: END_STREAM."""
        self._half_closed = self._half_closed or last
        if self.done:
            self._line.acknowledge(size)
            return
        self._unread += data
        self._unacknowledged += size
        if not self._paused:
            self._take()

    def end_received(self) -> None:
        """END_STREAM."""
        self._half_closed = True
        if not self._paused and not self.done:
            self._take()

    def lost(self) -> None:
        """The client has reset it, or the connection is gone."""
        if not self._over:
            self._tell(self.handler.cancelled)
            self._finish(Status.CANCELLED)

    def pump(self) -> None:
        """Send what can be sent."""
        if self._over:
            return
        if self._waiting and self._line.free:
            self._line.push(self._waiting)
        if self._ending is not None and not self._waiting:
            status, text = self._ending
            trailers = [("grpc-status", str(int(status)))]
            trailers += [("grpc-message", percent_encoded(text))] if text else []
            head = [] if self._head_sent else [(":status", "200"), *_HEAD]
            self._line.headers([*head, *trailers], last=True)
            self._close(status)
            return
        free = self._line.free and len(self._waiting) <= FULL_BYTES
        if self._free and not free:
            self._free = False
            self._tell(self.handler.writable, False)
        elif not self._free and free and not self._waiting:
            self._free = True
            self._tell(self.handler.writable, True)

    # -- inside -----------------------------------------------------------------------------------

    def _take(self) -> None:
        """Hand over what came, until the handler pauses."""
        if self._taking:
            return
        self._taking = True
        try:
            self._take_messages()
        finally:
            self._taking = False

    def _take_messages(self) -> None:
        data = bytes(self._unread)
        self._drop_unread()
        try:
            for message in self._deframer.feed(data):
                self._tell(self.handler.message_received, message)
                if self.done or self._paused:
                    break
            if not self.done and not self._keep(self._deframer.held):
                raise TooLarge("too much is sent at once")
            ended = self._half_closed and not self._told_half_closed
            if ended and not self.done and not self._paused:
                self._deframer.finish()
                self._told_half_closed = True
                self._tell(self.handler.half_closed)
        except TooLarge as error:
            self._break_off(Status.RESOURCE_EXHAUSTED, str(error))
        except RemoteProtocolError as error:
            self._break_off(Status.INTERNAL, str(error))

    def _drop_unread(self) -> None:
        self._unread.clear()
        size, self._unacknowledged = self._unacknowledged, 0
        if size:
            self._line.acknowledge(size)

    def _keep(self, held: int) -> bool:
        change, self._held = held - self._held, held
        if self._line.hold(change):
            return True
        self._held -= change
        return False

    def _tell(self, function: Callable[..., None], *arguments: Any) -> None:
        try:
            function(*arguments)
        except RemoteProtocolError as error:
            self._break_off(Status.INVALID_ARGUMENT, str(error))
        except Exception:
            self._log.failure("gRPC {path} failed", path=self.label or "call")
            self._break_off(Status.INTERNAL, _BUG)

    def _break_off(self, status: Status, text: str) -> None:
        """The handler does not know yet."""
        handler, self.handler = self.handler, Nobody()
        self.end(status, text)
        self._tell(handler.cancelled)

    def _expired(self) -> None:
        self._deadline = None
        stuck = bool(self._waiting)
        self._waiting.clear()
        if stuck or self._ending is not None:
            # Half a message may be out: no status can follow it.
            handler, self.handler = self.handler, Nobody()
            self._line.reset(ErrorCodes.CANCEL)
            self._finish(Status.DEADLINE_EXCEEDED)
            self._tell(handler.cancelled)
        else:
            self._break_off(Status.DEADLINE_EXCEEDED, "no answer could be given in time")

    def _close(self, status: Status) -> None:
        """Our side is done."""
        if not self._half_closed:
            # What the client still sends is not wanted (RFC 9113 section 8.1).
            self._line.reset(ErrorCodes.NO_ERROR)
        self._finish(status)

    def _finish(self, status: Status) -> None:
        self._over = True
        self.handler = Nobody()
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._drop_unread()
        self._keep(0)
        self._waiting.clear()
        requests.inc(self.label, status.name)
        self._line.over()


_HEAD = [
    ("content-type", CONTENT_TYPE),
    ("grpc-accept-encoding", ",".join(ENCODINGS)),
]

_conforms: tuple[type[RpcStream], type[RpcHandler]] = (Stream, Nobody)
