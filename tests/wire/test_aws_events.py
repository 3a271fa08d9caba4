"""AWS's event streams: messages whole, cut and broken."""

from __future__ import annotations

from binascii import crc32
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire.aws_events import Message, decode

# The documentation's example of an empty message.
EMPTY = bytes.fromhex("000000100000000005c248eb7d98c8ff")
# And of one with a payload and a header of type 7.
JSON = bytes.fromhex(
    "0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e"
    "7b27666f6f273a27626172277d8d9c08b1"
)
NAMES = st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (EMPTY, Message()),
        (JSON, Message({"content-type": "application/json"}, b"{'foo':'bar'}")),
    ],
)
def test_examples(data: bytes, message: Message) -> None:
    """What AWS documents."""
    assert message.encode() == data
    assert decode(data) == message


@given(st.dictionaries(NAMES, st.text(max_size=40)), st.binary(max_size=100))
def test_there_and_back(headers: dict[str, str], payload: bytes) -> None:
    """What is written is read."""
    assert decode(Message(headers, payload).encode()) == Message(headers, payload)


def test_other_kinds() -> None:
    """Headers that are no texts are passed over."""
    text = Message({"b": "yes"}).encode()
    values = (
        *(b"\1a\0", b"\1a\1", b"\1a\2\7", b"\1a\3\0\7", b"\1a\4\0\0\0\7"),
        *(b"\1a\5" + bytes(8), b"\1a\6\0\2xy", b"\1a\x08" + bytes(8), b"\1a\x09" + bytes(16)),
    )
    for value in values:
        assert decode(_rebuilt(text, value + text[12:-4])).headers == {"b": "yes"}


@pytest.mark.parametrize("headers", [b"\5ab", b"\1a", b"\1a\x0a", b"\1a\7\0\5ab", b"\1\xff\0"])
def test_broken_headers(headers: bytes) -> None:
    """Checksums that are right do not make them so."""
    with pytest.raises(RemoteProtocolError):
        decode(_rebuilt(EMPTY, headers))


def test_every_bit_counts() -> None:
    """A message with one bit changed is refused."""
    for place in range(len(JSON)):
        with pytest.raises(RemoteProtocolError):
            decode(JSON[:place] + bytes((JSON[place] ^ 1,)) + JSON[place + 1 :])


@given(st.binary(max_size=100))
def test_any_bytes(data: bytes) -> None:
    """Never another exception."""
    for attempt in (data, _rebuilt(EMPTY, data)):
        with suppress(RemoteProtocolError):
            decode(attempt)


def _rebuilt(message: bytes, headers: bytes) -> bytes:
    """With other headers, its payload left out and its lengths and checksums put right."""
    prelude = (len(headers) + 16).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    whole = prelude + crc32(prelude).to_bytes(4, "big") + headers
    return whole + crc32(whole).to_bytes(4, "big")
