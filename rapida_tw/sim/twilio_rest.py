"""Twilio's REST API as far as calls and WhatsApp need it ("REST API: Calls", "Messages").

Whatever a client does wrong is answered with Twilio's own error, and counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from rapida_tw.sim.call_steps import Stage
from rapida_tw.sim.phone import CallFailed, Phone
from rapida_tw.sim.placed_call import PlacedCall
from rapida_tw.sim.rest_faults import Troubles
from rapida_tw.sim.rest_request import BadRequest, form_of, user_of
from rapida_tw.sim.switchboard import Switchboard
from rapida_tw.sim.twilio_messages import TwilioMessages
from rapida_tw.sim.twilio_orders import Order, read_order, read_update
from rapida_tw.sim.twilio_placed import API_VERSION, TwilioAccount, TwilioPlaced
from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session

_PATH = re.compile(
    rf"/{API_VERSION}/Accounts/(AC[0-9a-f]{{32}})(?:/(Calls|Messages)(?:/([A-Z]{{2}}\w+))?)?\.json"
)
_LATE = 21220  # an update of a call that is over: no mistake, it may end at any moment


class TwilioRest:
    """A FakeVendor. `troubles` has what goes wrong; `late`: updates that came too late."""

    hosts: tuple[str, ...] = ("api.twilio.com", "api.*.twilio.com")

    def __init__(self, board: Switchboard, account: TwilioAccount) -> None:
        self.board = board
        self.account = account
        self.messages = TwilioMessages(board, account)
        self.troubles = Troubles(_refuse)
        self.late = 0

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        return Refusal(404)

    def answer(self, asked: Asked, reply: Reply) -> None:
        self.troubles.answer(asked, reply, self._answer)

    def arrive(self, phone: Phone, caller: str, number: str, voice_url: str) -> PlacedCall:
        """Somebody calls the number, whose calls go to that address."""
        order = Order(number, caller, voice_url)
        return self.board.arrive(
            TwilioPlaced(self.account, order, self.board.now(), "inbound"), phone
        )

    # -- inside -----------------------------------------------------------------------------------

    def _answer(self, asked: Asked, reply: Reply) -> None:
        try:
            status, body = self._resource(asked)
        except BadRequest as error:
            if error.code == _LATE:
                self.late += 1
            else:
                self.troubles.complain(f"{error.code}: {error.why}")
            _refuse(reply, error.status, error.why, {}, int(error.code))
            return
        reply.whole(status, body)

    def _resource(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        account = self.account
        if user_of(asked) not in ((account.sid, account.token), *account.keys):
            raise BadRequest(401, 20003, "Authenticate")
        found = _PATH.fullmatch(asked.path)
        if found is None or found[1] != account.sid:
            raise _unknown(asked.path)
        _, kind, sid = found.groups()
        if asked.query:
            self.troubles.complain("a query")
        if asked.method not in ("GET", "POST"):
            raise BadRequest(405, 20004, "Method not allowed")
        posted = asked.method == "POST"
        if kind is None and not posted:
            return 200, self._account()
        if kind == "Messages":
            return self._message(asked, posted, sid)
        if kind == "Calls" and sid is None and posted:
            return self._create(asked)
        call = self.board.calls.get(sid or "")
        if kind != "Calls" or call is None:
            raise _unknown(asked.path)
        if posted:
            self._update(call, asked)
        return 200, self._call(call)

    def _create(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        order = read_order(form_of(asked), self.account.numbers, self.troubles.complain)
        side = TwilioPlaced(self.account, order, self.board.now())
        try:
            if order.twiml:
                side.read(order.twiml)
        except CallFailed as error:  # Twilio would tell only the debugger, when it is answered
            self.troubles.complain(str(error))
        return 201, self._call(self.board.place(side))

    def _update(self, call: PlacedCall, asked: Asked) -> None:
        fields = read_update(form_of(asked), self.troubles.complain)
        side = _side(call)
        if call.is_over:
            raise BadRequest(400, _LATE, "Call is not in-progress. Cannot redirect.")
        status = fields.get("Status")
        answered = call.stage is Stage.ANSWERED
        if status == "canceled" and answered:
            raise BadRequest(400, 21218, "Only a call that is queued or rings can be canceled")
        if ("Twiml" in fields or "Url" in fields) and not answered:
            raise BadRequest(400, _LATE, "Call is not in-progress. Cannot redirect.")
        if status:
            call.hang_up()
        elif "Twiml" in fields:
            try:
                call.redirect(side.read(fields["Twiml"]))
            except CallFailed as error:
                self.troubles.complain(str(error))
                call.hang_up()
        elif "Url" in fields:
            call.redirect([side.fetch(fields.get("Method", "POST"), fields["Url"])])

    def _message(self, asked: Asked, posted: bool, sid: str | None) -> tuple[int, dict[str, Any]]:
        if posted and sid is None:
            return 201, self.messages.create(form_of(asked), self.troubles.complain)
        found = self.messages.fetch(sid or "")
        if found is None or posted:
            raise _unknown(asked.path)
        return 200, found

    def _call(self, call: PlacedCall) -> dict[str, Any]:
        return _side(call).resource(call, self.board.now())

    def _account(self) -> dict[str, Any]:
        sid = self.account.sid
        return {
            "sid": sid,
            "friendly_name": "A simulated account",
            "status": "active",
            "type": "Full",
            "owner_account_sid": sid,
            "uri": f"/{API_VERSION}/Accounts/{sid}.json",
            "subresource_uris": {},
        }


def _side(call: PlacedCall) -> TwilioPlaced:
    assert isinstance(call.side, TwilioPlaced)
    return call.side


def _unknown(path: str) -> BadRequest:
    return BadRequest(404, 20404, f"The requested resource {path} was not found")


def _refuse(reply: Reply, status: int, why: str, headers: Mapping[str, str], code: int = 0) -> None:
    code = code or {429: 20429, 503: 20503}.get(status, 20500)
    body = {
        "code": code,
        "message": why,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    if not headers:
        reply.whole(status, body)
        return
    reply.head(status, {"Content-Type": "application/json", **headers})
    reply.write(_json(body))
    reply.end()


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode()


_conforms: type[FakeVendor] = TwilioRest
