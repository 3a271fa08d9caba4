"""A model for stories: says what it is told to, late, with tools, or not at all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from rapida_tw.errors import VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.models.base import Completion, Message, Model, Tool, ToolCall


@dataclass(frozen=True, slots=True)
class Step:
    """One run: after `delay` seconds, `text` word by word with `pause` between, then the tools."""

    text: str = ""
    tools: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    delay: float = 0.0
    pause: float = 0.0
    fails: bool = False


class StepModel:
    """Takes the next step at each run; provider and model in one, for a single call."""

    description = "steps"

    def __init__(self, *steps: Step) -> None:
        self._steps = deque(steps)
        self.clock: IReactorTime | None = None
        self.asked: list[tuple[Message, ...]] = []
        self.offered: list[tuple[str, ...]] = []
        self.cancelled = 0

    def open(self, options: Mapping[str, Any], *account: object) -> Model:
        return self

    def prepare(self) -> None:
        """It needs no time to start."""

    def opening(self) -> Expectation | None:
        return None

    def reply(
        self, messages: Sequence[Message], tools: Sequence[Tool], say: Callable[[str], None]
    ) -> Deferred[Completion]:
        self.asked.append(tuple(messages))
        self.offered.append(tuple(tool.name for tool in tools))
        return Deferred.fromCoroutine(self._run(self._steps.popleft(), say))

    async def _run(self, step: Step, say: Callable[[str], None]) -> Completion:
        assert self.clock is not None
        try:
            if step.delay:
                await deferLater(self.clock, step.delay)
            if step.fails:
                raise VendorFailed("the model is ill")
            words = step.text.split(" ") if step.text else []
            for number, word in enumerate(words):
                say(word if number == 0 else f" {word}")
                if step.pause:
                    await deferLater(self.clock, step.pause)
        except GeneratorExit:
            raise
        except VendorFailed:
            raise
        except BaseException:
            self.cancelled += 1
            raise
        calls = tuple(
            ToolCall(f"call-{number}", name, arguments)
            for number, (name, arguments) in enumerate(step.tools)
        )
        return Completion(step.text, calls)

    def stop(self) -> Deferred[None]:
        return succeed(None)
