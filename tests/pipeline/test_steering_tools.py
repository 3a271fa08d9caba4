"""Hold and keys as tools of the model."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import BadRequest, End
from rapida_tw.models.base import ToolCall
from rapida_tw.pipeline.steering_tools import Holding, PutOnHold, SendDigits
from rapida_tw.pipeline.tools import Result, ToolBox, answer


class Held:
    def __init__(self) -> None:
        self.told: list[bool] = []
        self.resumed: Deferred[None] = Deferred()

    def hold(self, on: bool) -> None:
        self.told.append(on)

    def until_resumed(self) -> Deferred[None]:
        return self.resumed


class Keys:
    def __init__(self) -> None:
        self.sent: list[str] = []
        self.error: Exception | None = None

    def transfer(self, target: str) -> Deferred[None]:
        raise NotImplementedError

    def withdraw(self) -> None: ...
    def hold(self, on: bool) -> Deferred[None]:
        raise NotImplementedError

    def hang_up(self, end: End) -> None: ...
    def send_digits(self, digits: str) -> Deferred[None]:
        if self.error is not None:
            raise self.error
        self.sent.append(digits)
        return succeed(None)


_conforms: type[Holding] = Held


class HoldTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.call = Held()
        self.drained: Deferred[None] = succeed(None)
        self.tool = PutOnHold(self.call, 120.0, self.clock, lambda: self.drained)

    def use(self, **arguments: Any) -> Deferred[Result]:
        return ToolBox([self.tool]).use(ToolCall("1", "put_on_hold", arguments))

    def test_time(self) -> None:
        """As long as was asked for, and the model goes on."""
        using = self.use(seconds=30)
        self.assertEqual(self.call.told, [True])
        self.clock.advance(29.9)
        self.assertNoResult(using)
        self.clock.advance(0.2)
        self.assertEqual(self.successResultOf(using), answer({"success": True, "held_seconds": 30}))
        self.assertEqual(self.call.told, [True, False])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_bounds(self) -> None:
        """A model cannot hold anybody for longer than it may, nor for no time at all."""
        for asked, given in ((10_000, 120.0), (0.1, 1.0), (-5, 1.0)):
            self.call.resumed = Deferred()
            using = self.use(seconds=asked)
            self.clock.advance(given - 0.01)
            self.assertNoResult(using)
            self.clock.advance(0.02)
            self.successResultOf(using)

    def test_resumed(self) -> None:
        """By a key of the caller's."""
        using = self.use(seconds=60)
        self.clock.advance(5)
        self.call.resumed.callback(None)
        self.assertIn('"held_seconds": 5', self.successResultOf(using).text)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_after_the_words(self) -> None:
        """What was said before is heard first."""
        self.drained = Deferred()
        self.use(seconds=60).addErrback(lambda _: None)
        self.assertEqual(self.call.told, [])
        self.drained.callback(None)
        self.assertEqual(self.call.told, [True])

    def test_cancelled(self) -> None:
        """The call is over: nothing is left of it."""
        using = self.use(seconds=60)
        using.cancel()
        self.failureResultOf(using, CancelledError)
        self.assertEqual(self.call.told, [True, False])
        self.assertEqual(self.clock.getDelayedCalls(), [])


class SendDigitsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.line = Keys()

    def use(self, **arguments: Any) -> str:
        box = ToolBox([SendDigits(self.line)])
        return self.successResultOf(box.use(ToolCall("1", "send_digits", arguments))).text

    def test_sent(self) -> None:
        self.assertEqual(self.use(digits="1 2 #"), '{"success": true}')
        self.assertEqual(self.line.sent, ["12#"])

    def test_refused(self) -> None:
        """The model is told why."""
        self.line.error = BadRequest("digits: 1 to 64")
        self.assertEqual(self.use(digits="x"), '{"error": "digits: 1 to 64"}')
