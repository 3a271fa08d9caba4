"""Tape: audio that a vendor has not got yet, or may need again.

From left to right: pieces that were sent since the latest final words, kept for another
connection, then those that wait. It is bounded on both sides: the oldest go first.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

KEPT = 2_000  # ms of sent audio that another connection would get again
WAITING = 3_000  # ms that may wait until there is a connection
BLOCKED = 2_000  # ms that may wait for a connection that takes nothing


class Piece(NamedTuple):
    """Of `ms` of audio; without any it is the place where the turn seemed over."""

    payload: bytes
    ms: int


class Tape:
    """`truncated`: of what was sent since the latest final words, some is not kept any more."""

    def __init__(self) -> None:
        self._sent: deque[Piece] = deque()
        self._waiting: deque[Piece] = deque()
        self._sent_ms = 0
        self._waiting_ms = 0
        self.truncated = False

    def __len__(self) -> int:
        """Pieces that wait."""
        return len(self._waiting)

    def add(self, piece: Piece, limit: int = WAITING) -> int:
        """Behind all others; ms that had to go for it, unsent."""
        self._waiting.append(piece)
        self._waiting_ms += piece.ms
        dropped = 0
        while self._waiting_ms - dropped > limit:
            dropped += self._waiting.popleft().ms
        self._waiting_ms -= dropped
        if dropped:
            self._forget(truncated=True)
        return dropped

    def take(self) -> Piece:
        """The next that waits; it is sent now."""
        piece = self._waiting.popleft()
        self._waiting_ms -= piece.ms
        self._sent.append(piece)
        self._sent_ms += piece.ms
        while self._sent_ms > KEPT:
            self._sent_ms -= self._sent.popleft().ms
            self.truncated = True
        return piece

    def settle(self) -> None:
        """The words of all that was sent are final."""
        self._forget(truncated=False)

    def rewind(self) -> None:
        """Another connection: what was sent waits again."""
        self._waiting.extendleft(reversed(self._sent))
        self._waiting_ms += self._sent_ms
        self._sent.clear()
        self._sent_ms = 0

    def _forget(self, truncated: bool) -> None:
        self._sent.clear()
        self._sent_ms = 0
        self.truncated = truncated
