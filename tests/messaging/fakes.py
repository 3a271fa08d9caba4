"""What conversations in writing are given here: a model by hand, a listener that notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, succeed

from rapida_tw.calls.toolset import Makers
from rapida_tw.errors import CallError, End, VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.models.base import Completion, Message, Model, Tool, ToolCall


class HeldModel:
    """Each run waits in `runs` until the test answers it."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.stopped = 0

    def prepare(self) -> None: ...

    def opening(self) -> Expectation | None:
        return None

    def reply(
        self, messages: Sequence[Message], tools: Sequence[Tool], say: Callable[[str], None]
    ) -> Deferred[Completion]:
        self.runs.append(Run(messages, tools, say))
        return self.runs[-1].done

    def stop(self) -> Deferred[None]:
        self.stopped += 1
        return succeed(None)

    @property
    def run(self) -> Run:
        """The newest."""
        return self.runs[-1]


class Run:
    def __init__(
        self, messages: Sequence[Message], tools: Sequence[Tool], say: Callable[[str], None]
    ) -> None:
        self.messages = [(one.role, one.text) for one in messages]
        self.tools = [tool.name for tool in tools]
        self.say = say
        self.cancelled = False
        self.done: Deferred[Completion] = Deferred(self._cancel)
        self._said = ""

    def _cancel(self, _: Deferred[Completion]) -> None:
        self.cancelled = True

    def write(self, text: str) -> None:
        self._said += text
        self.say(text)

    def finish(self, *calls: ToolCall, **usage: int) -> None:
        self.done.callback(Completion(self._said, calls, usage=usage))

    def answer(self, text: str, *calls: ToolCall) -> None:
        """All at once."""
        self.write(text)
        self.finish(*calls)

    def fail(self, error: Exception | None = None) -> None:
        self.done.errback(error or VendorFailed("out of order"))


class Noted:
    """A TextListener that notes."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    def reply_started(self, turn: str) -> None:
        self.seen.append(("started", turn))

    def chunk(self, turn: str, text: str) -> None:
        self.seen.append(("chunk", turn, text))

    def tool_called(self, turn: str, call: ToolCall) -> None:
        self.seen.append(("called", call.name))

    def tool_answered(self, turn: str, call: ToolCall, result: str) -> None:
        self.seen.append(("answered", call.name, result))

    def reply_failed(self, turn: str, error: CallError) -> None:
        self.seen.append(("failed", turn, str(error)))

    def reply_completed(self, turn: str, text: str, interrupted: bool) -> None:
        self.seen.append(("completed", turn, text, interrupted))

    def ended(self, end: End) -> None:
        self.seen.append(("ended", end.reason))

    def take(self) -> list[tuple[Any, ...]]:
        """What was told since the last time."""
        seen, self.seen = self.seen, []
        return seen


def no_makers() -> Makers:
    def none(definition: Any) -> Any:
        raise NotImplementedError

    return Makers(none, none)


_conforms: type[Model] = HeldModel
