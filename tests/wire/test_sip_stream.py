"""SIP on a stream: where one message ends and the next begins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.wire.sip_message import Malformed, parse
from rapida_tw.wire.sip_stream import SipStream

HEAD = (
    b"OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:h>;tag=1\r\n"
    b"To: <sip:h>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
)
EMPTY = HEAD + b"Content-Length: 0\r\n\r\n"
FULL = HEAD + b"l :\r\n 9\r\n\r\n\r\n\r\nSIP\r\n"
BARE = FULL.replace(b"\r\n ", b" ").replace(b"\r\n", b"\n", 8)
PING = b"\r\n\r\n"


def feed(*pieces: bytes) -> list[bytes]:
    stream = SipStream()
    return [message for piece in pieces for message in stream.feed(piece)]


def broken(data: bytes) -> Malformed:
    with pytest.raises(Malformed) as caught:
        feed(data)
    return caught.value


def test_messages() -> None:
    """Each message by its Content-Length, whatever its body looks like."""
    assert feed(EMPTY + FULL + BARE + EMPTY) == [EMPTY, FULL, BARE, EMPTY]
    assert parse(FULL).body == PING + b"SIP\r\n"


@pytest.mark.parametrize("message", [EMPTY, FULL, BARE])
def test_any_cut(message: bytes) -> None:
    """Where the network cuts makes no difference."""
    stream = EMPTY + message + EMPTY
    for cut in range(len(stream)):
        assert feed(stream[:cut], stream[cut:]) == [EMPTY, message, EMPTY], cut


def test_byte_by_byte() -> None:
    """One byte at a time gives the same."""
    stream = EMPTY + PING + FULL + BARE
    assert feed(*(bytes((byte,)) for byte in stream)) == [EMPTY, b"", FULL, BARE]


def test_lines_between() -> None:
    """A line's end between messages is nothing, and so is the pong to a ping of ours."""
    assert feed(b"\r\n" + EMPTY + b"\r\n" + FULL + b"\r\n") == [EMPTY, FULL]


def test_ping() -> None:
    """Two empty lines want an answer: alone, cut in the middle, or before a message."""
    assert feed(PING) == [b""]
    assert feed(PING[:2], PING[2:]) == [b""]
    assert feed(PING + EMPTY + PING) == [b"", EMPTY, b""]
    assert feed(PING, PING) == [b"", b""]


def test_pings_are_not_amplified() -> None:
    """However many come at once, one pong answers them."""
    assert feed(PING * 1000) == [b""]


@pytest.mark.parametrize(
    ("length", "status", "text"),
    [
        (b"", 400, "No Content-Length"),
        (b"Content-Length: -1\r\n", 400, "Content-Length is no number"),
        (b"Content-Length: 1e3\r\n", 400, "Content-Length is no number"),
        (b"Content-Length:\r\n", 400, "Content-Length is no number"),
        (b"Content-Length: 1\r\nl: 2\r\n", 400, "More than one Content-Length"),
        (b"Content-Length: 65537\r\n", 413, "A body beyond all measure"),
        (b"Content-Length: 9999999999\r\n", 413, "A body beyond all measure"),
    ],
)
def test_lengths(length: bytes, status: int, text: str) -> None:
    """Without a length that holds, nothing after it can be found: an answer, then the end."""
    fault = broken(HEAD + length + b"\r\n")
    assert (fault.status, str(fault)) == (status, text)
    assert fault.request is not None
    assert fault.request.answer(fault.status).call_id == "1"


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 900,
        b"a" * 8_193,
        b"hello\nworld",
        b"SIP/2.0 hello\r\nl: 0\r\n\r\n",
        EMPTY[:-2] + b"X: " + b"a" * 65_536,
        EMPTY[:-2] + b"X: 1\r\n" * 11_000,
        HEAD.replace(b"OPTIONS", b"ACK") + b"\r\n",
        HEAD.replace(b"OPTIONS sip:h SIP/2.0", b"SIP/2.0 200 OK") + b"\r\n",
    ],
)
def test_beyond_use(data: bytes) -> None:
    """No SIP, no end, or nobody to answer."""
    assert broken(data).request is None


def test_before_the_fault() -> None:
    """What came whole before a fault is not lost with it; then the stream stays broken."""
    stream = SipStream()
    assert stream.feed(EMPTY + b"GET / HTTP/1.1\r\n") == [EMPTY]
    for data in (b"", EMPTY):
        with pytest.raises(Malformed):
            stream.feed(data)


def test_largest() -> None:
    """64 kB of body are a message."""
    message = HEAD + b"Content-Length: 65536\r\n\r\n" + bytes(65_536)
    assert feed(message + EMPTY) == [message, EMPTY]


@given(
    st.lists(
        st.one_of(
            st.sampled_from([EMPTY, FULL, PING, b"\r\n", b"\n", b"l: 1\r\n", b"SIP/2.0 ", HEAD]),
            st.binary(max_size=20),
        ),
        max_size=8,
    )
)
def test_any_bytes(pieces: list[bytes]) -> None:
    """Nothing but Malformed, and the same messages however the pieces are cut."""
    whole: list[bytes] = []
    apart: list[bytes] = []
    for found, data in ((whole, [b"".join(pieces)]), (apart, pieces)):
        stream = SipStream()
        try:
            for piece in data:
                found += filter(None, stream.feed(piece))
        except Malformed:
            pass
    assert whole == apart
