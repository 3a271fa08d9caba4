"""What the requests and answers of all vendors have in common."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.models.base import Tool, ToolCall
from rapida_tw.models.exchange import (
    efforts,
    event,
    extra_headers,
    given_json,
    keep,
    kept,
    post,
    refusal,
    schema,
    wanted,
)


def test_post() -> None:
    """JSON, in which any text goes, half a character too."""
    request = post("http://x/", {"X-Key": "k"}, {"text": "süß \ud83d"})
    assert request.method == "POST"
    assert json.loads(request.body) == {"text": "süß ?"}
    assert request.headers["Accept"] == "text/event-stream"
    assert request.headers["X-Key"] == "k"


@pytest.mark.parametrize(
    ("status", "body", "reason", "retryable"),
    [
        (401, '{"error": {"message": "sk-123 is wrong"}}', "Acme does not take the key", False),
        (400, '{"error": {"message": "no\\n model"}}', "Acme refused: HTTP 400, no model", False),
        (422, '{"detail": [{"msg": "missing"}]}', "Acme refused: HTTP 422, missing", False),
        (404, '{"error": "no such model"}', "Acme refused: HTTP 404, no such model", False),
        (403, '{"message": "not here"}', "Acme refused: HTTP 403, not here", False),
        (502, "<html><h1>Bad Gateway</h1></html>", "Acme refused: HTTP 502, Bad Gateway", True),
        (503, "", "Acme refused: HTTP 503", True),
        (529, "{}", "Acme refused: HTTP 529, {}", True),
        (429, '{"error": {"message": "slow"}}', "Acme refused: HTTP 429, slow", True),
        (
            429,
            '{"error": {"message": "Pay", "code": "insufficient_quota"}}',
            "Acme: the account is empty: Pay",
            False,
        ),
        (400, '{"error": {"message": "Your credit balance is too low"}}', "empty", False),
        (402, "", "Acme: the account is empty: ", False),
        (301, "", "Acme refused: HTTP 301", False),
    ],
)
def test_refusal(status: int, body: str, reason: str, retryable: bool) -> None:
    """A sentence with vendor and reason, whatever the body, and whether to try again."""
    complaint = refusal("Acme", status, body)
    assert reason in complaint.reason
    assert complaint.retryable is retryable


def test_long_reason() -> None:
    """Nobody reads a page."""
    assert len(refusal("Acme", 500, "x" * 10_000).reason) < 400


@pytest.mark.parametrize(
    ("arguments", "values"), [("", {}), (" ", {}), ("{}", {}), ('{"a": [1]}', {"a": [1]})]
)
def test_wanted(arguments: str, values: dict[str, Any]) -> None:
    """A call with its arguments; none at all are none."""
    assert wanted("Acme", "c", "look", arguments, "k") == ToolCall("c", "look", values, "k")


@pytest.mark.parametrize(("name", "arguments"), [("look", "{"), ("look", "7"), ("", "{}")])
def test_not_wanted(name: str, arguments: str) -> None:
    """A sentence for what is no call."""
    assert "Acme called the tool" in str(wanted("Acme", "c", name, arguments))


@pytest.mark.parametrize("text", ["", "{", "[1]", '"x"', "1" * 5_000, "[" * 100_000])
def test_event(text: str) -> None:
    """What is no object is garbage."""
    with pytest.raises(RemoteProtocolError):
        event(text)


def test_kept() -> None:
    """Only who kept it, for the same model, gets it back."""
    text = keep("acme", "a", [1])
    assert kept(text, "acme", "a") == [1]
    assert kept(text, "acme", "b") is None
    assert kept(text, "other", "a") is None
    for alien in ("", "{", "[]", "EqQBCgIYAhIM"):
        assert kept(alien, "acme", "a") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("auto", "auto"), ("", ""), (' {"a": 1}', {"a": 1}), ("[1]", [1])],
)
def test_given_json(text: str, value: Any) -> None:
    """A word is a word, and JSON is JSON."""
    assert given_json(text) == value


def test_headers() -> None:
    """A credential's own headers."""
    account = Account("custom", {"headers": '{"X-Tenant": 7}'})
    assert extra_headers(account) == {"X-Tenant": "7"}
    assert extra_headers(Account("custom")) == {}
    for wrong in ("[]", "{", "X-Tenant: 7"):
        with pytest.raises(MisconfiguredAssistant, match="custom: headers"):
            extra_headers(Account("custom", {"headers": wrong}))


@pytest.mark.parametrize(
    ("model", "chosen", "levels"),
    [
        ("gpt-4.1", "", ()),
        ("gpt-4o", "high", ("high",)),
        ("gpt-5-mini", "", ("none", "minimal", "low")),
        ("openai/gpt-5.2", "", ("none", "minimal", "low")),
        ("gpt-6-sol", "low", ("low",)),
        ("o4-mini", "", ("none", "minimal", "low")),
        ("our-deployment", "", ()),
    ],
)
def test_efforts(model: str, chosen: str, levels: tuple[str, ...]) -> None:
    """Models that think are told not to, unless somebody wants them to."""
    assert tuple(efforts(model, chosen)) == levels


def test_schema() -> None:
    """Arguments are an object's."""
    assert schema(Tool("x", "X.")) == {"type": "object", "properties": {}}
    assert schema(Tool("x", "X.", {"properties": {"a": {}}})) == {
        "type": "object",
        "properties": {"a": {}},
    }
