"""An agent behind a WebSocket before its fake, in virtual time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.errors import VendorFailed
from rapida_tw.models.base import Message, Model, Tool
from rapida_tw.models.websocket_agent import VENDOR, WebSocketAgentProvider
from rapida_tw.sim.vendors.answering import Turn
from rapida_tw.sim.vendors.websocket_agent import AgentSession, WebSocketAgent
from rapida_tw.simulation.vendor_net import FakeVendorNet
from rapida_tw.speech.base import Host
from tests.contracts.models import HELLO, Outcome

URL = "wss://agent.example/talk"
NOW = 1_790_000_000.5  # seconds since the epoch


class AgentStage:
    """One call's."""

    def __init__(self, *turns: Turn, **options: Any) -> None:
        self.clock = Clock()
        self.fake = WebSocketAgent(turns)
        self.net = FakeVendorNet(self.clock, self.fake)
        host = Host(self.clock, Path("."), self.net, lambda: NOW)
        self.provider = WebSocketAgentProvider(host)
        self._options = options
        self.model = self.open()

    def open(self, **account: str) -> Model:
        fields = {"url": URL, "key": self.fake.key, **account}
        return self.provider.open(self._options, Account("websocket", fields))

    @property
    def session(self) -> AgentSession:
        """The agent's end of the latest connection."""
        return self.fake.sessions[-1]

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
        assert isinstance(outcome.failure, VendorFailed), outcome.failure
        assert VENDOR in str(outcome.failure) or "agent.example" in str(outcome.failure)
        return outcome.failure

    def close(self) -> None:
        """Nothing is open, nothing waits for its time, and the agent had nothing to complain of."""
        stopped: list[None] = []
        self.model.stop().addCallback(stopped.append)
        self.provider.stop()
        self.run(1.5)
        assert stopped
        assert not self.net.leftovers()
        self.net.stop()
        self.run(3.0)
        assert not self.clock.getDelayedCalls()
        assert not [one.complaints for one in self.fake.sessions if one.complaints]
