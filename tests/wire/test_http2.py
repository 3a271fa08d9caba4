"""HTTP/2 frames: where GOAWAY is, wherever the bytes were cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire.http2 import LONGEST_FRAME, Frames, GoAway

PING = b"\0\0\x08\x06\0\0\0\0\0" + b"rapidatw"
DATA = b"\0\0\3\0\1\0\0\0\1abc"
GOAWAY = b"\0\0\x0f\x07\0\0\0\0\0" + b"\x80\0\0\x05" + b"\0\0\0\x0b" + b"max_age"


def test_any_cut() -> None:
    """Frames are told whole, GOAWAY as what it says."""
    stream = PING + DATA + GOAWAY + PING
    expected = [PING, DATA, GoAway(5, 11, "max_age"), PING]
    for cut in range(len(stream) + 1):
        frames = Frames()
        assert [*frames.feed(stream[:cut]), *frames.feed(stream[cut:])] == expected


def test_too_long() -> None:
    """It is refused by its head."""
    assert list(Frames().feed(LONGEST_FRAME.to_bytes(3, "big") + bytes(6))) == []
    with pytest.raises(RemoteProtocolError):
        list(Frames().feed((LONGEST_FRAME + 1).to_bytes(3, "big") + bytes(6)))


@given(st.lists(st.binary(max_size=40)))
def test_garbage(pieces: list[bytes]) -> None:
    """Never another exception, and nothing is lost or kept twice."""
    frames, told = Frames(), b""
    try:
        for piece in pieces:
            for one in frames.feed(piece):
                told += b"" if isinstance(one, GoAway) else one
    except RemoteProtocolError:
        return
    assert len(told) <= sum(map(len, pieces))
