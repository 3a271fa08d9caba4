"""Audio whose messages may overtake each other, put right by their numbers."""

from __future__ import annotations

LATEST = 5  # messages that may overtake one
_RENUMBERED = 100  # numbers back: no straggler, but a new count


class Order:
    """One stream of numbered messages; what comes too late is dropped.

    Only what has overtaken something waits, and for at most `LATEST` messages.
    """

    def __init__(self) -> None:
        self._next: int | None = None
        self._early: dict[int, bytes] = {}

    def arrived(self, number: int, payload: bytes) -> list[bytes]:
        """What can be heard now, in its order."""
        heard: list[bytes] = []
        if self._next is None or self._next - number > _RENUMBERED:
            heard = self.rest()
            self._next = number
        if number < self._next:
            return heard
        self._early[number] = payload
        if len(self._early) > LATEST:
            self._next = min(self._early)
        while self._next in self._early:
            heard.append(self._early.pop(self._next))
            self._next += 1
        return heard

    def rest(self) -> list[bytes]:
        """All that waits for something that does not come any more."""
        early, self._early = self._early, {}
        return [early[number] for number in sorted(early)]
