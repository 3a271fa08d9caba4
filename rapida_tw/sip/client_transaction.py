"""Requests of ours: what is kept of each, and what whoever sent it holds (RFC 3261 17.1, 9.1)."""

from __future__ import annotations

from typing import Protocol

from rapida_tw.sip.base import ClientTransaction, ClientUser, Flow
from rapida_tw.sip.machine import Home, Machine
from rapida_tw.sip.server_transaction import repeated
from rapida_tw.wire.sip_matching import Key, ack_of_failure
from rapida_tw.wire.sip_message import Request, Response
from rapida_tw.wire.sip_transaction import KINDS, Action, Event, getting

# A datagram that did not leave, for want of room in a buffer, is left to the repetition.
_FAILED_DATAGRAMS = 2
NOT_SENT = "it could not be sent"


class ClientHome(Home, Protocol):
    """Who keeps client transactions."""

    def finished(self, transaction: Client) -> None:
        """It only waits for repetitions: the first to go when there are too many."""

    def forget(self, transaction: Client) -> None:
        """It has ended."""

    def cancel(self, invite: Request, flow: Flow, reason: str) -> None:
        """Send the CANCEL of an INVITE."""


class Client:
    """What is kept until nothing can come any more.

    After the final response that is the ACK of a failure, or the user, for the 2xx of other forks.
    """

    __slots__ = (
        "_ack",
        "_failed",
        "_flow",
        "_home",
        "_machine",
        "_reason",
        "_request",
        "_sent",
        "_user",
        "key",
    )

    def __init__(
        self, home: ClientHome, key: Key, request: Request, flow: Flow, user: ClientUser | None
    ) -> None:
        """`user` None: nobody wants to know, as of a CANCEL."""
        self.key = key
        self._home = home
        self._flow = flow
        self._request: Request | None = request
        self._user = user
        self._sent = request.encode()
        self._ack = b""
        self._reason = ""
        self._failed = 0
        kind = KINDS[False, request.method == "INVITE"]
        self._machine = Machine(kind, self, home.clock, home.t1, flow.transport != "UDP")

    def begin(self) -> None:
        """Send it for the first time."""
        self._send()

    def received(self, response: Response, flow: Flow) -> bool:
        """False: it does not belong to anything that is still awaited."""
        if response.status >= 300 and self._request is not None and self.key[1] == "INVITE":
            self._ack = ack_of_failure(self._request, response).encode()
        return self._machine.fire(getting(response.status), response, flow)

    def cancel(self, reason: str) -> None:
        self._reason = reason
        self._machine.fire(Event.CANCEL)

    def lost(self, flow: Flow) -> None:
        """The connection has gone."""
        if self._flow is flow or self._flow == flow:
            self._machine.fire(Event.UNSENT)

    def stop(self) -> None:
        self._machine.stop()

    # -- Owner ------------------------------------------------------------------------------------

    def act(self, action: Action, message: Request | Response | None, flow: Flow | None) -> None:
        if action is Action.TELL:
            assert isinstance(message, Response)
            assert flow is not None
            self._tell(message, flow)
        elif action is Action.REPEAT:
            repeated.inc("request")
            self._send()
        elif action is Action.SEND_ACK:
            self._flow.send(self._ack)
        elif action is Action.SEND_CANCEL:
            assert self._request is not None
            self._home.cancel(self._request, self._flow, self._reason)
        elif action is Action.TIMED_OUT:
            self._fail("timeout")
        elif action is Action.UNSENT:
            self._fail(NOT_SENT)

    def ended(self) -> None:
        self._home.forget(self)

    def _tell(self, response: Response, flow: Flow) -> None:
        user = self._user
        if response.status >= 200:
            self._request, self._sent = None, b""
            if response.status >= 300 or self.key[1] != "INVITE":
                self._user = None
                self._home.finished(self)
        if user is not None:
            self._home.guarded(user.response_received, response, flow)

    def _fail(self, reason: str) -> None:
        user, self._user = self._user, None
        if user is not None:
            self._home.guarded(user.request_failed, reason)

    def _send(self) -> None:
        if self._flow.open and self._flow.send(self._sent):
            self._failed = 0
            return
        self._failed += 1
        if self._flow.transport != "UDP" or self._failed >= _FAILED_DATAGRAMS:
            self._machine.start(Event.UNSENT)


class ClientHandle:
    """What the one who asks holds: ClientTransaction."""

    __slots__ = ("_client", "flow", "request")

    def __init__(self, client: Client, request: Request, flow: Flow) -> None:
        self.request = request
        self.flow = flow
        self._client = client

    def cancel(self, reason: str = "") -> None:
        self._client.cancel(reason)


_conforms: type[ClientTransaction] = ClientHandle
