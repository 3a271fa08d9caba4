"""AriTelephone: how calls of the carrier `asterisk` are placed and steered."""

from __future__ import annotations

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rapida_tw.account import Account
from rapida_tw.ari.call import AriCall
from rapida_tw.ari.client import Client
from rapida_tw.ari.events import Events
from rapida_tw.ari.line import AriLine, ChannelLine
from rapida_tw.ari.login import Login
from rapida_tw.ari.plan import Plan
from rapida_tw.ari.refusal import GONE, Declined
from rapida_tw.carriers.outbound import (
    CarrierRefused,
    Dialling,
    DialUser,
    Line,
    Order,
    Outcome,
    Reach,
    RemoteCall,
    Telephone,
)
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.net.base import Net

STOP_WITHIN = 5.0  # seconds for Asterisk to be told of the server's end
# A user that may not write is refused before the channel is looked for.
_NOBODY = "/channels/rapida-no-such-channel"


class AriTelephone:
    """One a process. `node`: this server's name, where several use the same Asterisk."""

    _log = Logger()
    detects_machines = False

    def __init__(self, net: Net, clock: IReactorTime, node: str = "") -> None:
        self.calls: dict[str, AriCall] = {}  # by channel
        self._net = net
        self._clock = clock
        self._node = node
        self._events: dict[tuple[str, str, str], Events] = {}

    def dial(self, order: Order, user: DialUser) -> Dialling:
        """`MisconfiguredAssistant` for wrong options, `BadRequest` for a number that is none."""
        login = Login.of(order.account)
        plan = Plan.of(order, self._node)
        if plan.channel in self.calls:
            raise CarrierRefused("this call is being placed already")
        client = Client(self._net, self._clock, login)
        events = self._events_of(client, plan.app)
        call = AriCall(plan, order.most_seconds, client, events, self._clock, user, self._call_over)
        self.calls[plan.channel] = call
        call.start()
        return call

    def _events_of(self, client: Client, app: str) -> Events:
        key = client.login.base, client.login.user, app
        events = self._events.get(key)
        if events is None:
            events = Events(self._net, self._clock, client, app, self._events_over)
            self._events[key] = events
        events.client = client
        return events

    def _events_over(self, events: Events) -> None:
        for key, one in tuple(self._events.items()):
            if one is events:
                del self._events[key]

    def _call_over(self, call: AriCall) -> None:
        self.calls.pop(call.plan.channel, None)

    def line(self, call: RemoteCall) -> Line | None:
        """None for a call without an ARI credential or a channel's id."""
        placed = self.calls.get(call.call_id)
        if placed is not None:
            placed.attached()
            if placed.plan.stasis:
                return AriLine(placed, call.caller)
        if not call.call_id:
            return None
        try:
            login = Login.of(call.account)
        except MisconfiguredAssistant:
            return None  # only outbound calls need one
        client = Client(self._net, self._clock, login)
        return ChannelLine(client, call.call_id, call.direction == "outbound")

    def check(self, account: Account) -> Deferred[str]:
        """Which Asterisk answers, and that the user may place calls; `CarrierRefused` if not."""
        return Deferred.fromCoroutine(self._check(account))

    async def _check(self, account: Account) -> str:
        login = Login.of(account)
        client = Client(self._net, self._clock, login)
        try:
            version = await self._ping(client)
            await self._may_write(client)
        except Declined as declined:
            raise CarrierRefused.by(_no_login(declined, login)) from None
        return f"{version} at {login.host}: user {login.user} may place calls"

    async def _ping(self, client: Client) -> str:
        """`Declined` where no ARI answers."""
        try:
            found = await client.ask("GET", "/asterisk/ping")
        except Declined as declined:
            if declined.status != GONE:
                raise
            # res_ari_asterisk is not loaded; nothing else needs it.
            await client.ask("GET", "/channels")
            return "ARI"
        name = found.get("asterisk_id") if isinstance(found, dict) else ""
        return f"ARI of Asterisk {name}" if name else "ARI"

    async def _may_write(self, client: Client) -> None:
        try:
            await client.remove(_NOBODY)
        except Declined as declined:
            if declined.status in (401, 403):
                raise

    def stop(self) -> Deferred[None]:
        """Calls are hung up, at Asterisk too; who was transferred goes on talking."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        stopping = [call.stop() for call in tuple(self.calls.values())]
        try:
            await gatherResults(stopping, consumeErrors=True).addTimeout(STOP_WITHIN, self._clock)
        except Exception as error:
            self._log.warn("calls may be left at Asterisk: {error}", error=error)
        for events in tuple(self._events.values()):
            events.stop()
        self._events.clear()


def _no_login(declined: Declined, login: Login) -> Outcome:
    said, code = declined.said or f"HTTP {declined.status}", str(declined.status)
    if declined.status == 401:
        words = f"{said}: ari_user or ari_password is wrong"
        return Outcome("authentication_failed", words, code, False, Reach.NOBODY)
    if declined.status == 403:
        words = f"{said}: user {login.user} is read_only in ari.conf"
        return Outcome("authentication_failed", words, code, False, Reach.NOBODY)
    if declined.status == GONE:
        words = f"{said}: {login.host} answers, and not as ARI: is it enabled, res_ari loaded?"
        return Outcome("configuration_failed", words, code, False, Reach.NOBODY)
    return Outcome("failed", said, code, declined.status >= 500, Reach.NOBODY)


_conforms: type[Telephone] = AriTelephone
