"""Ladder: what was said in the last calls, message by message, for whoever looks for a reason."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rapida_tw.wire.sip_message import Request, Response
from rapida_tw.wire.sip_uri import redacted

CALLS = 200
RUNGS = 100  # of a call; the first messages of a long one are forgotten
LONGEST = 160  # characters of a line


class Rung(NamedTuple):
    """One message. `time`: seconds since the epoch; `line`: its first line, without a password."""

    time: float
    sent: bool
    peer: str
    line: str


class Ladders:
    """Those of the last calls, by Call-ID."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._calls: OrderedDict[str, deque[Rung]] = OrderedDict()

    def begin(self, call_id: str) -> None:
        """From now on its messages are kept."""
        if call_id not in self._calls:
            self._calls[call_id] = deque(maxlen=RUNGS)
            if len(self._calls) > CALLS:
                self._calls.popitem(last=False)

    def note(self, message: Request | Response, peer: str, sent: bool) -> None:
        """Ignored for a call that has not begun: a stranger writes nothing here."""
        rungs = self._calls.get(message.call_id)
        if rungs is not None:
            rungs.append(Rung(self._now(), sent, peer, first_line(message)))

    def of(self, call_id: str) -> Sequence[Rung]:
        """In the order in which they were seen; () for an unknown one."""
        return tuple(self._calls.get(call_id, ()))

    def __len__(self) -> int:
        return len(self._calls)


def first_line(message: Request | Response) -> str:
    """As on the wire, and the method of an answer."""
    number, method = message.cseq
    if isinstance(message, Response):
        line = f"{message.status} {message.phrase} ({number} {method})"
    else:
        line = f"{message.method} {redacted(message.uri)} ({number})"
    return line[:LONGEST]
