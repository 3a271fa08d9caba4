"""Answers for the fakes of models: what is said is written beforehand, how it comes can be chosen.

A fake takes one `Turn` for each request from the left of its `turns`, and says it in its own
events. What goes wrong is asked for beforehand, too: by the turn's `trouble`, or by
`manners.refusals`.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rapida_tw.sim.vendors.base import Reply


class Trouble(Enum):
    """What befalls one answer."""

    UNANSWERED = "unanswered"  # not even a head
    SILENCE = "silence"  # the head, and the vendor's keep-alives
    STALL = "stall"  # half of it, and keep-alives
    CUT = "cut"  # the connection is cut behind half of it
    HALF = "half"  # the body ends behind half of it, as if that were all
    ERROR_FIRST = "error first"  # the vendor's own event of an error, in place of the first word
    ERROR = "error"  # ... behind half of it
    GARBAGE = "garbage"  # something that nobody understands, in place of the first word
    EMPTY = "empty"  # a whole answer without a word
    CUT_SHORT = "cut short"  # the limit of tokens was reached in its last tool call, or its text
    WITHHELD = "withheld"  # a filter took it away


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer, told word by word: seconds before the first, and between two."""

    text: str = ""
    calls: tuple[Called, ...] = ()
    thoughts: str = ""
    first_after: float = 0.2
    between: float = 0.02
    trouble: Trouble | None = None
    read: int = 20  # tokens
    cached: int = 0  # of those

    def pieces(self) -> list[str]:
        """Words, with the space before them, as tokens come."""
        words = self.text.split(" ")
        return [word if number == 0 else f" {word}" for number, word in enumerate(words) if word]

    @property
    def written(self) -> int:
        """Tokens, roughly."""
        return len(self.pieces()) + 8 * len(self.calls)


@dataclass(slots=True)
class Manners:
    """How a fake model behaves. `refusals`: HTTP statuses, one a request; 0: taken."""

    refusals: deque[int] = field(default_factory=deque)
    retry_after: str = ""  # the header of a refusal; "": none
    size: int = 0  # bytes that go out together; 0: an event
    line_end: str = "\n"
    comments: bool = False  # before each event
    spread: bool = False  # the data of an event over several lines


class Teller(Protocol):
    """The fake, in whose events an answer is told."""

    def begin(self) -> None: ...
    def think(self, text: str) -> None: ...
    def say(self, text: str) -> None: ...
    def call(self, number: int, called: Called, whole: bool) -> None:
        """The whole call, or without its end."""

    def end(self, trouble: Trouble | None) -> None: ...
    def error(self) -> None: ...
    def keep_alive(self) -> None: ...


class Answer:
    """One answer on its way; ends by itself, also when the client has gone."""

    def __init__(self, clock: IReactorTime, turn: Turn, teller: Teller, reply: Reply) -> None:
        self._clock = clock
        self._turn = turn
        self._teller = teller
        self._reply = reply
        self._steps = self._told()
        self.timer: IDelayedCall | None = None
        if turn.trouble is not Trouble.UNANSWERED:
            self._next()

    def _next(self) -> None:
        self.timer = None
        if self._reply.gone:
            return
        wait = next(self._steps, None)
        if wait is not None:
            self.timer = self._clock.callLater(wait, self._next)

    def _told(self) -> Iterator[float]:
        """Tells, and yields seconds to wait."""
        turn, teller, trouble = self._turn, self._teller, self._turn.trouble
        teller.begin()
        yield turn.first_after
        if turn.thoughts:
            teller.think(turn.thoughts)
            yield turn.between
        if trouble is Trouble.SILENCE:
            yield from self._wait_for_ever()
        if trouble is Trouble.ERROR_FIRST:
            teller.error()
            return
        if trouble is Trouble.GARBAGE:
            self._reply.write(b'data: {"what is this\n\n')
            yield turn.between
        pieces = turn.pieces()
        half = (len(pieces) + 1) // 2
        if trouble in (Trouble.EMPTY, Trouble.WITHHELD):
            pieces = []
        for number, piece in enumerate(pieces):
            if number == half and trouble is not None:
                if trouble is Trouble.STALL:
                    yield from self._wait_for_ever()
                if trouble in (Trouble.CUT, Trouble.HALF, Trouble.ERROR):
                    ways = {Trouble.CUT: self._reply.drop, Trouble.ERROR: teller.error}
                    ways.get(trouble, self._reply.end)()
                    return
            teller.say(piece)
            yield turn.between
        calls = () if trouble in (Trouble.EMPTY, Trouble.WITHHELD) else turn.calls
        for number, called in enumerate(calls):
            last = number == len(calls) - 1
            teller.call(number, called, not (last and trouble is Trouble.CUT_SHORT))
            yield turn.between
        teller.end(trouble)

    def _wait_for_ever(self) -> Iterator[float]:
        while True:
            yield 1.0
            self._teller.keep_alive()


class Events:
    """Writes server-sent events, in the manner that is asked for."""

    def __init__(self, reply: Reply, manners: Manners) -> None:
        self._reply = reply
        self._manners = manners

    def head(self, headers: Mapping[str, str] | None = None) -> None:
        kind = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
        self._reply.head(200, {**kind, **(headers or {})})

    def send(self, data: Mapping[str, Any] | str, event: str = "") -> None:
        manners = self._manners
        indent = 1 if manners.spread else None
        text = (
            data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, indent=indent)
        )
        lines = [f"data: {line}" for line in text.split("\n")]
        if event:
            lines.insert(0, f"event: {event}")
        if manners.comments:
            lines.insert(0, ": still here")
        self.write("".join(line + manners.line_end for line in (*lines, "")))

    def comment(self) -> None:
        self.write(f": keep-alive{self._manners.line_end * 2}")

    def write(self, text: str) -> None:
        payload = text.encode()
        size = self._manners.size or len(payload)
        for start in range(0, len(payload), size):
            self._reply.write(payload[start : start + size])


def _written(data: Mapping[str, Any], spread: bool) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1 if spread else None)


def turns_of(script: Iterable[Turn | str | Mapping[str, Any]]) -> deque[Turn]:
    """Turns, as texts or as JSON has them."""
    turns: deque[Turn] = deque()
    for one in script:
        if isinstance(one, str):
            turns.append(Turn(one))
        elif isinstance(one, Mapping):
            fields = dict(one)
            fields["calls"] = tuple(Called(**called) for called in fields.get("calls", ()))
            if fields.get("trouble"):
                fields["trouble"] = Trouble(fields["trouble"])
            turns.append(Turn(**fields))
        else:
            turns.append(one)
    return turns


def split(text: str, parts: int = 3) -> Sequence[str]:
    """A text in so many pieces, as the arguments of tool calls come."""
    size = max(1, -(-len(text) // parts))
    return [text[start : start + size] for start in range(0, len(text), size)]
