"""The port of live models: the caller's frames in; spoken replies and tool calls out.

A live model hears, thinks and speaks by itself. It decides when the caller has finished and begins
to answer; what is said of it on the phone, and for how long, is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from rapida_tw.account import NOBODY, Account
from rapida_tw.audio.format import AudioFormat, Samples
from rapida_tw.models.base import Message, Tool, ToolCall


@dataclass(frozen=True, slots=True)
class Briefing:
    """What a live model is told before the call: its system prompt, and what it may do."""

    instructions: str = ""
    tools: tuple[Tool, ...] = ()


class LiveSink(Protocol):
    """What a live model tells, in the order of the dialogue. Plain calls, between start and stop.

    A reply consists of items, one or several, each with its sound and its words; words may be ahead
    of their sound or behind it. Of a reply that was cancelled nothing more is told, not even its
    end.
    """

    def speech_started(self) -> None:
        """The vendor hears the caller, and speaks no more of the reply under way."""

    def speech_stopped(self) -> None:
        """The vendor takes the caller's turn for complete; a reply follows."""

    def interrupted(self) -> None:
        """The vendor has broken its reply off for the caller's voice: from vendors that do not
        tell `speech_started`."""

    def turn_taken(self, turn: str) -> None:
        """A turn of the caller has its place in the dialogue, here; its words follow or do not."""

    def turn_heard(self, turn: str, text: str) -> None:
        """The words of a turn; "" where nobody knows them."""

    def reply_began(self) -> None:
        """The vendor begins a reply, asked for or not."""

    def audio(self, item: str, samples: Samples, payload: bytes = b"") -> None:
        """The next sound of an item: int16[n], 16 kHz, faster than it can be spoken.

        `payload`: the same as the vendor sent it, where that is in the format of the call.
        """

    def words(self, item: str, delta: str) -> None:
        """The next words of an item."""

    def item_spoken(self, item: str) -> None:
        """The item's sound is complete."""

    def tools_wanted(self, calls: Sequence[ToolCall]) -> None:
        """All that the reply wants used; answered together, by `answer_tools`."""

    def tools_withdrawn(self, ids: Sequence[str]) -> None:
        """These are not wanted any more, and not to be answered."""

    def reply_over(self, failure: str = "") -> None:
        """The reply is complete; `failure` is a sentence that says why it is not."""

    def used(self, tokens: Mapping[str, int]) -> None:
        """Tokens of the latest reply: `input`, `output`, and `cached` among the input."""

    def line_lost(self) -> None:
        """The connection is gone; another one is being made. The reply under way ends here."""

    def line_back(self) -> None:
        """There is a connection again, and it knows the dialogue."""

    def dialogue(self) -> Sequence[Message]:
        """What was said by now, for a connection that knows nothing of it."""

    def failed(self, error: Exception) -> None:
        """The model is of no use any more for this call. Once."""


class LiveModel(Protocol):
    """Talks in one call. All but `start` and `stop` are plain calls that never raise.

    `tells_speech`: it tells `speech_started` and `speech_stopped`.
    """

    tells_speech: bool

    def prepare(self) -> None:
        """The call has been announced, and will begin in a moment or never: connect now.

        Optional; `start` follows, or only `stop`.
        """

    def start(self, briefing: Briefing, sink: LiveSink) -> Deferred[None]:
        """Get ready; errbacks with `VendorFailed`. Frames may come before, and are kept."""

    def hear(self, frame: Samples) -> None:
        """int16[320], 16 kHz: every frame that the model is to hear. Bounded inside."""

    def text(self, text: str) -> None:
        """The caller has told this otherwise than by voice; it is to be answered."""

    def say(self, text: str, first: bool = False) -> None:
        """Say this, word for word, now or when the reply under way is over.

        `first`: an answer that the model begins by itself before that is given up.
        """

    def go_on(self) -> None:
        """Reply to what was said last: an answer is owed that never came."""

    def cancel(self) -> None:
        """The reply under way, or asked for, is not wanted any more."""

    def truncate(self, item: str, played_ms: int) -> None:
        """Of this item only so much was heard."""

    def answer_tools(self, answers: Sequence[tuple[ToolCall, str]], reply: bool) -> None:
        """The results, JSON each, of the tools that were wanted together.

        `reply`: go on with them at once; else they are for the next reply.
        """

    def stop(self) -> Deferred[None]:
        """The call is over: free everything; no sink call after this."""


class LiveModelProvider(Protocol):
    """One a process, found by the entry point group `rapida_tw.live_models`, made with a Host."""

    description: str

    def open(
        self,
        options: Mapping[str, Any],
        account: Account = NOBODY,
        leg: AudioFormat | None = None,
    ) -> LiveModel:
        """A model for one call; `MisconfiguredAssistant` names a bad option or field.

        `leg`: the format of the call's sound, if it is known.
        """

    def stop(self) -> Deferred[None]:
        """The server stops."""
