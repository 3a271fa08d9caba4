"""OpenAI's own client understands our fakes of chat completions and of Responses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.vendors.fakes import fake

openai = pytest.importorskip("openai", reason="openai is not installed")

KEY = "sk-a-key-of-the-fake"
CALL = {"name": "book", "arguments": {"day": "monday", "note": "süß"}}
SCRIPT: list[Any] = [
    {"text": "Let me see.", "calls": [CALL], "read": 20, "cached": 4},
    "Done.",
    {"text": "One two three.", "trouble": "error"},
    {"trouble": "withheld"},
]
SCHEMA = {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]}


@pytest.fixture(scope="module")
def chat() -> Iterator[Any]:
    with fake("openai_chat", script=SCRIPT, key=KEY) as port:
        yield client(port)


@pytest.fixture(scope="module")
def responses() -> Iterator[Any]:
    with fake("openai_responses", script=SCRIPT, key=KEY) as port:
        yield client(port)


def client(port: int, key: str = KEY) -> Any:
    url = f"http://127.0.0.1:{port}/v1"
    return openai.OpenAI(api_key=key, base_url=url, max_retries=0, timeout=20)


def test_chat(chat: Any) -> None:
    """It streams text, a tool call and usage; the result of the tool goes back; errors raise."""
    described = {"name": "book", "description": "Book.", "parameters": SCHEMA}
    asked = {
        "model": "gpt-4.1-mini",
        "messages": [{"role": "user", "content": "Book me a table."}],
        "tools": [{"type": "function", "function": described}],
    }
    with chat.chat.completions.stream(**asked, stream_options={"include_usage": True}) as stream:
        deltas = [one.delta for one in stream if one.type == "content.delta"]
        completion = stream.get_final_completion()
    assert deltas == ["", "Let", " me", " see."]
    message = completion.choices[0].message
    call = message.tool_calls[0]
    assert json.loads(call.function.arguments) == CALL["arguments"]
    assert completion.usage.prompt_tokens_details.cached_tokens == 4
    asked["messages"] += [
        message.model_dump(include={"role", "content", "tool_calls"}, exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "{}"},
    ]
    for one in asked["messages"][1]["tool_calls"]:
        one["function"].pop("parsed_arguments", None)
    stream = chat.chat.completions.create(**asked, stream=True)
    assert "".join(one.choices[0].delta.content or "" for one in stream) == "Done."
    with pytest.raises(openai.APIError, match="server had an error"):
        list(chat.chat.completions.create(**asked, stream=True))
    *_, last = chat.chat.completions.create(**asked, stream=True)
    assert last.choices[0].finish_reason == "content_filter"


def test_chat_refusals(chat: Any) -> None:
    """What is refused raises what it raises with the real API."""
    with pytest.raises(openai.AuthenticationError):
        client(int(chat.base_url.port), "wrong").chat.completions.create(model="m", messages=[])
    hello = [{"role": "user", "content": "Hi."}]
    with pytest.raises(openai.BadRequestError, match="'max_tokens' is not supported") as caught:
        chat.chat.completions.create(model="gpt-5-mini", messages=hello, max_tokens=5)
    assert caught.value.param == "max_tokens"
    function = {"name": "book", "arguments": "{}"}
    calls = [{"id": "c", "type": "function", "function": function}]
    wanted = {"role": "assistant", "content": None, "tool_calls": calls}
    with pytest.raises(openai.BadRequestError, match="did not have response messages"):
        chat.chat.completions.create(model="gpt-4.1", messages=[*hello, wanted, *hello])


def test_responses(responses: Any) -> None:
    """Likewise by the newer API."""
    asked: dict[str, Any] = {
        "model": "gpt-4.1-mini",
        "input": [{"role": "user", "content": "Book me a table."}],
        "tools": [{"type": "function", "name": "book", "parameters": SCHEMA, "strict": False}],
        "store": False,
    }
    with responses.responses.stream(**asked) as stream:
        deltas = [one.delta for one in stream if one.type == "response.output_text.delta"]
        response = stream.get_final_response()
    assert deltas == ["Let", " me", " see."]
    text, call = response.output
    assert text.content[0].text == response.output_text == "Let me see."
    assert json.loads(call.arguments) == CALL["arguments"]
    assert response.usage.input_tokens_details.cached_tokens == 4
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "{}"}
    called = call.model_dump(exclude={"parsed_arguments", "status"}, exclude_none=True)
    asked["input"] += [called, output]
    kinds = [one.type for one in responses.responses.create(**asked, stream=True)]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    *_, failed = responses.responses.create(**asked, stream=True)
    assert failed.type == "response.failed"
    assert failed.response.error.code == "server_error"
    *_, withheld = responses.responses.create(**asked, stream=True)
    assert withheld.response.incomplete_details.reason == "content_filter"


def test_responses_refusals(responses: Any) -> None:
    """What is refused raises."""
    hello = [{"role": "user", "content": "Hi."}]
    with pytest.raises(openai.AuthenticationError):
        client(int(responses.base_url.port), "wrong").responses.create(model="m", input=hello)
    output = {"type": "function_call_output", "call_id": "c9", "output": "{}"}
    with pytest.raises(openai.BadRequestError, match="No tool call found"):
        responses.responses.create(model="gpt-4.1", input=[*hello, output], stream=True)
