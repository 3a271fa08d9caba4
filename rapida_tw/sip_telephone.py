"""SipTelephone: calls that we place through a SIP trunk; their media is our own."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rapida_tw.account import Account
from rapida_tw.carriers.endings import by_sip
from rapida_tw.carriers.outbound import (
    Dialling,
    DialUser,
    Line,
    Order,
    Outcome,
    Placed,
    Progress,
    Reach,
    RemoteCall,
    State,
    Telephone,
)
from rapida_tw.errors import BadRequest, CallError, End, NotSupported
from rapida_tw.media.leg import LegListener
from rapida_tw.sip import outcome as sip
from rapida_tw.sip.agent import SipAgent
from rapida_tw.sip.dialling import CallUser, Handle
from rapida_tw.sip.numbers import sip_user
from rapida_tw.sip.session import Session
from rapida_tw.sip.trunk import Trunk

# In the words of all carriers.
_STATUSES: Final[dict[str, str]] = {
    "declined": "rejected",
    "forbidden": "authentication_failed",
    "media": "media_failed",
}
NO_ANSWER: Final = Outcome("no_answer", "it rang, and nobody answered", retryable=True)
SILENT: Final = Outcome(
    "unreachable", "the trunk said nothing at all", retryable=True, reach=Reach.NOBODY
)


class SipTelephone:
    """A Telephone over the SIP user agent. Its calls need no API to be steered: a leg does it."""

    detects_machines = False

    def __init__(self, agent: SipAgent, clock: IReactorTime) -> None:
        self._agent = agent
        self._clock = clock

    def dial(self, order: Order, user: DialUser) -> Dialling:
        """`MisconfiguredAssistant` for the trunk, `BadRequest`, `CapacityExceeded`."""
        call = _Call(order, user)
        trunk = Trunk.read(order.account, order.project_id)
        call.begin(
            self._agent.dial(_calling_as(trunk, order.caller), order.callee, call), self._clock
        )
        return call

    def line(self, call: RemoteCall) -> Line | None:
        return None

    def check(self, account: Account) -> Deferred[str]:
        return TrunkLogin().check(account)

    def stop(self) -> Deferred[None]:
        """The agent is stopped by its own service."""
        return succeed(None)


class TrunkLogin:
    """What can be said of a trunk's credential without a call."""

    def check(self, account: Account) -> Deferred[str]:
        """Only whether it can be read; `NotSupported` then: a call alone would show more."""
        try:
            trunk = Trunk.read(account)
        except CallError as error:
            return fail(error)
        return fail(NotSupported(f"a trunk at {trunk.host}; it was not called"))


def _calling_as(trunk: Trunk, caller: str) -> Trunk:
    """`BadRequest` for a number that cannot stand in an address."""
    if not caller:
        return trunk
    try:
        return replace(trunk, caller_id=sip_user(caller))
    except ValueError as error:
        raise BadRequest(f"fromNumber {error}") from None


class _Call:
    """One call: the agent's CallUser, the house's Dialling."""

    def __init__(self, order: Order, user: DialUser) -> None:
        self._order = order
        self._user = user
        self._handle: Handle | None = None
        self._late: IDelayedCall | None = None
        self._heard = False  # the trunk has said something
        self._silent = False  # given up, or told to the end

    def begin(self, handle: Handle, clock: IReactorTime) -> None:
        self._handle = handle
        self._late = clock.callLater(self._order.ring_seconds, self._too_long)

    def cancel(self) -> None:
        if not self._silent:
            self._close()
            assert self._handle is not None
            self._handle.cancel()

    def _too_long(self) -> None:
        self._tell(partial(self._user.failed, NO_ANSWER if self._heard else SILENT))
        assert self._handle is not None
        self._handle.cancel()

    # -- CallUser ---------------------------------------------------------------------------------

    def trying(self) -> None:
        self._heard = True
        if not self._silent:
            self._user.accepted(Placed(self._call_id))

    def ringing(self) -> None:
        self._progressed(State.RINGING)

    def early_media(self) -> None:
        self._progressed(State.RINGING)

    def answered(self, session: Session) -> None:
        self._stop_timer()
        self._progressed(State.ANSWERED)

    def attach(self, session: Session) -> LegListener:
        self._close()
        listener: LegListener = self._user.attach(session)
        return listener

    def ended(self, end: End) -> None:
        outcome = Outcome(end.reason, end.detail or "it was hung up at once")
        self._tell(partial(self._user.failed, outcome))

    def failed(self, outcome: sip.Outcome) -> None:
        reach = Reach.CARRIER if outcome.sent else Reach.NOBODY
        code = str(outcome.code) if outcome.code else ""
        status: str = _STATUSES.get(outcome.status, outcome.status)
        told = Outcome(
            by_sip(code, status) if status == "failed" else status,
            outcome.reason,
            code,
            outcome.retryable,
            reach,
            outcome.retry_after,
        )
        self._tell(partial(self._user.failed, told))

    # -- inside -----------------------------------------------------------------------------------

    @property
    def _call_id(self) -> str:
        return self._handle.call_id if self._handle is not None else ""

    def _progressed(self, state: State) -> None:
        if not self._silent:
            self._user.progressed(Progress(state))

    def _tell(self, last: partial[None]) -> None:
        if not self._silent:
            self._close()
            last()

    def _close(self) -> None:
        self._silent = True
        self._stop_timer()

    def _stop_timer(self) -> None:
        late, self._late = self._late, None
        if late is not None and late.active():
            late.cancel()


_conforms: tuple[type[Telephone], type[CallUser]] = (SipTelephone, _Call)
