"""A carrier's end of a call that buffers: a leg which plays a frame a tick and gives back marks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from rapida_tw.audio.format import AudioFormat
from rapida_tw.media.leg import Leg
from tests.media.case import LEADING


class FarSide:
    """Frames are known by their first sample. `play` makes 20 ms pass.

    `told` is who is given the marks; each comes `late` ticks after its time, and `lose` may keep
    it. At a clear the marks are dropped, or given back at once (`echoes`).
    """

    def __init__(self, format: AudioFormat = LEADING) -> None:
        self.format = format
        self.told: Callable[[str], None] = _nobody
        self.lose: Callable[[str], bool] = _keep
        self.late = 0  # ticks
        self.echoes = False
        self.heard: list[int] = []  # frames, each when it had been played to its end
        self.asked: list[str] = []  # every mark
        self.clears = 0
        self.deepest = 0  # frames, the one that is being played among them
        self._queue: deque[int | str] = deque()
        self._playing: int | None = None
        self._travelling: deque[tuple[int, str]] = deque()  # when they arrive, in ticks
        self._now = 0

    # -- Leg --------------------------------------------------------------------------------------

    def send_audio(self, payload: bytes) -> None:
        self.receive(int(np.frombuffer(payload, "<i2")[0]))

    def mark(self, name: str) -> None:
        self.asked.append(name)
        self._queue.append(name)
        self._go_on()

    def clear(self) -> None:
        """The frame that is being played is heard to its end."""
        self.clears += 1
        marks = [one for one in self._queue if isinstance(one, str)]
        self._queue.clear()
        if self.echoes:
            for name in marks:
                self._give_back(name)

    def send_digits(self, digits: str) -> None: ...
    def hang_up(self, end: object = None) -> None: ...

    # -- the test's side --------------------------------------------------------------------------

    def receive(self, frame: int) -> None:
        self._queue.append(frame)
        self._go_on()
        self.deepest = max(self.deepest, self.depth)

    def play(self) -> None:
        """20 ms have passed."""
        self._now += 1
        if self._playing is not None:
            self.heard.append(self._playing)
            self._playing = None
        self._go_on()
        self.deliver()

    def deliver(self) -> None:
        """What has travelled long enough arrives."""
        while self._travelling and self._travelling[0][0] <= self._now:
            self.told(self._travelling.popleft()[1])

    @property
    def depth(self) -> int:
        """Frames that it has yet to play to their end."""
        waiting = sum(isinstance(one, int) for one in self._queue)
        return waiting + (self._playing is not None)

    def _go_on(self) -> None:
        while self._playing is None and self._queue:
            if isinstance(one := self._queue.popleft(), int):
                self._playing = one
            else:
                self._give_back(one)

    def _give_back(self, name: str) -> None:
        if not self.lose(name):
            self._travelling.append((self._now + self.late, name))


def _nobody(name: str) -> None: ...
def _keep(name: str) -> bool:
    return False


_conforms: type[Leg] = FarSide
