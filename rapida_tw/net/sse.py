"""Server-sent events, without I/O (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import re

from rapida_tw.errors import RemoteProtocolError

LONGEST = 1_048_576  # bytes of an event

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class EventStream:
    """Turns received bytes into events, keeping only what is unfinished of them.

    `id` and `retry` are for browsers, and are read over.
    """

    def __init__(self) -> None:
        self._tail = bytearray()  # of a line
        self._scanned = 0  # of the tail: there is no line end in it
        self._begun = False
        self._after_cr = False
        self._event = ""
        self._data: list[str] = []
        self._size = 0  # bytes of `_data`

    def feed(self, data: bytes) -> list[tuple[str, str]]:
        """The events that `data` completes, as (event, data); `event` "" when it has no name.

        RemoteProtocolError for an event of more than a megabyte, and for what is no UTF-8.
        """
        self._tail += data
        if not self._begun:
            if len(self._tail) < len(_BOM) and _BOM.startswith(self._tail):
                return []
            self._begun = True
            if self._tail.startswith(_BOM):
                del self._tail[: len(_BOM)]
        if self._after_cr and self._tail:  # the other half of a CRLF is no line
            self._after_cr = False
            if self._tail.startswith(b"\n"):
                del self._tail[:1]
        events: list[tuple[str, str]] = []
        start = 0
        for end in _LINE_END.finditer(self._tail, self._scanned):
            self._line(bytes(self._tail[start : end.start()]), events)
            start = end.end()
            self._after_cr = start == len(self._tail) and end[0] == b"\r"
        del self._tail[:start]
        if self._size + len(self._tail) > LONGEST:
            raise RemoteProtocolError("an event of more than a megabyte")
        self._scanned = len(self._tail)
        return events

    def _line(self, line: bytes, events: list[tuple[str, str]]) -> None:
        if not line:
            if self._data:
                events.append((self._event, "\n".join(self._data)))
            self._event, self._data, self._size = "", [], 0
            return
        name, _, value = line.partition(b":")
        if name not in (b"data", b"event"):
            return
        try:
            text = value.removeprefix(b" ").decode()
        except UnicodeDecodeError as error:
            raise RemoteProtocolError(f"an event that is no UTF-8: {error.reason}") from None
        if name == b"event":
            self._event = text
            return
        self._data.append(text)
        self._size += len(value) + 1
        if self._size > LONGEST:
            raise RemoteProtocolError("an event of more than a megabyte")
