"""Replier: several tools at once, and what a reply's runs of the model cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from rapida_tw.errors import TOOL_ENDED
from rapida_tw.models.base import Completion, Tool, ToolCall
from rapida_tw.pipeline.keypad import Keypad
from rapida_tw.pipeline.normalise import Normaliser
from rapida_tw.pipeline.reply import TAIL, Replier
from rapida_tw.pipeline.tools import CollectDigits, EndCall, Result, ToolBox
from tests.pipeline.test_reply import QUESTION, _Case


class _Held:
    """A tool that answers when it is told to."""

    def __init__(self, name: str) -> None:
        self.tool = Tool(name, "Look it up.")
        self.using: list[Deferred[Result]] = []
        self.cancelled = 0

    def use(self, arguments: Mapping[str, Any]) -> Deferred[Result]:
        self.using.append(Deferred(self._cancel))
        return self.using[-1]

    def _cancel(self, _: Deferred[Result]) -> None:
        self.cancelled += 1


def calls(*names: str) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(f"c{number}", name) for number, name in enumerate(names))


class ParallelTests(_Case):
    """A model that wants several tools in one run."""

    def setUp(self) -> None:
        super().setUp()
        self.slow, self.quick = _Held("slow"), _Held("quick")
        self.keypad = Keypad(self.clock, lambda _: None)
        collect = CollectDigits(self.keypad, self.playout)
        self.replier = Replier(
            self.clock,
            self.history,
            self.model,
            ToolBox([self.slow, self.quick, EndCall(), collect]),
            self.voice,
            Normaliser(),
            self.playout,
            self._next_sound,
            self.told,
            (),
        )

    def results(self) -> list[str]:
        return [one.text for one in self.history.messages() if one.role == "tool"]

    def test_at_once(self) -> None:
        """Both begin together; their results are told in the order of the calls."""
        answering = self.replier.reply(QUESTION)
        self.model.answers("", tool_calls=calls("slow", "quick"))
        self.assertEqual((len(self.slow.using), len(self.quick.using)), (1, 1))
        self.quick.using[0].callback(Result('"quick"'))
        self.assertEqual(len(self.model.seen), 1)
        self.slow.using[0].callback(Result('"slow"'))
        self.assertEqual(self.results(), ['"slow"', '"quick"'])
        self.assertEqual(self.told.tools, ["slow", "quick"])
        self.assertEqual(len(self.model.seen), 2)
        answering.cancel()
        self.failureResultOf(answering, CancelledError)

    def test_in_their_order(self) -> None:
        """What is done to the call waits for its turn; the others do not wait for the caller."""
        answering = self.replier.reply(QUESTION)
        self.model.answers("", tool_calls=calls("slow", "collect_digits", "quick", "end_call"))
        self.assertEqual(len(self.quick.using), 1)
        self.assertFalse(self.keypad.collecting)
        self.quick.using[0].callback(Result("{}"))
        self.slow.using[0].callback(Result("{}"))
        self.assertTrue(self.keypad.collecting)
        for digit in "12#":
            self.keypad.pressed(digit)
        self.clock.advance(TAIL)
        self.assertEqual(self.successResultOf(answering), TOOL_ENDED)
        self.assertEqual(json.loads(self.results()[1]), {"digits": "12"})

    def test_interrupted(self) -> None:
        """All that run are cancelled, and in the history none is without a result."""
        answering = self.replier.reply(QUESTION)
        self.model.answers("", tool_calls=calls("slow", "slow", "quick"))
        self.slow.using[0].callback(Result('"one"'))
        answering.cancel()
        self.failureResultOf(answering, CancelledError)
        self.assertEqual((self.slow.cancelled, self.quick.cancelled), (1, 1))
        self.assertEqual(len(self.results()), 3)
        self.assertEqual(self.results()[0], '"one"')

    def test_failures(self) -> None:
        """One that fails, and one that is not there, are answered like the others."""
        answering = self.replier.reply(QUESTION)
        self.model.answers("", tool_calls=calls("slow", "fly", "quick"))
        self.slow.using[0].errback(ValueError("no such day"))
        self.quick.using[0].callback(Result('"quick"'))
        self.assertEqual(
            [json.loads(text) for text in self.results()],
            [{"error": "no such day"}, {"error": "there is no tool fly"}, "quick"],
        )
        answering.cancel()
        self.failureResultOf(answering, CancelledError)


class CostTests(_Case):
    """What is measured of the model."""

    def test_all_runs(self) -> None:
        """Tokens of all runs are added; the wait is that for the first sign of the first run."""
        answering = self.replier.reply(QUESTION)
        self.clock.advance(0.5)
        usage = {"input": 20, "output": 5, "cached": 8}
        self.model.asked[-1].callback(Completion("", calls("look"), usage=usage))
        self.clock.advance(2.0)
        self.tool.using[-1].callback(Result("{}"))
        self.clock.advance(1.0)
        self.model.answers("At nine.", usage={"input": 30, "output": 2, "cached": 0})
        self.voice.done(1)
        self.beat(2)
        self.successResultOf(answering)
        (times,) = self.told.times
        self.assertEqual(times.usage, {"input": 50, "output": 7, "cached": 8})
        self.assertEqual(times.answered - times.asked, 0.5)
        self.assertEqual(times.model - times.asked, 3.5)

    def test_unanswered(self) -> None:
        """Cut off before the first word, nothing is known."""
        answering = self.replier.reply(QUESTION)
        self.clock.advance(0.5)
        answering.cancel()
        self.failureResultOf(answering, CancelledError)
        self.assertEqual(self.told.times[0].answered, 0.0)
        self.assertEqual(self.told.times[0].usage, {})
