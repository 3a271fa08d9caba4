"""ToolBox: what the model may do besides speaking, and how each thing is done.

A tool always answers the model: with its result, or with `{"error": reason}` that the model can
speak about. Only `end_call` and a transfer end the call, after what was said has been heard.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from rapida_tw.cancellable import cancellable
from rapida_tw.carriers.outbound import Line
from rapida_tw.errors import TOOL_ENDED, TRANSFERRED, CallError, End, MisconfiguredAssistant
from rapida_tw.media.playout import Playout
from rapida_tw.models.base import Tool, ToolCall
from rapida_tw.pipeline.keypad import Keypad

_MOST_SECONDS = 60.0  # a model may not make a caller wait longer for a key


@dataclass(frozen=True, slots=True)
class Result:
    """`text` is JSON for the model; `end` is set when the call is to end after the reply."""

    text: str
    end: End | None = None


def answer(value: Mapping[str, Any], end: End | None = None) -> Result:
    return Result(json.dumps(value), end)


class Runner(Protocol):
    """One tool of one call."""

    tool: Tool

    def use(self, arguments: Mapping[str, Any]) -> Deferred[Result]:
        """Errbacks with CallError or ValueError become an error for the model."""


class Kit(Protocol):
    """Tools that become known during the call."""

    def runners(self) -> Sequence[Runner]:
        """Those that are known by now."""


class EndCall:
    """The model says goodbye; the call ends when it has been heard."""

    tool = Tool(
        "end_call",
        "End the call. Say goodbye in the same reply; it is heard before the call ends.",
        {"type": "object", "properties": {}},
    )

    def use(self, arguments: Mapping[str, Any]) -> Deferred[Result]:
        return Deferred.fromCoroutine(self._use())

    async def _use(self) -> Result:
        return answer({"success": True}, TOOL_ENDED)


class CollectDigits:
    """Waits for keys, after the prompt before it has been heard."""

    tool = Tool(
        "collect_digits",
        "Wait for the caller to press keys on the phone. Ask for them in the same reply.",
        {
            "type": "object",
            "properties": {
                "count": {"type": "integer", "description": "how many digits; 0 = until #"},
                "terminator": {"type": "string", "description": "the key that completes"},
                "timeout": {"type": "number", "description": "seconds to wait, default 10"},
            },
        },
    )

    def __init__(self, keypad: Keypad, playout: Playout) -> None:
        self._keypad = keypad
        self._playout = playout

    def use(self, arguments: Mapping[str, Any]) -> Deferred[Result]:
        return Deferred.fromCoroutine(self._use(arguments))

    async def _use(self, arguments: Mapping[str, Any]) -> Result:
        count = max(int(arguments.get("count") or 0), 0)
        terminator = str(arguments.get("terminator") or "#")[:1]
        timeout = min(max(float(arguments.get("timeout") or 10.0), 1.0), _MOST_SECONDS)
        await self._playout.drained()
        digits = await self._keypad.collect(count, terminator, timeout)
        return answer({"digits": digits} if digits else {"error": "no key was pressed"})


class TransferCall:
    """Hands the call over to a person, to one of the targets that the assistant allows.

    After what was said before has been heard: a far side that is sent elsewhere goes at once.
    """

    def __init__(
        self, line: Line, targets: Mapping[str, str], playout: Playout, message: str = ""
    ) -> None:
        """`targets`: numbers and addresses by the names that the model knows; `message`: what it
        is to tell the caller.
        """
        self._line = line
        self._playout = playout
        self._targets = dict(targets)
        words = f' Say: "{message}"' if message else ""
        self.tool = Tool(
            "transfer_call",
            "Transfer the call. Tell the caller in the same reply; it is heard before." + words,
            {
                "type": "object",
                "properties": {"to": {"type": "string", "enum": list(self._targets)}},
            },
        )

    def use(self, arguments: Mapping[str, Any]) -> Deferred[Result]:
        return Deferred.fromCoroutine(self._use(arguments))

    async def _use(self, arguments: Mapping[str, Any]) -> Result:
        name = str(arguments.get("to") or next(iter(self._targets)))
        if name not in self._targets:
            # Else a clever caller talks the model into dialling a premium number.
            return answer({"error": f"{name} is not among the allowed targets"})
        target = self._targets[name]
        await self._playout.drained()
        await self._line.transfer(target)
        return answer({"success": True}, TRANSFERRED.because(f"to {target}"))


# What they do to the call has an order: digits are collected before somebody is transferred.
_OF_THE_CALL = frozenset(
    ("end_call", "collect_digits", "transfer_call", "put_on_hold", "send_digits")
)


class ToolBox:
    """The tools of one call, by name."""

    _log = Logger()

    def __init__(self, runners: Sequence[Runner], kits: Sequence[Kit] = ()) -> None:
        """A kit's tool with the name of one of `runners` is left out."""
        self._own = {runner.tool.name: runner for runner in runners}
        self._kits = tuple(kits)
        self._in_use: list[str] = []

    def offered(self) -> tuple[Tool, ...]:
        """What the model may ask for now."""
        return tuple(runner.tool for runner in self._runners().values())

    def _runners(self) -> Mapping[str, Runner]:
        if not self._kits:
            return self._own
        found = {runner.tool.name: runner for kit in self._kits for runner in kit.runners()}
        return {**{name: one for name, one in found.items() if name not in self._own}, **self._own}

    @property
    def waiting_for_caller(self) -> bool:
        """A tool waits for the caller's keys: the silence is not ours."""
        return CollectDigits.tool.name in self._in_use

    def independent(self, call: ToolCall) -> bool:
        """It may run beside others: it neither waits for the caller nor ends the call."""
        return call.name not in _OF_THE_CALL

    def use(self, call: ToolCall) -> Deferred[Result]:
        """Fires with the result; errors are results too, only cancelling is not."""
        return cancellable(Deferred.fromCoroutine(self._use(call)))

    async def _use(self, call: ToolCall) -> Result:
        runner = self._runners().get(call.name)
        if runner is None:
            return answer({"error": f"there is no tool {call.name}"})
        self._in_use.append(call.name)
        try:
            return await runner.use(call.arguments)
        except CancelledError:
            raise
        except (CallError, ValueError, TypeError) as error:
            return answer({"error": str(error)})
        except Exception:
            self._log.failure("tool {name} failed", name=call.name)
            return answer({"error": "the tool failed"})
        finally:
            self._in_use.remove(call.name)


def targets(options: Mapping[str, Any]) -> dict[str, str]:
    """The allowed targets of a transfer tool, by their names.

    An object of names and numbers, or text: several are joined with `<|||>`, each a number, which
    is its own name, or `name=number`.
    """
    told = options.get("tool.transfer_to") or options.get("transfer_to") or ""
    if isinstance(told, Mapping):
        named = [(str(name).strip(), str(target).strip()) for name, target in told.items()]
    else:
        parts = [part.partition("=") for part in str(told).split("<|||>")]
        named = [(name.strip(), (target or name).strip()) for name, _, target in parts]
    found = {name: target for name, target in named if name and target}
    if not found:
        raise MisconfiguredAssistant("a transfer_call tool needs the option tool.transfer_to")
    return found


_conform: tuple[type[Runner], ...] = (EndCall, CollectDigits, TransferCall)
