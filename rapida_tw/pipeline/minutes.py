"""Minutes: who said what, in order, though the words of one side come late.

A live model tells its own words as it speaks, and the caller's when it has found the time to write
them down. Everything takes its place when it happens and is told when all before it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rapida_tw.models.base import Message
from rapida_tw.pipeline.history import KEPT

PATIENCE = 3.0  # seconds that others wait for words; then they are told out of turn, or never


class Place:
    """One entry. Its `message` may change until it is settled; None: nothing was said."""

    def __init__(self, minutes: Minutes) -> None:
        self.message: Message | None = None
        self.settled = False
        self._minutes = minutes
        self._tell: Callable[[], None] | None = None

    def settle(self, message: Message | None, tell: Callable[[], None] | None = None) -> None:
        """This is what was said; `tell` is called when all before it was told. Once."""
        if self.settled:
            return
        self.message, self._tell = message, tell
        self.settled = True
        self._minutes.settled()

    def tell(self) -> None:
        """Its turn has come."""
        tell, self._tell = self._tell, None
        if tell is not None:
            tell()

    @property
    def waits(self) -> bool:
        """There is something to tell."""
        return self._tell is not None


class Minutes:
    """One call's dialogue."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._places: list[Place] = []
        self._told = 0  # places before this one were told, or will be out of turn
        self._timer: IDelayedCall | None = None

    def take(self) -> Place:
        """The next place in the dialogue."""
        place = Place(self)
        self._places.append(place)
        return place

    def add(self, message: Message) -> None:
        """Something that is not told, but known to the model."""
        self.take().settle(message)

    def messages(self) -> Sequence[Message]:
        """The dialogue by now, for a model that knows nothing of it."""
        return [place.message for place in self._places if place.message is not None]

    def settled(self) -> None:
        """Tell what can be told."""
        for place in self._places[: self._told]:
            if place.settled:
                place.tell()  # out of turn
        while self._told < len(self._places) and self._places[self._told].settled:
            self._told += 1
            self._places[self._told - 1].tell()
        self._wait()
        while len(self._places) > KEPT and self._told:
            del self._places[0]
            self._told -= 1

    def _wait(self) -> None:
        waiting = any(place.waits for place in self._places[self._told :])
        if waiting and self._timer is None:
            self._timer = self._clock.callLater(PATIENCE, self._go_on)
        elif not waiting:
            self._cancel()

    def _go_on(self) -> None:
        """The first place has kept the others waiting for too long."""
        self._timer = None
        self._told += 1
        self.settled()

    def stop(self) -> None:
        """The call is over: tell all that is known."""
        self._told = len(self._places)
        self.settled()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
