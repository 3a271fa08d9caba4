"""Anthropic's own client understands our fake of its API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.vendors.fakes import fake

anthropic = pytest.importorskip("anthropic", reason="anthropic is not installed")

KEY = "sk-ant-a-key-of-the-fake"
CALL = {"name": "book", "arguments": {"day": "monday", "note": "süß"}}
SCRIPT: list[Any] = [
    {"text": "Let me see.", "calls": [CALL, {"name": "look"}], "thoughts": "Hm.", "cached": 4},
    "Done.",
    {"text": "One two three.", "trouble": "error"},
    {"trouble": "withheld"},
]
TOOLS = [
    {"name": "book", "description": "Book.", "input_schema": {"type": "object"}},
    {"name": "look", "description": "Look.", "input_schema": {"type": "object"}},
]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with fake("anthropic", script=SCRIPT, key=KEY) as port:
        yield made(port)


def made(port: int, key: str = KEY) -> Any:
    url = f"http://127.0.0.1:{port}"
    return anthropic.Anthropic(api_key=key, base_url=url, max_retries=0, timeout=20)


def test_messages(client: Any) -> None:
    """It streams thoughts, text, tool calls and usage; results go back; errors raise."""
    asked: dict[str, Any] = {
        "model": "claude-haiku-5-5",
        "max_tokens": 2048,
        "thinking": {"type": "adaptive"},
        "system": [{"type": "text", "text": "Brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": "Book me a table."}],
        "tools": TOOLS,
    }
    with client.messages.stream(**asked) as stream:
        assert list(stream.text_stream) == ["Let", " me", " see."]
        message = stream.get_final_message()
    thought, text, book, look = message.content
    assert thought.thinking == "Hm."
    assert thought.signature
    assert text.text == "Let me see."
    assert book.input == CALL["arguments"]
    assert look.input == {}
    assert message.stop_reason == "tool_use"
    assert message.usage.cache_read_input_tokens == 4
    results = [
        {"type": "tool_result", "tool_use_id": one.id, "content": "{}"} for one in (book, look)
    ]
    asked["messages"] += [
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": results},
    ]
    with client.messages.stream(**asked) as stream:
        assert stream.get_final_text() == "Done."
    with (
        pytest.raises(anthropic.APIStatusError, match="Overloaded"),
        client.messages.stream(**asked) as stream,
    ):
        stream.get_final_message()
    with client.messages.stream(**asked) as stream:
        assert stream.get_final_message().stop_reason == "refusal"


def test_refusals(client: Any) -> None:
    """What is refused raises what it raises with the real API."""
    asked: dict[str, Any] = {
        "model": "claude-haiku-5-5",
        "max_tokens": 5,
        "messages": [{"role": "user", "content": "Hi."}],
        "stream": True,
    }
    with pytest.raises(anthropic.AuthenticationError):
        made(int(client.base_url.port), "wrong").messages.create(**asked)
    with pytest.raises(anthropic.BadRequestError, match="temperature"):
        client.messages.create(**asked, extra_body={"temperature": 0.5})
    with pytest.raises(anthropic.BadRequestError, match="must be non-empty"):
        client.messages.create(**{**asked, "messages": [{"role": "user", "content": " "}]})
