"""What the tests of readers share: events in, what was understood out, however they are cut."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.models.dialect import Complaint, Event, Finished, Reader, Text, Wanted, Working

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def stream(*chunks: Mapping[str, Any] | str) -> bytes:
    texts = [one if isinstance(one, str) else json.dumps(one) for one in chunks]
    return "".join(f"data: {text}\n\n" for text in texts).encode()


def read(reader: Reader, *pieces: bytes) -> list[Event]:
    """Without signs of life."""
    found = [event for piece in pieces for event in reader.feed(piece)]
    return [one for one in [*found, *reader.finish()] if not isinstance(one, Working)]


def text(events: Sequence[Event]) -> str:
    return "".join(one.delta for one in events if isinstance(one, Text))


def calls(events: Sequence[Event]) -> list[tuple[str, str, dict[str, Any]]]:
    wanted = [one.call for one in events if isinstance(one, Wanted)]
    return [(one.id, one.name, dict(one.arguments)) for one in wanted]


def end(events: Sequence[Event]) -> Finished | Complaint:
    (last,) = [one for one in events if isinstance(one, Finished | Complaint)]
    assert events[-1] is last
    return last


def same_when_cut(make: Callable[[], Reader], body: bytes) -> None:
    """Where the network cuts makes no difference."""
    whole = read(make(), body)
    for cut in range(len(body)):
        assert read(make(), body[:cut], body[cut:]) == whole


def survives(reader: Reader, body: bytes) -> None:
    """Garbage is a RemoteProtocolError, and never anything else; it comes to one end."""
    try:
        events = read(reader, body)
    except RemoteProtocolError:
        return
    ends = [one for one in events if isinstance(one, Finished | Complaint)]
    assert len(ends) == 1
