"""SipAgent: the user agent. Every message is looked at once here, and goes to its place."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rapida_tw.errors import CapacityExceeded
from rapida_tw.sip.authority import Authority
from rapida_tw.sip.base import Flow, Flows, InviteUser, Reception, ServerTransaction
from rapida_tw.sip.caller import Caller
from rapida_tw.sip.counters import answers, dropped, known, requests
from rapida_tw.sip.dialling import CallUser, Handle
from rapida_tw.sip.dialogs import Dialogs
from rapida_tw.sip.guard import Guard, Limits
from rapida_tw.sip.inbound import InboundCall, Switchboard
from rapida_tw.sip.ladder import Ladders
from rapida_tw.sip.locate import Locator, Resolver
from rapida_tw.sip.media import Offers, Stream
from rapida_tw.sip.names import Literals
from rapida_tw.sip.networks import Networks
from rapida_tw.sip.placing import Place
from rapida_tw.sip.refusals import ALLOW, SDP, Refusal, refusal
from rapida_tw.sip.registrar import Registration
from rapida_tw.sip.registrations import Registrations
from rapida_tw.sip.settings import EXTENSIONS, SipSettings
from rapida_tw.sip.transactions import Core, Transactions
from rapida_tw.sip.trunk import Trunk
from rapida_tw.wire.sip_dialog import Dialog
from rapida_tw.wire.sip_message import Malformed, Request, Response, parse

DEFAULT_PORT = 5060  # of a Via without one
RETRY_AFTER = (5, 20)  # seconds, at random: not all come back at once

_TRANSPORTS = {"TCP": ";transport=tcp", "TLS": ";transport=tls"}


class Lines(Protocol):
    """Where media comes from (sip/lines.py)."""

    def open(self, flow: Flow, learning: str = "") -> tuple[Offers, Stream]:
        """Of the family of that way. `CapacityExceeded`."""


class SipAgent:
    """Core of the transactions, receiver of the sockets, and the Stack of its sessions.

    Nothing that comes makes a method raise.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        settings: SipSettings,
        reception: Reception,
        lines: Lines,
        flows: Flows,
        random: Random,
        now: Callable[[], float],
        limits: Limits | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        """`now`: seconds since the epoch; `random` is to be one that nobody can foretell.

        `resolver`: DNS for trunks; without it they need addresses.
        """
        self.clock = clock
        self.settings = settings
        self.reception = reception
        self.flows = flows
        self.random = random
        self.now = now
        self.locator = Locator(resolver or Literals(), clock, random)
        self.ladders = Ladders(now)
        self.guard = Guard(clock.seconds, Networks(settings.trusted_networks), limits)
        self.registrations = Registrations(self)
        self.authority = Authority(
            settings, reception, self.guard, clock.seconds, self.registrations
        )
        self.transactions = Transactions(clock, self)
        self.dialogs = Dialogs(self._call_over)
        self.draining = False
        self.caller = Caller(self)
        self.place: Place | None = self.caller.place
        self._lines = lines
        self._arriving: set[InboundCall | Registration] = set()
        self._in_calls: dict[tuple[str, str, str], Flow] = {}
        self._calls_on: dict[Flow, int] = {}

    # -- Receiver ---------------------------------------------------------------------------------

    def received(self, data: bytes, flow: Flow) -> None:
        """One datagram, or one whole message of a connection."""
        if self.guard.drops(data, flow.peer[0]):
            return
        try:
            message = parse(data)
        except Malformed as error:
            self.broken(error, flow)
            return
        way = self.ladders.heard(message, flow)
        if isinstance(message, Request):
            message.stamp(*flow.peer)
            way = way_back(message, way)
        self.transactions.received(message, way)

    def broken(self, error: Malformed, flow: Flow) -> None:
        """It goes against the grammar: answered where that can be done."""
        dropped.inc("malformed")
        if error.request is not None:
            self.transactions.guarded(self._malformed, error.request, error, flow)

    def _malformed(self, request: Request, error: Malformed, flow: Flow) -> None:
        request.stamp(*flow.peer)
        self._answer(request, way_back(request, flow), Refusal(error.status, (), str(error)))

    def lost(self, flow: Flow) -> None:
        """A connection has gone."""
        self.transactions.flow_lost(flow)

    def spares(self, host: str) -> bool:
        """Limits of strangers do not hold for that host."""
        return self.guard.spares(host)

    def uses(self, flow: Flow) -> bool:
        """A dialog depends on that connection."""
        return flow in self._calls_on or self.registrations.uses(flow)

    # -- our calls --------------------------------------------------------------------------------

    def dial(self, trunk: Trunk, number: str, user: CallUser) -> Handle:
        """Call a number through a trunk: see sip/caller.py. `BadRequest`, `CapacityExceeded`."""
        return self.caller.dial(trunk, number, user)

    @property
    def asking(self) -> int:
        """Calls in both directions that are not among the dialogs yet."""
        return len(self.caller) + sum(not work.in_dialog for work in self._arriving)

    # -- Core -------------------------------------------------------------------------------------

    def request_received(self, request: Request, flow: Flow) -> None:
        requests.inc(known(request.method))
        if request.to.tag:
            self._in_dialog(request, flow)
            return
        refused = refusal(request)
        if refused is None and request.method != "REGISTER" and self._full:
            refused = Refusal(503)
        if refused is not None:
            self._answer(request, flow, refused)
        elif request.method == "OPTIONS":
            self._options(request, flow)
        elif not self.authority.has_credentials(request, flow):
            self._send(self.authority.challenge(request, flow), flow)
        else:
            self._begin(request, flow)

    def _begin(self, request: Request, flow: Flow) -> None:
        work: InboundCall | Registration
        if request.method == "INVITE":
            if request.call_id not in self.ladders:
                flow = self.ladders.first(request, flow)
            work = InboundCall(self, request, flow, self._arriving.discard)
        else:
            work = Registration(self, request, flow, self._arriving.discard)
        self._arriving.add(work)
        work.begin()

    def _in_dialog(self, request: Request, flow: Flow) -> None:
        user = self.dialogs.find(request)
        if user is None:
            self._answer(request, flow, Refusal(481))
            return
        told = user if isinstance(user, InviteUser) else None
        user.request_received(self.transactions.accept(request, flow, told))

    def ack_received(self, ack: Request, flow: Flow) -> None:
        user = self.dialogs.find(ack)
        if user is None:
            dropped.inc("stray-ack")
        else:
            user.ack_received(ack)

    def response_strayed(self, response: Response, flow: Flow) -> None:
        dropped.inc("stray-2xx")

    # -- answers without a transaction ------------------------------------------------------------

    @property
    def _full(self) -> str:
        """Why nobody is let in at the moment."""
        if self.draining:
            return "draining"
        if len(self.dialogs) + self.asking >= self.settings.most_calls:
            return "too many calls"
        return self.reception.ready

    def _options(self, request: Request, flow: Flow) -> None:
        """A trunk's ping: 200 for as long as calls are taken (11.2)."""
        response = self._response(request, Refusal(200, (("Accept", SDP), ("Allow", ALLOW))))
        response.headers.add("Supported", ", ".join(EXTENSIONS))
        response.headers.add("Contact", self.contact(flow))
        self._send(response, flow)

    def _answer(self, request: Request, flow: Flow, refused: Refusal) -> None:
        """A repetition is answered again, with the same To tag (8.2.7)."""
        self._send(self._response(request, refused), flow)

    def _response(self, request: Request, refused: Refusal) -> Response:
        tag = self.authority.tag(request)
        response = request.answer(refused.status, refused.phrase, tag)
        response.headers.set("Server", self.settings.user_agent)
        for name, value in refused.headers:
            response.headers.add(name, value)
        if refused.status == 503:
            response.headers.set("Retry-After", str(self.random.randint(*RETRY_AFTER)))
        return response

    def _send(self, response: Response, flow: Flow) -> None:
        method = response.headers.get("CSeq").rpartition(" ")[2]
        answers.inc(known(method), str(response.status))
        if not flow.send(response.encode()):
            dropped.inc("response-not-sent")

    # -- Switchboard ------------------------------------------------------------------------------

    def contact(self, flow: Flow) -> str:
        """The value of Contact for a peer on that way."""
        host, port = flow.local
        host = f"[{host}]" if ":" in host else host
        return f"<sip:{host}:{port}{_TRANSPORTS.get(flow.transport, '')}>"

    def open_line(self, flow: Flow, learning: str = "") -> tuple[Offers, Stream]:
        """Ports for a call over that way."""
        return self._lines.open(flow, learning)

    def refuse(self, transaction: ServerTransaction, refused: Refusal, stale: bool = False) -> None:
        """The final response of a request that was accepted."""
        request = transaction.request
        response = self._response(request, refused)
        if refused.status == 401:
            response = self.authority.challenge(request, transaction.flow, stale)
        answers.inc(known(request.method), str(refused.status))
        transaction.respond(response)

    def calling(self, dialog: Dialog, flow: Flow) -> None:
        """The far side is in a call until the dialog is removed: it is spared by the guard.

        Said again when the way to it has changed.
        """
        if self._in_calls.get(dialog.id) != flow:
            self._call_over(dialog)
            self._in_calls[dialog.id] = flow
            self._calls_on[flow] = self._calls_on.get(flow, 0) + 1
            self.guard.call_began(flow.peer[0])

    def _call_over(self, dialog: Dialog) -> None:
        flow = self._in_calls.pop(dialog.id, None)
        if flow is None:
            return
        self.guard.call_ended(flow.peer[0])
        self._calls_on[flow] -= 1
        if not self._calls_on[flow]:
            del self._calls_on[flow]

    # -- the end ----------------------------------------------------------------------------------

    def drain(self) -> None:
        """From now on no call is taken; trunks are told by OPTIONS, and go elsewhere."""
        self.draining = True

    def close(self) -> None:
        """Leave no timer and no port; sessions are hung up by the calls that have them."""
        self.draining = True
        for work in tuple(self._arriving):
            work.stop(CapacityExceeded("the server stops"))
        self.caller.close()
        self.transactions.close()


def way_back(request: Request, flow: Flow) -> Flow:
    """Where a response goes (18.2.2, RFC 3581 4): where the request came from.

    Over UDP to the port that Via tells, if it does not ask for the one that it was sent from.
    """
    via = request.via
    if flow.transport != "UDP" or "rport" in via.parameters:
        return flow
    port = via.port or DEFAULT_PORT
    return flow if port == flow.peer[1] else flow.beside(port)


_is_core: type[Core] = SipAgent
_is_switchboard: type[Switchboard] = SipAgent
