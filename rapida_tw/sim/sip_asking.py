"""A phone's own requests over UDP: sent again until they are answered (RFC 3261 17.1)."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rapida_tw.sim.sip_rules import Asked
from rapida_tw.sim.sip_text import SipText, read

T1, T2 = 0.5, 4.0  # seconds
GIVES_UP = 64 * T1

# The final response, or None: there was none.
Answered = Callable[[SipText | None], None]


class Asking:
    """One request. `answered` is told of its first final response, once."""

    def __init__(
        self,
        clock: IReactorTime,
        send: Callable[[bytes], None],
        data: bytes,
        their_tag: str,
        answered: Answered,
    ) -> None:
        self.data = data
        self.asked = Asked(read(data), their_tag)
        self.provisional = False
        self.done = False
        self.ack = b""  # sent again for each repeated final response of an INVITE
        self._clock = clock
        self._send = send
        self._answered = answered
        self._wait = T1
        self._until = clock.seconds() + GIVES_UP
        self._timer: IDelayedCall | None = None
        self._go()

    @property
    def sent(self) -> SipText:
        return self.asked.sent

    def _go(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        if now >= self._until - 1e-6:
            self.finish(None)
            return
        if not (self.provisional and self.sent.method == "INVITE"):
            self._send(self.data)
        self._timer = self._clock.callLater(min(self._wait, self._until - now), self._go)
        self._wait *= 2
        if self.sent.method != "INVITE":
            self._wait = min(self._wait, T2)

    def received(self, response: SipText) -> None:
        """One of its responses."""
        if response.status < 200:
            self.provisional = True
            # Who rings has time: three minutes (13.3.1.1), which the proxies count.
            self._until = max(self._until, self._clock.seconds() + 180.0)
        else:
            self.finish(response)

    def finish(self, response: SipText | None) -> None:
        """It is over, with the response or without one."""
        if self.done:
            return
        self.done = True
        self.stop()
        self._answered(response)

    def stop(self) -> None:
        """Nothing is sent again."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
