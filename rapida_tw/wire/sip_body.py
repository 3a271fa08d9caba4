"""What is in a body, alone or as one part of several (RFC 3261 7.4, RFC 5621, RFC 2046 5.1)."""

from __future__ import annotations

from typing import Final

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire.sip_headers import parameters

MOST_PARTS: Final = 16


def media_type(content_type: str) -> str:
    """In lower case and without parameters."""
    return content_type.partition(";")[0].strip().lower().replace(" ", "")


def find(content_type: str, body: bytes, wanted: str) -> bytes:
    """The body, or its first part, that is of the media type `wanted`; b"": there is none."""
    kind = media_type(content_type)
    if kind == wanted:
        return body
    if not kind.startswith("multipart/"):
        return b""
    for part_type, part in _parts(content_type, body):
        if media_type(part_type) == wanted:
            return part
    return b""


def _parts(content_type: str, body: bytes) -> list[tuple[str, bytes]]:
    """Content-Type and content of each part; what nests deeper is one part."""
    try:
        boundary = parameters(content_type.partition(";")[2]).get("boundary", "")
    except RemoteProtocolError:
        boundary = ""
    if not 0 < len(boundary) <= 70:  # RFC 2046 5.1.1
        return []
    line = b"\n--" + boundary.encode("utf-8", "surrogateescape")
    found = []
    for piece in (b"\n" + body).split(line, MOST_PARTS + 1)[1:]:
        if piece[:2] == b"--":
            break
        rest = piece.partition(b"\n")[2]  # of the boundary's own line
        if rest[:1] == b"\n" or rest[:2] == b"\r\n":
            head, content = b"", rest.partition(b"\n")[2]
        else:
            head, content = _cut(rest)
        found.append((_content_type(head), content.removesuffix(b"\r")))
    return found


def _cut(part: bytes) -> tuple[bytes, bytes]:
    """Fields and content of a part: the first empty line parts them."""
    crlf, lf = part.find(b"\n\r\n"), part.find(b"\n\n")
    if crlf >= 0 and (lf < 0 or crlf < lf):
        return part[:crlf], part[crlf + 3 :]
    return (part[:lf], part[lf + 2 :]) if lf >= 0 else (part, b"")


def _content_type(head: bytes) -> str:
    for line in head.decode("utf-8", "surrogateescape").split("\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() in ("content-type", "c"):
            return value.strip()
    return "text/plain"
