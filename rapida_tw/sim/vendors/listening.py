"""Listening: what a fake recogniser tells of what it hears, as vendors do, or as they should not.

A fake makes one `Ear` for each connection and says in its own messages what the Ear tells it to.
What goes wrong is asked for beforehand: `manners.troubles.append(Trouble.DROP)` befalls the next
utterance, `manners.refusals.append(429)` the next handshake.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rapida_tw.sim.vendors.hearing import Began, Ended, Heard, Hearing, Script, Words

_LATE = 1.0  # seconds


class Trouble(Enum):
    """What befalls one utterance."""

    DROP = "drop"  # the connection is cut when its first word is known
    SILENCE = "silence"  # nothing is told of it
    NO_FINAL = "no final"  # its words so far, but not its end
    GARBAGE = "garbage"  # something that nobody understands, in place of its first word
    ERROR = "error"  # the vendor's own message of an error, in place of its first word
    CLOSE = "close"  # the vendor says goodbye in place of its first word
    UNKNOWN = "unknown"  # before its first word, a message of a kind that is new
    LATE = "late"  # its end is told a second late


@dataclass(slots=True)
class Manners:
    """How a fake recogniser behaves. Both queues are taken from their left, one at a time."""

    troubles: deque[Trouble | None] = field(default_factory=deque)
    refusals: deque[int] = field(default_factory=deque)  # HTTP statuses; 0: taken


class Teller(Protocol):
    """The fake, in whose messages an utterance is told."""

    def began(self, heard: Began) -> None: ...
    def words(self, heard: Words) -> None: ...
    def ended(self, heard: Ended) -> None: ...
    def garbage(self) -> None: ...
    def error(self) -> None: ...
    def unknown(self) -> None: ...
    def close(self) -> None: ...
    def drop(self) -> None: ...


class Ear:
    """One connection's. `stop` it when the client is gone."""

    def __init__(
        self,
        clock: IReactorTime,
        script: Script,
        manners: Manners,
        teller: Teller,
        encoding: str,
        rate: int,
        silence: float | None = 0.3,
    ) -> None:
        """As with `Hearing`."""
        self._clock = clock
        self._manners = manners
        self._teller = teller
        self._hearing = Hearing(script, encoding, rate, silence)
        self._trouble: Trouble | None = None
        self._late: set[IDelayedCall] = set()
        self._stopped = False

    @property
    def seconds(self) -> float:
        """How much audio has come."""
        return self._hearing.seconds

    @property
    def speaking(self) -> bool:
        return self._hearing.speaking

    def hear(self, audio: bytes) -> None:
        self._tell(self._hearing.hear(audio))

    def flush(self) -> bool:
        """End the utterance now; whether there was one."""
        heard = self._hearing.flush()
        self._tell(heard)
        return bool(heard)

    def stop(self) -> None:
        self._stopped = True
        for late in self._late:
            if late.active():
                late.cancel()
        self._late.clear()

    def _tell(self, heard: list[Heard]) -> None:
        for one in heard:
            if self._stopped:
                return
            if isinstance(one, Began):
                self._began(one)
            elif isinstance(one, Words):
                self._words(one)
            else:
                self._ended(one)

    def _began(self, heard: Began) -> None:
        troubles = self._manners.troubles
        self._trouble = troubles.popleft() if troubles else None
        if self._trouble is not Trouble.SILENCE:
            self._teller.began(heard)

    def _words(self, heard: Words) -> None:
        teller = self._teller
        instead = {
            Trouble.DROP: teller.drop,
            Trouble.GARBAGE: teller.garbage,
            Trouble.ERROR: teller.error,
            Trouble.CLOSE: teller.close,
        }
        if self._trouble in instead:
            instead[self._trouble]()
            self._trouble = None
            return
        if self._trouble is Trouble.UNKNOWN:
            teller.unknown()
            self._trouble = None
        if self._trouble is not Trouble.SILENCE:
            teller.words(heard)

    def _ended(self, heard: Ended) -> None:
        if self._trouble in (Trouble.SILENCE, Trouble.NO_FINAL):
            return
        if self._trouble is Trouble.LATE:
            self._late.add(self._clock.callLater(_LATE, self._teller.ended, heard))
        else:
            self._teller.ended(heard)
