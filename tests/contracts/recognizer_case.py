"""A call of a recogniser that is installed, with its vendor's fake, in virtual time."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import txaio
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rapida_tw.account import Account
from rapida_tw.audio.format import FRAME, SILENCE, TICK
from rapida_tw.simulation.clock import VirtualClock
from rapida_tw.simulation.vendor_net import FakeVendorNet
from rapida_tw.speech.base import Host, RecognizerSink
from rapida_tw.speech.scripted import hum
from tests.contracts.recognizer_fakes import KEY, ROWS

VOICE = hum(1.0).reshape(-1, FRAME)
NOTICED = 4  # ticks after which the detector tells of a voice
PAUSE = 35  # ticks of silence that end a turn


class Sink:
    """Keeps what it is told. `late`: something was told behind `over`."""

    def __init__(self) -> None:
        self.partials: list[str] = []
        self.finals: list[str] = []
        self.turns = 0
        self.voices = 0
        self.error: Exception | None = None
        self.over = False
        self.late: list[str] = []

    def _told(self, what: str) -> None:
        if self.over:
            self.late.append(what)

    def partial(self, text: str) -> None:
        self._told(f"partial {text}")
        self.partials.append(text)

    def final(self, text: str, confidence: float) -> None:
        self._told(f"final {text}")
        assert 0.0 <= confidence <= 1.0
        self.finals.append(text)

    def speech_started(self) -> None:
        self._told("voice")
        self.voices += 1

    def turn_ended(self) -> None:
        self._told("turn")
        self.turns += 1

    def failed(self, error: Exception) -> None:
        self._told("failed")
        self.error = error

    @property
    def text(self) -> str:
        return plain(" ".join(self.finals))


class Call:
    """Time passes with `hear`, `speak`, `pause` and `wait`."""

    def __init__(self, name: str, *script: str, **account: str) -> None:
        row = ROWS[name]
        self.name = name
        self.stopped = False
        self.clock = VirtualClock()
        self.before = txaio.config.loop
        # Autobahn asks txaio for time, not the reactor that it is given.
        txaio.config.loop = self.clock
        self.vendor = row.fake(script, KEY)
        self.net = FakeVendorNet(self.clock, self.vendor)
        self.host = Host(self.clock, Path(), self.net)
        self.provider = provider_of(name, self.host)
        fields = {**row.fields, **account}
        self.account = Account(entry_of(name), fields)
        self.recognizer = self.provider.open(row.options, self.account)
        self.sink = Sink()
        self.outcome: list[Any] = []
        self.starting: Deferred[None] | None = None

    def start(self) -> None:
        """And wait until it is ready, or has failed."""
        self.begin()
        self.wait(12.0 if not self.outcome else 0)

    def begin(self) -> None:
        self.starting = self.recognizer.start(self.sink)
        self.starting.addBoth(self.outcome.append)
        self.wait(0.02)

    @property
    def failure(self) -> Exception | None:
        """Of the start, or told later."""
        told = next((one.value for one in self.outcome if isinstance(one, Failure)), None)
        return told if told is not None else self.sink.error

    def wait(self, seconds: float) -> None:
        self.clock.run(self.clock.seconds() + seconds)

    def speak(self, seconds: float) -> None:
        """A voice; the detector tells of it."""
        for number in range(round(seconds / TICK)):
            self.recognizer.hear(VOICE[number % len(VOICE)])
            if number == NOTICED:
                self.recognizer.speech_started()
            self.wait(TICK)

    def pause(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.recognizer.hear(SILENCE)
            self.wait(TICK)

    def utter(self, seconds: float = 0.96) -> float:
        """A whole turn; how long its answer took, at least a frame."""
        self.speak(seconds)
        self.pause(PAUSE * TICK)
        count = len(self.sink.finals)
        self.recognizer.finish()
        since = self.clock.seconds()
        while len(self.sink.finals) == count and self.clock.seconds() - since < 10:
            self.pause(TICK)
        return self.clock.seconds() - since

    def stop(self) -> None:
        """The end, of the process too; the vendors' lines are closed and nothing is under way."""
        if self.stopped:
            return
        self.stopped = True
        self.recognizer.stop()
        self.sink.over = True
        self.wait(1.1)
        assert self.net.leftovers() == []
        self.provider.stop()
        self.net.stop()
        self.wait(0.3)  # a fake may still be about to answer
        left = [str(call) for call in self.clock.getDelayedCalls()]
        assert self.sink.late == []
        assert left == []

    def close(self) -> None:
        txaio.config.loop = self.before


def entry_of(name: str) -> str:
    """The entry point that a row is of."""
    return name.partition(" ")[0]


def provider_of(name: str, host: Host) -> Any:
    (point,) = entry_points(group="rapida_tw.recognizers", name=entry_of(name))
    return point.load()(host)


def plain(text: str) -> str:
    """As it would be compared: vendors write sentences in their own ways."""
    return " ".join("".join(c for c in text.lower() if c.isalnum() or c == " ").split())


_conforms: type[RecognizerSink] = Sink
