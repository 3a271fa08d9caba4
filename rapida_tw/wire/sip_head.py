"""The head of a SIP message: its start line and its fields, before any meaning (RFC 3261 7).

Faults that can be answered are noted, the first of them, and reading goes on: a refusal needs Via,
From, To, Call-ID and CSeq (8.2.6).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire.sip_fields import SPELLINGS, canonical
from rapida_tw.wire.sip_headers import TOKEN

LONGEST_HEAD: Final = 65536  # bytes
LONGEST_BODY: Final = 65536  # bytes
LONGEST_LINE: Final = 8192  # characters
MOST_FIELDS: Final = 256

# The empty line; a lone line feed is taken for a line's end.
END: Final = re.compile(rb"\n\r?\n")

_REQUEST = re.compile(r"([A-Za-z0-9\-.!%*_+`'~]+) ([^\s<>]+) SIP/2\.0")
_RESPONSE = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: (.*))?", re.IGNORECASE)
_VERSION = re.compile(r"SIP/[0-9]{1,4}\.[0-9]{1,4}", re.IGNORECASE)
_FOLD = re.compile(r"\r\n[ \t]+")


@dataclass(slots=True)
class Head:
    """`method` is "" in a response, `status` 0 in a request."""

    fields: dict[str, list[str]]  # by canonical name
    method: str = ""
    uri: str = ""
    status: int = 0
    phrase: str = ""
    fault: tuple[int, str] | None = None

    def blame(self, text: str, status: int = 400) -> None:
        """The first fault counts."""
        if self.fault is None:
            self.fault = (status, text)


def read(data: bytes) -> tuple[Head, bytes]:
    """The head, and all that follows the empty line.

    `RemoteProtocolError`: the start line is not one of SIP 2.0, or of another version's request.
    """
    if len(data) > LONGEST_HEAD + LONGEST_BODY:
        raise RemoteProtocolError("a message beyond all measure")
    if data[:1] in b"\r\n":
        data = data.lstrip(b"\r\n")  # 7.5
    end = END.search(data)
    raw, body = (data[: end.start()], data[end.end() :]) if end else (data, b"")
    raw = raw.removesuffix(b"\r")
    breaks = raw.count(b"\r\n")
    if raw.count(b"\n") != breaks:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        breaks = raw.count(b"\r\n")
    clean = raw.count(b"\r") == breaks
    text = raw.decode("utf-8", "surrogateescape")
    if "\r\n " in text or "\r\n\t" in text:
        text = _FOLD.sub(" ", text)
    lines = text.split("\r\n")
    head = _start(lines[0])
    if not clean:
        head.blame("A carriage return within a line")
        lines = [line.replace("\r", " ") for line in lines]
    if end is None:
        head.blame("No empty line behind the header")
    if len(lines) > MOST_FIELDS + 1:
        head.blame("Too many header fields")
        del lines[MOST_FIELDS + 1 :]
    if len(raw) > LONGEST_HEAD or (
        len(raw) > LONGEST_LINE and any(len(line) > LONGEST_LINE for line in lines)
    ):
        head.blame("A header beyond all measure")
        lines[1:] = [line for line in lines[1:] if len(line) <= LONGEST_LINE]
    _fields(head, lines)
    return head, body


def _fields(head: Head, lines: list[str]) -> None:
    fields, spelling = head.fields, SPELLINGS.get
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        key = spelling(name) or canonical(name.rstrip(" \t"))
        if not (key and colon):
            head.blame("A header line without name or colon")
        elif key in fields:
            fields[key].append(value.strip(" \t"))
        else:
            fields[key] = [value.strip(" \t")]


def _start(line: str) -> Head:
    if found := _REQUEST.fullmatch(line):
        return Head({}, found[1], found[2])
    if found := _RESPONSE.fullmatch(line):
        return Head({}, status=int(found[1]), phrase=(found[2] or "").strip(" \t"))
    words = line.split()
    if len(words) < 3 or not TOKEN.fullmatch(words[0]) or not _VERSION.fullmatch(words[-1]):
        raise RemoteProtocolError("no start line of SIP")
    uri = " ".join(words[1:-1])
    head = Head({}, words[0], uri)
    if words[-1].upper() != "SIP/2.0":
        head.blame("Only SIP/2.0 is spoken here", 505)
    elif "<" in uri or ">" in uri:
        head.blame("Request-URI: it does not stand in <>")
    elif line != f"{words[0]} {uri} {words[-1]}" or len(words) > 3:
        head.blame("Request-URI: blanks in or around it")
    return head
