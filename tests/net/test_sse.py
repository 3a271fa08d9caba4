"""Server-sent events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.net.sse import LONGEST, EventStream

STREAM = (
    '\ufeffdata: {"a":1}\n\n'
    ": OPENROUTER PROCESSING\n\n"
    "event: delta\r\ndata:two\r\ndata:  lines\r\n\r\n"
    "id: 7\rretry: 100\rdata: grüß 🙂\r\r"
    "event: nothing\n\n"
    "data\ndata:\n\n"
    "data: [DONE]\n\n"
    "data: unfinished\n"
).encode()
EVENTS = [
    ("", '{"a":1}'),
    ("delta", "two\n lines"),
    ("", "grüß 🙂"),
    ("", "\n"),
    ("", "[DONE]"),
]


def test_events() -> None:
    """Line ends, comments, several lines, a byte order mark, and fields that are not ours."""
    assert EventStream().feed(STREAM) == EVENTS


def test_any_cut() -> None:
    """Where the network cuts the stream makes no difference."""
    for cut in range(len(STREAM)):
        reader = EventStream()
        assert reader.feed(STREAM[:cut]) + reader.feed(STREAM[cut:]) == EVENTS, cut


def test_byte_by_byte() -> None:
    """Nor does it into how many pieces; an event is told with its last byte."""
    reader, events = EventStream(), []
    for byte in STREAM:
        events += reader.feed(bytes((byte,)))
    assert events == EVENTS
    assert EventStream().feed(b"data: a\r\r") == [("", "a")]


def test_the_second_half_of_a_line_end() -> None:
    """An LF behind a CR that came before it ends no line of its own."""
    reader = EventStream()
    assert reader.feed(b"data: a\r") == []
    assert reader.feed(b"\ndata: b\r") == []
    assert reader.feed(b"\n\r") == [("", "a\nb")]
    assert reader.feed(b"\n") == []


@pytest.mark.parametrize(
    "pieces",
    [
        [b"data: " + bytes(LONGEST)],
        [b"data: a\n" * (LONGEST // 2)],
        [b"data:" + b"a" * 100_000] * 11,
        [b":" + b"a" * 100_000] * 11,
    ],
)
def test_too_long(pieces: list[bytes]) -> None:
    """An event that does not end is not gathered."""
    assert _read(pieces) == "garbage"


@given(st.lists(st.binary(max_size=40)))
def test_garbage(pieces: list[bytes]) -> None:
    """Never another exception, and the same whether it comes at once or not."""
    assert _read(pieces) == _read([b"".join(pieces)])


@given(st.lists(st.sampled_from([b"\r", b"\n", b"data:", b"a", b":", b" ", b"event:"])))
def test_pieces_of_lines(pieces: list[bytes]) -> None:
    """The same of what is nearly right."""
    assert _read(pieces) == _read([b"".join(pieces)])


def _read(pieces: list[bytes]) -> list[tuple[str, str]] | str:
    reader, events = EventStream(), []
    try:
        for piece in pieces:
            events += reader.feed(piece)
    except RemoteProtocolError:
        return "garbage"
    return events
