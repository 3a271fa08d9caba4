"""All transactions of the user agent: which message is whose (RFC 3261 17, 9.2, 8.2.2.2)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from hashlib import blake2b
from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import LocalProtocolError
from rapida_tw.metrics import Counter, Gauge
from rapida_tw.sip.base import (
    ClientTransaction,
    ClientUser,
    Flow,
    InviteUser,
    ServerTransaction,
)
from rapida_tw.sip.client_transaction import Client, ClientHandle
from rapida_tw.sip.counters import dropped, failures
from rapida_tw.sip.server_transaction import Server, ServerHandle
from rapida_tw.wire.sip_matching import COOKIE, Key, cancel_of, client_key, merging_key, server_key
from rapida_tw.wire.sip_message import Request, Response
from rapida_tw.wire.sip_transaction import T1

RETRY_AFTER = 10  # seconds, when there is no room for another transaction
_LOG_AGAIN = 60.0  # seconds: one error in every packet of a flood must not fill the disk

transactions = Gauge("rapida_sip_transactions", "Transactions that are kept.")
evicted = Counter("rapida_sip_evicted_total", "Finished transactions that made room for new ones.")


class Core(Protocol):
    """Whom requests are for that begin something. What it raises is answered 500."""

    def request_received(self, request: Request, flow: Flow) -> None:
        """A new request, neither ACK nor CANCEL. To keep it from being heard twice, `accept` it
        before anything asynchronous; what is answered without is answered again each time.
        """

    def ack_received(self, ack: Request, flow: Flow) -> None:
        """The ACK of a 2xx, or of what was answered without a transaction."""

    def response_strayed(self, response: Response, flow: Flow) -> None:
        """A 2xx to an INVITE of ours that is long over."""


class Transactions:
    """Keeps every transaction from its first message until nothing of it can be repeated.

    The users that it tells may call it at once. `send` tells nobody before it has returned, but
    for a flow that answers while it sends.
    """

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, core: Core, t1: float = T1, limit: int = 20_000
    ) -> None:
        """`t1` in seconds; `limit`: transactions of both kinds."""
        self.clock = clock
        self.t1 = t1
        self._core = core
        self._limit = limit
        self._servers: dict[Key, Server] = {}
        self._clients: dict[Key, Client] = {}
        self._merging: dict[Key, Server] = {}
        self._finished: dict[Server | Client, None] = {}  # the oldest first
        self._secret = secrets.token_bytes(16)
        # Branches of this process: what comes back with one of them is a loop.
        self._branches = f"{COOKIE}{secrets.token_hex(4)}"
        self._logged: dict[str, float] = {}  # when, by the line that raised

    def __len__(self) -> int:
        return len(self._servers) + len(self._clients)

    # -- from the wire ----------------------------------------------------------------------------

    def received(self, message: Request | Response, flow: Flow) -> None:
        """A whole message with usable Via, From, To, Call-ID and CSeq. Never raises."""
        self.guarded(
            self._request if isinstance(message, Request) else self._response, message, flow
        )

    def _request(self, request: Request, flow: Flow) -> None:
        if request.via.branch.startswith(self._branches):
            dropped.inc("loop")
            return
        key = server_key(request)
        server = self._servers.get(key)
        if server is not None:
            server.received(request, flow)
        elif request.method == "ACK":
            self._core.ack_received(request, flow)
        elif request.method == "CANCEL":
            self._cancelled(request, flow)
        elif merging_key(request) in self._merging:
            self._refuse(request, flow, 482)
        elif len(self) >= self._limit and not self._finished:
            # Running calls are worth more than a new one.
            dropped.inc("no-room")
            self._refuse(request, flow, 503)
        else:
            self._hand_on(key, request, flow)

    def _hand_on(self, key: Key, request: Request, flow: Flow) -> None:
        try:
            self._core.request_received(request, flow)
        except Exception:
            self._failed()
            server = self._servers.get(key)
            if server is None:
                self._refuse(request, flow, 500)
            elif not server.answered:
                server.respond(request.answer(500))

    def _cancelled(self, cancel: Request, flow: Flow) -> None:
        """Answered from what there is of the INVITE, so a repeated one gets the same (9.2)."""
        server = self._servers.get(server_key(cancel, "INVITE"))
        if server is None:
            self._refuse(cancel, flow, 481)
            return
        self._reply(cancel.answer(200, to_tag=server.tag), flow)
        server.cancelled(cancel)

    def _response(self, response: Response, flow: Flow) -> None:
        ours = response.via.branch.startswith(self._branches)
        if not ours or len(response.headers.values("Via")) != 1:
            dropped.inc("stray-response")  # 18.1.2, 8.1.3.3
            return
        client = self._clients.get(client_key(response))
        if client is not None:
            if not client.received(response, flow):
                dropped.inc("late-response")
        elif 200 <= response.status < 300 and response.cseq[1] == "INVITE":
            self._core.response_strayed(response, flow)
        else:
            dropped.inc("stray-response")

    # -- for users --------------------------------------------------------------------------------

    def accept(
        self, request: Request, flow: Flow, user: InviteUser | None = None
    ) -> ServerTransaction:
        """Take a new request as one's own, to be answered; `user` is for INVITE."""
        key = server_key(request)
        if key in self._servers:
            raise LocalProtocolError(f"the {request.method} has been accepted before")
        self._make_room()
        merging = merging_key(request)
        server = Server(self, key, merging, request, flow, user, self._tag(request))
        self._servers[key] = server
        if merging is not None:
            self._merging[merging] = server
        transactions.inc()
        return ServerHandle(server, request)

    def send(self, request: Request, flow: Flow, user: ClientUser | None) -> ClientTransaction:
        """Send a new request, whose Via becomes ours; `user` None: nobody wants the answer."""
        request.headers.remove("Via")
        request.headers.first("Via", self._via(flow))
        return ClientHandle(self._ask(request, flow, user), request, flow)

    def send_ack(self, ack: Request, flow: Flow) -> None:
        """Send the ACK of a 2xx; the same one again keeps its branch."""
        if "Via" not in ack.headers:
            ack.headers.first("Via", self._via(flow))
        if not flow.open or not flow.send(ack.encode()):
            dropped.inc("ack-not-sent")

    def flow_lost(self, flow: Flow) -> None:
        """A connection has gone: what still waits for its first answer over it has failed."""
        for client in tuple(self._clients.values()):
            client.lost(flow)

    def close(self) -> None:
        """Forget all; no user is told and no timer is left."""
        every: list[Server | Client] = [*self._servers.values(), *self._clients.values()]
        for transaction in every:
            transaction.stop()
            self.forget(transaction)

    # -- ServerHome, ClientHome -------------------------------------------------------------------

    def finished(self, transaction: Server | Client) -> None:
        self._finished[transaction] = None

    def settled(self, server: Server) -> None:
        self._finished[server] = None
        self._unmerge(server)

    def forget(self, transaction: Server | Client) -> None:
        self._finished.pop(transaction, None)
        transactions.inc(by=-1)
        if isinstance(transaction, Server):
            del self._servers[transaction.key]
            self._unmerge(transaction)
        else:
            del self._clients[transaction.key]

    def ack_passed(self, ack: Request, flow: Flow) -> None:
        self.guarded(self._core.ack_received, ack, flow)

    def cancel(self, invite: Request, flow: Flow, reason: str) -> None:
        self._ask(cancel_of(invite, reason), flow, None)

    def guarded(self, call: Callable[..., None], *arguments: object) -> None:
        try:
            call(*arguments)
        except Exception:
            self._failed()

    # -- within -----------------------------------------------------------------------------------

    def _ask(self, request: Request, flow: Flow, user: ClientUser | None) -> Client:
        self._make_room()
        key = (request.via.branch, request.method)
        client = self._clients[key] = Client(self, key, request, flow, user)
        transactions.inc()
        client.begin()
        return client

    def _make_room(self) -> None:
        """What only waits for repetitions goes; requests of ours are never refused."""
        if len(self) >= self._limit and self._finished:
            oldest = next(iter(self._finished))
            evicted.inc()
            oldest.stop()
            self.forget(oldest)

    def _unmerge(self, server: Server) -> None:
        if server.merging is not None and self._merging.get(server.merging) is server:
            del self._merging[server.merging]

    def _refuse(self, request: Request, flow: Flow, status: int) -> None:
        """Answer without keeping anything (8.2.7); a repetition gets the same bytes."""
        response = request.answer(status, to_tag=self._tag(request))
        if status == 503:
            response.headers.set("Retry-After", str(RETRY_AFTER))
        self._reply(response, flow)

    def _reply(self, response: Response, flow: Flow) -> None:
        if not flow.open or not flow.send(response.encode()):
            dropped.inc("response-not-sent")

    def _tag(self, request: Request) -> str:
        """A To tag that is the same for the same request, and known to nobody before."""
        text = "\n".join((request.call_id, request.from_.tag, request.via.branch))
        text += f"\n{request.cseq[0]}"
        data = text.encode("utf-8", "surrogateescape")
        return blake2b(data, digest_size=8, key=self._secret).hexdigest()

    def _via(self, flow: Flow) -> str:
        host, port = flow.local
        host = f"[{host}]" if ":" in host else host
        branch = f"{self._branches}{secrets.token_hex(8)}"
        return f"SIP/2.0/{flow.transport} {host}:{port};rport;branch={branch}"

    def _failed(self) -> None:
        """Count the error that is being handled; write it down unless it has been lately."""
        failures.inc()
        failure, now = Failure(), self.clock.seconds()
        place = str(failure.frames[-1][:3])
        if now - self._logged.get(place, -_LOG_AGAIN) >= _LOG_AGAIN:
            self._logged[place] = now
            self._log.failure("a handler failed", failure)
