"""A call of a voice that is installed, with its vendor's fake, in virtual time."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np
import txaio
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rapida_tw.account import Account
from rapida_tw.audio.format import RATE, AudioFormat, Samples
from rapida_tw.sim.vendors.delivery import Manners
from rapida_tw.sim.vendors.speaking import understood
from rapida_tw.simulation.clock import VirtualClock
from rapida_tw.simulation.vendor_net import FakeVendorNet
from rapida_tw.speech.base import Host, Pieces, Synthesizer, Word
from tests.contracts.voice_fakes import KEY, ROWS

NOW = 1_790_000_000.0  # seconds since the epoch, when a test begins


class Said(Pieces):
    """One phrase: what came of it, when, and how it ended."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self.began = 0.0
        self.ended = 0.0
        self.outcome: list[Any] = []
        self.late: list[str] = []  # what came behind its end
        self.saying: Deferred[None]
        self._clock = clock

    def write(self, samples: Samples, payload: bytes = b"") -> None:
        if self.outcome:
            self.late.append("sound")
        self.began = self.began or self._clock.seconds()
        super().write(samples, payload)

    def timed(self, words: Sequence[Word]) -> None:
        if self.outcome:
            self.late.append("words")
        super().timed(words)

    def over(self, result: Any) -> None:
        self.ended = self._clock.seconds()
        self.outcome.append(result)

    @property
    def failure(self) -> Exception | None:
        (result,) = self.outcome
        return result.value if isinstance(result, Failure) else None

    @property
    def complete(self) -> bool:
        return self.outcome == [None]

    @property
    def sound(self) -> Samples:
        return np.concatenate([np.zeros(0, np.int16), *self.samples])

    @property
    def text(self) -> str:
        return understood(self.sound).rstrip()

    @property
    def seconds(self) -> float:
        return len(self.sound) / RATE


class Call:
    """Time passes with `wait`, and with `say` until the phrase has ended."""

    def __init__(
        self,
        name: str,
        leg: AudioFormat | None = None,
        options: dict[str, Any] | None = None,
        **account: str,
    ) -> None:
        self.row = ROWS[name]
        self.stopped = False
        self.clock = VirtualClock()
        self.before = txaio.config.loop
        # Autobahn asks txaio for time, not the reactor that it is given.
        txaio.config.loop = self.clock
        self.vendor = self.row.fake(KEY)
        self.manners: Manners = self.vendor.manners
        self.net = FakeVendorNet(self.clock, self.vendor)
        host = Host(self.clock, Path(), self.net, now=lambda: NOW + self.clock.seconds())
        self.provider = kind_of(name)(host)
        self.account = Account(entry_of(name), {**self.row.fields, **account})
        self.options = {**self.row.options, **(options or {})}
        self.voice: Synthesizer = self.provider.open(self.options, self.account, leg)
        self.phrases: list[Said] = []

    def start(self) -> list[Any]:
        """And wait until it is ready, or has failed."""
        outcome: list[Any] = []
        self.voice.start().addBoth(outcome.append)
        self.wait(0.02)
        if not outcome:
            self.wait(12.0)
        return outcome

    def begin(self, text: str, seconds: float = 0.0) -> Said:
        """Ask for it, and wait so long."""
        said = Said(self.clock)
        self.phrases.append(said)
        said.saying = self.voice.say(text, said)
        said.saying.addBoth(said.over)
        self.wait(seconds)
        return said

    def say(self, text: str) -> Said:
        said = self.begin(text)
        until = self.clock.seconds() + 30
        while not said.outcome and self.clock.seconds() < until:
            self.wait(0.01)
        assert said.outcome, "the phrase did not end"
        return said

    def started(self, text: str) -> tuple[Exception | None, Said | None]:
        """Start it and say something, and what went wrong; sockets fail early, requests late."""
        (outcome,) = self.start()
        if isinstance(outcome, Failure):
            return outcome.value, None
        said = self.say(text)
        return said.failure, said

    def wait(self, seconds: float) -> None:
        self.clock.run(self.clock.seconds() + seconds)

    def stop(self) -> None:
        """The end, of the process too; the vendors' lines are closed and nothing is under way."""
        if self.stopped:
            return
        self.stopped = True
        self.voice.stop()
        self.wait(1.1)
        assert self.net.leftovers() == []
        # A fake that has sent its sound for nobody notices that when it comes to its next piece.
        self.wait(10.0)
        self.provider.stop()
        self.net.stop()
        self.wait(0.1)
        left = [str(call) for call in self.clock.getDelayedCalls()]
        assert [said.late for said in self.phrases if said.late] == []
        assert left == []

    def close(self) -> None:
        txaio.config.loop = self.before


def entry_of(name: str) -> str:
    """The entry point that a row is of."""
    return name.partition(" ")[0]


def kind_of(name: str) -> Any:
    """The provider's class."""
    (point,) = entry_points(group="rapida_tw.synthesizers", name=entry_of(name))
    return point.load()
