"""The models that the contract is kept with: each installed vendor, and its fake."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from rapida_tw.account import Account
from rapida_tw.errors import VendorFailed
from rapida_tw.models.base import Completion, Message, Model, Tool, ToolCall
from rapida_tw.sim.vendors.answering import Turn
from rapida_tw.sim.vendors.anthropic import Anthropic
from rapida_tw.sim.vendors.gemini import Gemini
from rapida_tw.sim.vendors.google_token import TokenServer
from rapida_tw.sim.vendors.openai_chat import OpenAIChat
from rapida_tw.sim.vendors.openai_responses import OpenAIResponses
from rapida_tw.simulation.vendor_net import FakeVendorNet
from rapida_tw.speech.base import Host

Fake = Any  # one of the fakes, which have in common what is used here
# AgentKit is not asked by HTTP, and knows neither prompt nor tools: tests/models/test_agentkit.py.
# An agent behind a WebSocket is asked otherwise, too: tests/contracts/test_websocket_agent.py.
OFFLINE = {"scripted", "agentkit", "websocket"}
TOKENS = TokenServer()  # its key takes a moment to make
PROVIDERS = {
    point.name: point.load()
    for point in entry_points(group="rapida_tw.models")
    if point.name not in OFFLINE
}


@dataclass(frozen=True)
class Row:
    """One vendor's: its fake, and what of credential and options it cannot do without.

    `key`: a field of the credential that is wrong with `wrong`; "": none is needed. `kept`:
    connections to others, for tokens.
    """

    fake: Callable[[Sequence[Turn]], Fake]
    account: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    key: str = "key"
    wrong: str = "a-wrong-key-that-is-secret"
    kept: int = 0


def _chat(house: str, *hosts: str, path: str = "") -> Callable[[Sequence[Turn]], Fake]:
    return lambda turns: OpenAIChat(turns, house=house, hosts=hosts, path=path)


def _server(host: str, path: str = "/v1/chat/completions", house: str = "openai") -> Row:
    return Row(_chat(house, host, path=path), options={"model.name": "a-model"})


def _local(house: str, **account: str) -> Row:
    return Row(_chat(house), account, {"model.name": "a-model"}, key="")


ROWS: Mapping[str, Row] = {
    "openai": Row(_chat("openai")),
    "openai-responses": Row(OpenAIResponses),
    "anthropic": Row(Anthropic),
    "gemini": Row(Gemini),
    "vertexai": Row(
        lambda turns: Gemini(turns, tokens=TOKENS),
        {"service_account_key": TOKENS.service_account(), "key": ""},
        key="service_account_key",
        wrong=TOKENS.service_account(client_email="stranger@rapida-test.example"),
        kept=1,
    ),
    "azure-foundry": Row(
        _chat("azure"),
        {"endpoint": "https://house.openai.azure.com/"},
        {"model.id": "azure-foundry/our-deployment"},
    ),
    "custom": _local("vllm", baseUrl="http://vllm:9000/v1", headers='{"X-Tenant": "7"}'),
    "openai-compatible": _local("ollama", base_url="http://ollama/v1/"),
    "ollama": _local("ollama"),
    "vllm": _local("vllm"),
    "llama-cpp": _local("vllm"),
    "groq": _server("api.groq.com", "/openai/v1/chat/completions", "groq"),
    "mistral": _server("api.mistral.ai", house="mistral"),
    "deepseek": _server("api.deepseek.com"),
    "openrouter": _server("openrouter.ai", "/api/v1/chat/completions"),
    "together": _server("api.together.xyz"),
    "fireworks": _server("api.fireworks.ai", "/inference/v1/chat/completions"),
    "cerebras": _server("api.cerebras.ai"),
    "xai": _server("api.x.ai"),
    "cohere": _server("api.cohere.ai", "/compatibility/v1/chat/completions"),
    "huggingface": _server("router.huggingface.co"),
    "deepinfra": _server("api.deepinfra.com", "/v1/openai/chat/completions"),
}

HELLO = (Message("system", "Be brief."), Message("user", "Good day."))
TOOLS = (
    Tool(
        "book",
        "Book a table.",
        {
            "type": "object",
            "properties": {"day": {"type": "string"}, "people": {"type": "integer"}},
            "required": ["day"],
        },
    ),
    Tool("end_call", "Hang up.", {"type": "object", "properties": {}}),
    Tool("look", "Look around."),
)


CALL = ToolCall("c1", "look", {}, "what another vendor has kept")
HISTORIES = {
    "greeting first": [Message("assistant", "Good day!"), Message("user", "Hello.")],
    "nothing yet": [],
    "interrupted": [
        Message("user", "Hi."),
        Message("assistant", "We are open from", interrupted=True),
        Message("user", "Stop."),
    ],
    "idle messages": [
        Message("user", "Hi."),
        Message("assistant", "Yes?"),
        Message("assistant", "Are you there?"),
        Message("user", "I am."),
        Message("user", "1234"),
    ],
    "instructions later": [
        Message("user", "Hi."),
        Message("assistant", "Yes?"),
        Message("system", "He is a friend."),
        Message("user", "So?"),
    ],
    "cut off in a tool": [
        Message("user", "Hi."),
        Message("assistant", "", (CALL,), interrupted=True),
        Message("tool", '{"error": "interrupted by the caller"}', tool_call_id="c1"),
        Message("user", "Wait."),
    ],
    "the same id again": [
        Message("user", "Hi."),
        Message("assistant", "", (CALL, CALL)),
        Message("tool", "one", tool_call_id="c1"),
        Message("tool", "[2]", tool_call_id="c1"),
        Message("assistant", "And", (CALL,)),
        Message("tool", "", tool_call_id="c1"),
    ],
    "a forgotten call": [
        Message("tool", "{}", tool_call_id="c0"),
        Message("assistant", "So it is."),
        Message("user", "Good."),
    ],
    "blanks": [Message("user", " "), Message("assistant", " \n"), Message("user", "Hi. ")],
    "the assistant last": [Message("user", "Hi."), Message("assistant", "Yes ")],
}


class Outcome:
    """A reply as it comes: `said` with the seconds at which it was."""

    def __init__(self, clock: Clock, model: Model) -> None:
        self.said: list[tuple[float, str]] = []
        self.completion: Completion | None = None
        self.failure: Exception | None = None
        self._clock = clock
        self._model = model
        self.deferred: Deferred[Completion]
        self.hear: Callable[[str], None] = lambda delta: None

    def ask(self, messages: Sequence[Message], tools: Sequence[Tool]) -> Outcome:
        self.deferred = self._model.reply(messages, tools, self._say)
        self.deferred.addCallbacks(self._completed, self._failed)
        return self

    @property
    def text(self) -> str:
        return "".join(delta for _, delta in self.said)

    def _say(self, delta: str) -> None:
        self.said.append((self._clock.seconds(), delta))
        self.hear(delta)

    def _completed(self, completion: Completion) -> None:
        self.completion = completion

    def _failed(self, failure: Failure) -> None:
        assert isinstance(failure.value, Exception)
        self.failure = failure.value


class Stage:
    """One vendor's model before its fake, in virtual time."""

    def __init__(self, name: str, /, *turns: Turn, **options: Any) -> None:
        row = ROWS[name]
        self.clock = Clock()
        self.fake = row.fake(turns)
        self.net = FakeVendorNet(self.clock, self.fake)
        self.provider = PROVIDERS[name](Host(self.clock, Path("."), self.net))
        self.account = {"key": self.fake.key, **row.account}
        self.options = {**row.options, **options}
        self._name = name
        self.model = self.open()

    @property
    def secret(self) -> str:
        """What the vendor knows us by."""
        tokens: list[str] = TOKENS.tokens if ROWS[self._name].kept else [self.fake.key]
        return tokens[-1]

    def open(self, **account: str) -> Model:
        fields = {**self.account, **account}
        model: Model = self.provider.open(self.options, Account(self._name, fields))
        return model

    def ask(
        self, messages: Sequence[Message] = HELLO, tools: Sequence[Tool] = (), at_once: bool = False
    ) -> Outcome:
        """A reply; unless `at_once`, it is over when this returns."""
        outcome = Outcome(self.clock, self.model).ask(messages, tools)
        if not at_once:
            for _ in range(100):
                self.clock.advance(0.05)
                if outcome.completion or outcome.failure:
                    break
        return outcome

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.05)):
            self.clock.advance(0.05)

    def failed(self, outcome: Outcome) -> VendorFailed:
        """Why; it has, and nothing of it is left."""
        assert isinstance(outcome.failure, VendorFailed), outcome.failure
        return outcome.failure

    def close(self) -> None:
        """Whatever has happened, nothing is open, and nothing waits for its time."""
        self.model.stop()
        self.provider.stop()
        self.clock.advance(0)
        assert not self.net.leftovers()
        self.net.stop()
        self.clock.advance(3.0)
        self.clock.advance(1.0)
        assert not self.clock.getDelayedCalls()
