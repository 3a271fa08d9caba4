"""The buffer in which a carrier keeps the server's audio until it plays it, in real time.

All carriers with WebSocket media have one; the caller hears what it plays, not what arrives. What
differs is what becomes of marks when it is cleared, how much it holds, and whether a message that
has begun to play can be taken back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Playing:
    """A carrier's way of playing.

    `echoes_on_clear`: pending marks come back at once when the buffer is cleared (Twilio); else
    they never do (Asterisk, Vonage). `finishes_message`: what is being played is not cleared
    (Exotel). `capacity`: seconds; what would not fit is lost.
    """

    echoes_on_clear: bool = True
    finishes_message: bool = False
    capacity: float = 600.0


class Buffer:
    """One call's. Audio is int16, little-endian, at the line's `rate`; one `play` each `interval`.

    `reached(name)` is told of each mark when all audio before it has been played.
    """

    def __init__(
        self, rate: int, interval: float, playing: Playing, reached: Callable[[str], None]
    ) -> None:
        self.paused = False
        self.lost = 0  # bytes for which there was no room
        self._size = 2 * round(rate * interval)  # bytes of one `play`
        self._silence = bytes(self._size)
        self._capacity = round(2 * rate * playing.capacity)
        self._second = 2 * rate  # bytes
        self._playing = playing
        self._reached = reached
        self._queue: deque[bytes] = deque()  # one message's audio each
        self._begun = False  # a part of the first message has been played
        self._written = self._taken = 0  # bytes, since the beginning
        self._marks: deque[tuple[int, str]] = deque()  # behind so many bytes
        self._sounding = False  # the latest `play` gave something, which is heard until the next

    @property
    def seconds(self) -> float:
        """How much waits to be played."""
        return (self._written - self._taken) / self._second

    def write(self, audio: bytes) -> bool:
        """One message's audio; False when it did not fit and is lost."""
        if self._written - self._taken + len(audio) > self._capacity:
            self.lost += len(audio)
            return False
        if audio:
            self._queue.append(audio)
            self._written += len(audio)
        return True

    def mark(self, name: str) -> None:
        """Tell when all until here has been played: at once when nothing waits or sounds."""
        if self._queue or self._sounding:
            self._marks.append((self._written, name))
        else:
            self._reached(name)

    def clear(self) -> None:
        """Forget what has not been played."""
        keeps = self._playing.finishes_message and self._begun
        self._queue = deque([self._queue[0]] if keeps else ())
        self._begun = keeps
        self._written = self._taken + sum(map(len, self._queue))
        marks, self._marks = self._marks, deque()
        if self._playing.echoes_on_clear:
            for _, name in marks:
                self._reached(name)

    def play(self) -> bytes | None:
        """What is heard from now until the next beat, filled up with silence; None: nothing is."""
        marks = self._marks
        while marks and marks[0][0] <= self._taken:
            self._reached(marks.popleft()[1])
        queue = self._queue
        self._sounding = bool(queue) and not self.paused
        if not self._sounding:
            return None
        if len(queue[0]) == self._size:  # nearly always
            self._taken += self._size
            self._begun = False
            return queue.popleft()
        return self._gather()

    def _gather(self) -> bytes:
        """One `play` out of messages of other sizes."""
        pieces: list[bytes] = []
        missing = self._size
        while missing and self._queue:
            first = self._queue.popleft()
            piece = first[:missing]
            self._begun = len(piece) < len(first)
            if self._begun:
                self._queue.appendleft(first[missing:])
            pieces.append(piece)
            missing -= len(piece)
        self._taken += self._size - missing
        return b"".join(pieces) + self._silence[:missing]
