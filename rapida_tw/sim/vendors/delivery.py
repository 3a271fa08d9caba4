"""Delivery: gives a spoken text away piece by piece, as vendors do, or as they should not.

A fake makes one for each text it speaks, and says in its own messages what the Delivery tells it
to. What goes wrong is asked for beforehand: `manners.troubles.append(Trouble.DROP)` befalls the
next text, `manners.refusals.append(429)` the next handshake or request.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from rapida_tw.sim.vendors.speaking import SIZES, Piece, Spoken

_LATE = 0.05  # seconds: audio that was being made when the cancel came


class Trouble(Enum):
    """What befalls one text."""

    DROP = "drop"  # the connection is cut before its first sound
    DROP_MIDWAY = "drop midway"  # ... behind half of it
    SILENCE = "silence"  # nothing comes at all
    STALL = "stall"  # half of the sound, and then nothing
    NO_DONE = "no done"  # all of the sound, but not its end
    EMPTY = "empty"  # the end, without sound
    GARBAGE = "garbage"  # something that nobody understands, in place of the first sound
    ERROR = "error"  # the vendor's own message of an error, in place of the first sound
    LATE = "late"  # sound that comes although it was cancelled


@dataclass(slots=True)
class Manners:
    """How a fake voice behaves. Both queues are taken from their left, one a text or a request."""

    first_after: float = 0.1  # seconds
    speed: float = 20.0  # times real time
    sizes: tuple[int, ...] = SIZES  # of pieces, in bytes
    troubles: deque[Trouble | None] = field(default_factory=deque)
    refusals: deque[int] = field(default_factory=deque)  # HTTP statuses; 0: taken
    retry_after: str = ""  # the header of a 429; "": none
    # Texts that a client did not want to hear to their end, so far: it has said so, or it is gone.
    stopped: int = 0


class Teller(Protocol):
    """The fake, in whose messages a text is delivered."""

    def sound(self, piece: Piece) -> None: ...
    def done(self) -> None:
        """The text is complete."""

    def stopped(self) -> None:
        """It was cancelled, and nothing more of it comes: acknowledge it, where the vendor does."""

    def garbage(self) -> None: ...
    def error(self) -> None: ...
    def drop(self) -> None: ...


class Delivery:
    """One text on its way. Ends by itself, by `cancel`, or by `end` when the client is gone."""

    def __init__(
        self, clock: IReactorTime, spoken: Spoken, manners: Manners, teller: Teller
    ) -> None:
        self._clock = clock
        self._manners = manners
        self._teller = teller
        self._speed = manners.speed
        self._half = spoken.seconds / 2
        self._rest: Iterator[Piece] = spoken.pieces(manners.sizes)
        self._next: Piece | None = next(self._rest, None)
        self._trouble = manners.troubles.popleft() if manners.troubles else None
        self._began = clock.seconds() + manners.first_after
        self._timer = clock.callLater(manners.first_after, self._first)
        self.over = False  # its end was told, or nobody is told any more

    def cancel(self) -> None:
        """Stop it, and acknowledge that: at once, or behind a piece that is on its way."""
        if self.over:
            return
        self.end()
        if self._trouble is Trouble.LATE:
            self._timer = self._clock.callLater(_LATE, self._too_late)
        else:
            self._teller.stopped()

    def end(self) -> None:
        """Stop it without a word; idempotent."""
        if not self.over:
            self._manners.stopped += 1
        self.over = True
        if self._timer.active():
            self._timer.cancel()

    def _first(self) -> None:
        teller = self._teller
        instead = {
            Trouble.DROP: teller.drop,
            Trouble.EMPTY: teller.done,
            Trouble.GARBAGE: teller.garbage,
            Trouble.ERROR: teller.error,
        }
        if self._trouble in instead:
            self.over = True
            instead[self._trouble]()
        elif self._trouble is not Trouble.SILENCE:
            self._go_on()

    def _go_on(self) -> None:
        """All pieces that are due by now, and a timer for the next."""
        now = self._clock.seconds()
        while not self.over and (piece := self._next) is not None:
            if self._trouble is Trouble.DROP_MIDWAY and piece.start >= self._half:
                self.over = True
                self._teller.drop()
                return
            if self._trouble is Trouble.STALL and piece.start >= self._half:
                return
            wait = self._began + piece.start / self._speed - now
            if wait > 0:
                self._timer = self._clock.callLater(wait, self._go_on)
                return
            self._next = next(self._rest, None)
            self._teller.sound(piece)
        if not self.over and self._trouble is not Trouble.NO_DONE:
            self.over = True
            self._teller.done()

    def _too_late(self) -> None:
        if self._next is not None:
            self._teller.sound(self._next)
        self._teller.stopped()
