"""What goes wrong between a carrier and the server: messages lost, late, swapped, held back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Faults:
    """How the way of a carrier's messages to the server misbehaves from the beginning.

    `lose_every`: every so many-th media message is lost, 0 = none. `delay`: seconds that each
    message is late, to the beat. `swap`: a control message leaves behind the media message that
    follows it. `cut` tears each write into pieces.
    """

    lose_every: int = 0
    delay: float = 0.0
    swap: bool = False
    cut: Callable[[bytes], Iterable[bytes]] | None = None


NO_FAULTS = Faults()


class WayOut:
    """Takes frames and hands their bytes to `write`, as the faults will have it."""

    def __init__(self, write: Callable[[bytes], None], faults: Faults = NO_FAULTS) -> None:
        self.lost = 0  # media messages
        self._write = write
        self.faults = faults
        self._media = 0  # media messages so far
        self._swapped = b""  # control messages that wait for the next media message
        self._late: deque[tuple[float, bytes]] = deque()  # when due
        self._held: list[bytes] | None = None  # while stalled

    def send(self, frame: bytes, now: float, media: bool = False) -> None:
        """One message in its frame (or frames)."""
        if media:
            self._media += 1
            if self.faults.lose_every and self._media % self.faults.lose_every == 0:
                self.lost += 1
                return
            frame, self._swapped = frame + self._swapped, b""
        elif self.faults.swap:
            self._swapped += frame
            return
        if self.faults.delay or self._late:  # nothing overtakes what is late already
            self._late.append((now + self.faults.delay, frame))
        else:
            self._leave(frame)

    def beat(self, now: float) -> None:
        """Let go what is late enough."""
        while self._late and self._late[0][0] <= now:
            self._leave(self._late.popleft()[1])

    def flush(self) -> None:
        """Let go everything but what a stall holds: nothing may follow the last frame."""
        while self._late:
            self._leave(self._late.popleft()[1])
        swapped, self._swapped = self._swapped, b""
        self._leave(swapped)

    def stall(self) -> None:
        """Keep back what would leave, as a network does that has lost its way."""
        self._held = self._held or []

    def unstall(self) -> None:
        """Let go all that was kept back, in one burst."""
        held, self._held = self._held, None
        self._leave(b"".join(held or []))

    def _leave(self, data: bytes) -> None:
        if not data:
            return
        if self._held is not None:
            self._held.append(data)
        elif self.faults.cut is None:
            self._write(data)
        else:
            for piece in self.faults.cut(data):
                self._write(piece)
