"""What a call's carrier can do for it besides carrying audio."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import Logger

from rapida_tw.account import Account
from rapida_tw.calls.claimed import Claimed
from rapida_tw.calls.context import OUTBOUND, CallContext, ContextStore
from rapida_tw.carriers.outbound import Line, RemoteCall, Telephone, Telephones
from rapida_tw.errors import End, NotSupported
from rapida_tw.media.leg import Leg, Transferring

# The dialplan says in its first request that it will ask for the follow-up afterwards; of the one
# that has a call of ours, the deployment says it.
ANNOUNCED = "transfer"
ASKS = "dialplan_transfer"


class DialplanLine:
    """AudioSocket carries no commands, but the dialplan goes on after it.

    The target is left in the context store; the dialplan fetches it into a channel variable when
    AudioSocket() has returned. A dialplan that did not announce that would only hang up.
    """

    _log = Logger()

    def __init__(
        self,
        context: CallContext,
        contexts: ContextStore,
        leg: Leg | None = None,
        asks: bool = False,
    ) -> None:
        """`leg` sends digits, where it can. `asks`: the dialplan will, without announcing it."""
        self._context = context
        self._asks = asks
        self._contexts = contexts
        self._leg = leg
        self._left = False

    @property
    def announced(self) -> bool:
        """The dialplan will ask."""
        return self._asks or self._context.metadata.get(ANNOUNCED) == "1"

    def transfer(self, target: str) -> Deferred[None]:
        if not self.announced:
            return fail(NotSupported("this call's dialplan does not take transfers"))
        self._left = True
        return self._contexts.leave(self._context.id, target)

    def withdraw(self) -> None:
        """Else a caller who talked the assistant out of it would be transferred after "goodbye"."""
        if self._left:
            self._left = False
            taking = self._contexts.fetch(self._context.id)
            taking.addErrback(lambda f: self._log.failure("a transfer was not withdrawn", f))

    def send_digits(self, digits: str) -> Deferred[None]:
        if self._leg is None:
            return fail(NotSupported("there is nobody to send digits to"))
        return _by_leg(self._leg, digits)

    def hold(self, on: bool) -> Deferred[None]:
        return fail(NotSupported("the dialplan plays nothing for us"))

    def hang_up(self, end: End) -> None:
        """The dialplan goes on, and hangs up by itself."""


class LegLine:
    """A leg that does it all by itself, and hands its far side over at once."""

    def __init__(self, leg: Leg, transferring: Transferring) -> None:
        """Both are the leg."""
        self._leg = leg
        self._transferring = transferring

    def transfer(self, target: str) -> Deferred[None]:
        return self._transferring.transfer(target)

    def withdraw(self) -> None:
        """Nothing can be taken back."""

    def send_digits(self, digits: str) -> Deferred[None]:
        return _by_leg(self._leg, digits)

    def hold(self, on: bool) -> Deferred[None]:
        return fail(NotSupported("the leg plays nothing by itself"))

    def hang_up(self, end: End) -> None:
        """The leg's own hang-up is all."""


class CarrierLine:
    """A call that its carrier's API can steer, as soon as its name there is known."""

    def __init__(
        self, leg: Leg, claimed: Claimed, account: Account, telephone: Telephone, plan: DialplanLine
    ) -> None:
        self._leg = leg
        self._claimed = claimed
        self._account = account
        self._telephone = telephone
        self._plan = plan
        self._found: Line | None = None

    def transfer(self, target: str) -> Deferred[None]:
        line = self._plan if self._plan.announced else self._line()
        if line is None:
            return fail(NotSupported("what the carrier calls this call is not known"))
        return line.transfer(target)

    def withdraw(self) -> None:
        self._plan.withdraw()
        if self._found is not None:
            self._found.withdraw()

    def send_digits(self, digits: str) -> Deferred[None]:
        """By the leg, which is quicker, else by the API."""
        sending = _by_leg(self._leg, digits)
        line = self._line()
        if line is not None:
            found = line
            sending.addErrback(
                lambda failure: failure.trap(NotSupported) and found.send_digits(digits)
            )
        return sending

    def hold(self, on: bool) -> Deferred[None]:
        line = self._line()
        if line is None:
            return fail(NotSupported("what the carrier calls this call is not known"))
        return line.hold(on)

    def hang_up(self, end: End) -> None:
        line = self._line()
        if line is not None:
            line.hang_up(end)

    def _line(self) -> Line | None:
        if self._found is None:
            remote = self._remote()
            self._found = None if remote is None else self._telephone.line(remote)
        return self._found

    def _remote(self) -> RemoteCall | None:
        context, told = self._claimed.context, self._claimed.placed
        placed = told.placed if told is not None else None
        call_id = placed.call_id if placed is not None else context.provider_call_id
        if not call_id:
            return None
        outbound = context.direction == OUTBOUND
        return RemoteCall(
            call_id,
            self._account,
            context.direction,
            # Who is called for a transfer sees our own number: carriers allow no other.
            context.callee,
            options=self._claimed.deployment.options,
            data=placed.data if outbound and placed is not None else context.metadata,
        )


def line_of(
    leg: Leg, claimed: Claimed, contexts: ContextStore, telephones: Telephones | None = None
) -> Line:
    """The line of a call over that leg."""
    if isinstance(leg, Transferring):
        return LegLine(leg, leg)
    context, account = claimed.context, claimed.carrier
    options = claimed.deployment.options
    asks = bool(options.get("context")) and str(options.get(ASKS, "")).lower() in (
        "1",
        "yes",
        "true",
    )
    plan = DialplanLine(context, contexts, leg, asks and context.direction == OUTBOUND)
    telephone = (telephones or {}).get(context.carrier)
    if telephone is None or account is None:
        return plan
    return CarrierLine(leg, claimed, account, telephone, plan)


def _by_leg(leg: Leg, digits: str) -> Deferred[None]:
    try:
        leg.send_digits(digits)
    except NotSupported as error:
        return fail(error)
    return succeed(None)


_conforms: tuple[type[Line], ...] = (DialplanLine, LegLine, CarrierLine)
