"""ChatDialect: what is sent to servers of chat completions."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.models.accepted import Accepted
from rapida_tw.models.base import Message, Tool, ToolCall
from rapida_tw.models.chat import ChatDialect, ChatOptions, Server
from rapida_tw.net.base import Nowhere
from rapida_tw.sim.vendors.answering import Called, Turn
from tests.contracts.models import HELLO, PROVIDERS, TOOLS, Stage

URL = "https://acme.example/v1/chat/completions"
BOOK = Tool("book", "Book a table.", {"type": "object", "properties": {"day": {}}})


def sent(
    options: dict[str, Any], messages: Any = HELLO, tools: Any = (), **server: Any
) -> dict[str, Any]:
    """The body of the request."""
    here = Server("Acme", URL, {"Authorization": "Bearer secret-key"}, **server)
    dialect = ChatDialect(ChatOptions(**options), here, "a-model", Accepted())
    request = result(dialect.request(Nowhere(), messages, tools))
    assert request.url == URL
    assert request.method == "POST"
    assert request.headers["Content-Type"] == "application/json"
    assert "secret-key" not in repr(request) + repr(here)
    body: dict[str, Any] = json.loads(request.body)
    return body


def result(deferred: Deferred[Any]) -> Any:
    found: list[Any] = []
    deferred.addCallback(found.append)
    return found[0]


def test_least() -> None:
    """Without settings, nothing is sent but what is said."""
    assert sent({}) == {
        "model": "a-model",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Good day."},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_tools() -> None:
    """Tools, calls and results as the API has them."""
    call = ToolCall("c1", "book", {"day": "süß"})
    messages = [
        Message("user", "Hi."),
        Message("assistant", "", (call,)),
        Message("tool", "{}", tool_call_id="c1"),
    ]
    body = sent({"tool_choice": "book", "parallel_tool_calls": False}, messages, [BOOK])
    function = {"name": "book", "arguments": '{"day": "süß"}'}
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "{}"},
    ]
    described = {
        "name": "book",
        "description": "Book a table.",
        "parameters": {"type": "object", "properties": {"day": {}}},
    }
    assert body["tools"] == [{"type": "function", "function": described}]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "book"}}
    assert body["parallel_tool_calls"] is False


def test_no_tools() -> None:
    """What is about tools is not sent without them: OpenAI refuses it."""
    body = sent({"tool_choice": "required", "parallel_tool_calls": True})
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & body.keys()


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({"temperature": 0.0, "seed": 0}, {"temperature": 0.0, "seed": 0}),
        ({"stop": ["a"]}, {"stop": ["a"]}),
        ({"stop_sequences": ["a", "b"]}, {"stop": ["a", "b"]}),
        ({"max_tokens": 9}, {"max_tokens": 9}),
        ({"max_completion_tokens": 9}, {"max_completion_tokens": 9}),
        ({"response_format": "json_object"}, {"response_format": {"type": "json_object"}}),
        ({"response_format": '{"type": "x"}'}, {"response_format": {"type": "x"}}),
        ({"reasoning_effort": "high"}, {"reasoning_effort": "high"}),
        ({"metadata": {"a": "b"}, "user": "u"}, {"metadata": {"a": "b"}, "user": "u"}),
        ({"parameters": {"num_ctx": 8192, "stream": True}}, {"num_ctx": 8192}),
        ({"top_k": 5, "top_p": 0.5}, {"top_k": 5, "top_p": 0.5}),
        ({"stream_options": False}, {}),
    ],
)
def test_settings(options: dict[str, Any], fields: dict[str, Any]) -> None:
    """Each setting by its name."""
    body = sent({"stream_options": False, **options})
    assert {k: v for k, v in body.items() if k not in ("model", "messages", "stream")} == fields


@pytest.mark.parametrize("wrong", ["tool_choice", "response_format"])
def test_wrong_settings(wrong: str) -> None:
    """JSON that is none is told at once."""
    with pytest.raises(ValueError, match="no JSON"):
        ChatOptions(**{wrong: "{"})


def test_not_streamed() -> None:
    """For servers that lose the tool calls of a stream, with tools there is none."""
    options = {"stream_with_tools": False}
    assert sent(options)["stream"] is True
    body = sent(options, tools=[BOOK])
    assert body["stream"] is False
    assert "stream_options" not in body
    with closing(Stage("vllm", Turn("Now.", (Called("look"),)), **options)) as stage:
        completion = stage.ask(tools=TOOLS).completion
        assert completion is not None
        assert completion.text == "Now."
        assert [one.name for one in completion.tool_calls] == ["look"]


@pytest.mark.parametrize(
    ("options", "asked", "taken"),
    [
        ({}, 2, {"reasoning_effort": "minimal"}),
        (
            {"temperature": 0.3, "max_tokens": 50},
            3,
            {"reasoning_effort": "minimal", "max_completion_tokens": 50},
        ),
        ({"reasoning_effort": "low"}, 1, {"reasoning_effort": "low"}),
    ],
)
def test_thinking_models(options: dict[str, Any], asked: int, taken: dict[str, Any]) -> None:
    """A thinking model is told to think as little as it can; what it does not take, it says."""
    with closing(Stage("openai", *[Turn("Hi.")] * 2, name="gpt-5-mini", **options)) as stage:
        for times in (asked, asked + 1):  # the second call knows it
            stage.model = stage.open()
            assert stage.ask().text == "Hi."
            assert len(stage.fake.replies) == times
        body = stage.fake.bodies[-1]
        assert taken.items() <= body.items()
        assert "temperature" not in body


@pytest.mark.parametrize(
    ("name", "account", "options", "sentence"),
    [
        ("azure-foundry", {"key": "k"}, {"name": "d"}, "needs an endpoint"),
        ("custom", {"key": "k"}, {"name": "m"}, "baseUrl"),
        ("custom", {"baseUrl": "http://x", "headers": "[1]"}, {"name": "m"}, "JSON object"),
        ("custom", {"baseUrl": "http://x", "apiCompatibility": "soap"}, {"name": "m"}, "soap"),
        ("openai-compatible", {}, {"name": "m"}, "needs a base_url"),
        ("groq", {"key": "k"}, {}, "model.name"),
    ],
)
def test_misconfigured(
    name: str, account: dict[str, str], options: dict[str, str], sentence: str
) -> None:
    """What is missing is said, before a call comes."""
    with closing(Stage(name)) as stage, pytest.raises(MisconfiguredAssistant, match=sentence):
        stage.provider.open(options, Account(name, account))


def asked_at(name: str, account: dict[str, str], /, **options: Any) -> Any:
    """The request of that vendor."""
    provider = PROVIDERS[name](None)
    chosen = provider.options(**options)
    return result(provider.dialect(chosen, Account(name, account)).request(Nowhere(), HELLO, ()))


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        (
            "https://r.openai.azure.com/",
            "https://r.openai.azure.com/openai/deployments/d%2F1/chat/completions"
            "?api-version=2024-10-21",
        ),
        (
            "https://r.openai.azure.com/openai",
            "https://r.openai.azure.com/openai/deployments/d%2F1/chat/completions"
            "?api-version=2024-10-21",
        ),
        (
            "https://r.openai.azure.com/openai/v1",
            "https://r.openai.azure.com/openai/v1/chat/completions",
        ),
    ],
)
def test_azure(endpoint: str, url: str) -> None:
    """A deployment's own URL, or the newer one that is like OpenAI's; the key in its header."""
    request = asked_at("azure-foundry", {"subscription_key": "k", "endpoint": endpoint}, name="d/1")
    assert request.url == url
    assert request.headers["api-key"] == "k"
    assert "Authorization" not in request.headers


def test_custom() -> None:
    """A server of the user's own, by either API, with headers of theirs."""
    account = {"baseUrl": "http://x/v1", "headers": '{"X-Tenant": 7}', "key": "k"}
    request = asked_at("custom", account, name="m")
    assert request.url == "http://x/v1/chat/completions"
    assert request.headers["X-Tenant"] == "7"
    assert request.headers["Authorization"] == "Bearer k"
    account["apiCompatibility"] = "openai_responses"
    request = asked_at("custom", account, name="m", stop=["a"])
    assert request.url == "http://x/v1/responses"
    assert "input" in json.loads(request.body)


def test_openai() -> None:
    """A key may belong to several organizations."""
    account = {"key": "k", "organization_id": "org", "project": "p"}
    headers = asked_at("openai", account).headers
    assert headers["OpenAI-Organization"] == "org"
    assert headers["OpenAI-Project"] == "p"


@pytest.mark.parametrize(
    ("options", "model"),
    [
        ({}, "gpt-4.1-mini"),
        ({"name": "gpt-4o"}, "gpt-4o"),
        ({"id": "openai/gpt-4o"}, "gpt-4o"),
        ({"id": "openai/gpt-4o", "name": "other"}, "other"),
        ({"id": "meta/llama"}, "meta/llama"),
    ],
)
def test_model_names(options: dict[str, str], model: str) -> None:
    """Rapida names models twice, once with their vendor."""
    assert json.loads(asked_at("openai", {"key": "k"}, **options).body)["model"] == model
