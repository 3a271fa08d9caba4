"""Options and credential of the agent behind a WebSocket."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.models.websocket_agent import WebSocketAgentProvider
from rapida_tw.speech.base import Host
from tests.contracts.agent_stage import AgentStage


def opened(options: dict[str, Any], **account: str) -> Any:
    """What it would connect to."""
    provider = WebSocketAgentProvider(Host(Clock(), None))  # type: ignore[arg-type]  # no files
    model: Any = provider.open(options, Account("websocket", account))
    return model._request


@pytest.mark.parametrize(
    ("url", "params", "address"),
    [
        ("wss://a.example/talk", {}, "wss://a.example/talk"),
        ("https://a.example/talk/", {}, "wss://a.example/talk/"),
        ("http://10.0.0.7:9000", {}, "ws://10.0.0.7:9000"),
        ("ws://[::1]:9000/?a=1", {"b": "x y&z"}, "ws://[::1]:9000/?a=1&b=x%20y%26z"),
        ("wss://a.example", {"shop": 7, "open": "ü"}, "wss://a.example?shop=7&open=%C3%BC"),
    ],
)
def test_address(url: str, params: dict[str, Any], address: str) -> None:
    """The url as it is, with the params in its query."""
    assert opened({"params": params}, url=url).url == address


def test_of_the_options() -> None:
    """All of it may be in the assistant's options; the credential comes first."""
    options = {
        "websocket.url": "wss://old.example",
        "model.headers": '{"X-Shop": "7", "X-Mood": "good"}',
        "params": '{"a": "1"}',
        "rapida.credential_id": "9",
    }
    request = opened(options)
    assert request.url == "wss://old.example?a=1"
    assert request.headers == {"X-Shop": "7", "X-Mood": "good"}
    request = opened(options, baseUrl="wss://new.example", headers='{"X-Shop": "8"}', key="k")
    assert request.url == "wss://new.example?a=1"
    assert request.headers == {"X-Shop": "8", "X-Mood": "good", "Authorization": "Bearer k"}


def test_own_authorization() -> None:
    """A header of that name is not replaced by the key."""
    request = opened({}, url="wss://a.example", key="k", headers='{"authorization": "Basic x"}')
    assert request.headers == {"authorization": "Basic x"}


@pytest.mark.parametrize(
    ("options", "account", "sentence"),
    [
        ({}, {}, "needs a url"),
        ({}, {"url": "agent.example"}, "must begin with wss://"),
        ({}, {"url": "wss://"}, "must begin with wss://"),
        ({}, {"url": "wss://a.example:99999"}, "must begin with wss://"),
        ({"params": "a=1"}, {"url": "wss://a.example"}, "params must be a JSON object"),
        ({"first_word_within": 0}, {"url": "wss://a.example"}, "between 0.5 and 60"),
        ({"prompt": "x"}, {"url": "wss://a.example"}, "has no option 'prompt'"),
        ({}, {"url": "wss://a.example", "headers": "[]"}, "headers must be a JSON object"),
    ],
)
def test_mistakes(options: dict[str, Any], account: dict[str, str], sentence: str) -> None:
    """What is wrong is said before the call."""
    with pytest.raises(MisconfiguredAssistant, match=sentence):
        opened(options, **account)


def test_secret() -> None:
    """The key goes into a header and nowhere else; nothing shows it."""
    stage = AgentStage()
    stage.ask()
    (asked,) = stage.fake.asked
    assert stage.fake.key in str(asked.headers)
    assert stage.fake.key not in f"{asked.path}{asked.query}{stage.session.messages}"
    assert stage.fake.key not in repr(stage.model._request)  # type: ignore[attr-defined]
    stage.close()
