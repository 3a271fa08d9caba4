"""Reliable provisional responses (RFC 3262): those that we send, and the PRACKs for theirs."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall

from rapida_tw.sip.base import ServerTransaction
from rapida_tw.sip.usage import Usage
from rapida_tw.wire.sip_message import Request, Response

OPTION = "100rel"
T1 = 0.5  # seconds
PRACK_WITHIN = 64 * T1
MOST_PROVISIONAL = 20  # that wait for the PRACK of the one before

_RACK = re.compile(r"([0-9]{1,10})[ \t]+([0-9]{1,10})[ \t]+(\S{1,32})")
_RSEQ = re.compile(r"[0-9]{1,10}")


def wanted(invite: Request) -> bool:
    """They require it, so each 18x must be reliable; who only supports it is not bothered."""
    return OPTION in invite.headers.tokens("Require")


class Reliable:
    """Our 18x to one INVITE, one after the other, each repeated until its PRACK is there (3).

    A 2xx must wait while one with a description is unacknowledged: `when_acknowledged`. After 64*T1
    without PRACK the INVITE is refused, and `failed` is told.
    """

    def __init__(self, usage: Usage, failed: Callable[[str], None]) -> None:
        self._usage = usage
        self._failed = failed
        self._sequence = usage.stack.random.randrange(1, 2**31 - 1_000)
        self._queue: deque[tuple[ServerTransaction, Response]] = deque()
        self._current: tuple[ServerTransaction, Response] | None = None
        self._acknowledged: Callable[[], None] | None = None
        self._timer: IDelayedCall | None = None
        self._interval = T1
        self._deadline = 0.0

    @property
    def describing(self) -> bool:
        """A description of ours is on its way without its PRACK."""
        current = [] if self._current is None else [self._current]
        return any(response.body for _, response in (*current, *self._queue))

    def send(self, transaction: ServerTransaction, response: Response) -> None:
        response.headers.add("Require", OPTION)
        if self._current is not None:
            if len(self._queue) < MOST_PROVISIONAL:
                self._queue.append((transaction, response))
            return
        self._begin(transaction, response)

    def pracked(self, prack: Request) -> bool:
        """Whether it acknowledges the one that waits; 481 is due when it does not."""
        rack = _RACK.fullmatch(prack.headers.get("RAck").strip())
        if rack is None or self._current is None:
            return False
        transaction, _ = self._current
        number, method = transaction.request.cseq
        if (int(rack[1]), int(rack[2]), rack[3]) != (self._sequence, number, method):
            return False
        self._stop_timer()
        self._current = None
        self._sequence += 1
        return True

    def go_on(self) -> None:
        """After the PRACK has been answered: what waited for it."""
        if self._current is not None:
            return
        if self._queue:
            self._begin(*self._queue.popleft())
        if not self.describing and self._acknowledged is not None:
            acknowledged, self._acknowledged = self._acknowledged, None
            acknowledged()

    def when_acknowledged(self, then: Callable[[], None]) -> None:
        """At once when nothing has to be waited for."""
        if self.describing:
            self._acknowledged = then
        else:
            then()

    def stop(self) -> None:
        """A final response ends the repeating; the PRACK that it has overtaken still comes (3)."""
        self._stop_timer()
        self._queue.clear()
        self._acknowledged = None

    def _begin(self, transaction: ServerTransaction, response: Response) -> None:
        response.headers.set("RSeq", str(self._sequence))
        self._current = (transaction, response)
        self._interval = T1
        self._deadline = self._usage.stack.clock.seconds() + PRACK_WITHIN
        self._send()

    def _send(self) -> None:
        assert self._current is not None
        transaction, response = self._current
        self._timer = None
        if transaction.answered:
            self.stop()
            return
        left = self._deadline - self._usage.stack.clock.seconds()
        if left <= 0:
            self.stop()
            self._usage.respond(transaction, 504, "No PRACK")
            self._failed("no PRACK of our ringing")
            return
        transaction.respond(response)
        wait = min(self._interval, left)
        self._timer = self._usage.stack.clock.callLater(wait, self._send)
        self._interval *= 2

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None


class Pracks:
    """PRACKs for the reliable 18x of one early dialog, in their order (4)."""

    def __init__(self, usage: Usage) -> None:
        self._usage = usage
        self._last: int | None = None

    def received(self, response: Response) -> bool:
        """Acknowledge it; False for a repeated one, or one that comes before its turn."""
        if OPTION not in response.headers.tokens("Require"):
            return True
        text = response.headers.get("RSeq").strip()
        if not _RSEQ.fullmatch(text):
            return True
        sequence = int(text)
        if self._last is not None and sequence != self._last + 1:
            return False
        self._last = sequence
        number, method = response.cseq
        rack = f"{sequence} {number} {method}"
        self._usage.send("PRACK", lambda answer: None, headers=(("RAck", rack),))
        return True
