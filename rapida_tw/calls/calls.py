"""Calls: the register of all calls; who is on the phone, how to reach them, who must go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.calls.accounts import accounts_of
from rapida_tw.calls.admission import Admission
from rapida_tw.calls.call import Call, LiveCall, Script
from rapida_tw.calls.claimed import Claimed
from rapida_tw.calls.context import LIFETIME, CallContext, ContextStore
from rapida_tw.calls.events import CarrierEvents
from rapida_tw.calls.journal import Journal
from rapida_tw.calls.line import line_of
from rapida_tw.calls.names import Names
from rapida_tw.calls.parts import LiveParts, Parts, Vendors
from rapida_tw.calls.registration import Announced, Registered, Registration
from rapida_tw.calls.rehearsal import Rehearsal
from rapida_tw.calls.script import script
from rapida_tw.calls.toolset import Makers
from rapida_tw.calls.warm import Prepared, Warm
from rapida_tw.carriers.base import CarrierEvent, IncomingCall
from rapida_tw.errors import (
    INTERNAL_ERROR,
    SHUTTING_DOWN,
    TRANSFERRED,
    CallError,
    CapacityExceeded,
    End,
    GivenUp,
    NotFound,
)
from rapida_tw.ids import Ids
from rapida_tw.media.clock import MediaClock
from rapida_tw.media.disk import RecordingDisk
from rapida_tw.media.leg import Leg, LegListener
from rapida_tw.media.recorder import Recorder
from rapida_tw.metrics import Counter, Gauge
from rapida_tw.store.records import (
    AssistantStore,
    ConversationStore,
    CredentialStore,
    NamedCall,
)

GOODBYE_WITHIN = 8.0  # seconds for the closing message when the server stops
GOODBYE = "I am sorry, I have to end the call now. Please call again in a moment. Goodbye."
HUNG_UP = End("hung_up_by_api")

started = Counter("rapida_calls_total", "Calls that were connected.", ("carrier",))
ended = Counter("rapida_calls_ended_total", "Calls that ended.", ("reason", "status"))
running = Gauge("rapida_calls_running", "Calls on the phone now.")


class Calls:
    """All calls of this process."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        beat: MediaClock,
        contexts: ContextStore,
        assistants: AssistantStore,
        credentials: CredentialStore,
        conversations: ConversationStore,
        journal: Journal,
        vendors: Vendors,
        makers: Makers,
        ids: Ids,
        now: Callable[[], float],
        max_calls: int = 0,
        recordings: Path | None = None,
        disk: RecordingDisk | None = None,
    ) -> None:
        self._clock = clock
        self._beat = beat
        self._contexts = contexts
        self._assistants = assistants
        self._credentials = credentials
        self._journal = journal
        self._vendors = vendors
        self._makers = makers
        self._now = now
        self._recordings = recordings
        self._disk = disk
        self._running: dict[int, Call] = {}
        self._names = Names(conversations)
        self._events = CarrierEvents(journal)
        self._claiming = 0  # claims that the stores have not answered
        self._arriving: dict[str, Announced | None] = {}  # claimed, by the context's id
        self._admission = Admission(beat, journal, self._taking_room, max_calls)
        self._warm = Warm(clock)
        self._registration = Registration(
            clock,
            self._admission,
            contexts,
            assistants,
            credentials,
            conversations,
            self._names,
            journal,
            Rehearsal(clock, contexts, vendors, makers, now),
            self._warm,
            ids,
            now,
        )
        self.ended = 0  # calls, since the start
        self._empty: Deferred[None] | None = None
        self._hurried = False

    def _taking_room(self) -> int:
        return len(self._running) + len(self._arriving) + self._claiming

    # -- phase 1 ----------------------------------------------------------------------------------

    @property
    def ready(self) -> str:
        """Why no new call is taken; "" when one is."""
        return self._admission.ready

    def register(
        self, incoming: IncomingCall, assistant_id: int, project_id: int
    ) -> Deferred[Registered]:
        """A webhook tells of a call; its context waits for the media connection.

        A `CallError` is spoken with the assistant's own words where these are known.
        """
        return self._registration.register(incoming, assistant_id, project_id)

    # -- phase 2 ----------------------------------------------------------------------------------

    def claim(self, context_id: str, carrier: str) -> Deferred[Claimed]:
        """The media connection is there: take its context, once.

        `ContextNotFound` when it is unknown, late, used or another carrier's; `CapacityExceeded`
        (full or draining) leaves it for a connection to another node.
        """
        return Deferred.fromCoroutine(self._claim(context_id, carrier))

    async def _claim(self, context_id: str, carrier: str) -> Claimed:
        if self._admission.full:
            raise CapacityExceeded(self._admission.full)
        self._claiming += 1
        try:
            context = await self._contexts.claim(context_id, carrier)
            announced = self._registration.claimed(context.id)
            try:
                assistant = await self._assistants.get(context.assistant_id)
                deployment = await self._assistants.deployment(context.assistant_id)
                accounts = await accounts_of(assistant, deployment, self._credentials)
            except Exception as error:  # also the end of the transport's patience
                self._journal.of(context.conversation_id).never_began(error)
                self._warm.drop(context.id)
                raise
            self._arriving[context.id] = announced
            return Claimed(context, assistant, deployment, accounts)
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
            announced = self._arriving.pop(claimed.context.id)
            putting = Deferred.fromCoroutine(self._put_back(claimed.context, announced))
            putting.addErrback(lambda f: self._log.failure("a context was not put back", f))

    async def _put_back(self, context: CallContext, announced: Announced | None) -> None:
        seconds = min(max(context.registered + LIFETIME - self._now(), 1.0), LIFETIME)
        try:
            await self._contexts.put(context, seconds)
        except Exception as error:
            self._journal.of(context.conversation_id).never_began(error)
            self._warm.drop(context.id)
            raise
        if announced is not None:
            self._registration.released(announced, seconds)

    def abandon(self, claimed: Claimed, error: CallError) -> None:
        """The connection was open and never became a call: that is its end."""
        if claimed.context.id in self._arriving:
            del self._arriving[claimed.context.id]
            self._warm.drop(claimed.context.id)
            self._journal.of(claimed.context.conversation_id).never_began(error)

    def attach(self, claimed: Claimed, leg: Leg) -> LegListener:
        """Make a call of a leg: it is on the beat when this returns, or has ended already.

        A `CallError` says why it cannot be made: the assistant's configuration, or the server
        is draining since the claim.
        """
        self._arriving.pop(claimed.context.id, None)
        try:
            if self._admission.draining:
                raise CapacityExceeded("draining")
            call = self._make(claimed, leg)
        except Exception as error:
            self._journal.of(claimed.context.conversation_id).never_began(error)
            self._warm.drop(claimed.context.id)
            raise
        self._running[claimed.context.conversation_id] = call
        running.set(len(self._running))
        started.inc(claimed.context.carrier)
        try:
            call.start(self._recorder(claimed, call))
        except Exception:
            self._log.failure("{call} did not start", call=call)
            call.end(INTERNAL_ERROR)
        return call.session

    def _make(self, claimed: Claimed, leg: Leg) -> Call:
        context, now = claimed.context, self._now()
        prepared = self._warm.take(context.id) or self._prepare(claimed, leg, now)
        try:
            return self._wire(context, leg, prepared.parts, prepared.script, now)
        except BaseException:
            prepared.parts.stop()
            raise

    def _prepare(self, claimed: Claimed, leg: Leg, now: float) -> Prepared:
        """It was announced to another node, or long ago."""
        assistant, deployment = claimed.assistant, claimed.deployment
        ready = script(assistant, deployment, claimed.context, now)
        parts = self._vendors.open(assistant, deployment, claimed.accounts, leg.format)
        parts.keep(ready.experience)
        return Prepared(ready, parts)

    def _wire(
        self, context: CallContext, leg: Leg, parts: Parts | LiveParts, ready: Script, now: float
    ) -> Call:
        return Call(
            context,
            leg,
            parts,
            ready,
            self._clock,
            self._beat,
            self._journal.of(context.conversation_id),
            line_of(leg, context, self._contexts),
            self._makers,
            now,
            self._over,
        )

    def _recorder(self, claimed: Claimed, call: Call) -> Recorder | None:
        if self._disk is None or self._recordings is None or not claimed.deployment.recording:
            return None
        conversation_id = claimed.context.conversation_id
        note = self._journal.of(conversation_id)

        def failed(reason: str) -> None:
            self._log.error("{call}: recording given up: {reason}", call=call, reason=reason)
            note.event("recording.failed", reason=reason)

        name = f"{conversation_id}.wav"
        first = call.session.started
        note.recording(name)
        return Recorder(first, self._disk.open(self._recordings / name, first, failed))

    def _over(self, call: Call) -> None:
        del self._running[call.context.conversation_id]
        self.ended += 1
        running.set(len(self._running))
        if call.ended is not None:
            ended.inc(call.ended.reason, call.ended.status)
        if not self._running and self._empty is not None:
            empty, self._empty = self._empty, None
            empty.callback(None)

    # -- events, views, steering ------------------------------------------------------------------

    def named(
        self, carrier: str, names: Sequence[str], project_id: int | None = None
    ) -> Deferred[NamedCall | None]:
        """The call, running or not, that a carrier knows under the first of `names` that fits.

        With a project only its own calls are seen. `Unavailable`.
        """
        return self._names.find(carrier, names, project_id)

    def event_received(self, call: NamedCall | None, carrier: str, event: CarrierEvent) -> None:
        """A status callback of the carrier; None: it is of no known call."""
        self._events.received(call, carrier, event)

    def follow_up(self, context_id: str) -> Deferred[str]:
        """Where the dialplan is to go on after the call; "" = nowhere."""
        return self._contexts.fetch(context_id)

    def live(self, project_id: int) -> Sequence[LiveCall]:
        views = (call.view() for call in self._running.values())
        return [view for view in views if view.project_id == project_id]

    def find(self, conversation_id: int, project_id: int) -> LiveCall:
        return self._call(conversation_id, project_id).view()

    def _call(self, conversation_id: int, project_id: int) -> Call:
        call = self._running.get(conversation_id)
        if call is None or call.context.project_id != project_id:
            raise NotFound(f"no call {conversation_id} is on the phone")
        return call

    def hang_up(self, conversation_id: int, project_id: int) -> None:
        self._call(conversation_id, project_id).end(HUNG_UP)

    def say(self, conversation_id: int, project_id: int, text: str) -> None:
        self._call(conversation_id, project_id).say(text)

    def transfer(self, conversation_id: int, project_id: int, to: str) -> Deferred[None]:
        """`NotSupported` when the call's carrier cannot."""
        call = self._call(conversation_id, project_id)
        return call.transfer(to).addCallback(lambda _: call.end(TRANSFERRED.because(f"to {to}")))

    def send_digits(self, conversation_id: int, project_id: int, digits: str) -> None:
        self._call(conversation_id, project_id).send_digits(digits)

    def __len__(self) -> int:
        return len(self._running)

    # -- the end ----------------------------------------------------------------------------------

    def drain(self, seconds: float) -> Deferred[None]:
        """Take no new call, let the running ones end, then say goodbye to what is left."""
        return Deferred.fromCoroutine(self._drain(seconds))

    async def _drain(self, seconds: float) -> None:
        self._admission.draining = True
        if self._running:
            self._log.info("draining: {calls} calls on the phone", calls=len(self._running))
            await self._emptied(seconds)
        if not self._hurried:
            for call in tuple(self._running.values()):
                call.say_goodbye(GOODBYE)
            await self._emptied(GOODBYE_WITHIN)
        for call in tuple(self._running.values()):
            call.end(SHUTTING_DOWN)
        self._registration.close()
        self._warm.close()

    def hurry(self) -> None:
        """Cut the drain short, its goodbyes too: what is still on the phone ends now."""
        self._hurried = True
        self._stop_waiting()

    def _emptied(self, seconds: float) -> Deferred[None]:
        """Fires when no call is left, or after so many seconds."""
        if not self._running:
            return succeed(None)
        self._empty = Deferred()
        late = deferLater(self._clock, seconds, self._stop_waiting)
        self._empty.addBoth(lambda _: late.cancel())
        late.addErrback(lambda _: None)
        return self._empty

    def _stop_waiting(self) -> None:
        empty, self._empty = self._empty, None
        if empty is not None:
            empty.callback(None)
