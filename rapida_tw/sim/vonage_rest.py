"""Vonage's REST API as far as calls and looking up numbers need it ("Voice API", "Number Insight").

Whatever a client does wrong is answered with Vonage's own error, and counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from rapida_tw.sim.application_token import BadToken, check_token
from rapida_tw.sim.call_steps import Stage
from rapida_tw.sim.number_insight import Insights, refused
from rapida_tw.sim.phone import CallFailed, Phone
from rapida_tw.sim.placed_call import PlacedCall
from rapida_tw.sim.rest_faults import Troubles
from rapida_tw.sim.rest_request import bearer_of, form_of, is_url, json_of, user_of
from rapida_tw.sim.switchboard import Switchboard
from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vonage_orders import InvalidParameters, Order, read_order
from rapida_tw.sim.vonage_placed import VonageAccount, VonagePlaced

REGION = "api-us-3.vonage.com"
_CALL = re.compile(r"/v1/calls(?:/([0-9a-f-]{36})(?:/(dtmf|talk|stream))?)?")
_INSIGHT = re.compile(r"/ni/(basic|standard|advanced)/json")
_IDENTITY = "/identity-insights/v1/requests"
_BALANCE = "/account/get-balance"
_DTMF = re.compile(r"[0-9*#p]{1,50}")
_SILENT = ("mute", "unmute", "earmuff", "unearmuff")
_TITLES = {
    400: ("BAD_REQUEST", "Bad Request"),
    401: ("UNAUTHORIZED", "Unauthorized"),
    404: ("NOT_FOUND", "Not Found"),
    405: ("METHOD_NOT_ALLOWED", "Method Not Allowed"),
    429: ("TOO_MANY_REQUESTS", "Too Many Requests"),
    503: ("SERVICE_UNAVAILABLE", "Service Unavailable"),
}


class _Refused(Exception):
    """An HTTP status and, for 400, what is wrong with which parameter."""

    def __init__(self, status: int, why: str, parameters: Mapping[str, str] | None = None) -> None:
        super().__init__(why)
        self.status, self.parameters = status, parameters or {}


class VonageRest:
    """A FakeVendor. `troubles` has what goes wrong; `late`: changes of calls that were over."""

    hosts: tuple[str, ...] = ("api.nexmo.com", "rest.nexmo.com", "*.vonage.com")

    def __init__(self, board: Switchboard, account: VonageAccount) -> None:
        self.board = board
        self.account = account
        self.insights = Insights()
        self.troubles = Troubles(_refuse)
        self.late = 0

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        return Refusal(404)

    def answer(self, asked: Asked, reply: Reply) -> None:
        self.troubles.answer(asked, reply, self._answer)

    def arrive(
        self, phone: Phone, caller: str, number: str, answer_url: str, host: str = REGION
    ) -> PlacedCall:
        """Somebody calls the number, in that region; the application asks that address."""
        digits = (number.removeprefix("+"), caller.removeprefix("+"))
        order = Order(*digits, answer_url=answer_url)
        return self.board.arrive(VonagePlaced(self.account, order, host, "inbound"), phone)

    # -- inside -----------------------------------------------------------------------------------

    def _answer(self, asked: Asked, reply: Reply) -> None:
        try:
            status, body = self._resource(asked)
        except _Refused as error:
            if error.status:
                self.troubles.complain(f"{error.status}: {error}")
            else:  # a call may end at any moment
                self.late += 1
            _refuse(reply, error.status or 404, str(error), {}, error.parameters)
            return
        reply.whole(status, b"" if body is None else body)

    def _resource(self, asked: Asked) -> tuple[int, dict[str, Any] | None]:
        insight = _INSIGHT.fullmatch(asked.path)
        if insight is not None:
            return 200, self._insight(asked, insight[1])
        if asked.path == _BALANCE:
            return self._balance(asked)
        account = self.account
        try:
            check_token(
                bearer_of(asked), account.public_key, account.application_id, self.board.now()
            )
        except BadToken as error:
            raise _Refused(401, str(error)) from None
        if asked.path == _IDENTITY and asked.method == "POST":
            return self._identify(asked)
        found = _CALL.fullmatch(asked.path)
        if found is None:
            raise _Refused(404, f"no resource {asked.path}")
        uuid, part = found.groups()
        if uuid is None:
            return self._calls(asked)
        call = self._find(uuid, asked)
        if asked.method == "GET" and part is None:
            return 200, _side(call).resource(call)
        if asked.method not in ("PUT", "DELETE") or (asked.method == "DELETE" and part is None):
            raise _Refused(405, asked.method)
        if call.is_over:
            raise _Refused(0, "the call is over")
        document = json_of(asked) if asked.method == "PUT" else {}
        if not isinstance(document, dict):
            raise _Refused(400, "no JSON object", {"body": "is no JSON object"})
        if part is None:
            self._change(call, document)
            return 204, None
        return 200, self._part(call, part, asked.method, document)

    def _calls(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        if asked.method == "GET":
            found = [_side(call).resource(call) for call in self.board.calls.values()]
            page = {"count": len(found), "page_size": 100, "record_index": 0}
            return 200, {**page, "_embedded": {"calls": found}}
        if asked.method != "POST":
            raise _Refused(405, asked.method)
        try:
            order = read_order(json_of(asked))
            side = VonagePlaced(self.account, order, asked.headers.get("host", ""))
            if order.ncco is not None:
                side.read(order.ncco, self.board.now())
                side.sockets.clear()
        except InvalidParameters as error:
            raise _Refused(400, str(error), error.parameters) from None
        except CallFailed as error:
            raise _Refused(400, str(error), {"ncco": str(error)}) from None
        numbers = self.account.numbers
        if numbers and order.caller not in numbers:
            raise _Refused(400, "from", {"from": "is not linked to the application"})
        self.board.place(side)
        return 201, {
            "uuid": side.id,
            "status": "started",
            "direction": "outbound",
            "conversation_uuid": side.conversation_uuid,
        }

    def _find(self, uuid: str, asked: Asked) -> PlacedCall:
        """Of either leg; a call lives in the region where it was placed."""
        for call in self.board.calls.values():
            side = _side(call)
            if uuid in (side.id, side.socket_uuid):
                if side.host != asked.headers.get("host", ""):
                    raise _Refused(404, "the call lives in another region")
                if uuid == side.socket_uuid:
                    self.troubles.complain("the WebSocket's leg is addressed, not the phone's")
                return call
        raise _Refused(404, f"no call {uuid}")

    def _change(self, call: PlacedCall, document: Mapping[str, Any]) -> None:
        action = document.get("action")
        if action == "hangup" and len(document) == 1:
            call.hang_up()
        elif action == "transfer" and set(document) == {"action", "destination"}:
            if call.stage is not Stage.ANSWERED:
                raise _Refused(400, "it is not answered", {"action": "the call is not answered"})
            self._transfer(call, document["destination"])
        elif action not in _SILENT or len(document) != 1:
            raise _Refused(400, f"action {action!r}", {"action": "is not known"})

    def _transfer(self, call: PlacedCall, destination: Any) -> None:
        side, now = _side(call), self.board.now()
        given = destination if isinstance(destination, dict) else {}
        urls = given.get("url")
        if given.get("type") == "ncco" and set(given) == {"type", "ncco"}:
            try:
                call.redirect(side.read(given["ncco"], now))
            except CallFailed as error:
                raise _Refused(400, str(error), {"destination": str(error)}) from None
        elif given.get("type") == "ncco" and isinstance(urls, list) and len(urls) == 1:
            if not is_url(urls[0]):
                raise _Refused(400, "url", {"destination": "has no address"})
            call.redirect([side.fetch("GET", urls[0], now)])
        else:
            raise _Refused(400, "destination", {"destination": "is no ncco and no url"})

    def _part(
        self, call: PlacedCall, part: str, method: str, document: Mapping[str, Any]
    ) -> dict[str, Any]:
        if part == "dtmf":
            digits = document.get("digits")
            if set(document) != {"digits"} or not _DTMF.fullmatch(str(digits)):
                raise _Refused(400, f"digits {digits!r}", {"digits": "are 0-9, *, # or p"})
            call.press(str(digits))
            return {"message": "DTMF sent", "uuid": call.side.id}
        needed = "text" if part == "talk" else "stream_url"
        if method == "PUT" and needed not in document:
            raise _Refused(400, needed, {needed: "is missing"})
        done = "started" if method == "PUT" else "stopped"
        return {"message": f"{part.title()} {done}", "uuid": call.side.id}

    # -- looking up ------------------------------------------------------------------------------

    def _insight(self, asked: Asked, level: str) -> dict[str, Any]:
        """HTTP 200 whatever it is."""
        fields = {name: values[0] for name, values in asked.query.items()} | dict(form_of(asked))
        if not self._knows(asked, fields):
            self.troubles.complain("4: Invalid credentials")
            return refused(4)
        return self.insights.look_up(level, fields)

    def _identify(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        status, body = self.insights.identify(json_of(asked))
        if status != 200:
            self.troubles.complain(f"{status}: {body['detail']}")
        return status, body

    def _balance(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        fields = {name: values[0] for name, values in asked.query.items()}
        if not self._knows(asked, fields):
            self.troubles.complain("401: authentication failed")
            return 401, {"error-code": "401", "error-code-label": "authentication failed"}
        return 200, {"value": 10.28, "autoReload": False}

    def _knows(self, asked: Asked, fields: Mapping[str, str]) -> bool:
        queried = (fields.get("api_key", ""), fields.get("api_secret", ""))
        return (self.account.api_key, self.account.api_secret) in (user_of(asked), queried)


def _side(call: PlacedCall) -> VonagePlaced:
    assert isinstance(call.side, VonagePlaced)
    return call.side


def _refuse(
    reply: Reply,
    status: int,
    why: str,
    headers: Mapping[str, str],
    parameters: Mapping[str, str] | None = None,
) -> None:
    kind, title = _TITLES.get(status, ("ERROR", why))
    body: dict[str, Any] = {"type": kind, "error_title": title}
    if parameters:
        body["invalid_parameters"] = dict(parameters)
    if not headers:
        reply.whole(status, body)
        return
    reply.head(status, {"Content-Type": "application/json", **headers})
    reply.write(json.dumps(body).encode())
    reply.end()


_conforms: type[FakeVendor] = VonageRest
