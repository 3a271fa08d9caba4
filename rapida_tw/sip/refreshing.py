"""Session timers on the clock (RFC 4028): refreshes when they are ours, the end when none comes."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rapida_tw.sip.usage import Answered
from rapida_tw.wire.sip_message import Response
from rapida_tw.wire.sip_timer import SessionTimer

AGAIN_AFTER = 10.0  # seconds after a refresh that came to nothing
MOST_RAISES = 3  # 422s in a row that are believed


class Refreshing:
    """One dialog's timer. `refresh` sends a request, `expired` is told why the session is over.

    `restart` belongs after every 2xx to INVITE and UPDATE, in either direction (7.2, 9).
    """

    def __init__(
        self,
        clock: IReactorTime,
        timer: SessionTimer,
        refresh: Callable[[Answered], None],
        expired: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self.timer = timer
        self._refresh = refresh
        self._expired = expired
        self._due: IDelayedCall | None = None
        self._end: IDelayedCall | None = None
        self._raises = 0
        self._stopped = False

    def restart(self) -> None:
        self._cancel()
        if self._stopped:
            return
        refresh, end = self.timer.refresh_after, self.timer.expires_after
        if refresh is not None:
            self._due = self._clock.callLater(refresh, self._ask)
        if end is not None:
            self._end = self._clock.callLater(end, self._over)

    def stop(self) -> None:
        self._stopped = True
        self._cancel()

    def _ask(self) -> None:
        self._due = None
        self._refresh(self._answered)

    def _answered(self, response: Response) -> None:
        if self._stopped:
            return
        if response.status < 300:
            self._raises = 0
            self.timer.answered(response)
            self.restart()
        elif response.status == 422 and self._raises < MOST_RAISES and self.timer.raised(response):
            self._raises += 1
            self._ask()
        elif self._due is None:
            # Until the session expires there is time (10); 408 and 481 have ended it already.
            self._due = self._clock.callLater(AGAIN_AFTER, self._ask)

    def _over(self) -> None:
        self._end = None
        self._cancel()
        self._expired("session timer expired")

    def _cancel(self) -> None:
        for call in (self._due, self._end):
            if call is not None and call.active():
                call.cancel()
        self._due = self._end = None
