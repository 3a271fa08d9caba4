"""What webhooks of all carriers hold, and what deployments say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.carriers.base import WebhookRequest
from rapida_tw.carriers.fields import fields, identity, word
from rapida_tw.carriers.options import one_of
from rapida_tw.errors import BadRequest, MisconfiguredAssistant


def test_all_sources() -> None:
    """The JSON before the form, the form before the query."""
    request = WebhookRequest(
        "POST", "/", {"a": "1", "b": "1", "c": "1"}, {"b": "2", "c": "2"}, json={"c": "3"}
    )
    assert fields(request) == {"a": "1", "b": "2", "c": "3"}


def test_values() -> None:
    """Flat and printable; a null is nothing, our key is nobody's business."""
    told = {"n": 1, "t": True, "o": {"a": [1]}, "x": None, "c": "a\r\nb\x00\ud800", "k\n": "v"}
    request = WebhookRequest("POST", "/", {"X-Api-Key": "rpd-secret"}, json=told)
    assert fields(request) == {"n": "1", "t": "true", "o": '{"a": [1]}', "c": "ab", "k": "v"}


def test_long_value() -> None:
    """No field fills the history."""
    assert len(fields(WebhookRequest("GET", "/", {"a": "x" * 9_000}))["a"]) == 4_000


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"a": "1", "b": "2"}, "1"),
        ({"a": "", "b": "2"}, "2"),
        ({"a": " ", "b": ""}, ""),
        ({"b": " 2 "}, "2"),
        ({"c": "3"}, None),
    ],
)
def test_identity(told: dict[str, str], found: str | None) -> None:
    """The first that says something; it makes a difference whether any is there."""
    assert identity(told, "a", "b") == found


def test_identity_too_long() -> None:
    """The longest name of a call or of a caller that anybody needs."""
    assert identity({"a": "1" * 128}, "a") == "1" * 128
    with pytest.raises(BadRequest, match="a is longer"):
        identity({"a": "1" * 129}, "a")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("no-answer", "no-answer"),
        ("In Progress", "in-progress"),
        ("beep_start", "beep_start"),
        ("-.x.-", "x"),
        ("\u00e9", ""),
        ("", ""),
    ],
)
def test_word(text: str, name: str) -> None:
    """A word of the carrier's, so that it can be a part of a name."""
    assert word(text) == name


@given(st.text())
def test_any_word(text: str) -> None:
    """Whatever it is, it is short and plain."""
    assert set(word(text)) <= set("abcdefghijklmnopqrstuvwxyz0123456789_.-")
    assert len(word(text)) <= 40


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({}, 5),
        ({"a": None}, 5),
        ({"a": ""}, 5),
        ({"a": 10}, 10),
        ({"a": "10"}, 10),
        ({"a": 0}, 0),
    ],
)
def test_option(options: dict[str, Any], value: int) -> None:
    """A number or its text; nothing is the default."""
    assert one_of(options, "a", (0, 5, 10), 5) == value


@pytest.mark.parametrize("value", [7, "7", "10 ", [10], {"a": 10}, "x" * 200])
def test_bad_option(value: Any) -> None:
    """The sentence says what is allowed."""
    with pytest.raises(MisconfiguredAssistant, match="a must be one of 0, 5, 10") as raised:
        one_of({"a": value}, "a", (0, 5, 10), 5)
    assert len(str(raised.value)) < 120


def test_option_of_any_case() -> None:
    """True and false as anybody writes them."""
    for value in (True, "true", "True", "TRUE"):
        assert one_of({"a": value}, "a", (False, True), False)
