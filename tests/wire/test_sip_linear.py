"""No text takes more than its length: what reads the network is linear in it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from time import process_time

import pytest

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire.sip_digest import Challenge, Credentials
from rapida_tw.wire.sip_headers import parameters, split
from rapida_tw.wire.sip_message import Malformed, Via, parse
from rapida_tw.wire.sip_stream import SipStream
from rapida_tw.wire.sip_uri import Address, SipUri, redacted

COUNT = 20_000
# A quadratic reader of this many pieces needs ten seconds and more.
ENOUGH = 0.5  # seconds of one core

NASTY = {
    "backslashes": "\\" * COUNT,
    "quoted backslashes": '"' + "\\" * COUNT,
    "escaped quotes": '\\"' * COUNT,
    "quotes": '"' * COUNT,
    "odd quotes": '"' * (COUNT + 1),
    "commas": "," * COUNT,
    "semicolons": ";" * COUNT,
    "brackets": "<" * COUNT,
    "pairs": "<>" * COUNT,
    "closed": ">" * COUNT,
    "blanks": " " * COUNT + "x",
    "tabs": "x" + "\t" * COUNT + "y",
    "schemes": "sip:" * COUNT,
    "passwords": "sip:a:b@" * COUNT,
    "ats": "sip:" + "@" * COUNT,
    "colons": "sip:" + ":" * COUNT,
    "percents": "sip:" + "%" * COUNT + "@h",
    "equals": "a=" * COUNT,
    "parameters": "".join(f";p{place}" for place in range(COUNT)),
}
READERS: dict[str, Callable[[str], object]] = {
    "comma": split,
    "semicolon": lambda text: split(text, ";"),
    "parameters": parameters,
    "uri": SipUri.parse,
    "address": Address.parse,
    "via": Via.parse,
    "via sender": lambda text: Via.parse("SIP/2.0/UDP h" + text),
    "credentials": lambda text: Credentials.parse("Digest " + text),
    "challenge": lambda text: Challenge.parse("Digest realm=a," + text),
    "redacted": redacted,
    "datagram": lambda text: parse(text.encode()),
    "header": lambda text: parse(f"OPTIONS sip:h SIP/2.0\r\nFrom: {text}\r\n\r\n".encode()),
    "start line": lambda text: parse(f"OPTIONS {text} SIP/2.0\r\n\r\n".encode()),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", NASTY)
def test_text(reader: str, kind: str) -> None:
    """Each reader with each text that a nested quantifier would stumble over."""
    began = process_time()
    with suppress(RemoteProtocolError):
        READERS[reader](NASTY[kind])
    assert process_time() - began < ENOUGH


@pytest.mark.parametrize(
    "line", [b"\r\n ", b"\n\t", b"\r\n x", b"\r", b"\n", b":\r\n", b"Via:,\r\n", b"a:\r\n"]
)
def test_lines(line: bytes) -> None:
    """Folds, lone ends of lines, and fields without end."""
    data = b"OPTIONS sip:h SIP/2.0\r\n" + line * (60_000 // len(line)) + b"\r\n\r\n"
    began = process_time()
    with pytest.raises(Malformed):
        parse(data)
    assert process_time() - began < ENOUGH


def test_parts() -> None:
    """A body of nothing but boundaries."""
    body = b"--b\r\n" * 12_000
    head = (
        b"OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:h>\r\nTo: <sip:h>\r\n"
        b"Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n"
    )
    began = process_time()
    assert parse(head + body).sdp == b""
    assert process_time() - began < ENOUGH


def test_drops() -> None:
    """A stream that comes byte by byte is not searched again from its beginning."""
    stream = SipStream()
    began = process_time()
    stream.feed(b"OPTIONS sip:h SIP/2.0\r\n")
    for _ in range(COUNT):
        stream.feed(b"a\n")
    assert process_time() - began < ENOUGH
