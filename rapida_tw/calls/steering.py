"""Steering: one call's line with what a line may lack: digits as tones, hold as silence."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from rapida_tw.audio.tones import digits as tones
from rapida_tw.carriers.outbound import Line
from rapida_tw.errors import BadRequest, End, NotSupported
from rapida_tw.media.playout import Playout

DIGITS = "0123456789ABCD*#"
MOST_DIGITS = 64


class Steering:
    """A Line; `transferring`: the target for which the carrier has been asked, until it answers."""

    def __init__(self, line: Line, playout: Playout) -> None:
        self._line = line
        self._playout = playout
        self.transferring = ""

    def transfer(self, target: str) -> Deferred[None]:
        """Some carriers close our media before they have answered: then it was the transfer."""
        self.transferring = target
        return self._line.transfer(target).addBoth(self._answered)

    def _answered(self, result: Any) -> Any:
        self.transferring = ""
        return result

    def withdraw(self) -> None:
        self._line.withdraw()

    def send_digits(self, digits: str) -> Deferred[None]:
        """By the carrier, else as tones in the audio; fires when they are under way, or heard.

        `BadRequest` for what is no key.
        """
        return Deferred.fromCoroutine(self._send_digits(digits.upper()))

    async def _send_digits(self, digits: str) -> None:
        if not 0 < len(digits) <= MOST_DIGITS or not set(digits) <= set(DIGITS):
            raise BadRequest(f"digits: 1 to {MOST_DIGITS} of {DIGITS}")
        try:
            await self._line.send_digits(digits)
        except NotSupported:
            # Behind what is being said: into the middle of a word they would not be understood.
            await self._playout.drained()
            self._playout.begin("")
            self._playout.write(tones(digits))
            self._playout.finish()
            await self._playout.drained()

    def hold(self, on: bool) -> Deferred[None]:
        """`NotSupported`: the caller hears silence."""
        return self._line.hold(on)

    def hang_up(self, end: End) -> None:
        self._line.hang_up(end)


_conforms: type[Line] = Steering
