"""What becomes of a placed call, what is done on it, and its carrier's side: values.

What differs between carriers is a call's `Side`. What its document says is `Step`s, whichever
language it was written in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from rapida_tw.sim.carrier import FakeCarrier, Media
from rapida_tw.sim.habits import Detection, Verdict
from rapida_tw.sim.http import HttpAnswer, HttpRequest


class Stage(Enum):
    """Where a call is; never back."""

    QUEUED = 0
    DIALLED = 1
    RINGING = 2
    ANSWERED = 3
    OVER = 4


class Over(Enum):
    """How it ended."""

    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no answer"
    DECLINED = "declined"
    FAILED = "failed"
    CANCELLED = "cancelled"  # by who placed it, before the answer


@dataclass(frozen=True, slots=True)
class Stream:
    """Connect the phone with a media socket. `call` reports of it."""

    media: Media
    call: FakeCarrier


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask for the next document; what was left of this one is forgotten."""

    request: HttpRequest
    read: Callable[[HttpAnswer, float], Iterable[Step]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tones:
    """Play keys to the called party."""

    digits: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing, for so many seconds; `text`: what is said meanwhile."""

    seconds: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect the phone with somebody else, who has `timeout` seconds to answer.

    `after(over, seconds)`: what is done when that is over; the rest of the document, if it is None.
    """

    number: str
    caller: str = ""
    timeout: float = 30.0
    after: Callable[[Over, float], Iterable[Step]] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HangUp:
    """The end of the call."""


Step = Stream | Fetch | Tones | Pause | Dial | HangUp


@dataclass(frozen=True, slots=True)
class Report:
    """What has happened. `seconds`: since the answer; `verdict`: what is known by then."""

    stage: Stage
    over: Over | None = None
    seconds: float = 0.0
    verdict: Verdict | None = None
    by_server: bool = False  # who placed it has ended it


class Side(Protocol):
    """One placed call as its carrier tells of it. `ring_seconds`: how long it may ring."""

    id: str
    callee: str
    ring_seconds: float
    most_seconds: float  # of the call; 0: no limit
    detection: Detection | None

    def document(self, now: float) -> Iterable[Step]:
        """What is done when it is answered; `CallFailed` says why nothing can be."""

    def tell(self, report: Report, now: float) -> Sequence[HttpRequest]:
        """Callbacks, in this order."""

    def found(self, verdict: Verdict, seconds: float, now: float) -> Sequence[HttpRequest]:
        """Callbacks of the detection, `seconds` behind the answer."""
