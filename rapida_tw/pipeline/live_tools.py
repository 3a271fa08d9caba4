"""LiveTools: what a live model may do besides speaking, in the course of the dialogue.

The model goes on listening while tools run. Their results are answered to it when it may speak;
those that end the call wait until its last words were heard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from rapida_tw.errors import End
from rapida_tw.models.base import Message, Tool, ToolCall
from rapida_tw.models.live import LiveModel
from rapida_tw.pipeline.listen import Turn
from rapida_tw.pipeline.live_speaker import LiveSpeaker
from rapida_tw.pipeline.minutes import Minutes
from rapida_tw.pipeline.reply import ROUNDS, Answer
from rapida_tw.pipeline.tool_runs import ToolRuns
from rapida_tw.pipeline.tools import Result, ToolBox, answer

_CUT_OFF = answer({"error": "interrupted by the caller"})
_TOO_MANY = answer({"error": "too many tools in a row: answer with what you have"})

Results = Sequence[tuple[ToolCall, Result]]


class Journal(Protocol):
    """Where tools are written down."""

    def tool_used(self, name: str, result: str) -> None: ...


class LiveTools:
    """One call's. `ending`: how the call is to end when the reply was heard."""

    def __init__(
        self,
        tools: ToolBox,
        model: LiveModel,
        speaker: LiveSpeaker,
        minutes: Minutes,
        journal: Journal,
        caller_speaks: Callable[[], bool],
    ) -> None:
        self.ending: End | None = None
        self._tools = tools
        self._runs = ToolRuns(tools, self._answered)
        self._model = model
        self._speaker = speaker
        self._minutes = minutes
        self._journal = journal
        self._caller_speaks = caller_speaks
        self._rounds = 0  # since the caller's latest turn
        self._cuts = 0
        self._wanted: dict[str, int] = {}  # ids of calls under way, and the cuts before them
        self._unanswered: Results = ()  # what the model is told if the call does not end after all

    @property
    def offered(self) -> tuple[Tool, ...]:
        return self._tools.offered()

    @property
    def running(self) -> bool:
        return self._runs.running

    def turn_taken(self) -> None:
        """The caller has said something new."""
        self._rounds = 0

    def wanted(self, calls: Sequence[ToolCall]) -> None:
        """Use these, and answer them together."""
        self._minutes.add(Message("assistant", tool_calls=tuple(calls)))
        self._rounds += 1
        if self._rounds > ROUNDS:  # once more it may speak; if it does not, nobody waits for it
            self._answer([(call, _TOO_MANY) for call in calls], self._rounds <= ROUNDS + 1)
            return
        self._wanted |= dict.fromkeys((call.id for call in calls), self._cuts)
        self._speaker.settle()
        self._runs.run(calls)

    def withdrawn(self, ids: Sequence[str]) -> None:
        """The model does not want these any more."""
        self._runs.withdraw(ids)
        for one in ids:
            self._wanted.pop(one, None)
            self._minutes.add(Message("tool", _CUT_OFF.text, tool_call_id=one))
        self._speaker.settle()

    def cut(self) -> None:
        """The caller has interrupted the reply: it ends nothing any more. Tools go on."""
        self._cuts += 1
        unanswered, self._unanswered, self.ending = self._unanswered, (), None
        if unanswered:
            self._answer(unanswered, reply=False)

    def stop(self) -> None:
        """The call is over."""
        self._runs.stop()

    def _answered(self, results: Results) -> None:
        end: End | None = None
        told = []
        for call, result in results:
            cut = self._wanted.pop(call.id, self._cuts) != self._cuts
            if result.end is not None and cut:
                result = _CUT_OFF
            end = result.end or end
            told.append((call, result))
            self._journal.tool_used(call.name, result.text)
        if end is None:
            self._answer(told, reply=not self._caller_speaks())
            return
        self.ending = end
        if self._speaker.sounds:  # its goodbye
            self._unanswered = [(call, _CUT_OFF if one.end else one) for call, one in told]
            self._speaker.end_soon()
        else:
            self._answer(told, reply=True)

    def _answer(self, results: Results, reply: bool) -> None:
        for call, result in results:
            self._minutes.add(Message("tool", result.text, tool_call_id=call.id))
        self._model.answer_tools([(call, result.text) for call, result in results], reply)
        if not reply:
            self._speaker.settle()
        elif self._speaker.job is None:
            self._speaker.begin(Answer(Turn("")))
        else:
            self._speaker.owe()
