"""What one HTTP connection and one request may take of us: bytes and seconds.

Twisted limits the headers; the body, and the time until a request is complete, are limited here.
"""

from __future__ import annotations

from functools import cached_property
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from twisted.protocols.basic import LineReceiver
from twisted.web.http import HTTPChannel
from twisted.web.server import Request

from rapida_tw.errors import BadRequest, CallError, Fault

LARGEST_BODY = 1 << 20  # bytes
# A body that is too large is read to its end and thrown away, so that the client sees our answer;
# beyond this it is cut off.
_PATIENCE = 16 * LARGEST_BODY
MOST_FIELDS = 200  # of a query or a form
CLOSED_WITHIN = 60.0  # seconds for a client to take what is left of an answer, and to close


class BodyTooLarge(CallError):
    """The body is larger than this server takes."""

    fault, reason, status = Fault.CALLER, "body-too-large", 413


class BoundedChannel(HTTPChannel):
    """A connection on which each request must be complete within the site's timeout.

    Stock Twisted starts the time anew with every byte, so a connection could be kept for days by
    one byte a minute.
    """

    def dataReceived(self, data: bytes) -> None:
        LineReceiver.dataReceived(self, data)

    def loseConnection(self) -> None:
        """Close, and cut off who does not: over TLS, Twisted waits for that for ever."""
        if self._abortingCall is None:
            self._abortingCall = self.callLater(CLOSED_WITHIN, self.forceAbortClient)
        super().loseConnection()

    def lineLengthExceeded(self, line: bytes) -> None:
        self.write(b"HTTP/1.1 414 URI Too Long\r\nContent-Length: 0\r\n\r\n")
        self.loseConnection()


class BoundedRequest(Request):
    """A request whose body is in memory, and no larger than `LARGEST_BODY`."""

    route = ""  # the path's pattern, for the metrics

    def __init__(self, channel: Any, *args: Any, **options: Any) -> None:
        # Without the form parser, which would run before anybody knows who asks.
        super().__init__(channel, *args, parsePOSTFormSubmission=False, **options)
        self._kept = BytesIO()
        self._received = 0
        self._is_cut_off = False

    def gotLength(self, length: int | None) -> None:
        self.content = self._kept  # Twisted's own would go to disk
        if length is not None and length > _PATIENCE:
            self._cut_off()

    def handleContentChunk(self, data: bytes) -> None:
        self._received += len(data)
        if self._received <= LARGEST_BODY:
            self._kept.write(data)
        elif self._received > _PATIENCE:
            self._cut_off()

    def _cut_off(self) -> None:
        if self._is_cut_off:
            return
        self._is_cut_off = True
        self.channel.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        self.channel.loseConnection()

    def check_size(self) -> None:
        """`BodyTooLarge` when not all of the body was kept."""
        if self._received > LARGEST_BODY:
            raise BodyTooLarge(f"the body is larger than {LARGEST_BODY} bytes")

    @property
    def body(self) -> bytes:
        return self._kept.getvalue()

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's fields, each with its last value; `BadRequest` when there are too many."""
        _, _, query = self.uri.partition(b"?")
        return read_fields(query)

    def header(self, name: str) -> str:
        """The last value of a header; "" when it is not there."""
        values = self.requestHeaders.getRawHeaders(name.encode("ascii")) or [b""]
        value: bytes = values[-1]
        return value.decode("utf-8", "replace")


def read_fields(encoded: bytes) -> dict[str, str]:
    """Form-encoded fields, each with its last value; `BadRequest` when there are too many."""
    text = encoded.decode("utf-8", "replace")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise BadRequest(f"more than {MOST_FIELDS} fields") from None
