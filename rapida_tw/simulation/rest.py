"""VirtualCarrier: a carrier with a REST API that places a virtual server's calls, all in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from twisted.internet.defer import Deferred

from rapida_tw.account import Account
from rapida_tw.calls.call_request import CallRequest
from rapida_tw.carriers.rest_telephone import RestTelephone
from rapida_tw.service import carriers
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.carrier import Media
from rapida_tw.sim.exotel import Flow
from rapida_tw.sim.exotel_rest import ExotelRest
from rapida_tw.sim.habits import Habit
from rapida_tw.sim.placed_call import PlacedCall
from rapida_tw.sim.rest_carriers import credential, rest_of
from rapida_tw.sim.switchboard import Delivery, Switchboard, Ways
from rapida_tw.sim.websocket_line import WebSocketLine
from rapida_tw.simulation.server import VirtualServer, done
from rapida_tw.simulation.web import VirtualWeb
from rapida_tw.store.records import Conversation, Deployment

_SECRET = "0123456789abcdef0123456789abcdef"
# The number that is called, and the assistant's.
NUMBERS: Mapping[str, tuple[str, str]] = {
    "twilio": ("+15550100001", "+15550100002"),
    "vonage": ("+15550100001", "+15550100002"),
    "exotel": ("+919800000001", "08000000002"),
}


@lru_cache(maxsize=3)
def _account(carrier: str) -> Mapping[str, str]:
    """The credential of it; a key takes its time to make."""
    signed = {"signature_secret": _SECRET, "api_key": "a1b2c3d4", "api_secret": _SECRET}
    return credential(carrier, signed if carrier == "vonage" else {})


class VirtualCarrier:
    """A server whose one assistant is on that carrier, and whoever is called by it.

    `script` is what the recogniser will understand of `caller`. Everything that its REST side
    objects to is in `rest.troubles.complaints`.
    """

    def __init__(
        self,
        carrier: str,
        model: Mapping[str, Any],
        greeting: str = "",
        habit: Habit | None = None,
        delivery: Delivery | None = None,
        **deployment: Any,
    ) -> None:
        self.carrier = carrier
        self.caller = Caller()
        self.script: deque[str | None] = deque()
        self.board = board = Switchboard(habit or Habit(phone=lambda: self.caller), delivery)
        self.callee, self.number = NUMBERS[carrier]
        account = _account(carrier)
        self.account = Account(carrier, account)
        self.rest = rest_of(carrier, board, account, numbers=frozenset({self.number}))
        self.server = server = VirtualServer(model, {"provider": carrier}, vendors=(self.rest,))
        self.web = VirtualWeb(server)
        control = carriers()[carrier].control
        assert control is not None
        server.telephones[carrier] = RestTelephone(control, server.net, server.clock, server.now)
        board.plug_in(
            Ways(server.clock, self.web.http, self._connect, server.metronome, server.now)
        )
        made = server.credentials.create(server.project_id, carrier, carrier, dict(account))
        options = {"phone": self.number, **deployment.pop("options", {})}
        kept = Deployment(
            server.assistant_id,
            provider=carrier,
            credential_id=done(made).id,
            greeting=greeting,
            options=options,
            **deployment,
        )
        done(server.assistants.deploy(kept))
        if isinstance(self.rest, ExotelRest):
            flow = Flow(self.web.callee.webhook(carrier))
            self.rest.account = replace(self.rest.account, flow=flow)

    def _connect(self, media: Media, line: WebSocketLine) -> Deferred[object]:
        self.server.ears.scripts.append(self.script)
        return self.web.connect(line)

    # -- what a story does ------------------------------------------------------------------------

    def place(self, key: str = "", **options: Any) -> list[Any]:
        """The answer, or the failure, as soon as there is one. `key`: of idempotency."""
        server = self.server
        request = CallRequest(
            server.project_id,
            server.assistant_id,
            self.callee,
            options=options,
            idempotency_key=key,
        )
        answers: list[Any] = []
        server.placing.place(request).addBoth(answers.append)
        return answers

    def run(self, until: float) -> None:
        """Up to that time since the beginning."""
        self.server.clock.run(until)

    def arrive(self) -> None:
        """The caller calls the assistant's number."""
        assert not isinstance(self.rest, ExotelRest)  # which steers nothing
        url = self.web.callee.webhook(self.carrier)
        self.rest.arrive(self.caller, self.callee, self.number, url)

    @property
    def call(self) -> PlacedCall:
        """The latest that the carrier has."""
        return self.board.latest

    @property
    def conversation(self) -> Conversation:
        """The latest."""
        found: Conversation = done(self.server.conversations.get(self.server.latest()))
        return found

    @property
    def outcome(self) -> tuple[str, str]:
        """Its status, and why it ended."""
        found = self.conversation
        return found.status, found.end_reason

    @property
    def dialogue(self) -> list[str]:
        return [one.value for one in self.conversation.entries if one.kind == "message"]

    def events(self, *names: str) -> list[str]:
        """Names in the history, those or all."""
        found = [one.name for one in self.conversation.entries if one.kind == "event"]
        return [one for one in found if not names or one in names]

    def kept(self, kind: str) -> dict[str, str]:
        """Metrics or metadata."""
        return {one.name: one.value for one in self.conversation.entries if one.kind == kind}

    def leftovers(self) -> list[str]:
        """What outlived the call."""
        return self.web.leftovers() + self.board.leftovers()
