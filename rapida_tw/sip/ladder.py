"""Ladder: what was said in the last calls, message by message, for whoever looks for a reason."""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rapida_tw.sip.base import Flow, HostPort
from rapida_tw.wire.sip_message import Request, Response
from rapida_tw.wire.sip_uri import redacted

CALLS = 200
RUNGS = 100  # of a call; the first messages of a long one are forgotten
LONGEST = 160  # characters of a line

_CSEQ = re.compile(rb"^CSeq: ([^\r]{1,40})", re.MULTILINE)


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
        self._keep(call_id, deque(maxlen=RUNGS))

    def noted(self, call_id: str, flow: Flow) -> Flow:
        """The way on which what is sent is noted; `flow` itself when the call is not kept."""
        rungs = self._calls.get(call_id)
        return flow if rungs is None else Noted(flow, rungs, self._note)

    def first(self, request: Request, flow: Flow) -> Noted:
        """Note somebody's first request, and what is sent over the way that is given back.

        Nobody finds it before `keep`: a stranger must not push out the calls that there were.
        """
        rungs: deque[Rung] = deque(maxlen=RUNGS)
        self._note(rungs, False, flow.peer, first_line(request))
        return Noted(flow, rungs, self._note)

    def keep(self, call_id: str, flow: Flow) -> None:
        """The call whose way `first` has given is no stranger's."""
        if isinstance(flow, Noted):
            self._keep(call_id, flow.rungs)

    def _keep(self, call_id: str, rungs: deque[Rung]) -> None:
        if call_id not in self._calls:
            self._calls[call_id] = rungs
            if len(self._calls) > CALLS:
                self._calls.popitem(last=False)

    def heard(self, message: Request | Response, flow: Flow) -> Flow:
        """Note a message of a call that is kept; over the way that is given back, what is sent."""
        rungs = self._calls.get(message.call_id)
        if rungs is None:
            return flow
        self._note(rungs, False, flow.peer, first_line(message))
        return Noted(flow, rungs, self._note)

    def _note(self, rungs: deque[Rung], sent: bool, peer: HostPort, line: str) -> None:
        rungs.append(Rung(self._now(), sent, peer[0], line))

    def of(self, call_id: str) -> Sequence[Rung]:
        """In the order in which they were seen; () for an unknown one."""
        return tuple(self._calls.get(call_id, ()))

    def __contains__(self, call_id: str) -> bool:
        return call_id in self._calls

    def __len__(self) -> int:
        return len(self._calls)


_Note = Callable[[deque[Rung], bool, HostPort, str], None]


class Noted:
    """A flow whose messages are written down; equal to the flow itself."""

    __slots__ = ("_flow", "_note", "local", "peer", "rungs", "transport")

    def __init__(self, flow: Flow, rungs: deque[Rung], note: _Note) -> None:
        self._flow = flow
        self._note = note
        self.rungs = rungs
        self.transport = flow.transport
        self.peer = flow.peer
        self.local = flow.local

    @property
    def open(self) -> bool:
        return self._flow.open

    def send(self, data: bytes) -> bool:
        self._note(self.rungs, True, self.peer, first_line_of(data))
        return self._flow.send(data)

    def beside(self, port: int) -> Flow:
        return Noted(self._flow.beside(port), self.rungs, self._note)

    def __eq__(self, other: object) -> bool:
        return self._flow == (other._flow if isinstance(other, Noted) else other)

    def __hash__(self) -> int:
        return hash(self._flow)


def first_line(message: Request | Response) -> str:
    """As on the wire, and which request it is of."""
    number, method = message.cseq
    if isinstance(message, Response):
        return f"{message.status} {message.phrase}"[:LONGEST] + f" ({number} {method})"
    return redacted(f"{message.method} {message.uri}")[:LONGEST] + f" ({number} {method})"


def first_line_of(data: bytes) -> str:
    """The same of a message of ours, as bytes."""
    line, _, rest = data.partition(b"\r\n")
    found = _CSEQ.search(rest)
    text = line.decode("utf-8", "replace").removeprefix("SIP/2.0 ").removesuffix(" SIP/2.0")
    return redacted(text)[:LONGEST] + (f" ({found[1].decode('ascii', 'replace')})" if found else "")


_conforms: type[Flow] = Noted
