"""Exotel's REST API as far as placing calls needs it ("Voice API v1").

Whatever a client does wrong is answered with Exotel's own error, and counted. There is no way to
hang up or to steer a call here: closing its media socket is all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from rapida_tw.sim.exotel_orders import read_order
from rapida_tw.sim.exotel_placed import ExotelAccount, ExotelPlaced
from rapida_tw.sim.phone import CallFailed
from rapida_tw.sim.placed_call import PlacedCall
from rapida_tw.sim.rest_faults import Troubles
from rapida_tw.sim.rest_request import BadRequest, form_of, user_of
from rapida_tw.sim.switchboard import Switchboard
from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session

_PATH = re.compile(
    r"/v1/Accounts/([^/]+?)(?:/(Calls|Numbers|ActiveStreams)(?:/([^/]+?))?)?(\.json)?"
)
_CONNECT = "connect"


class ExotelRest:
    """A FakeVendor. `troubles` has what goes wrong."""

    hosts: tuple[str, ...] = ("api.exotel.com", "api.in.exotel.com")

    def __init__(self, board: Switchboard, account: ExotelAccount) -> None:
        self.board = board
        self.account = account
        self.troubles = Troubles(_refuse)

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        return Refusal(404)

    def answer(self, asked: Asked, reply: Reply) -> None:
        self.troubles.answer(asked, reply, self._answer)

    # -- inside -----------------------------------------------------------------------------------

    def _answer(self, asked: Asked, reply: Reply) -> None:
        as_json = asked.path.endswith(".json")
        try:
            body = self._resource(asked)
        except BadRequest as error:
            self.troubles.complain(f"{error.status}: {error.why}")
            _refuse(reply, error.status, error.why, {}, as_json=as_json)
            return
        if not as_json and "ActiveStreams" not in asked.path:
            self.troubles.complain("the answer is XML: the path does not end in .json")
        _give(reply, 200, body, {}, as_json=as_json)

    def _resource(self, asked: Asked) -> dict[str, Any]:
        account = self.account
        if user_of(asked) != (account.api_key, account.api_token):
            raise BadRequest(401, 401, "Authentication failed")
        found = _PATH.fullmatch(asked.path)
        if found is None or found[1] != account.sid:
            raise BadRequest(404, 404, f"no resource {asked.path}")
        _, kind, name, _ = found.groups()
        if kind == "Calls" and name == _CONNECT:
            if asked.method != "POST":
                raise BadRequest(405, 405, "Method not allowed")
            return {"Call": self._create(asked)}
        if asked.method != "GET":
            raise BadRequest(405, 405, "Method not allowed")
        if kind is None:
            return {"Account": {"Sid": account.sid, "Status": "active", "Type": "Full"}}
        if kind == "ActiveStreams" and name is None:
            streams = sum(call.line is not None for call in self.board.calls.values())
            return {"ActiveStreams": {"ActiveStreamCount": streams, "ThrottleLimit": 10}}
        if kind == "Numbers" and name:
            return {"Numbers": {"PhoneNumber": name, "Circle": "KA", "Type": "Mobile", "DND": "No"}}
        if kind == "Calls" and name is None:
            calls = [_side(call).resource(call) for call in self.board.calls.values()]
            return {"Metadata": {"Total": len(calls), "PageSize": 50}, "Calls": calls}
        call = self.board.calls.get(name or "")
        if kind != "Calls" or call is None:
            raise BadRequest(404, 404, f"no call {name}")
        return {"Call": _side(call).resource(call)}

    def _create(self, asked: Asked) -> dict[str, Any]:
        account = self.account
        order = read_order(form_of(asked), account.sid, account.exophones, self.troubles.complain)
        side = ExotelPlaced(account, order, self.board.now())
        if order.stream_url:
            try:
                side.call().dialled(order.stream_url)
            except CallFailed as error:
                raise BadRequest(400, 400, str(error)) from None
        return side.resource(self.board.place(side))


def _side(call: PlacedCall) -> ExotelPlaced:
    assert isinstance(call.side, ExotelPlaced)
    return call.side


def _refuse(
    reply: Reply, status: int, why: str, headers: Mapping[str, str], *, as_json: bool = True
) -> None:
    body = {"RestException": {"Status": status, "Message": why, "Code": status}}
    if status == 429:
        headers = {**headers, "X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "0"}
    _give(reply, status, body, headers, as_json=as_json)


def _give(
    reply: Reply, status: int, body: Mapping[str, Any], headers: Mapping[str, str], *, as_json: bool
) -> None:
    kind = "application/json" if as_json else "application/xml"
    reply.head(status, {"Content-Type": kind, **headers})
    reply.write(json.dumps(body).encode() if as_json else _xml(body))
    reply.end()


def _xml(body: Mapping[str, Any]) -> bytes:
    root = ElementTree.Element("TwilioResponse")
    for name, fields in body.items():
        element = ElementTree.SubElement(root, name)
        for field, value in fields.items() if isinstance(fields, dict) else ():
            ElementTree.SubElement(element, field).text = None if value is None else str(value)
    written: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return written


_conforms: type[FakeVendor] = ExotelRest
