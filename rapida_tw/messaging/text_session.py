"""TextSession: one conversation in writing. Messages come in, one reply at a time goes out.

What comes while a reply is being made is answered with the next one, all of it together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.cancellable import cancellable
from rapida_tw.errors import CallError, End, VendorFailed
from rapida_tw.messaging.text_notes import TextNotes
from rapida_tw.messaging.text_tools import TextTools
from rapida_tw.models.base import Completion, Message, Model, ToolCall
from rapida_tw.pipeline.history import History
from rapida_tw.pipeline.reply import ROUNDS

REPLY_WITHIN = 90.0  # seconds for a whole reply, its tools included
MOST_WAITING = 50  # messages that wait for the reply before theirs; the oldest is left out
LONGEST = 16_000  # characters of a message that a model is asked with


class TextListener(Protocol):
    """Who shows a conversation to its user. Plain calls; `turn` is the id of what is answered."""

    def reply_started(self, turn: str) -> None: ...
    def chunk(self, turn: str, text: str) -> None:
        """The next words of the reply, in order."""

    def tool_called(self, turn: str, call: ToolCall) -> None: ...
    def tool_answered(self, turn: str, call: ToolCall, result: str) -> None: ...
    def reply_failed(self, turn: str, error: CallError) -> None:
        """The model could not answer; the error message follows as chunk and completion."""

    def reply_completed(self, turn: str, text: str, interrupted: bool) -> None:
        """The reply is over; `text` is all of it."""

    def ended(self, end: End) -> None:
        """The conversation is over; once, last."""


@dataclass(frozen=True, slots=True)
class TextParts:
    """What a conversation in writing is made of; texts are rendered."""

    history: History
    model: Model
    tools: TextTools
    error_message: str = ""
    greeting: str = ""
    began: float = 0.0  # seconds since the epoch


@dataclass(slots=True)
class _Reply:
    turn: str
    began: float
    text: list[str] = field(default_factory=list)  # all of it, as it was shown
    part: list[str] = field(default_factory=list)  # of the model's current run
    heard: dict[int, str] = field(default_factory=dict)  # of each run
    asked: float = 0.0
    answered: float = 0.0
    usage: dict[str, int] = field(default_factory=dict)


class TextSession:
    """`streaming`: words are seen as they are written, so an interrupted reply was seen in part."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        parts: TextParts,
        notes: TextNotes,
        listener: TextListener,
        streaming: bool = False,
    ) -> None:
        self._clock = clock
        self._parts = parts
        self._history = parts.history
        self._notes = notes
        self._listener = listener
        self._streaming = streaming
        self._waiting: list[tuple[str, str]] = []  # turn, text
        self._replying: Deferred[End | None] | None = None
        self._busy = False
        self._besides: list[str] = []  # what was said while a reply was being made
        self.over = False

    @property
    def replying(self) -> bool:
        """A reply is being made, or about to be."""
        return self._busy

    @property
    def dialogue(self) -> Sequence[Message]:
        """What was said, oldest first."""
        return self._history.dialogue

    def greet(self, turn: str) -> None:
        """Begin with the deployment's greeting, if it has one."""
        if self._parts.greeting:
            self._tell(_Reply(turn, self._clock.seconds()), self._parts.greeting, "greeting")

    def received(self, text: str, turn: str, **data: Any) -> bool:
        """A message of the user's; `data` is for the history. False: there is nothing to answer."""
        text = text.strip()[:LONGEST]
        if self.over or not text:
            return False
        self._notes.user_said(text, turn, data)
        self._waiting.append((turn, text))
        del self._waiting[:-MOST_WAITING]
        self._next()
        return True

    def told(self, text: str) -> None:
        """The assistant's side has said this, outside of any reply."""
        if self._busy:
            self._besides.append(text)  # the history is in the middle of a reply
        else:
            self._remember(text)

    def _remember(self, text: str) -> None:
        self._history.begin_reply()
        self._history.assistant_said(text)
        self._history.end_reply({}, interrupted=False)

    def interrupt(self) -> bool:
        """Break the reply off; what waits is answered next. False: there was none."""
        if self._replying is None:
            return False
        self._replying.cancel()
        return True

    def end(self, end: End) -> None:
        """The conversation is over; the first reason wins."""
        if not self.over:
            self.stop()
            self._notes.ended(end, self._parts.began)
            self._listener.ended(end)

    def stop(self) -> None:
        """Let go of it; somebody may go on with the conversation later. Idempotent."""
        if self.over:
            return
        self.over = True
        self._waiting.clear()
        self.interrupt()
        stopping = self._parts.model.stop()
        stopping.addErrback(lambda failure: self._log.failure("stopping a model", failure))

    # -- one reply --------------------------------------------------------------------------------

    def _next(self) -> None:
        if self._busy or self.over or not self._waiting:
            return
        taken, self._waiting = self._waiting, []
        reply = _Reply(taken[-1][0], self._clock.seconds())
        self._busy = True
        self._listener.reply_started(reply.turn)
        text = "\n".join(text for _, text in taken)[:LONGEST]
        replying = Deferred.fromCoroutine(self._reply(reply, text))
        self._replying = replying
        replying.addTimeout(REPLY_WITHIN, self._clock)
        replying.addCallbacks(self._replied, self._not_replied, (reply,), errbackArgs=(reply,))
        replying.addErrback(lambda failure: self._log.failure("after a reply in writing", failure))
        replying.addBoth(self._go_on)

    async def _reply(self, reply: _Reply, text: str) -> End | None:
        self._history.user_said(text)
        self._history.begin_reply()
        complete = False
        try:
            end = await self._rounds(reply)
            complete = True
            return end
        finally:
            self._history.end_reply(reply.heard, interrupted=not complete)

    async def _rounds(self, reply: _Reply) -> End | None:
        for _ in range(ROUNDS):
            completion = await self._run(reply)
            if not completion.tool_calls:
                if not "".join(reply.text).strip():
                    raise VendorFailed("the model answered nothing")
                return None
            end = await self._use_tools(reply, completion)
            if end is not None:
                return end
        raise VendorFailed(f"the model used tools in {ROUNDS} runs without an answer")

    async def _run(self, reply: _Reply) -> Completion:
        """One run of the model; what it had written when it was broken off is in the history."""
        mine: list[str] = []
        reply.part = mine
        part = self._history.next_part
        completion: Completion | None = None

        def write(delta: str) -> None:
            if not delta or reply.part is not mine:
                return  # nobody waits for this run any more
            reply.answered = reply.answered or self._clock.seconds()
            if not mine and reply.text:
                delta = "\n" + delta.lstrip()  # what was written before a tool was used
            mine.append(delta)
            reply.text.append(delta)
            self._listener.chunk(reply.turn, delta)

        reply.asked = reply.asked or self._clock.seconds()
        try:
            running = self._parts.model.reply(
                self._history.messages(), self._parts.tools.offered(), write
            )
            completion = await cancellable(running)
        finally:
            written = "".join(mine).strip() if completion is None else completion.text
            reply.part = []
            calls = () if completion is None else completion.tool_calls
            self._history.assistant_said(written, calls)
            if self._streaming or completion is not None:
                reply.heard[part] = written
        reply.answered = reply.answered or self._clock.seconds()
        for name, tokens in completion.usage.items():
            reply.usage[name] = reply.usage.get(name, 0) + tokens
        return completion

    async def _use_tools(self, reply: _Reply, completion: Completion) -> End | None:
        """Those that change nothing of the conversation run side by side, as in a call."""
        tools = self._parts.tools
        for call in completion.tool_calls:
            self._listener.tool_called(reply.turn, call)
        started = {
            number: tools.use(call)
            for number, call in enumerate(completion.tool_calls)
            if tools.independent(call)
        }
        end = None
        try:
            for number, call in enumerate(completion.tool_calls):
                using = started.get(number)
                result = await (tools.use(call) if using is None else using)
                self._history.tool_answered(call, result.text)
                self._notes.tool_used(call.name, result.text)
                self._listener.tool_answered(reply.turn, call, result.text)
                end = result.end or end
        finally:
            for using in started.values():
                using.addErrback(_not_wanted)
                using.cancel()
        return end

    def _replied(self, end: End | None, reply: _Reply) -> None:
        self._write_down(reply, "answer", interrupted=False)
        if end is not None:
            self.end(end)

    def _not_replied(self, failure: Failure, reply: _Reply) -> None:
        """Interrupted, or failed: then the user is told so."""
        if failure.check(CancelledError) or self.over:
            self._write_down(reply, "answer", interrupted=True)
            return
        error = _error_of(failure)
        if type(error) is CallError:
            self._log.failure("a reply in writing", failure)
        else:
            self._log.warn("no reply in writing: {reason}", reason=str(error))
        self._notes.failed(error)
        self._listener.reply_failed(reply.turn, error)
        apology = self._parts.error_message
        if apology and reply.text:
            apology = "\n" + apology
        if apology:
            self._remember(apology.strip())
            reply.text.append(apology)
            self._listener.chunk(reply.turn, apology)
        self._write_down(reply, "error", interrupted=False)

    def _write_down(self, reply: _Reply, kind: str, interrupted: bool) -> None:
        text = "".join(reply.text).strip()
        seen = text if self._streaming or not interrupted else ""
        self._notes.assistant_said(seen, kind, reply.turn, interrupted)
        now = self._clock.seconds()
        if kind == "answer" and not interrupted:
            self._notes.measured(now - reply.began, reply.answered - reply.asked, reply.usage)
        if not self.over:
            self._listener.reply_completed(reply.turn, text, interrupted)

    def _go_on(self, _: object) -> None:
        self._replying = None
        self._busy = False
        besides, self._besides = self._besides, []
        for text in besides:
            self._remember(text)
        self._next()

    def _tell(self, reply: _Reply, text: str, kind: str) -> None:
        self._remember(text)
        reply.text.append(text)
        self._listener.reply_started(reply.turn)
        self._listener.chunk(reply.turn, text)
        self._write_down(reply, kind, interrupted=False)


def _error_of(failure: Failure) -> CallError:
    if isinstance(failure.value, CallError):
        return failure.value
    if failure.check(TimeoutError):
        return VendorFailed(f"no reply within {REPLY_WITHIN:.0f} s")
    return CallError("the reply failed")


def _not_wanted(failure: Failure) -> None:
    """A tool whose result nobody waits for any more."""
    failure.trap(CancelledError)
