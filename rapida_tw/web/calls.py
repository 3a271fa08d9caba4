"""/v1/calls: the calls that are on the phone now; see them, steer them, end them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rapida_tw.calls.call import LiveCall
from rapida_tw.calls.context import OUTBOUND
from rapida_tw.calls.everywhere import DONE_WITHIN, Everywhere
from rapida_tw.campaigns.queue import Queue
from rapida_tw.errors import NotFound
from rapida_tw.store.documents import timestamp
from rapida_tw.store.reading import Check, Reading, flag, text
from rapida_tw.store.records import Page
from rapida_tw.web.answers import Answer
from rapida_tw.web.api import Api, Ask
from rapida_tw.web.operation import Operation, ref
from rapida_tw.web.route import Route

PATH = "/v1/calls"
_LONGEST_TRANSFER = DONE_WITHIN + 5  # seconds
TAG = "Calls"
_LIST = Operation("listCalls", "On the phone now, newest first.", TAG, ref("Call"), paged=True)
_SHOW = Operation("getCall", "One live call.", TAG, ref("Call"))
_HANG_UP = Operation("hangUpCall", "End it, ringing or answered.", TAG, ref("Id"))
_TRANSFER = Operation(
    "transferCall", "Blind, to a number or address.", TAG, ref("Id"), ref("Transfer")
)
_SEND_DIGITS = Operation(
    "sendDigits", "Press keys towards the far side.", TAG, ref("Id"), ref("Digits")
)
_HOLD = Operation(
    "holdCall", "Nobody speaks or listens; or both again.", TAG, ref("Id"), ref("Hold")
)
_SAY = Operation("say", "The assistant says it next.", TAG, ref("Id"), ref("Saying"))


class LiveCalls:
    """Each in the project of the key; others' are not found."""

    def __init__(self, calls: Everywhere, line: Queue | None = None) -> None:
        """`line`: where calls of one request wait for their turns."""
        self._calls = calls
        self._line = line

    def routes(self, api: Api) -> Iterator[Route]:
        one = f"{PATH}/<call_id>"
        yield Route("GET", PATH, api(self.list), operation=_LIST)
        yield Route("GET", one, api(self.show), operation=_SHOW)
        yield Route("POST", f"{one}/hangup", api(self.hang_up), operation=_HANG_UP)
        yield Route("POST", f"{one}/transfer", api(self.transfer), _LONGEST_TRANSFER, _TRANSFER)
        yield Route("POST", f"{one}/dtmf", api(self.send_digits), operation=_SEND_DIGITS)
        yield Route("POST", f"{one}/hold", api(self.hold), operation=_HOLD)
        yield Route("POST", f"{one}/say", api(self.say), operation=_SAY)

    async def list(self, ask: Ask) -> Answer:
        """Newest first, those of all nodes."""
        number, size = ask.page()
        found = await self._calls.live(ask.project_id)
        live = sorted(found, key=lambda call: call.id, reverse=True)
        first = (number - 1) * size
        shown = [call_document(call) for call in live[first : first + size]]
        return Answer(shown, Page(shown, number, size, len(live)))

    async def show(self, ask: Ask, call_id: int) -> Answer:
        return Answer(call_document(await self._calls.find(call_id, ask.project_id)))

    async def hang_up(self, ask: Ask, call_id: int) -> Answer:
        """One that is placed and not answered yet is given up; one that waits is not made."""
        if self._line is not None and await self._line.withdraw(call_id, ask.project_id):
            return Answer({"id": str(call_id)})
        try:
            await self._calls.hang_up(call_id, ask.project_id)
        except NotFound:
            await self._calls.give_up(call_id, ask.project_id)
        return Answer({"id": str(call_id)})

    async def transfer(self, ask: Ask, call_id: int) -> Answer:
        """{"to"}: a number or address; 409 when the carrier of the call cannot."""
        await self._calls.transfer(call_id, ask.project_id, _only(ask, "to", _target))
        return Answer({"id": str(call_id)})

    async def send_digits(self, ask: Ask, call_id: int) -> Answer:
        """{"digits"}: pressed towards the far side, by its carrier or as tones."""
        await self._calls.send_digits(call_id, ask.project_id, _only(ask, "digits", _digits))
        return Answer({"id": str(call_id)})

    async def hold(self, ask: Ask, call_id: int) -> Answer:
        """{"on"}: nobody speaks or listens; or both again."""
        reading = Reading(ask.document())
        on = reading.value("on", flag, True, True)
        reading.finish()
        await self._calls.hold(call_id, ask.project_id, on)
        return Answer({"id": str(call_id)})

    async def say(self, ask: Ask, call_id: int) -> Answer:
        """{"text"}: the assistant says it after what it is saying."""
        await self._calls.say(call_id, ask.project_id, _only(ask, "text", text(2_000)))
        return Answer({"id": str(call_id)})


def call_document(call: LiveCall) -> dict[str, Any]:
    """`id` is the conversation's too; `duration` in seconds."""
    outbound = call.direction == OUTBOUND
    return {
        "id": str(call.id),
        "assistantId": str(call.assistant_id),
        "carrier": call.carrier,
        "direction": call.direction,
        "from": call.callee if outbound else call.caller,
        "to": call.caller if outbound else call.callee,
        "status": call.state,
        "startedDate": timestamp(call.started),
        "duration": round(call.duration, 3),
        "turns": call.turns,
    }


def _only(ask: Ask, key: str, check: Check[str]) -> str:
    """The one value of the document."""
    given = ask.document()
    reading = Reading(given)
    value = ""
    if isinstance(given, dict) and not str(given.get(key) or "").strip():
        reading.skip(key)
        reading.wrong(key, "is required")
    else:
        value = reading.value(key, check, "", "")
    reading.finish()
    return value


def _matching(pattern: str, what: str) -> Check[str]:
    wanted = re.compile(pattern)

    def check(value: Any) -> str:
        if isinstance(value, str) and wanted.fullmatch(value):
            return value
        raise ValueError(f"must be {what}")

    return check


_digits = _matching(r"[0-9A-D*#]{1,64}", "1 to 64 of the digits 0-9 A-D * #")
_target = _matching(r"[!-~]{1,200}", "a number or an address without blanks")
