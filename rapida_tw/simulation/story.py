"""One call's story, told in advance and read afterwards."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from rapida_tw.models.base import ModelProvider
from rapida_tw.sim.audiosocket import APPLICATION, FakeAsterisk, Manner
from rapida_tw.sim.caller import Caller
from rapida_tw.simulation.clock import VirtualClock
from rapida_tw.simulation.server import VirtualServer
from rapida_tw.speech.scripted import ScriptedSynthesizer
from rapida_tw.store.records import Entry


class Simulation:
    """One call's story."""

    def __init__(
        self,
        *,
        greeting: str = "",
        replies: Sequence[Sequence[str]] = (),
        model: Mapping[str, Any] | None = None,
        model_provider: ModelProvider | None = None,
        tools: Sequence[Mapping[str, Any]] = (),
        manner: Manner = APPLICATION,
        metadata: Mapping[str, str] | None = None,
        **deployment: Any,
    ) -> None:
        options = model or {"replies": [list(pair) for pair in replies], "otherwise": "Pardon?"}
        self.server = VirtualServer(
            options, {"greeting": greeting, **deployment}, tools, model_provider
        )
        self.caller = Caller()
        self._script: deque[str | None] = deque()
        self._context = self.server.register(**(metadata or {}))
        self._asterisk: FakeAsterisk | None = None
        self._manner = manner

    @property
    def clock(self) -> VirtualClock:
        return self.server.clock

    @property
    def asterisk(self) -> FakeAsterisk:
        """The far side; connects on first use."""
        if self._asterisk is None:
            self._asterisk = self.server.connect(
                self._context.id, self.caller, self._script, self._manner
            )
        return self._asterisk

    # -- the story --------------------------------------------------------------------------------

    def says(self, text: str, at: float, lasting: float = 0.8) -> None:
        """The caller says it, `at` seconds after the line came up. Give them in their order."""
        self._script.append(text)
        self.caller.says(text, at, lasting=lasting)

    def coughs(self, at: float, lasting: float = 0.2) -> None:
        """A sound without words."""
        self._script.append(None)
        self.caller.says("cough", at, lasting=lasting)

    def presses(self, digits: str, at: float) -> None:
        self.caller.presses(digits, at)

    def hangs_up(self, at: float) -> None:
        self.caller.hangs_up(at)

    def run(self, until: float) -> None:
        """Connect, if not yet, and let time pass up to `until` seconds from the beginning."""
        _ = self.asterisk
        self.clock.run(until)

    # -- what came of it --------------------------------------------------------------------------

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.server.entries(self._context.conversation_id)

    @property
    def dialogue(self) -> list[tuple[str, str]]:
        """Who said what; of the assistant only what was heard."""
        return [(entry.name, entry.value) for entry in self.entries if entry.kind == "message"]

    @property
    def events(self) -> list[str]:
        return [entry.name for entry in self.entries if entry.kind == "event"]

    @property
    def metrics(self) -> dict[str, str]:
        return {entry.name: entry.value for entry in self.entries if entry.kind == "metric"}

    @property
    def latencies(self) -> list[Mapping[str, Any]]:
        """Each answered turn's latency in seconds, and its parts."""
        return [entry.data for entry in self.entries if entry.name == "turn.latency"]

    @property
    def contexts_waiting(self) -> bool:
        """The call was registered and nobody has connected."""
        return self._asterisk is None

    @property
    def context_id(self) -> str:
        return self._context.id

    @property
    def voice(self) -> ScriptedSynthesizer:
        return self.server.voices.opened[-1]
