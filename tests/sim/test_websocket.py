from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.sim.websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    GOING_AWAY,
    INVALID,
    NO_CODE,
    PING,
    PONG,
    PROTOCOL_ERROR,
    TEXT,
    TOO_BIG,
    BadFrame,
    Message,
    Reader,
    close,
    closing,
    fragments,
    frame,
    xor,
)

# RFC 6455, section 5.7.
UNMASKED_HELLO = bytes.fromhex("81 05 48 65 6c 6c 6f")
MASKED_HELLO = bytes.fromhex("81 85 37 fa 21 3d 7f 9f 4d 51 58")
FRAGMENTED_HELLO = bytes.fromhex("01 03 48 65 6c 80 02 6c 6f")


def served(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """A frame as a server sends it."""
    return frame(opcode, payload, masked=False, fin=fin, rsv=rsv)


def read(data: bytes, reader: Reader | None = None) -> list[Message]:
    return list((reader or Reader()).feed(data))


# -- frames out -------------------------------------------------------------------------------


def test_masked() -> None:
    """The RFC's own example."""
    assert frame(TEXT, b"Hello", mask=0x37FA213D) == MASKED_HELLO


def test_unmasked() -> None:
    """A client must not, but who tries a server does."""
    assert frame(TEXT, b"Hello", masked=False) == UNMASKED_HELLO


def test_keys() -> None:
    """Each frame has a key of its own, unless it is told which."""
    assert len({frame(BINARY)[2:6] for _ in range(20)}) > 10


def test_zero_mask() -> None:
    """Mask 0 leaves the payload as it is, and is there all the same."""
    assert frame(BINARY, b"ab", mask=0) == b"\x82\x82\0\0\0\0ab"


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (125, "82 fd"),
        (126, "82 fe 00 7e"),
        (65_535, "82 fe ff ff"),
        (65_536, "82 ff 00 00 00 00 00 01 00 00"),
    ],
)
def test_length(size: int, head: str) -> None:
    """7 bits, 16 or 64: the shortest that holds it (section 5.2)."""
    assert frame(BINARY, bytes(size), mask=0) == bytes.fromhex(head) + bytes(4 + size)


def test_wrong_frames() -> None:
    """Reserved bits, any opcode, no FIN, a length that lies: all can be sent."""
    assert frame(3, rsv=5, mask=0)[:2] == b"\xd3\x80"
    assert frame(TEXT, fin=False, mask=0)[:2] == b"\x01\x80"
    assert frame(BINARY, b"ab", mask=0, length=70_000)[:10].hex() == "82ff0000000000011170"


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1))
def test_xor(payload: bytes, key: int) -> None:
    """It is the loop of section 5.3."""
    mask = key.to_bytes(4, "big")
    assert xor(payload, key) == bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))


def test_fragments() -> None:
    """The first says what it is, the last that it is the last."""
    pieces = list(fragments(TEXT, b"abcde", 2))
    assert [(piece[0], len(piece) - 6) for piece in pieces] == [(0x01, 2), (0x00, 2), (0x80, 1)]
    assert [piece[0] for piece in fragments(BINARY, b"", 2)] == [0x82]


def test_close() -> None:
    """Code and reason, or nothing at all."""
    made = close(GOING_AWAY, "bye")
    assert xor(made[6:], int.from_bytes(made[2:6], "big")) == b"\x03\xe9bye"
    assert close(NO_CODE)[:2] == b"\x88\x80"


# -- frames in --------------------------------------------------------------------------------

STREAM = b"".join(
    (
        served(TEXT, "grüß".encode()),
        served(BINARY, bytes(200)),
        served(PING, b"?"),
        served(TEXT, b"gr\xc3", fin=False),
        served(PONG),
        served(CONTINUATION, b"\xbc", fin=False),
        served(CONTINUATION),
        served(BINARY),
        served(CLOSE, b"\x03\xe8bye"),
    )
)
MESSAGES = [
    Message(TEXT, "grüß".encode()),
    Message(BINARY, bytes(200)),
    Message(PING, b"?"),
    Message(PONG, b""),
    Message(TEXT, "grü".encode()),
    Message(BINARY, b""),
    Message(CLOSE, b"\x03\xe8bye"),
]


def test_any_split() -> None:
    """Where the network cuts the stream makes no difference."""
    for cut in range(len(STREAM)):
        reader = Reader()
        assert read(STREAM[:cut], reader) + read(STREAM[cut:], reader) == MESSAGES


def test_byte_by_byte() -> None:
    """Nor how often."""
    reader = Reader()
    assert [one for byte in STREAM for one in read(bytes((byte,)), reader)] == MESSAGES


@pytest.mark.parametrize("hello", [UNMASKED_HELLO, FRAGMENTED_HELLO])
def test_examples(hello: bytes) -> None:
    """The RFC's own."""
    assert read(hello) == [Message(TEXT, b"Hello")]


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536, 300_000])
def test_sizes(size: int) -> None:
    """All three forms of a length are read."""
    assert read(served(BINARY, b"\1" * size)) == [Message(BINARY, b"\1" * size)]


@given(st.lists(st.tuples(st.sampled_from((TEXT, BINARY)), st.text(max_size=200))), st.data())
def test_round_trip(messages: list[tuple[int, str]], data: st.DataObject) -> None:
    """What is sent in frames or in fragments is what is read."""
    reader = Reader()
    for opcode, text in messages:
        payload = text.encode()
        cut = data.draw(st.integers(0, len(payload)))
        whole = data.draw(st.booleans())
        sent = (
            served(opcode, payload)
            if whole
            else served(opcode, payload[:cut], fin=False) + served(CONTINUATION, payload[cut:])
        )
        assert read(sent, reader) == [Message(opcode, payload)]


WRONG = [
    (MASKED_HELLO, "a masked frame", PROTOCOL_ERROR),
    (frame(BINARY, bytes(200), mask=0), "a masked frame", PROTOCOL_ERROR),
    (served(TEXT, rsv=4), "reserved bits 4", PROTOCOL_ERROR),
    (served(PING, rsv=1), "reserved bits 1", PROTOCOL_ERROR),
    (served(3), "opcode 3", PROTOCOL_ERROR),
    (served(11), "opcode 11", PROTOCOL_ERROR),
    (served(PING, fin=False), "a control frame in fragments", PROTOCOL_ERROR),
    (served(PONG, bytes(126)), "a control frame of 126 bytes", PROTOCOL_ERROR),
    (served(CONTINUATION), "a continuation of nothing", PROTOCOL_ERROR),
    (served(TEXT, fin=False) + served(TEXT), "a new message within", PROTOCOL_ERROR),
    (b"\x82\x7e\0\x7d", "a length of 125 in more bytes", PROTOCOL_ERROR),
    (b"\x82\x7f" + bytes(6) + b"\xff\xff", "a length of 65535 in more", PROTOCOL_ERROR),
    (b"\x82\x7f\x80" + bytes(7), "a message of more than", TOO_BIG),
    (served(TEXT, b"\xff"), "text that is no UTF-8", INVALID),
    (served(TEXT, "ü".encode()[:1]), "text that is no UTF-8", INVALID),
    (served(TEXT, b"\xed\xa0\x80"), "text that is no UTF-8", INVALID),  # a surrogate
    (served(TEXT, b"\xc3", fin=False) + served(CONTINUATION), "text that is no", INVALID),
    (served(CLOSE, b"\3"), "a close with the code 03", PROTOCOL_ERROR),
    (served(CLOSE, b"\x03\xed"), "a close with the code 03ed", PROTOCOL_ERROR),  # 1005
    (served(CLOSE, b"\x03\xe7"), "a close with the code 03e7", PROTOCOL_ERROR),  # 999
    (served(CLOSE, b"\x03\xe8\xff"), "text that is no UTF-8", INVALID),
]


@pytest.mark.parametrize(("wrong", "why", "code"), WRONG)
def test_wrong(wrong: bytes, why: str, code: int) -> None:
    """Each violation is told, with the code that closes the connection."""
    with pytest.raises(BadFrame, match=why) as raised:
        read(wrong)
    assert raised.value.code == code


def test_before_the_payload() -> None:
    """A wrong head is enough: what it announces is not waited for."""
    with pytest.raises(BadFrame, match="more than 1000 bytes"):
        read(served(BINARY, bytes(1_001))[:4], Reader(longest=1_000))


def test_behind_good_ones() -> None:
    """What came before a violation in the same read is read."""
    reading = Reader().feed(UNMASKED_HELLO + served(3))
    assert next(reading) == Message(TEXT, b"Hello")
    with pytest.raises(BadFrame):
        next(reading)


def test_long_message_in_fragments() -> None:
    """The limit is the message's and not the frame's."""
    reader = Reader(longest=1_000)
    read(served(BINARY, bytes(600), fin=False), reader)
    with pytest.raises(BadFrame, match="more than 1000 bytes"):
        read(served(CONTINUATION, bytes(600)), reader)


def test_no_fragments() -> None:
    """A carrier that cannot put them together takes whole messages only."""
    reader = Reader(fragmented=False)
    assert read(UNMASKED_HELLO + served(PING), reader)
    with pytest.raises(BadFrame, match="a fragment"):
        read(FRAGMENTED_HELLO, reader)


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_anything(pieces: list[bytes]) -> None:
    """Whatever comes is either understood or a `BadFrame`."""
    reader = Reader()
    try:
        for piece in pieces:
            read(piece, reader)
    except BadFrame:
        pass


def test_closing() -> None:
    """Code and reason of a close; a bare one has neither."""
    assert closing(b"\x03\xe8bye") == (1000, "bye")
    assert closing(b"") == (NO_CODE, "")
