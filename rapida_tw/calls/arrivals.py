"""Arrivals: contexts that were taken, until their connection is a call, or will be none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.calls.admission import Admission
from rapida_tw.calls.call_request import CallOver
from rapida_tw.calls.cast import Cast
from rapida_tw.calls.claimed import Claimed
from rapida_tw.calls.context import LIFETIME, OUTBOUND, CallContext, ContextStore
from rapida_tw.calls.journal import Journal
from rapida_tw.calls.outstanding import Outstanding
from rapida_tw.calls.registration import Announced, Registration
from rapida_tw.calls.warm import Warm
from rapida_tw.carriers.base import IncomingCall
from rapida_tw.errors import CallError, CapacityExceeded, GivenUp


class Arrivals:
    """Each takes the room of a call."""

    _log = Logger()

    def __init__(
        self,
        admission: Admission,
        contexts: ContextStore,
        registration: Registration,
        cast: Cast,
        journal: Journal,
        warm: Warm,
        outstanding: Outstanding,
        now: Callable[[], float],
    ) -> None:
        self._admission = admission
        self._contexts = contexts
        self._registration = registration
        self._cast = cast
        self._journal = journal
        self._warm = warm
        self._outstanding = outstanding
        self._now = now
        self._claiming = 0  # claims that the stores have not answered
        self._arriving: dict[str, Announced | None] = {}  # by the context's id

    def __len__(self) -> int:
        """How many are on their way."""
        return len(self._arriving) + self._claiming

    def claim(self, context_id: str, carrier: str) -> Deferred[Claimed]:
        """See `Calls`."""
        return Deferred.fromCoroutine(self._claim(context_id, carrier))

    async def _claim(self, context_id: str, carrier: str) -> Claimed:
        why = self._admission.full
        if why and (self._admission.draining or not self._outstanding.has_context(context_id)):
            raise CapacityExceeded(why)
        self._claiming += 1
        try:
            context = await self._contexts.claim(context_id, carrier)
            placed = self._outstanding.claimed(context)
            announced = self._registration.claimed(context.id)
            try:
                if placed is None:
                    context = await self._outstanding.with_name(context)
                claimed = await self._cast.of(context)
            except Exception as error:  # also the end of the transport's patience
                self.never_began(context, error)
                raise
            self._arriving[context.id] = announced
            return claimed if placed is None else replace(claimed, placed=placed)
        finally:
            self._claiming -= 1

    def take(
        self, incoming: IncomingCall, assistant_id: int, project_id: int, direction: str = "inbound"
    ) -> Deferred[Claimed]:
        """A call whose media we open ourselves (SIP): announced and claimed in one; cancel freely.

        Errors as of `register`.
        """
        answer: Deferred[Claimed] = Deferred()

        def taken(result: Claimed | Failure) -> None:
            if not answer.called:
                answer.callback(result)
            elif isinstance(result, Claimed):
                self.abandon(result, GivenUp("nobody waits for the call any more"))

        work = Deferred.fromCoroutine(self._take(incoming, assistant_id, project_id, direction))
        work.addBoth(taken)
        return answer

    async def _take(
        self, incoming: IncomingCall, assistant_id: int, project_id: int, direction: str
    ) -> Claimed:
        self._registration.check_room()
        self._claiming += 1
        try:
            claimed = await self._registration.admit(incoming, assistant_id, project_id, direction)
            self._arriving[claimed.context.id] = None
            return claimed
        finally:
            self._claiming -= 1

    def release(self, claimed: Claimed) -> None:
        """The connection was cut before it was open: the carrier tries again.

        The context waits for the rest of its time.
        """
        if claimed.context.id in self._arriving:
            if claimed.placed is not None:
                claimed.placed.wait_again()
            announced = self._arriving.pop(claimed.context.id)
            putting = Deferred.fromCoroutine(self._put_back(claimed.context, announced))
            putting.addErrback(lambda f: self._log.failure("a context was not put back", f))

    async def _put_back(self, context: CallContext, announced: Announced | None) -> None:
        seconds = min(max(context.registered + LIFETIME - self._now(), 1.0), LIFETIME)
        try:
            await self._contexts.put(context, seconds)
        except Exception as error:
            self.never_began(context, error)
            raise
        if announced is not None:
            self._registration.released(announced, seconds)

    def abandon(self, claimed: Claimed, error: CallError) -> None:
        """The connection was open and never became a call: that is its end."""
        if claimed.context.id in self._arriving:
            del self._arriving[claimed.context.id]
            self.never_began(claimed.context, error)

    def attached(self, claimed: Claimed) -> None:
        """It is becoming a call."""
        self._arriving.pop(claimed.context.id, None)

    def never_began(self, context: CallContext, error: Exception) -> None:
        """It will be none: into its history, and nothing is kept for it."""
        self._journal.of(context.conversation_id).never_began(error)
        self._warm.drop(context.id)
        if context.direction == OUTBOUND:
            reason = error.reason if isinstance(error, CallError) else "internal-error"
            self._outstanding.tell(CallOver(context.conversation_id, "failed", reason, False))
