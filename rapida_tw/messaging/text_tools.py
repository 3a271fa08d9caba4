"""The tools of a conversation in writing: those of a call that need no call."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime

from rapida_tw.calls.toolset import Makers, toolset
from rapida_tw.carriers.outbound import Line
from rapida_tw.errors import End, NotSupported
from rapida_tw.media.playout import Playout
from rapida_tw.models.base import Tool, ToolCall
from rapida_tw.pipeline.keypad import Keypad
from rapida_tw.pipeline.tools import CollectDigits, Result, ToolBox, answer
from rapida_tw.store.records import JSON

WHY = "this is a conversation in writing, not a phone call"
_KEYS = CollectDigits.tool.name


class TextTools:
    """A call's tools; those that need a phone fail with the reason.

    Keys are not even offered: a script that can ask for them would, at every question.
    """

    def __init__(self, tools: ToolBox) -> None:
        self._tools = tools

    def offered(self) -> tuple[Tool, ...]:
        """What the model may ask for now."""
        return tuple(tool for tool in self._tools.offered() if tool.name != _KEYS)

    def independent(self, call: ToolCall) -> bool:
        """It may run beside others: it does not end the conversation."""
        return self._tools.independent(call)

    def use(self, call: ToolCall) -> Deferred[Result]:
        """Fires with the result; errors are results too, only cancelling is not."""
        if call.name == _KEYS:
            return succeed(answer({"error": f"no key can be pressed: {WHY}"}))
        return self._tools.use(call)


class NoLine:
    """There is nobody on a line."""

    def transfer(self, target: str) -> Deferred[None]:
        return fail(NotSupported(f"nobody can be transferred: {WHY}"))

    def withdraw(self) -> None:
        """Nothing was got ready."""

    def send_digits(self, digits: str) -> Deferred[None]:
        return fail(NotSupported(f"no keys can be sent: {WHY}"))

    def hold(self, on: bool) -> Deferred[None]:
        return fail(NotSupported(f"nobody can be held: {WHY}"))

    def hang_up(self, end: End) -> None:
        """Nobody is there."""


def text_tools(definitions: Sequence[JSON], makers: Makers, clock: IReactorTime) -> TextTools:
    """An assistant's `tools`, ready to be used; `MisconfiguredAssistant` names a bad one."""
    keypad = Keypad(clock, _nobody)
    return TextTools(toolset(definitions, keypad, Playout(), NoLine(), makers))


def _nobody(digits: str) -> None:
    """No key is pressed in writing."""


_conforms: type[Line] = NoLine
