"""SIP messages out of a stream: framing by Content-Length (RFC 3261 18.3, RFC 5626 4.4.1)."""

from __future__ import annotations

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire import sip_head
from rapida_tw.wire.sip_headers import NUMBER
from rapida_tw.wire.sip_message import Malformed, Request, parse

_BREAKS = b"\r\n"


class SipStream:
    """Cuts what a TCP or TLS connection brings into messages."""

    def __init__(self) -> None:
        self._tail = bytearray()
        self._searched = 0  # up to there no head ends
        self._wanted = 0  # bytes of the message whose head is known
        self._fault: Malformed | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes; b"" for a keep-alive ping, which wants CRLF.

        `Malformed` when nothing after this can be read: no or a wrong Content-Length, more than
        64 kB of head or body, or no SIP at all. `request` is what should be answered before the
        connection is closed. Where messages come before that, they are returned, and the next
        call raises.
        """
        if self._fault is not None:
            raise self._fault
        self._tail += data
        found: list[bytes] = []
        try:
            while (message := self._next()) is not None:
                found.append(message)
        except Malformed as fault:
            self._tail.clear()
            self._fault = fault
            if not found:
                raise
        return found

    def _next(self) -> bytes | None:
        tail = self._tail
        if not self._wanted:
            if tail.startswith((b"\r", b"\n")):
                return self._between()
            if not self._sized():
                return None
        if len(tail) < self._wanted:
            return None
        message = bytes(tail[: self._wanted])
        self._drop(self._wanted)
        return message

    def _between(self) -> bytes | None:
        """Empty lines between messages: two in a row are a ping, one is the answer to ours.

        However many come in one go, one pong answers them.
        """
        run = len(self._tail) - len(self._tail.lstrip(_BREAKS))
        if run == len(self._tail):
            run -= run % 4  # the rest may be half a ping
            if not run:
                return None
            self._drop(run)
            return b""
        self._drop(run)
        return b"" if run >= 4 else self._next()

    def _sized(self) -> bool:
        """Whether the head is complete; then it is known how long the message is."""
        tail = self._tail
        end = sip_head.END.search(tail, max(0, self._searched - 2))
        if end is None:
            self._searched = len(tail)
            line = tail.find(b"\n", 0, sip_head.LONGEST_LINE)
            if line < 0 and len(tail) > sip_head.LONGEST_LINE:
                raise Malformed("no start line of SIP")
            if line >= 0 and b"SIP/" not in tail[:line].upper():
                raise Malformed("no start line of SIP")
            if len(tail) > sip_head.LONGEST_HEAD:
                raise Malformed("A header beyond all measure")
            return False
        head = bytes(tail[: end.end()])
        self._wanted = len(head) + _body_length(head)
        return True

    def _drop(self, count: int) -> None:
        del self._tail[:count]
        self._searched = self._wanted = 0


def _body_length(head: bytes) -> int:
    try:
        lengths = sip_head.read(head)[0].fields.get("Content-Length", [])
    except RemoteProtocolError as error:
        raise Malformed(str(error)) from None
    if not lengths:
        raise _refused(head, 400, "No Content-Length")
    if any(length != lengths[0] for length in lengths):
        raise _refused(head, 400, "More than one Content-Length")
    if not NUMBER.fullmatch(lengths[0]):
        raise _refused(head, 400, "Content-Length is no number")
    length = int(lengths[0])
    if length > sip_head.LONGEST_BODY:
        raise _refused(head, 413, "A body beyond all measure")
    return length


def _refused(head: bytes, status: int, text: str) -> Malformed:
    """The fault with the request that it is answered to, if there is one."""
    request: Request | None = None
    try:
        message = parse(head)
        if isinstance(message, Request) and message.method != "ACK":
            request = message
    except Malformed as fault:
        request = fault.request
    return Malformed(text, status, request)
