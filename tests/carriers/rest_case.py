"""A carrier's REST API over a network in memory, whatever it answers."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

from rapida_tw.account import Account
from rapida_tw.carriers.outbound import (
    Dialling,
    Order,
    Outcome,
    Placed,
    Progress,
    RemoteCall,
    RestControl,
)
from rapida_tw.carriers.rest_telephone import RestTelephone
from rapida_tw.carriers.twilio_control import TwilioControl
from rapida_tw.sim.vendors.base import Reply
from tests.carriers.asking import CONTEXT
from tests.net.case import HOST, NetCase

SID, TOKEN = "AC00000000000000000000000000000001", "a-token-that-nobody-may-see"
ACCOUNT = Account(
    "twilio",
    {"account_sid": SID, "account_token": TOKEN, "base_url": f"https://{HOST}"},
)
CALL = "CA00000000000000000000000000000001"
MEDIA = f"wss://voice.example.com/v1/talk/twilio/ctx/{CONTEXT}"
ORDER = Order(1, 2, 3, CONTEXT, "+15550100001", "+15550100002", MEDIA, f"{MEDIA}/event", ACCOUNT)
REMOTE = RemoteCall(CALL, ACCOUNT, caller="+15550100002")
TAKEN = {"sid": CALL, "status": "queued"}


class User:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def accepted(self, placed: Placed) -> None:
        self.told.append(placed)

    def progressed(self, progress: Progress) -> None:
        self.told.append(progress)

    def attach(self, leg: Any) -> Any:
        raise AssertionError("its media comes by itself")

    def happened(self, name: str, **data: Any) -> None:
        self.told.append((name, data))

    def failed(self, outcome: Outcome) -> None:
        self.told.append(outcome)


class RestCase(NetCase):
    control: RestControl = TwilioControl()

    def setUp(self) -> None:
        super().setUp()
        self.telephone = RestTelephone(self.control, self.net, self.clock, lambda: 1e9)
        self.user = User()

    def tearDown(self) -> None:
        self.run_for(20.0)
        self.successResultOf(self.telephone.stop())
        super().tearDown()

    def dial(self) -> Dialling:
        dialling = self.telephone.dial(ORDER, self.user)
        self.run_for()
        return dialling

    @property
    def reply(self) -> Reply:
        return self.vendor.replies[-1]

    def answer(self, status: int, body: Any = "", headers: dict[str, str] | None = None) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self.reply.head(status, headers or {})
        self.reply.write(text.encode())
        self.reply.end()
        self.run_for()

    def form(self, request: int = -1) -> dict[str, list[str]]:
        return parse_qs(self.fakes.asked[request].body.decode())
