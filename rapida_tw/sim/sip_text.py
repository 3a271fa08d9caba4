"""SIP messages as a strict peer writes and reads them (RFC 3261 7, 20, 25.1).

Written from the RFC, not from the server's parser: a mistake that both shared would be found by
nobody. Where that one forgives, this one complains.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_NAME = re.compile(r"[A-Za-z0-9!%*_+`'~.-]+")
_REQUEST = re.compile(r"([A-Z]+) (sips?:[^\s<>\"]+) SIP/2\.0")
_STATUS = re.compile(r"SIP/2\.0 ([1-6][0-9]{2}) ([^\x00-\x1f]*)")
_CSEQ = re.compile(r"([0-9]{1,10}) ([A-Z]+)")
_NAME_ADDR = re.compile(r"(?:\"(?:[^\"\\]|\\.)*\" ?|[A-Za-z0-9 .!%*_+`'~-]*)<([^<>\s]+)>(.*)")
_PARAMETER = re.compile(r";([A-Za-z0-9!%*_+`'~.-]+)(?:=([^;\s]*))?")
_PASSWORD = re.compile(r"sips?:[^:@;>\s]*:[^@>\s]*@")
_COMPACT = {
    "i": "call-id",
    "m": "contact",
    "e": "content-encoding",
    "l": "content-length",
    "c": "content-type",
    "f": "from",
    "s": "subject",
    "k": "supported",
    "t": "to",
    "v": "via",
    "x": "session-expires",
    "r": "refer-to",
    "b": "referred-by",
    "o": "event",
    "u": "allow-events",
}
_SINGLE = ("from", "to", "call-id", "cseq", "content-length")
_BITS_OF_CSEQ = 31

Fields = Iterable[tuple[str, str]]


class BadText(Exception):
    """The message breaks a rule of its grammar; the text says which."""


@dataclass(frozen=True, slots=True)
class SipText:
    """One message; names of `fields` are in lower case and long."""

    start: str
    fields: tuple[tuple[str, str], ...]
    body: bytes = b""
    method: str = ""  # of a request
    uri: str = ""
    status: int = 0  # of a response
    cseq: int = 0
    cseq_method: str = ""

    def all(self, name: str) -> list[str]:
        """Every value, split at no comma."""
        return [value for each, value in self.fields if each == name]

    def one(self, name: str) -> str:
        """The first; "" when there is none."""
        return next((value for each, value in self.fields if each == name), "")

    def tokens(self, name: str) -> set[str]:
        """Of a list of tokens, in lower case."""
        values = ",".join(self.all(name)).split(",")
        return {value.strip().lower() for value in values if value.strip()}

    @property
    def branch(self) -> str:
        """Of the top Via."""
        return parameters(self.one("via").partition(" ")[2]).get("branch", "")


def write(start: str, fields: Fields, body: bytes = b"") -> bytes:
    """The bytes of a message; Content-Length is added."""
    lines = [start, *(f"{name}: {value}" for name, value in fields)]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def read(data: bytes) -> SipText:
    """One datagram. `BadText` for whatever a strict peer would not take."""
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        raise BadText("the header has no end")
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadText("the header is not UTF-8") from error
    start, *lines = text.split("\r\n")
    fields = tuple(map(_field, lines))
    names = [name for name, _ in fields]
    for name in _SINGLE:
        if names.count(name) != 1:
            raise BadText(f"{names.count(name)} headers {name}")
    if "via" not in names:
        raise BadText("no Via")
    values = dict(fields)
    if values["content-length"] != str(len(body)):
        raise BadText(f"Content-Length {values['content-length']} of {len(body)} bytes")
    if body and "content-type" not in values:
        raise BadText("a body without Content-Type")
    number = _CSEQ.fullmatch(values["cseq"])
    if number is None or int(number[1]) >> _BITS_OF_CSEQ:
        raise BadText(f"CSeq {values['cseq']!r}")
    if request := _REQUEST.fullmatch(start):
        if number[2] != request[1]:
            raise BadText(f"CSeq {values['cseq']!r} of {request[1]}")
        method, uri, status = request[1], request[2], 0
    elif response := _STATUS.fullmatch(start):
        method, uri, status = "", "", int(response[1])
    else:
        raise BadText(f"start line {start[:60]!r}")
    return SipText(start, fields, body, method, uri, status, int(number[1]), number[2])


def _field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not _NAME.fullmatch(name):
        raise BadText(f"header line {line[:60]!r}")
    if any(each < " " for each in value):
        raise BadText(f"a control character in {name}")
    name = name.lower()
    return _COMPACT.get(name, name), value.strip()


def address(value: str) -> tuple[str, dict[str, str]]:
    """URI and header parameters of a name-addr: From, To, Contact. `BadText`."""
    match = _NAME_ADDR.fullmatch(value)
    if match is None:
        raise BadText(f"no address in <>: {value[:60]!r}")
    return match[1], parameters(match[2])


def parameters(text: str) -> dict[str, str]:
    """Names in lower case; of a text that has something else before its first semicolon, too."""
    rest = text[text.index(";") :] if ";" in text else ""
    return {name.lower(): value for name, value in _PARAMETER.findall(rest)}


def tag(value: str) -> str:
    """Of From or To; "" without."""
    return parameters(value.rpartition(">")[2]).get("tag", "")


def without_password(value: str) -> str:
    """The same with SIP URIs as they may be shown."""
    return _PASSWORD.sub(lambda found: f"{':'.join(found[0].split(':')[:2])}@", value)


def has_password(value: str) -> bool:
    """A SIP URI in it tells a password."""
    return _PASSWORD.search(value) is not None
