"""What goes wrong between a client and a carrier's REST API, and what the carrier objects to."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from twisted.internet.interfaces import IReactorTime

from rapida_tw.sim.vendors.base import Asked, Reply

_PAGE = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


class Fault(Enum):
    """What befalls one request. Whether the carrier does what it asks is what matters of it."""

    UNANSWERED = "unanswered"  # nothing is done, and nothing is answered
    CUT = "cut"  # nothing is done, the connection is cut
    LOST = "lost"  # it is done, and nothing is answered
    DONE_AND_CUT = "done and cut"  # it is done, and the connection is cut in place of an answer
    EMPTY = "empty"  # it is done; the answer has its status and no body
    UNAVAILABLE = "unavailable"  # 503 in the carrier's own form, nothing is done
    HTML = "html"  # a proxy's page, nothing is done
    TOO_MANY = "too many"  # 429, nothing is done


class Troubles:
    """`faults`: of the next requests, one each, from the left; None: none.

    `complaints`: mistakes of the client's, each in the carrier's words: empty after a good test;
    `tell` hears of each. `retry_after`: seconds in the header of a 429.
    """

    def __init__(self, refuse: Callable[[Reply, int, str, Mapping[str, str]], None]) -> None:
        """`refuse(reply, status, why, headers)` answers in the carrier's own form."""
        self.faults: deque[Fault | None] = deque()
        self.complaints: Counter[str] = Counter()
        self.retry_after = 30
        self.tell: Callable[[str], None] = lambda why: None
        self._refuse = refuse

    def answer(self, asked: Asked, reply: Reply, do: Callable[[Asked, Reply], None]) -> None:
        """`do` it, or what the next fault makes of it."""
        fault = self.faults.popleft() if self.faults else None
        if fault is None:
            do(asked, reply)
        elif fault is Fault.CUT:
            reply.drop()
        elif fault in (Fault.LOST, Fault.DONE_AND_CUT, Fault.EMPTY):
            kept = _Kept(reply)
            do(asked, kept)
            if fault is Fault.DONE_AND_CUT:
                reply.drop()
            elif fault is Fault.EMPTY:
                reply.whole(kept.status, b"")
        elif fault is Fault.UNAVAILABLE:
            self._refuse(reply, 503, "Service unavailable", {})
        elif fault is Fault.TOO_MANY:
            self._refuse(reply, 429, "Too Many Requests", {"Retry-After": str(self.retry_after)})
        elif fault is Fault.HTML:
            reply.head(502, {"Content-Type": "text/html"})
            reply.write(_PAGE.encode())
            reply.end()

    def complain(self, why: str) -> None:
        """The client has made a mistake."""
        self.complaints[why] += 1
        self.tell(why)


class _Kept:
    """A `Reply` that nobody gets."""

    def __init__(self, reply: Reply) -> None:
        self.clock: IReactorTime = reply.clock
        self.status = 0
        self.gone = False

    def head(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self.status = status

    def write(self, data: bytes) -> None: ...
    def end(self) -> None: ...
    def whole(self, status: int, body: bytes | str | Mapping[str, Any] | list[Any]) -> None:
        self.status = status

    def drop(self) -> None: ...
