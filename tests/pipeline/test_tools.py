"""ToolBox: what the model may do, and that the model is always answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import TOOL_ENDED, MisconfiguredAssistant, NotSupported
from rapida_tw.media.playout import Playout
from rapida_tw.models.base import Tool, ToolCall
from rapida_tw.pipeline.keypad import Keypad
from rapida_tw.pipeline.tools import (
    CollectDigits,
    EndCall,
    Line,
    Result,
    Runner,
    ToolBox,
    TransferCall,
    answer,
    targets,
)
from tests.pipeline.fakes import SPEECH


class _Line:
    def __init__(self) -> None:
        self.targets: list[str] = []
        self.outcome: Deferred[None] = succeed(None)

    def transfer(self, target: str) -> Deferred[None]:
        self.targets.append(target)
        return self.outcome

    def withdraw(self) -> None:
        self.targets.append("withdrawn")


class _Tool:
    """Gives what it is told to give."""

    tool = Tool("look", "Look it up.")

    def __init__(self, result: Deferred[Result] | Exception) -> None:
        self._result = result

    def use(self, arguments: Mapping[str, Any]) -> Deferred[Result]:
        if isinstance(self._result, Exception):
            raise self._result
        return self._result


_line: type[Line] = _Line
_runner: type[Runner] = _Tool


class ToolBoxTests(SynchronousTestCase):
    """Any tool."""

    def use(self, result: Deferred[Result] | Exception, name: str = "look") -> Deferred[Result]:
        return ToolBox([_Tool(result)]).use(ToolCall("1", name))

    def test_result(self) -> None:
        """The tool's result is the model's."""
        self.assertEqual(self.successResultOf(self.use(succeed(Result("{}")))), Result("{}"))

    def test_offered(self) -> None:
        """The model is told of every tool."""
        box = ToolBox([EndCall(), _Tool(Deferred())])
        self.assertEqual([tool.name for tool in box.offered()], ["end_call", "look"])

    def test_unknown(self) -> None:
        """A tool that is not there is an error for the model."""
        self.assertIn("no tool fly", self.successResultOf(self.use(Deferred(), "fly")).text)

    def test_errors(self) -> None:
        """The errors that a tool may make are told to the model, fired or raised."""
        for error in (NotSupported("not here"), ValueError("not here"), TypeError("not here")):
            for outcome in (fail(error), error):
                result = self.successResultOf(self.use(outcome))
                self.assertEqual(json.loads(result.text), {"error": "not here"})
                self.assertIsNone(result.end)

    def test_bug(self) -> None:
        """A bug is logged, and the model learns only that the tool failed."""
        result = self.successResultOf(self.use(fail(ZeroDivisionError("secret"))))
        self.assertEqual(json.loads(result.text), {"error": "the tool failed"})
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_cancelled(self) -> None:
        """Cancelling is no result, and reaches the tool."""
        cancelled: list[object] = []
        using = self.use(Deferred(cancelled.append))
        using.cancel()
        self.failureResultOf(using, CancelledError)
        self.assertEqual(len(cancelled), 1)

    def test_end_call(self) -> None:
        """Ending the call is a result with an end."""
        result = self.successResultOf(ToolBox([EndCall()]).use(ToolCall("1", "end_call")))
        self.assertEqual(result.end, TOOL_ENDED)


class CollectDigitsTests(SynchronousTestCase):
    """Keys for the model."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.playout = Playout()
        self.keypad = Keypad(self.clock, lambda _: None)
        self.box = ToolBox([CollectDigits(self.keypad, self.playout), EndCall()])

    def collect(self, **arguments: object) -> Deferred[dict[str, str]]:
        using = self.box.use(ToolCall("1", "collect_digits", arguments))
        return using.addCallback(lambda result: json.loads(result.text))

    def test_after_the_prompt(self) -> None:
        """The time to answer begins when the prompt has been heard."""
        self.playout.begin("Your number?")
        self.playout.write(SPEECH)
        collecting = self.collect(timeout=5)
        self.clock.advance(10.0)
        self.assertFalse(self.keypad.collecting)
        self.playout.take()
        self.playout.played()
        self.assertTrue(self.keypad.collecting)
        self.clock.advance(5.0)
        self.assertEqual(self.successResultOf(collecting), {"error": "no key was pressed"})

    def test_waiting_for_caller(self) -> None:
        """While it waits the silence is the caller's, and with no other tool."""
        collecting = self.collect(count=1)
        self.assertTrue(self.box.waiting_for_caller)
        self.keypad.pressed("7")
        self.assertEqual(self.successResultOf(collecting), {"digits": "7"})
        self.assertFalse(self.box.waiting_for_caller)

    def test_cancelled(self) -> None:
        """An interruption gives the keys back to the caller's turns."""
        collecting = self.collect()
        collecting.cancel()
        self.failureResultOf(collecting, CancelledError)
        self.assertEqual((self.keypad.collecting, self.box.waiting_for_caller), (False, False))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_timeout_in_bounds(self) -> None:
        """A model makes nobody wait for more than a minute, nor for less than a second."""
        for asked, given in ((0.01, 1.0), (10_000, 60.0), (None, 10.0), ("20", 20.0)):
            collecting = self.collect(timeout=asked)
            self.assertEqual(
                self.clock.getDelayedCalls()[0].getTime(), self.clock.seconds() + given
            )
            collecting.cancel()
            self.failureResultOf(collecting, CancelledError)

    def test_nonsense(self) -> None:
        """Arguments that are no numbers are the model's mistake; a negative count is none."""
        self.assertIn("error", self.successResultOf(self.collect(count="many")))
        collecting = self.collect(count=-3)
        self.assertNoResult(collecting)
        collecting.cancel()
        self.failureResultOf(collecting, CancelledError)


class TransferTests(SynchronousTestCase):
    """Handing the call over."""

    def setUp(self) -> None:
        self.line = _Line()
        self.playout = Playout()
        self.tool = TransferCall(
            self.line, {"200": "200", "300": "300", "Sales": "+4930"}, self.playout
        )

    def use(self, **arguments: object) -> Result:
        return self.successResultOf(
            ToolBox([self.tool]).use(ToolCall("1", "transfer_call", arguments))
        )

    def test_target(self) -> None:
        """The end names the target; the call goes on until then."""
        end = self.use(to="300").end
        assert end is not None
        self.assertEqual((end.reason, end.detail), ("transferred", "to 300"))
        self.assertEqual(self.line.targets, ["300"])

    def test_after_the_announcement(self) -> None:
        """Nobody is sent away from the middle of a sentence; who interrupts it stays."""
        self.playout.begin("One moment.")
        self.playout.write(SPEECH)
        asked = [ToolBox([self.tool]).use(ToolCall("1", "transfer_call", {})) for _ in range(2)]
        self.assertEqual(self.line.targets, [])
        asked[0].cancel()
        self.failureResultOf(asked[0], CancelledError)
        self.playout.take()
        self.playout.played()
        self.assertEqual(self.line.targets, ["200"])
        self.successResultOf(asked[1])

    def test_first_is_the_default(self) -> None:
        """A model that names nobody means the first."""
        self.use()
        self.assertEqual(self.line.targets, ["200"])

    def test_named(self) -> None:
        """The model knows a name, the line is given the number, which is no name."""
        self.use(to="Sales")
        self.assertEqual(self.line.targets, ["+4930"])
        self.assertIn("not among", self.use(to="+4930").text)
        enum = self.tool.tool.parameters["properties"]["to"]["enum"]
        self.assertEqual(enum, ["200", "300", "Sales"])

    def test_nobody_else(self) -> None:
        """A target that was not allowed is not dialled."""
        result = self.use(to="0900 5")
        self.assertIn("not among the allowed", result.text)
        self.assertEqual((self.line.targets, result.end), ([], None))

    def test_not_supported(self) -> None:
        """A line that cannot transfer says why, and the call goes on."""
        self.line.outcome = fail(NotSupported("no way"))
        self.assertEqual(self.use(), answer({"error": "no way"}))

    def test_targets(self) -> None:
        """Several targets are joined as Rapida's options have them; none is a mistake."""
        named = {"200": "200", "Sales": "+4930"}
        self.assertEqual(targets({"tool.transfer_to": " 200<|||>Sales = +4930 <|||>"}), named)
        self.assertEqual(targets({"tool.transfer_to": {"Sales": "+4930"}}), {"Sales": "+4930"})
        self.assertEqual(targets({"transfer_to": "200"}), {"200": "200"})
        for nothing in ({}, {"tool.transfer_to": " <|||> "}):
            with self.assertRaises(MisconfiguredAssistant):
                targets(nothing)
