"""Pace: how fast a far side sends, against a flood.

A peer that floods us takes the time of everybody else's calls, whatever it floods us with. A
stalled network delivers at once what it held back; a call without audio for longer than the burst
would be over.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from rapida_tw.audio.format import TICK
from rapida_tw.errors import RemoteProtocolError

FASTEST = 4  # times real time
BURST = 30.0  # seconds of audio that may come at once
LEAST = TICK / 2  # seconds that each message counts for: no phone sends shorter ones


class Pace:
    """Counts seconds of audio that came; the clock is looked at once in many of them."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._ahead = 0.0  # seconds beyond what time allows, as of ...
        self._measured_at = clock.seconds()  # ... then, on the clock

    def count(self, seconds: float) -> None:
        """One message with so much audio has come; `RemoteProtocolError` when it is a flood."""
        self._ahead += seconds if seconds > LEAST else LEAST
        if self._ahead > BURST:
            self._measure()

    def _measure(self) -> None:
        """Each half a minute in an honest call."""
        before, self._measured_at = self._measured_at, self._clock.seconds()
        passed = self._measured_at - before
        # A clock that was set back tells nothing: begin anew.
        self._ahead = max(0.0, self._ahead - FASTEST * passed) if passed >= 0 else 0.0
        if self._ahead > BURST:
            raise RemoteProtocolError("a flood: messages come much faster than real time")
