"""One stream of a connection, as the call on it sees it: what h2 allows is sent."""

from __future__ import annotations

from typing import Protocol

from h2.connection import H2Connection
from h2.errors import ErrorCodes

from rapida_tw.rpc.stream import Headers, Line


class Owner(Protocol):
    """The connection."""

    free: bool  # the transport takes something
    gone: bool  # there is nothing to be sent any more

    def flush(self) -> None: ...
    def hold(self, size: int) -> bool: ...
    def over(self, number: int) -> None: ...


class H2Line:
    """See `Line`."""

    def __init__(self, connection: Owner, h2: H2Connection, number: int) -> None:
        self._connection = connection
        self._h2 = h2
        self._number = number

    @property
    def free(self) -> bool:
        return self._connection.free

    def push(self, data: bytearray) -> None:
        if self._connection.gone:
            return
        while data:
            window = self._h2.local_flow_control_window(self._number)
            size = min(window, self._h2.max_outbound_frame_size)
            if size <= 0:
                break
            self._h2.send_data(self._number, bytes(data[:size]))
            del data[:size]
        self._connection.flush()

    def headers(self, headers: Headers, last: bool) -> None:
        if not self._connection.gone:
            self._h2.send_headers(self._number, headers, end_stream=last)
            self._connection.flush()

    def reset(self, code: ErrorCodes) -> None:
        if not self._connection.gone:
            self._h2.reset_stream(self._number, code)
            self._connection.flush()

    def acknowledge(self, size: int) -> None:
        if not self._connection.gone:
            self._h2.acknowledge_received_data(size, self._number)
            self._connection.flush()

    def hold(self, size: int) -> bool:
        return self._connection.hold(size)

    def over(self) -> None:
        self._connection.over(self._number)


_conforms: type[Line] = H2Line
