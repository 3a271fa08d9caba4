"""Accepted: refusals of the real vendors, and what is learned from them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rapida_tw.models.accepted import Accepted, Field, Offer


def once(*words: str) -> Field:
    return Field(words, ({words[0]: 1}, {}))


FIELDS = (
    once("stream_options", "include_usage"),
    once("temperature"),
    once("top_p"),
    once("user"),
    once("stop"),
    once("metadata"),
    once("cache_control"),
    once("topK", "top_k"),
    Field(("max_tokens", "max_completion_tokens"), ({"max_tokens": 9}, {"limit": 9}, {})),
    Field(("reasoning_effort",), ({"effort": "none"}, {"effort": "low"}, {})),
    Field(("thinking", "Thinking", "Budget", "output_config"), ({"t": 0}, {})),
)


def error(message: str, **fields: Any) -> str:
    return json.dumps({"error": {"message": message, **fields}})


REFUSALS = [
    # OpenAI
    (
        error(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            param="max_tokens",
            code="unsupported_parameter",
        ),
        "max_tokens",
    ),
    (
        error(
            "Unsupported value: 'temperature' does not support 0.3 with this model. Only the "
            "default (1) value is supported.",
            param="temperature",
            code="unsupported_value",
        ),
        "temperature",
    ),
    (
        error(
            "Unsupported value: 'reasoning_effort' does not support 'none' with this model.",
            param="reasoning_effort",
        ),
        "reasoning_effort",
    ),
    (error("Unrecognized request argument supplied: stream_options", param=None), "stream_options"),
    (
        error("Unsupported parameter: 'stop' is not supported with this model.", param="stop"),
        "stop",
    ),
    (
        error(
            "The 'metadata' parameter is only allowed when 'store' is enabled.", param="metadata"
        ),
        "metadata",
    ),
    # Mistral
    (
        json.dumps(
            {
                "detail": [
                    {
                        "type": "extra_forbidden",
                        "loc": ["body", "stream_options"],
                        "msg": "Extra inputs are not permitted",
                        "input": {"include_usage": True},
                    }
                ]
            }
        ),
        "stream_options",
    ),
    # Anthropic
    (error("`temperature` is deprecated for this model."), "temperature"),
    (error("temperature: Extra inputs are not permitted"), "temperature"),
    (error('"thinking.type.disabled" is not supported for this model.'), "thinking"),
    (error("output_config.effort: Extra inputs are not permitted"), "thinking"),
    (error("system.0.cache_control: Extra inputs are not permitted"), "cache_control"),
    # Gemini
    (error("Thinking level is not supported for this model."), "thinking"),
    (error("Budget 0 is invalid. This model only works in thinking mode."), "thinking"),
    (error("Invalid JSON payload received. Unknown name \"topK\" at 'generation_config'"), "topK"),
    # a page, and plain text
    ("<html>unknown field: top_p</html>", "top_p"),
]


@pytest.mark.parametrize(("body", "name"), REFUSALS)
def test_refusals(body: str, name: str) -> None:
    """The field that the vendor does not take is found by its own words."""
    accepted = Accepted()
    offer = Offer(accepted, FIELDS)
    before = offer.body()
    assert offer.refused(400, body) == name
    after = Offer(accepted, FIELDS).body()
    assert after != before
    assert len(before.items() - after.items()) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, error("messages: text content blocks must be non-empty")),
        (400, error("The user has no access. Please stop. This is not supported.")),
        (400, error("This model's maximum context length is 8192 tokens.")),
        (400, error("Expected `thinking` or `redacted_thinking`, but found `tool_use`.")),
        (400, ""),
        (404, error("Unsupported parameter: 'max_tokens'")),
        (500, error("temperature is not supported")),
    ],
)
def test_other_errors(status: int, body: str) -> None:
    """What is wrong otherwise is no refusal of a field."""
    assert Offer(Accepted(), FIELDS).refused(status, body) == ""


def test_ways() -> None:
    """One way after the other is tried, and at last none; then there is nothing to learn."""
    accepted, field = Accepted(), FIELDS[-2]
    body = error("'reasoning_effort' is not supported")
    sent = []
    for _ in range(3):
        offer = Offer(accepted, [field])
        sent.append(offer.body())
        offer.refused(400, body)
    assert sent == [{"effort": "none"}, {"effort": "low"}, {}]
    assert Offer(accepted, [field]).refused(400, body) == ""


def test_two_calls_at_once() -> None:
    """Both are told; the second lesson is the same as the first."""
    accepted, field = Accepted(), FIELDS[-2]
    offers = [Offer(accepted, [field]), Offer(accepted, [field])]
    assert [one.refused(400, error("'reasoning_effort' is not supported")) for one in offers] == [
        "reasoning_effort"
    ] * 2
    assert Offer(accepted, [field]).body() == {"effort": "low"}


def test_other_wishes() -> None:
    """What one assistant's way has taught is no lesson about another's."""
    accepted = Accepted()
    Offer(accepted, [FIELDS[-2]]).refused(400, error("'reasoning_effort' is not supported"))
    wish = Field(("reasoning_effort",), ({"effort": "high"}, {"effort": "highest"}, {}))
    assert Offer(accepted, [wish]).body() == {"effort": "high"}
    Offer(accepted, [FIELDS[1]]).refused(400, error("`temperature` is deprecated"))
    assert Offer(accepted, [Field(("temperature",), ({"temperature": 2}, {}))]).body() == {}
