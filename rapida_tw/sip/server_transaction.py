"""Requests of theirs: what is kept of each, and what whoever answers it holds (RFC 3261 17.2)."""

from __future__ import annotations

from typing import Protocol

from rapida_tw.metrics import Counter
from rapida_tw.sip.base import Flow, InviteUser, ServerTransaction
from rapida_tw.sip.counters import dropped
from rapida_tw.sip.machine import Home, Machine
from rapida_tw.wire.sip_matching import Key
from rapida_tw.wire.sip_message import Request, Response
from rapida_tw.wire.sip_transaction import KINDS, Action, Event, sending

repeated = Counter("rapida_sip_repeated_total", "Messages of ours sent again.", ("what",))
not_acknowledged = Counter(
    "rapida_sip_not_acknowledged_total", "2xx of ours whose ACK has never come."
)


class ServerHome(Home, Protocol):
    """Who keeps server transactions."""

    def finished(self, transaction: Server) -> None:
        """It only waits for repetitions: the first to go when there are too many."""

    def settled(self, server: Server) -> None:
        """Finished, and the same request on another branch would be a new one."""

    def forget(self, transaction: Server) -> None:
        """It has ended."""

    def ack_passed(self, ack: Request, flow: Flow) -> None:
        """An ACK of a 2xx that has the INVITE's branch."""


class Server:
    """What is kept until nothing can be repeated any more.

    After the final response that is its bytes: the request and its user may go.
    """

    __slots__ = ("_home", "_last", "_machine", "_request", "_user", "flow", "key", "merging", "tag")

    def __init__(
        self,
        home: ServerHome,
        key: Key,
        merging: Key | None,
        request: Request,
        flow: Flow,
        user: InviteUser | None,
        tag: str,
    ) -> None:
        """`tag`: of To, for responses that have none."""
        self.key = key
        self.merging = merging
        self.flow = flow
        self.tag = tag
        self._home = home
        self._request: Request | None = request
        self._user = user
        self._last = b""
        kind = KINDS[True, request.method == "INVITE"]
        self._machine = Machine(kind, self, home.clock, home.t1, flow.transport != "UDP")

    @property
    def answered(self) -> bool:
        return self._request is None

    def respond(self, response: Response) -> None:
        if self._request is None:
            return
        if response.status > 100:
            if response.to.tag:
                self.tag = response.to.tag
            else:
                response.headers.set("To", f"{response.headers.get('To')};tag={self.tag}")
        self._last = response.encode()
        if response.status >= 200:
            self._request = None
            if self.key[0] != "INVITE" or response.status >= 300:
                self._user = None
                self._home.settled(self)
        self._machine.fire(sending(response.status))

    def acknowledged(self) -> None:
        if self._machine.fire(Event.ACKNOWLEDGED):
            self._user = None
            self._home.finished(self)

    def received(self, request: Request, flow: Flow) -> None:
        """A repetition, or an ACK."""
        if not self.flow.open:
            self.flow = flow  # they have connected again
        self._machine.fire(Event.ACK if request.method == "ACK" else Event.REQUEST, request, flow)

    def cancelled(self, cancel: Request) -> None:
        """Their CANCEL: without effect after the final response (9.2)."""
        request, user = self._request, self._user
        if request is None:
            return
        self.respond(request.answer(487, to_tag=self.tag))
        if user is not None:
            self._home.guarded(user.cancelled, cancel)

    def stop(self) -> None:
        self._machine.stop()
        self._request = self._user = None

    # -- Owner ------------------------------------------------------------------------------------

    def act(self, action: Action, message: Request | Response | None, flow: Flow | None) -> None:
        if action is Action.PASS_ACK:
            assert isinstance(message, Request)
            assert flow is not None
            self._home.ack_passed(message, flow)
        elif action is Action.NOT_ACKNOWLEDGED:
            not_acknowledged.inc()
            user, self._user = self._user, None
            if user is not None:
                self._home.guarded(user.not_acknowledged)
        else:
            self._transmit(action)

    def ended(self) -> None:
        self._request = None  # nobody waits for an answer any more
        self._home.forget(self)

    def _transmit(self, action: Action) -> None:
        if not self._last:
            return  # a repeated INVITE, before anything was said to it
        if action is Action.REPEAT:
            repeated.inc("response")
        elif action is Action.REPEAT_2XX:
            repeated.inc("2xx")
        if not self.flow.open or not self.flow.send(self._last):
            dropped.inc("response-not-sent")


class ServerHandle:
    """What the one who answers holds: ServerTransaction."""

    __slots__ = ("_server", "flow", "request")

    def __init__(self, server: Server, request: Request) -> None:
        self.request = request
        self.flow = server.flow
        self._server = server

    @property
    def answered(self) -> bool:
        return self._server.answered

    def respond(self, response: Response) -> None:
        self._server.respond(response)

    def acknowledged(self) -> None:
        self._server.acknowledged()


_conforms: type[ServerTransaction] = ServerHandle
