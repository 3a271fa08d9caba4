"""Run: one answer of an agent while it comes."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rapida_tw.errors import VendorFailed
from rapida_tw.models.agent_wire import Complaint, Complete, Wanted, Words
from rapida_tw.models.attempt import LONGEST
from rapida_tw.models.base import Completion, ToolCall
from rapida_tw.models.thought import WholeCharacters
from rapida_tw.net.reasons import passing

NEXT_WORD_WITHIN = 10.0  # seconds
# An agent that wants the result of a tool before it goes on may say no more until it has it.
TOOLS_ALONE = 0.25  # seconds


class Run:
    """`said`: words were given away. `late`: they did not come in time. `told`: it was asked."""

    said = late = told = False

    def __init__(
        self,
        clock: IReactorTime,
        vendor: str,
        turn: str,
        say: Callable[[str], None],
        may_be_silent: bool,
    ) -> None:
        self.turn = turn
        self.done: Deferred[Completion] = Deferred()
        self._clock = clock
        self._vendor = vendor
        self._say = say
        self._may_be_silent = may_be_silent
        self._characters = WholeCharacters()
        self._text: list[str] = []
        self._length = 0
        self._calls: list[ToolCall] = []
        self._timer: IDelayedCall | None = None
        self._running: Deferred[Completion] | None = None

    @property
    def text(self) -> str:
        """What was said by now."""
        return "".join(self._text)

    def within(self, seconds: float, running: Deferred[Completion]) -> None:
        """Cancel `running` as late when the first word has not come by then."""
        self._running = running
        self._wait(seconds, self._too_late)

    def close(self) -> None:
        """Nothing more is waited for."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def fail(self, failure: VendorFailed) -> None:
        if not self.done.called:
            self.close()
            self.done.errback(failure)

    # -- what the agent says ----------------------------------------------------------------------

    def words(self, event: Words) -> None:
        self._hear(event.text)
        if not self.done.called:
            self._wait(NEXT_WORD_WITHIN, self._too_late)

    def complete(self, event: Complete) -> None:
        if not self._text:
            self._hear(event.text)
        if not self.done.called:
            self._finish(event)

    def wanted(self, event: Wanted, name: str) -> None:
        """`name`: ours of the tool."""
        number = len(self._calls) + 1
        call_id = event.tool_id or f"{self.turn}-{number}"
        self._calls.append(ToolCall(call_id, name, event.arguments))
        self._wait(TOOLS_ALONE, self._finish)

    def complained(self, event: Complaint) -> None:
        sentence = f"{self._vendor} cannot answer: {event.reason}"
        self.fail(VendorFailed(sentence, event.code, not event.code or passing(event.code)))

    def _hear(self, text: str) -> None:
        text = self._characters.feed(text)
        if not text:
            return
        self._length += len(text)
        if self._length > LONGEST:
            sentence = f"{self._vendor} goes on and on: more than {LONGEST} characters"
            self.fail(VendorFailed(sentence, retryable=False))
            return
        self.said = True
        self._text.append(text)
        self._say(text)

    def _finish(self, event: Complete | None = None) -> None:
        self.close()
        text = self.text
        if not (text.strip() or self._calls or self._may_be_silent):
            self.fail(VendorFailed(f"{self._vendor} answered nothing"))
            return
        usage = event.usage if event is not None else {}
        self.done.callback(Completion(text, tuple(self._calls), usage=usage))

    # -- time -------------------------------------------------------------------------------------

    def _wait(self, seconds: float, then: Callable[[], None]) -> None:
        self.close()
        self._timer = self._clock.callLater(seconds, then)

    def _too_late(self) -> None:
        if self._running is not None:
            self.late = True
            self._running.cancel()
