"""ModelSink: what a live model tells, to whom of its conversation it concerns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from rapida_tw.audio.format import Samples
from rapida_tw.models.base import Message, ToolCall
from rapida_tw.models.live import LiveSink
from rapida_tw.pipeline.live_speaker import LiveSpeaker
from rapida_tw.pipeline.live_tools import LiveTools
from rapida_tw.pipeline.live_turns import LiveTurns
from rapida_tw.pipeline.minutes import Minutes


class Chair(Protocol):
    """Who decides whose turn it is."""

    def caller_cuts_in(self) -> None:
        """The caller speaks; the model speaks no more."""

    def caller_known(self) -> None:
        """The caller's words have come."""

    def reply_began(self) -> None:
        """The model answers, or will."""

    def reply_failed(self, why: str) -> None: ...
    def failed(self, error: Exception) -> None:
        """The model is lost."""


class ModelSink:
    """One call's."""

    def __init__(
        self,
        chair: Chair,
        speaker: LiveSpeaker,
        turns: LiveTurns,
        tools: LiveTools,
        minutes: Minutes,
        happened: Callable[[str], None],
    ) -> None:
        """`happened`: something for the journal."""
        self._chair = chair
        self._speaker = speaker
        self._turns = turns
        self._tools = tools
        self._minutes = minutes
        self._happened = happened

    # -- the caller -------------------------------------------------------------------------------

    def speech_started(self) -> None:
        self._turns.speaking = True
        self._chair.caller_cuts_in()

    def speech_stopped(self) -> None:
        self._turns.ended()
        self._chair.reply_began()  # it is owed

    def interrupted(self) -> None:
        self._chair.caller_cuts_in()

    def turn_taken(self, turn: str) -> None:
        self._tools.turn_taken()
        self._turns.taken(turn)

    def turn_heard(self, turn: str, text: str) -> None:
        if text:
            self._chair.caller_known()
        self._turns.words(turn, text)

    # -- the reply --------------------------------------------------------------------------------

    def reply_began(self) -> None:
        self._chair.reply_began()

    def audio(self, item: str, samples: Samples, payload: bytes = b"") -> None:
        self._speaker.audio(item, samples, payload)

    def words(self, item: str, delta: str) -> None:
        self._speaker.words(item, delta)

    def item_spoken(self, item: str) -> None:
        self._speaker.spoken(item)

    def tools_wanted(self, calls: Sequence[ToolCall]) -> None:
        self._tools.wanted(calls)

    def tools_withdrawn(self, ids: Sequence[str]) -> None:
        self._tools.withdrawn(ids)

    def reply_over(self, failure: str = "") -> None:
        if failure:
            self._chair.reply_failed(failure)
        else:
            self._speaker.said()

    def used(self, tokens: Mapping[str, int]) -> None:
        self._speaker.used(tokens)

    # -- the connection ---------------------------------------------------------------------------

    def line_lost(self) -> None:
        self._turns.speaking = False
        self._happened("model.line_lost")
        self._speaker.lost()

    def line_back(self) -> None:
        self._happened("model.line_back")
        self._speaker.back()

    def dialogue(self) -> Sequence[Message]:
        return self._minutes.messages()

    def failed(self, error: Exception) -> None:
        self._chair.failed(error)


_conforms: type[LiveSink] = ModelSink
