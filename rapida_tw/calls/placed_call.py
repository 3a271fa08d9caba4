"""PlacedCall: a call of ours from its dialling until its media is there, or it came to nothing.

Callbacks come late, twice and in any order, the ring timer runs here, the media may arrive at any
node: whoever takes the context out of the store decides, and there is one who does. So a late
"busy" never ends a call that is talked on, and a timer never one that another node has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.calls.claimed import Claimed
from rapida_tw.calls.context import OUTBOUND, CallContext, ContextStore
from rapida_tw.calls.journal import Journal, Notebook
from rapida_tw.carriers.outbound import (
    CarrierRefused,
    Dialling,
    DialUser,
    Order,
    Outcome,
    Placed,
    Progress,
    Reach,
    RemoteCall,
    State,
    Telephone,
)
from rapida_tw.errors import CallError, ContextNotFound, End, GivenUp
from rapida_tw.media.leg import Leg, LegListener

GRACE = 5.0  # seconds that the carrier's own word is waited for, when it has rung long enough
MEDIA_WITHIN = 30.0  # seconds from the answer to the media
PROVIDER_CALL_ID = "client.provider_call_id"  # of the metadata

NO_ANSWER = Outcome("no_answer", "it rang, and nobody answered", retryable=True)
UNSURE = Outcome(
    "unsure", "the carrier was asked and did not say that it has the call", reach=Reach.UNKNOWN
)
VANISHED = Outcome(
    "failed", "its context was taken, and nothing was heard of it", reach=Reach.UNKNOWN
)
NO_MEDIA = Outcome("media_failed", "it was answered, and its media did not come")
STATUSES = {State.DIALLED: "dialling", State.RINGING: "ringing", State.ANSWERED: "answered"}
EVENTS = {State.RINGING: "call.ringing", State.ANSWERED: "call.answered"}


class Desk(Protocol):
    """What a placed call needs of the house (`outstanding.Outstanding`)."""

    clock: IReactorTime
    contexts: ContextStore
    journal: Journal
    closing: bool  # the server is about to stop

    def add(self, call: PlacedCall) -> None:
        """It is outstanding."""

    def warm(self, claimed: Claimed) -> None:
        """It may be answered soon: connect its vendors."""

    def name(self, context: CallContext, placed: Placed) -> None:
        """Callbacks may speak of it so."""

    def attach(self, claimed: Claimed, leg: Leg) -> LegListener:
        """The call begins, over a leg that its Telephone has opened."""

    def over(self, call: PlacedCall, end: End | None, outcome: Outcome | None) -> None:
        """No longer outstanding. None: its media has come, here or at another node."""

    def taken_elsewhere(self, call: PlacedCall, outcome: Outcome, told_carrier: bool) -> None:
        """No longer outstanding, as it seems; the history will tell."""


@dataclass(slots=True)
class _Timer:
    late: IDelayedCall | None = None

    def stop(self) -> None:
        if self.late is not None and self.late.active():
            self.late.cancel()
        self.late = None


class PlacedCall:
    """A DialUser. `state` never goes back."""

    _log = Logger()

    def __init__(self, claimed: Claimed, order: Order, desk: Desk, own_media: bool) -> None:
        """`own_media`: the Telephone carries it, so nobody comes for a context."""
        self.claimed = claimed
        self.order = order
        self.state = State.QUEUED
        self.placed: Placed | None = None
        self.verdict = ""  # who answered, told before the media was there
        self.unwanted = False  # it was given up, maybe too late: its media was on its way
        self.settled: Deferred[None] = Deferred()  # the carrier has the call, or will not have it
        self._desk = desk
        self._own_media = own_media
        self._timer = _Timer()
        self._telephone: Telephone | None = None
        self._by_callback = False  # `placed` is what a callback said
        self._is_unsure = False  # whether a claim of ours that was not answered has taken it
        self._dialling: Dialling | None = None
        self._is_over = False

    @property
    def context(self) -> CallContext:
        return self.claimed.context

    def dial(self, telephone: Telephone) -> None:
        """Ring up; `CallError` when not even a request could be made of it."""
        self._note.status("dialling")
        self._note.event("call.outbound_requested", to=self.order.callee)
        self._telephone = telephone
        self._dialling = telephone.dial(self.order, self)
        if not self._is_over:
            seconds = self.order.ring_seconds + GRACE
            self._timer.late = self._desk.clock.callLater(seconds, self._rung_out)

    # -- DialUser ---------------------------------------------------------------------------------

    def accepted(self, placed: Placed) -> None:
        self.placed, self._by_callback = placed, False
        self._desk.name(self.context, placed)
        self._note.event("channel_created", call_id=placed.call_id)
        self._note.metadata(PROVIDER_CALL_ID, placed.call_id)
        self._advance(State.DIALLED)
        self._settle(None)

    def progressed(self, progress: Progress) -> None:
        if self._is_over:
            return
        if progress.state is State.OVER:
            self._take_back(progress.outcome or NO_MEDIA, told_carrier=True)
        elif self._advance(progress.state):
            self._desk.warm(self.claimed)
            if progress.state is State.ANSWERED:
                self._wait(MEDIA_WITHIN, NO_MEDIA)

    def attach(self, leg: Any) -> Any:
        if self._is_over:
            raise GivenUp("the call is over already")
        self._advance(State.ANSWERED)
        self._close(None, None)
        return self._desk.attach(self.claimed, leg)

    def happened(self, name: str, **data: Any) -> None:
        self._note.event(name, **data)

    def failed(self, outcome: Outcome) -> None:
        if not self._is_over:
            self._take_back(outcome, told_carrier=True)

    # -- the house --------------------------------------------------------------------------------

    def named_by_callback(self, call_id: str) -> None:
        """What its carrier calls it, where the answer that would have told so was lost."""
        if self.placed is None and not self._is_over:
            self.placed, self._by_callback = Placed(call_id), True
            self._desk.name(self.context, self.placed)
            self._note.metadata(PROVIDER_CALL_ID, call_id)

    def media_came(self) -> None:
        """Its context was taken for its media, here."""
        self._close(None, None)

    def wait_again(self) -> None:
        """Its media connection was cut before it was open: another one may come."""
        if self._desk.closing:
            return  # at another node
        self._is_over = False
        self._desk.add(self)
        self._wait(MEDIA_WITHIN, NO_MEDIA)

    def give_up(self, outcome: Outcome) -> None:
        """Stop ringing; nothing when its media has come."""
        if not self._is_over:
            self._take_back(outcome, told_carrier=False)

    def not_dialled(self, error: Exception) -> None:
        """Nobody was asked, or not for long: the preparation went wrong."""
        outcome = Outcome("internal_error", reach=Reach.NOBODY)
        if isinstance(error, CallError):
            outcome = Outcome(error.reason.replace("-", "_"), str(error), reach=Reach.NOBODY)
        self._end(outcome)

    def lost(self, outcome: Outcome, told_carrier: bool) -> End:
        """Neither media nor an end of it was seen anywhere: that is its end."""
        self._cancel(told_carrier)
        return write_outcome(self._note, outcome)

    def let_go(self) -> None:
        """The server stops, and the context could not be taken back: leave no timer behind."""
        self._timer.stop()
        self._is_over = True

    # -- inside -----------------------------------------------------------------------------------

    @property
    def _note(self) -> Notebook:
        return self._desk.journal.of(self.context.conversation_id)

    def _advance(self, state: State) -> bool:
        """Whether that is news."""
        if self._is_over or state.value <= self.state.value:
            return False
        self.state = state
        if state in STATUSES:
            self._note.status(STATUSES[state])
        if state in EVENTS:
            self._note.event(EVENTS[state])
        return True

    def _rung_out(self) -> None:
        """Only of a call that the carrier has is it known that it rang, and may ring again."""
        self.give_up(UNSURE if self.state is State.QUEUED else NO_ANSWER)

    def _wait(self, seconds: float, outcome: Outcome) -> None:
        self._timer.stop()
        self._timer.late = self._desk.clock.callLater(seconds, self.give_up, outcome)

    def _take_back(self, outcome: Outcome, told_carrier: bool) -> None:
        """Only who takes the context out may end the call: else its media has come."""
        self._timer.stop()
        if self._own_media:
            self._cancel(told_carrier)
            self._end(outcome)
            return
        taking = self._desk.contexts.claim(self.context.id, self.context.carrier)
        taking.addCallbacks(
            lambda _: self._taken_back(outcome, told_carrier),
            lambda failure: self._not_taken(failure, outcome, told_carrier),
        )
        taking.addErrback(lambda f: self._log.failure("a placed call was not given up", f))

    def _taken_back(self, outcome: Outcome, told_carrier: bool) -> None:
        if not self._is_over:
            self._cancel(told_carrier)
            self._end(outcome)

    def _not_taken(self, failure: Failure, outcome: Outcome, told_carrier: bool) -> None:
        if self._is_over:
            return
        if failure.check(ContextNotFound):
            self._close(None, None)
            if not self._is_unsure:
                outcome, told_carrier = VANISHED, True
            self._desk.taken_elsewhere(self, outcome, told_carrier)
        else:
            self._is_unsure = True
            self._log.warn("a placed call waits on: {why}", why=failure.getErrorMessage())
            again = self._desk.clock.callLater(GRACE, self._take_back, outcome, told_carrier)
            self._timer.late = again

    def _cancel(self, told_carrier: bool) -> None:
        dialling, self._dialling = self._dialling, None
        if dialling is not None and not told_carrier:
            dialling.cancel()
            if self._by_callback:
                self._hang_up()

    def _hang_up(self) -> None:
        """Its dialling does not know how."""
        assert self._telephone is not None
        assert self.placed is not None
        order = self.order
        line = self._telephone.line(
            RemoteCall(
                self.placed.call_id,
                order.account,
                OUTBOUND,
                order.caller,
                order.event_url,
                order.options,
            )
        )
        if line is not None:
            line.hang_up(End("cancelled"))

    def _end(self, outcome: Outcome) -> None:
        if not self._is_over:
            self._close(write_outcome(self._note, outcome), outcome)

    def _close(self, end: End | None, outcome: Outcome | None) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._timer.stop()
        if outcome is None or outcome.reach is Reach.CARRIER:
            self._settle(None)
        else:
            self._settle(CarrierRefused.by(outcome))
        self._desk.over(self, end, outcome)

    def _settle(self, error: CallError | None) -> None:
        if not self.settled.called:
            if error is None:
                self.settled.callback(None)
            else:
                self.settled.errback(error)


def write_outcome(note: Notebook, outcome: Outcome) -> End:
    """A placed call came to nothing: into its history."""
    end = outcome.end()
    note.event(
        "call.failed",
        reason=end.reason,
        detail=outcome.reason,
        code=outcome.code,
        retryable=outcome.retryable,
        reach=outcome.reach.value,
        status=end.status,
        **({} if outcome.retry_after is None else {"retry_after": outcome.retry_after}),
    )
    note.metric("call.status", end.status)
    note.metric("call.disconnected_by", end.disconnected_by)
    for name, value in (
        ("disconnect_reason", end.reason),
        ("call_error", outcome.reason),
        ("provider_status_code", outcome.code),
        ("retryable", str(outcome.retryable).lower()),
    ):
        if value:
            note.metadata(name, value)
    note.status("failed", end.reason)
    return end


def _conforms(call: PlacedCall) -> DialUser:
    return call
