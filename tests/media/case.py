"""A media session with all its neighbours, on a clock that the test advances."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import RATE, TICK, AudioFormat, Encoding, Samples
from rapida_tw.errors import (
    End,
)
from rapida_tw.media.clock import MediaClock
from rapida_tw.media.playout import Playout
from rapida_tw.media.session import MediaSession

SLIN8 = AudioFormat()
SLIN16 = AudioFormat(rate=RATE)
ULAW = AudioFormat(Encoding.MULAW)
LEADING = AudioFormat(rate=RATE, continuous=False, lead=5)


class Leg:
    """Keeps what it is to send."""

    def __init__(self, format: AudioFormat) -> None:
        self.format = format
        self.sent: list[bytes] = []

    def send_audio(self, payload: bytes) -> None:
        self.sent.append(payload)

    def mark(self, name: str) -> None: ...
    def clear(self) -> None: ...
    def send_digits(self, digits: str) -> None: ...
    def hang_up(self, end: object = None) -> None: ...


class Ears:
    """Keeps what it hears; `act` is done at each frame."""

    def __init__(self) -> None:
        self.frames: list[Samples] = []
        self.act: Callable[[], None] | None = None

    def hear(self, frame: Samples) -> None:
        self.frames.append(frame)
        if self.act is not None:
            self.act()

    @property
    def samples(self) -> Samples:
        return np.concatenate((np.zeros(0, np.int16), *self.frames))


class Events:
    def __init__(self) -> None:
        self.digits: list[str] = []
        self.ends: list[End] = []
        self.holds: list[bool] = []

    def digit_received(self, digit: str) -> None:
        self.digits.append(digit)

    def hold_changed(self, held: bool) -> None:
        self.holds.append(held)

    def leg_ended(self, end: End) -> None:
        self.ends.append(end)


class Tape:
    """A recorder."""

    def __init__(self) -> None:
        self.caller: list[tuple[int, Samples]] = []
        self.assistant: list[tuple[int, Samples]] = []
        self.cleared: list[int] = []

    def caller_frame(self, tick: int, frame: Samples) -> None:
        self.caller.append((tick, frame))

    def assistant_frame(self, tick: int, frame: Samples) -> None:
        self.assistant.append((tick, frame))

    def assistant_cleared(self, tick: int) -> None:
        self.cleared.append(tick)


class Setting:
    """A session with all its neighbours, on a clock that we advance."""

    def __init__(self, format: AudioFormat, told: AudioFormat | None = None) -> None:
        """`told`: the format of which the voice was told."""
        self.clock = Clock()
        self.beat = MediaClock(self.clock)
        self.leg, self.ears, self.events = Leg(format), Ears(), Events()
        self.playout = Playout(told)
        self.session = MediaSession(self.leg, self.beat, self.playout, self.ears, self.events)
        self.clock.advance(0.001)  # between two beats, where sums of floats decide nothing

    def ticks(self, count: int, caller: bytes | None = None) -> None:
        """Let ticks pass; in each the caller's side sends `caller`."""
        for _ in range(count):
            if caller is not None:
                self.session.audio_received(caller)
            self.clock.advance(TICK)

    @property
    def ends(self) -> list[str]:
        return [end.reason for end in self.events.ends]


def tone(seconds: float, rate: int = RATE, frequency: float = 400.0) -> Samples:
    time = np.arange(round(seconds * rate)) / rate
    return (8000 * np.sin(2 * np.pi * frequency * time)).astype(np.int16)


class Sessions(SynchronousTestCase):
    def setting(self, format: AudioFormat = SLIN16) -> Setting:
        return Setting(format)
