"""What vendors' JSON is checked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.speech import messages

READERS = (messages.text, messages.number, messages.flag, messages.part, messages.parts)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("payload", "binary"),
    [(b"{}", True), (b"", False), (b"[]", False), (b"\xff", False), (b"[" * 100_000, False)],
    ids=["binary", "empty", "list", "no UTF-8", "deep"],
)
def test_no_message(payload: bytes, binary: bool) -> None:
    """What is no JSON object in text."""
    with pytest.raises(RemoteProtocolError):
        messages.parse(payload, binary)


@given(st.binary())
def test_any_bytes(payload: bytes) -> None:
    """Never another exception."""
    with suppress(RemoteProtocolError):
        assert isinstance(messages.parse(payload), dict)


@given(JSON)
def test_any_value(value: object) -> None:
    """Every reader returns something, or says that the vendor is wrong."""
    fields = json.loads(json.dumps({"field": value}))
    for read in READERS:
        with suppress(RemoteProtocolError):
            read(fields, "field")


@pytest.mark.parametrize(
    ("read", "value", "good"),
    [
        (messages.text, "a", "a"),
        (messages.text, None, ""),
        (messages.number, 3, 3.0),
        (messages.number, None, 0.0),
        (messages.flag, True, True),
        (messages.flag, None, False),
        (messages.part, {"a": 1}, {"a": 1}),
        (messages.part, None, {}),
        (messages.parts, [{}], [{}]),
        (messages.parts, None, ()),
    ],
)
def test_read(read: Callable[..., Any], value: object, good: object) -> None:
    """A null is as good as nothing."""
    assert read({"field": value}, "field") == good


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (messages.text, 1),
        (messages.number, True),
        (messages.number, "1"),
        (messages.number, float("inf")),
        (messages.number, 10**400),
        (messages.flag, 1),
        (messages.part, []),
        (messages.parts, {}),
        (messages.parts, ["a"]),
    ],
)
def test_wrong_kind(read: Callable[..., Any], value: object) -> None:
    """What is of another kind is a mistake of the vendor's."""
    with pytest.raises(RemoteProtocolError):
        read({"field": value}, "field")


@pytest.mark.parametrize(
    ("words", "mean"),
    [
        ([{"confidence": 1}, {"confidence": 0.5}], 0.75),
        ([{"confidence": 0.5}, {}], 0.5),
        ([{}], 1.0),
        ([{"confidence": 7}], 1.0),
    ],
)
def test_confidence(words: list[dict[str, float]], mean: float) -> None:
    """Words that tell none do not count; none at all is certainty."""
    assert messages.confidence(words) == mean


def test_reason() -> None:
    """One line, whatever the vendor wrote."""
    assert messages.reason("", "bad\nkey", "") == "bad key"
    assert messages.reason("") == "it gave no reason"
    assert len(messages.reason("x" * 5000)) == 200


@pytest.mark.parametrize(
    ("base", "query", "url"),
    [
        ("wss://a", {}, "wss://a/p"),
        ("https://a", {"x": "", "y": None}, "wss://a/p"),
        ("http://a:1/b", {"x": True, "y": 0}, "ws://a:1/b/p?x=true&y=0"),
        ("wss://a/b/p", {}, "wss://a/b/p"),
        ("a", {}, "wss://a/p"),
        ("ws://a", {"x": ("b c", "d&e")}, "ws://a/p?x=b%20c&x=d%26e"),
    ],
)
def test_socket_url(base: str, query: dict[str, Any], url: str) -> None:
    """What is not set is left out; several values are several fields."""
    assert messages.socket_url(base, "/p", query) == url


def test_written() -> None:
    """ASCII, without spaces."""
    assert messages.written({"a": "é", "b": [1, 2]}).payload == b'{"a":"\\u00e9","b":[1,2]}'
