"""Outstanding: the placed calls of this process whose media is not there yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from weakref import WeakValueDictionary

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.calls.call_request import CallOver
from rapida_tw.calls.claimed import Claimed
from rapida_tw.calls.context import OUTBOUND, CallContext, ContextStore
from rapida_tw.calls.draining import Emptying
from rapida_tw.calls.journal import Journal
from rapida_tw.calls.names import Names
from rapida_tw.calls.placed_call import (
    EVENTS,
    NO_MEDIA,
    PROVIDER_CALL_ID,
    STATUSES,
    Desk,
    PlacedCall,
    write_outcome,
)
from rapida_tw.calls.warm import Prepared, Warm
from rapida_tw.carriers.base import CarrierEvent
from rapida_tw.carriers.outbound import Outcome, Placed, Progress, Reach, State
from rapida_tw.errors import CallError, ContextNotFound, End, NotFound, Unavailable
from rapida_tw.media.leg import Leg, LegListener
from rapida_tw.metrics import Counter, Gauge
from rapida_tw.store.records import ConversationStore, NamedCall

LOOK_AFTER = 30.0  # seconds in which media that came to another node is in the history
SETTLED_WITHIN = 3.0  # seconds, at the server's end
_NOT_THERE = ("queued", "dialling", "ringing", "answered")  # the media

Prepare = Callable[[Claimed], Prepared]
Attach = Callable[[Claimed, Leg], LegListener]

ringing = Gauge("rapida_calls_outstanding", "Calls that we placed and that are not answered.")
came_out = Counter("rapida_calls_placed_total", "Calls that we placed.", ("carrier", "outcome"))


class Outstanding:
    """By the conversation's id. `watchers` are told how each placed call came out."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        contexts: ContextStore,
        journal: Journal,
        conversations: ConversationStore,
        names: Names,
        warm: Warm,
        prepare: Prepare,
        attach: Attach,
    ) -> None:
        self.clock = clock
        self.contexts = contexts
        self.journal = journal
        self.watchers: list[Callable[[CallOver], None]] = []
        self.closing = False
        self._beginning = 0
        self._looks: dict[int, IDelayedCall] = {}
        self._emptying = Emptying(clock)
        self._conversations = conversations
        self._names = names
        self._warm = warm
        self._prepare = prepare
        self._attach = attach
        self._calls: dict[int, PlacedCall] = {}
        # Whose context was taken here, for as long as somebody has them.
        self._arriving: WeakValueDictionary[int, PlacedCall] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._calls) + self._beginning

    def begin(self) -> None:
        """A call was let in, and is not dialled yet."""
        self._beginning += 1

    def begun(self) -> None:
        """It is dialled, or will not be."""
        self._beginning -= 1
        self._settle()

    def add(self, call: PlacedCall) -> None:
        self._calls[call.context.conversation_id] = call
        ringing.set(len(self._calls))

    def find(self, conversation_id: int) -> PlacedCall | None:
        return self._calls.get(conversation_id)

    def has_context(self, context_id: str) -> bool:
        """Whether the media of such a call would come with it."""
        return any(call.context.id == context_id.lower() for call in self._calls.values())

    def claimed(self, context: CallContext) -> PlacedCall | None:
        """Its media is there, at this node."""
        call = self._calls.get(context.conversation_id)
        if call is not None:
            self._arriving[context.conversation_id] = call
            call.media_came()
        return call

    async def with_name(self, context: CallContext) -> CallContext:
        """Of a call that another node placed: with what its carrier calls it, for steering.

        Without it where that was not told yet.
        """
        if context.direction != OUTBOUND or context.provider_call_id:
            return context
        found = await self._conversations.get(context.conversation_id)
        kept = {one.name: one.value for one in found.entries if one.kind == "metadata"}
        return replace(context, provider_call_id=kept.get(PROVIDER_CALL_ID, ""))

    def event_received(
        self, call: NamedCall, carrier: str, context_id: str, event: CarrierEvent
    ) -> None:
        """A callback, maybe of a call whose media is not there; `context_id`: of its address."""
        placed = self._calls.get(call.conversation_id)
        arriving = self._arriving.get(call.conversation_id)
        if arriving is not None:
            arriving.verdict = event.verdict or arriving.verdict
        if placed is not None and placed.context.carrier == carrier:
            placed.verdict = event.verdict or placed.verdict
            if event.progress is not None:
                if event.call_ids and context_id.lower() == placed.context.id:
                    placed.named_by_callback(event.call_ids[0])
                placed.progressed(event.progress)
        elif placed is None and event.progress is not None and context_id:
            self._foreign(call.conversation_id, carrier, context_id, event.progress)

    def _foreign(
        self, conversation_id: int, carrier: str, context_id: str, progress: Progress
    ) -> None:
        """Of a call that another node has placed: its ring timer finds that it is settled."""
        work = self._elsewhere(conversation_id, carrier, context_id, progress)
        Deferred.fromCoroutine(work).addErrback(self._not_told)

    async def _elsewhere(
        self, conversation_id: int, carrier: str, context_id: str, progress: Progress
    ) -> None:
        note = self.journal.of(conversation_id)
        if progress.state is State.OVER:
            await self.contexts.claim(context_id, carrier)
            write_outcome(note, progress.outcome or NO_MEDIA)
        elif progress.state in EVENTS and await self.contexts.waits(context_id, carrier):
            note.status(STATUSES[progress.state])
            note.event(EVENTS[progress.state])

    def _not_told(self, failure: Failure) -> None:
        if failure.check(Unavailable):
            self._log.warn("a callback came to nothing: {why}", why=failure.getErrorMessage())
        elif not failure.check(ContextNotFound):
            self._log.failure("a callback came to nothing", failure)

    # -- Desk -------------------------------------------------------------------------------------

    def warm(self, claimed: Claimed) -> None:
        if not self._warm.has(claimed.context.id):
            try:
                self._warm.keep(claimed.context.id, self._prepare(claimed))
            except CallError as error:  # it was tried when it was prepared, and changed since
                self._log.warn("a placed call was not warmed up: {why}", why=error)
            except Exception:
                # A plug-in's mistake: the call will say what is wrong.
                self._log.failure("a placed call was not warmed up")

    def name(self, context: CallContext, placed: Placed) -> None:
        naming = self.know(context, (placed.call_id, *placed.names))
        naming.addErrback(lambda f: self._log.failure("a call's name was not kept", f))

    def know(self, context: CallContext, names: Sequence[str]) -> Deferred[None]:
        """Names of a call, here at once and for other nodes when it fires; `Unavailable`."""
        whose = NamedCall(context.conversation_id, context.assistant_id, context.project_id)
        self._names.remember(context.carrier, names, whose)
        return self._conversations.add_names(context.conversation_id, tuple(filter(None, names)))

    def attach(self, claimed: Claimed, leg: Leg) -> LegListener:
        return self._attach(claimed, leg)

    def over(self, call: PlacedCall, end: End | None, outcome: Outcome | None) -> None:
        context = call.context
        self._calls.pop(context.conversation_id, None)
        ringing.set(len(self._calls))
        came_out.inc(context.carrier, "media" if end is None else end.reason)
        if end is not None:
            self._warm.drop(context.id)
            certain = outcome is None or outcome.reach is not Reach.UNKNOWN
            retryable = outcome is not None and outcome.retryable
            self.tell(CallOver(context.conversation_id, end.status, end.reason, retryable, certain))
        self._settle()

    def taken_elsewhere(self, call: PlacedCall, outcome: Outcome, told_carrier: bool) -> None:
        """Whoever took it has written so by then; if not, the call would stay open for ever."""
        conversation_id = call.context.conversation_id
        if not self.closing and conversation_id not in self._looks:
            look = self.clock.callLater(LOOK_AFTER, self._look, call, outcome, told_carrier)
            self._looks[conversation_id] = look

    def _look(self, call: PlacedCall, outcome: Outcome, told_carrier: bool) -> None:
        del self._looks[call.context.conversation_id]
        work = self._look_up(call, outcome, told_carrier)
        Deferred.fromCoroutine(work).addErrback(
            lambda f: self._log.failure("a placed call was not looked up", f)
        )

    async def _look_up(self, call: PlacedCall, outcome: Outcome, told_carrier: bool) -> None:
        context = call.context
        try:
            found = await self._conversations.get(context.conversation_id)
            if found.status not in _NOT_THERE or found.id in self._calls:
                return
            with suppress(ContextNotFound):
                await self.contexts.claim(context.id, context.carrier)
                # Its media connection broke over there, and nobody has come again.
                outcome, told_carrier = NO_MEDIA, False
        except Unavailable:
            self.taken_elsewhere(call, outcome, told_carrier)
        except NotFound:
            return
        else:
            end, certain = call.lost(outcome, told_carrier), outcome.reach is not Reach.UNKNOWN
            over = CallOver(found.id, end.status, end.reason, outcome.retryable, certain)
            self.tell(over)

    def tell(self, over: CallOver) -> None:
        """Also of those that were talked on."""
        for watcher in self.watchers:
            try:
                watcher(over)
            except Exception:
                self._log.failure("a watcher of placed calls failed")

    def give_up_all(self) -> None:
        """The server is about to stop: nobody would be there when they answer."""
        self.closing = True
        for call in tuple(self._calls.values()):
            call.give_up(Outcome("cancelled", "the server is about to stop", retryable=True))

    def settled(self) -> Deferred[None]:
        """All are given up, or it has taken too long: then nobody waits for them any more."""
        settling = self._emptying.wait(len(self), SETTLED_WITHIN)
        return settling.addCallback(lambda _: self._close())

    def _settle(self) -> None:
        if not len(self):
            self._emptying.emptied()

    def _close(self) -> None:
        for call in self._calls.values():
            call.let_go()
        for look in self._looks.values():
            look.cancel()
        self._calls.clear()
        self._looks.clear()


def over_of(conversation_id: int, end: End) -> CallOver:
    """Of a call that was talked on: it was reached, so nobody calls again."""
    return CallOver(conversation_id, end.status, end.reason, False)


_conforms: type[Desk] = Outstanding
