"""Rules of a declarative vendor: what they send, what they understand, what they refuse."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.speech.rules import MOST, RequestRules, ResponseRules

VALUES = {"packet.text": "hello", "packet.audio.bytes": b"\x01\x02", "config.rate": 8000}


def rule(packet: str, body: object, frame: str = "json") -> dict[str, object]:
    return {"when": {"packet": packet}, "send": {"frame": frame, "body": body}}


def sent(*rules: object, packet: str = "text") -> list[tuple[bytes, bool]]:
    made = RequestRules(list(rules), ("text", "done"))
    return [tuple(frame) for frame in made.frames(packet, VALUES.__getitem__)]


def emitted(message: bytes, *rules: object, binary: bool = False) -> list[dict[str, Any]]:
    made = ResponseRules(list(rules), ("script", "audio", "error"))
    return [dict(one) for one in made.emitted(message, binary, VALUES.__getitem__)]


@pytest.mark.parametrize(
    ("body", "frame", "message"),
    [
        ({"say": {"$var": "packet.text"}}, "json", (b'{"say":"hello"}', False)),
        ({"$var": "packet.text"}, "text", (b"hello", False)),
        ({"$var": "packet.audio.bytes"}, "binary", (b"\x01\x02", True)),
        ({"$cast": "string", "value": {"$var": "config.rate"}}, "json", (b'"8000"', False)),
        ([1, {"a": [True, None]}], "json", (b'[1,{"a":[true,null]}]', False)),
        ("finalize", "text", (b"finalize", False)),
    ],
)
def test_sent(body: object, frame: str, message: tuple[bytes, bool]) -> None:
    """Bodies with variables, in each kind of frame."""
    assert sent(rule("text", body, frame)) == [message]


def test_all_that_match() -> None:
    """Every rule of the packet, in their order, and no other."""
    rules = (rule("text", 1), rule("done", 2), rule("text", 3))
    assert sent(*rules) == [(b"1", False), (b"3", False)]
    assert sent(*rules, packet="done") == [(b"2", False)]


@pytest.mark.parametrize(
    "body",
    [{"$var": "packet.txt"}, {"$path": "a"}, {"$cast": "integer", "value": "x"}, {"a": b"bytes"}],
)
def test_not_to_be_had(body: object) -> None:
    """A value that there is not is an error, with its name."""
    with pytest.raises(RemoteProtocolError):
        sent(rule("text", body))


@pytest.mark.parametrize(
    ("when", "matches"),
    [
        ({}, True),
        ({"frame": "json"}, True),
        ({"frame": "text"}, False),
        ({"path": "type", "equals": "final"}, True),
        ({"path": "type", "equals": "other"}, False),
        ({"path": "type"}, True),
        ({"path": "missing", "equals": None}, False),
        ({"path": "items.1.n", "equals": 2}, True),
        ({"path": "items.2.n"}, False),
        ({"path": "yes", "equals": 1}, False),  # true is not 1
        ({"path": "yes", "equals": True}, True),
    ],
)
def test_matches(when: object, matches: bool) -> None:
    """By the kind of frame and by what is at a place; what is not there does not match."""
    message = b'{"type":"final","items":[{"n":1},{"n":2}],"yes":true}'
    assert bool(emitted(message, {"when": when, "emit": {"script": "x"}})) is matches


def test_emitted() -> None:
    """Places of the message, decoded and cast; the frame as it came."""
    message = b'{"a":{"b":["x","y"]},"sound":"AQI=","n":"3"}'
    emit = {
        "script": {"$path": "a.b.1"},
        "audio": {"$decode": "base64", "value": {"$path": "sound"}},
        "error": {"$cast": "integer", "value": {"$path": "n"}},
    }
    assert emitted(message, {"when": {}, "emit": emit}) == [
        {"script": "y", "audio": b"\x01\x02", "error": 3}
    ]
    frame = {"when": {"frame": "binary"}, "emit": {"audio": {"$frame": True}}}
    assert emitted(b"\xff\x00", frame, binary=True) == [{"audio": b"\xff\x00"}]
    words = {"when": {"frame": "text"}, "emit": {"script": {"$frame": True}}}
    assert emitted(b"plain words", words) == [{"script": "plain words"}]


@pytest.mark.parametrize("value", [{"$path": "b"}, {"$decode": "base64", "value": "?"}])
def test_broken_message(value: object) -> None:
    """What a rule needs and the message has not is the vendor's mistake."""
    with pytest.raises(RemoteProtocolError):
        emitted(b'{"a":1}', {"when": {"path": "a"}, "emit": {"script": value}})


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({}, "list"),
        ([1], "rule 0"),
        ([{"when": {"packet": "text"}, "send": {"body": 1}, "then": 1}], "rule 0"),
        ([rule("nothing", 1)], "when.packet"),
        ([rule("text", 1, "xml")], "json, text or binary"),
        ([{"when": {"packet": "text"}, "send": {}}], "body"),
        ([rule("text", {"$eval": "1"})], "no operator"),
        ([rule("text", {"$var": "a", "$path": "b"})], "no operator"),
        ([rule("text", {"$cast": "date", "value": 1})], "unknown"),
        ([rule("text", {"$cast": "string"})], "needs a value"),
        ([rule("text", 1)] * (MOST + 1), "at most"),
    ],
)
def test_refused(rules: object, told: str) -> None:
    """A rule that cannot be one is told, with its place, before any call."""
    with pytest.raises(ValueError, match=told):
        RequestRules(rules, ("text",))


@pytest.mark.parametrize(
    "rule",
    [
        {"when": {"route": "a"}, "emit": {"script": 1}},
        {"when": {}, "emit": {"sound": 1}},
        {"when": {}, "emit": {}},
        {"when": {}, "emit": {"script": {"$x": 1}}},
    ],
)
def test_response_refused(rule: object) -> None:
    """The same for what messages mean."""
    with pytest.raises(ValueError, match="rule 0"):
        ResponseRules([rule], ("script",))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab$"), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.binary(max_size=60) | json_values.map(lambda v: repr(v).encode()), st.booleans())
def test_any_message(message: bytes, binary: bool) -> None:
    """Whatever a vendor sends is understood, or is a RemoteProtocolError."""
    rules = (
        {"when": {"path": "a"}, "emit": {"script": {"$path": "a.b"}}},
        {"when": {}, "emit": {"audio": {"$decode": "base64", "value": {"$frame": True}}}},
    )
    with suppress(RemoteProtocolError):
        emitted(message, *rules, binary=binary)
