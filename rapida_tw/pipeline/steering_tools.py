"""Tools that steer the call and leave it where it is: hold, and keys for the far side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from rapida_tw.carriers.outbound import Line
from rapida_tw.models.base import Tool
from rapida_tw.pipeline.tools import Result, Runner, answer

LONGEST_HOLD = 600.0  # seconds, unless `tool.max_hold_time` says otherwise
SHORTEST_HOLD = 1.0


class Holding(Protocol):
    """A call that can be put on hold."""

    def hold(self, on: bool) -> None:
        """Nobody speaks or listens; or both again."""

    def until_resumed(self) -> Deferred[None]:
        """Fires when somebody else takes it off hold: the caller by a key, an operator."""


class PutOnHold:
    """The caller waits for some minutes, then the assistant goes on."""

    def __init__(
        self, call: Holding, longest: float, clock: IReactorTime, drained: Callable[[], Any]
    ) -> None:
        """`longest`: seconds; `drained`: when what was said before has been heard."""
        self._call = call
        self._longest = longest
        self._clock = clock
        self._drained = drained
        self.tool = Tool(
            "put_on_hold",
            "Put the caller on hold. Tell them in the same reply; it is heard before. When it is"
            " over, speak to them again.",
            {
                "type": "object",
                "properties": {
                    "seconds": {
                        "type": "number",
                        "description": f"how long, at most {longest:g}",
                    }
                },
            },
        )

    def use(self, arguments: Mapping[str, Any]) -> Deferred[Result]:
        return Deferred.fromCoroutine(self._use(arguments))

    async def _use(self, arguments: Mapping[str, Any]) -> Result:
        asked = float(arguments.get("seconds") or 60.0)
        seconds = min(max(asked, SHORTEST_HOLD), self._longest)
        await self._drained()
        began = self._clock.seconds()
        resumed = self._call.until_resumed()
        late = deferLater(self._clock, seconds, lambda: None)
        late.addErrback(lambda _: None)
        late.addCallback(lambda _: None if resumed.called else resumed.callback(None))
        self._call.hold(True)
        try:
            await resumed
        finally:
            late.cancel()
            self._call.hold(False)
        return answer({"success": True, "held_seconds": round(self._clock.seconds() - began)})


class SendDigits:
    """Keys for the far side: through a menu, or to an extension."""

    tool = Tool(
        "send_digits",
        "Press keys on the phone, for the menu of whoever was called.",
        {
            "type": "object",
            "properties": {
                "digits": {"type": "string", "description": "of 0-9, A-D, * and #"},
            },
            "required": ["digits"],
        },
    )

    def __init__(self, line: Line) -> None:
        self._line = line

    def use(self, arguments: Mapping[str, Any]) -> Deferred[Result]:
        return Deferred.fromCoroutine(self._use(arguments))

    async def _use(self, arguments: Mapping[str, Any]) -> Result:
        digits = "".join(str(arguments.get("digits") or "").split())
        await self._line.send_digits(digits)
        return answer({"success": True})


_conform: tuple[type[Runner], ...] = (PutOnHold, SendDigits)
