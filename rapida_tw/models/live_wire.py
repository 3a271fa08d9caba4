"""LiveWire: what one live model's WebSocket says and wants to hear, without I/O.

A vendor is one file: its options, its wire, and a provider that names both. What all have in common
(connecting, gathering, resampling, reconnecting) is the shell's (live_line.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred

from rapida_tw.audio.format import Encoding
from rapida_tw.models.base import Message, ToolCall
from rapida_tw.models.live import Briefing
from rapida_tw.net.base import Frame, Net, Request


@dataclass(frozen=True, slots=True)
class Send:
    """The wire itself has something to say now."""

    frames: Sequence[Frame]


@dataclass(frozen=True, slots=True)
class Ready:
    """The session is set up: audio may be sent."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The vendor hears the caller; a reply under way is over."""


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The vendor takes the caller's turn for complete."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The vendor has broken its reply off, because it hears the caller."""


@dataclass(frozen=True, slots=True)
class TurnTaken:
    """Here in the dialogue is a turn of the caller."""

    turn: str


@dataclass(frozen=True, slots=True)
class TurnHeard:
    """The words of a turn; "" where they will not come."""

    turn: str
    text: str


@dataclass(frozen=True, slots=True)
class ReplyBegan:
    """The vendor begins a reply."""


@dataclass(frozen=True, slots=True)
class Audio:
    """More sound of an item, in the wire's `spoken` encoding; `rate` in Hz."""

    item: str
    payload: bytes
    rate: int


@dataclass(frozen=True, slots=True)
class Words:
    """More words of an item."""

    item: str
    delta: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """The item's sound is complete."""

    item: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """All tool calls of a reply; before its ReplyOver."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Tool calls that are not wanted any more, by their ids."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplyOver:
    """The reply is complete, or `failure` says why not."""

    failure: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a reply."""

    tokens: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Leaving:
    """The vendor will close this connection in so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Complaint:
    """The vendor is not content.

    `fatal`: this connection is of no use any more. `retryable`: another one may be; never for a
    wrong key, an empty account or a wrong option.
    """

    reason: str
    fatal: bool = True
    retryable: bool = True


Event = (
    Send
    | Ready
    | SpeechStarted
    | SpeechStopped
    | Interrupted
    | TurnTaken
    | TurnHeard
    | ReplyBegan
    | Audio
    | Words
    | Spoken
    | Wanted
    | Withdrawn
    | ReplyOver
    | Usage
    | Leaving
    | Complaint
)


class LiveWire(Protocol):
    """One connection; made anew for each. Nothing raises but `received` (RemoteProtocolError)."""

    encoding: Encoding  # of what `audio` takes
    rate: int  # Hz
    gather: int  # ms of audio in a message
    spoken: Encoding  # of what Audio gives
    handle: str  # by which another connection goes on with this session; "": it cannot

    def address(self, net: Net) -> Deferred[Request]:
        """Where to connect, and with what."""

    def hello(
        self, briefing: Briefing, dialogue: Callable[[], Sequence[Message]]
    ) -> Sequence[Frame]:
        """What is said first, once the socket is open. The rest of it follows as Send, then Ready.

        `dialogue`: what was said by now, asked when it is told; not to a session that is resumed.
        """

    def audio(self, payload: bytes) -> Frame:
        """`payload` in `encoding` at `rate`, of `gather` ms."""

    def text(self, text: str) -> Sequence[Frame]: ...
    def say(self, text: str, first: bool) -> Sequence[Frame]: ...
    def go_on(self) -> Sequence[Frame]: ...
    def cancel(self) -> Sequence[Frame]:
        """Afterwards `received` tells nothing more of the reply under way."""

    def truncate(self, item: str, played_ms: int) -> Sequence[Frame]:
        """`played_ms` is never more than was sent of it."""

    def answer_tools(
        self, answers: Sequence[tuple[ToolCall, str]], reply: bool
    ) -> Sequence[Frame]: ...
    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        """Understand one message; unknown kinds are (). RemoteProtocolError for garbage."""

    def closed(self, code: int, reason: str) -> Complaint:
        """What the vendor means by closing with this code."""
