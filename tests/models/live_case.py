"""What the tests of live models share: the vendors' fakes, a caller, and a sink that writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from twisted.internet.defer import Deferred

from rapida_tw.account import Account
from rapida_tw.audio.format import FRAME, RATE, TICK, AudioFormat, Samples
from rapida_tw.models.base import Message, Tool, ToolCall
from rapida_tw.models.live import Briefing, LiveModel, LiveModelProvider, LiveSink
from rapida_tw.sim.vendors.gemini_live import GeminiLive
from rapida_tw.sim.vendors.openai_realtime import OpenAIRealtime
from rapida_tw.sim.vendors.speaking import plain, understood
from rapida_tw.simulation.clock import VirtualClock
from rapida_tw.simulation.vendor_net import FakeVendorNet
from rapida_tw.speech.base import Host, Registry

HELLO = Briefing("Be kind.", (Tool("weather", "Look it up.", {"type": "object"}),))
VOICE: Samples = (8000 * np.sin(2 * np.pi * 200 * np.arange(FRAME) / RATE)).astype(np.int16)
QUIET: Samples = np.zeros(FRAME, np.int16)


@dataclass(frozen=True)
class Vendor:
    """One live model: its entry point, its fake, and the key that the fake takes."""

    name: str
    fake: Callable[..., Any]
    key: str


VENDORS = {
    "openai-realtime": Vendor("openai-realtime", OpenAIRealtime, "openai-key"),
    "gemini-live": Vendor("gemini-live", GeminiLive, "gemini-key"),
}


class Written:
    """A LiveSink that writes all down: `notes` in order, sound and words by item."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.sound: dict[str, list[Samples]] = {}
        self.text: dict[str, str] = {}
        self.turns: dict[str, str] = {}
        self.calls: list[ToolCall] = []
        self.tokens: list[Mapping[str, int]] = []
        self.failures: list[Exception] = []
        self.said: list[Message] = []  # what `dialogue` answers
        self.on_audio: Callable[[], None] = lambda: None

    def speech_started(self) -> None:
        self.notes.append("speech started")

    def speech_stopped(self) -> None:
        self.notes.append("speech stopped")

    def interrupted(self) -> None:
        self.notes.append("interrupted")

    def turn_taken(self, turn: str) -> None:
        self.notes.append("turn taken")

    def turn_heard(self, turn: str, text: str) -> None:
        self.notes.append(f"heard {text}")
        self.turns[turn] = text

    def reply_began(self) -> None:
        self.notes.append("reply began")

    def audio(self, item: str, samples: Samples, payload: bytes = b"") -> None:
        if item not in self.sound:
            self.notes.append("sound")
        self.sound.setdefault(item, []).append(samples)
        self.on_audio()

    def words(self, item: str, delta: str) -> None:
        self.text[item] = self.text.get(item, "") + delta

    def item_spoken(self, item: str) -> None:
        self.notes.append("spoken")

    def tools_wanted(self, calls: Sequence[ToolCall]) -> None:
        self.notes.append("wants " + ", ".join(call.name for call in calls))
        self.calls += calls

    def tools_withdrawn(self, ids: Sequence[str]) -> None:
        self.notes.append("withdrawn")

    def reply_over(self, failure: str = "") -> None:
        self.notes.append(f"over {failure}".strip())

    def used(self, tokens: Mapping[str, int]) -> None:
        self.tokens.append(tokens)

    def line_lost(self) -> None:
        self.notes.append("lost")

    def line_back(self) -> None:
        self.notes.append("back")

    def dialogue(self) -> Sequence[Message]:
        return self.said

    def failed(self, error: Exception) -> None:
        self.failures.append(error)

    def spoken(self) -> list[str]:
        """What can be understood of each item's sound."""
        return [understood(np.concatenate(pieces)).strip() for pieces in self.sound.values()]


class Desk:
    """A live model with its vendor's fake, in virtual time."""

    def __init__(
        self,
        vendor: Vendor,
        options: Mapping[str, Any] | None = None,
        leg: AudioFormat | None = None,
        key: str = "",
        **fake: Any,
    ) -> None:
        self.clock = VirtualClock()
        self.vendor = vendor
        self.fake = vendor.fake(**fake)
        self.net = FakeVendorNet(self.clock, self.fake)
        registry = Registry[LiveModelProvider](
            "rapida_tw.live_models", Host(self.clock, Path(), self.net)
        )
        account = Account(vendor.name, {"key": key or vendor.key})
        self.model: LiveModel = registry.get(vendor.name).open(options or {}, account, leg)
        self.sink = Written()
        self.errors: list[Exception] = []
        self.ready = False

    @property
    def session(self) -> Any:
        """The vendor's end of the latest connection."""
        return self.fake.sessions[-1]

    def start(self, seconds: float = 0.5) -> None:
        starting: Deferred[None] = self.model.start(HELLO, self.sink)
        starting.addCallbacks(self._ready, lambda failure: self.errors.append(failure.value))
        self.run(seconds)

    def _ready(self, _: None) -> None:
        self.ready = True

    def run(self, seconds: float) -> None:
        """Let time pass; the caller is not there."""
        self.clock.run(self.clock.seconds() + seconds)

    def hear(self, seconds: float, frame: Samples = QUIET) -> None:
        """So much of the caller's sound, in real time."""
        for _ in range(round(seconds / TICK)):
            self.model.hear(frame)
            self.run(TICK)

    def speak(self, seconds: float = 1.0, pause: float = 1.0) -> None:
        """The caller says something, and is silent."""
        self.hear(seconds, VOICE)
        self.hear(pause)

    def stop(self) -> list[str]:
        """The end of the call; what is left over after it."""
        stopped: list[object] = []
        self.model.stop().addCallback(stopped.append)
        self.run(3.0)
        left = [] if stopped else ["stop has not fired"]
        left += [f"timer: {timer}" for timer in self.clock.getDelayedCalls()]
        return left + self.net.leftovers()


def sounded(text: str) -> str:
    """How a text is understood again."""
    return plain(text).strip()


_conforms: type[LiveSink] = Written
