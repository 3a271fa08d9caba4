"""Calls: the register of all calls; who is on the phone, how to reach them, who must go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rapida_tw.audio.format import AudioFormat
from rapida_tw.calls.admission import Admission
from rapida_tw.calls.arrivals import Arrivals
from rapida_tw.calls.call import Call, LiveCall, Script
from rapida_tw.calls.cast import Cast
from rapida_tw.calls.claimed import Claimed
from rapida_tw.calls.context import INBOUND, OUTBOUND, ContextStore
from rapida_tw.calls.dialling_rules import DiallingRules
from rapida_tw.calls.draining import Emptying
from rapida_tw.calls.events import CarrierEvents
from rapida_tw.calls.journal import Journal
from rapida_tw.calls.line import line_of
from rapida_tw.calls.names import Names
from rapida_tw.calls.outstanding import Outstanding, over_of
from rapida_tw.calls.parts import LiveParts, Parts, Vendors
from rapida_tw.calls.placing import Placements, Settings
from rapida_tw.calls.recordings import Recordings
from rapida_tw.calls.registration import Registered, Registration
from rapida_tw.calls.rehearsal import Rehearsal
from rapida_tw.calls.script import script
from rapida_tw.calls.toolset import Makers
from rapida_tw.calls.warm import Prepared, Warm
from rapida_tw.carriers.base import CarrierEvent, IncomingCall
from rapida_tw.carriers.outbound import Telephones
from rapida_tw.errors import (
    INTERNAL_ERROR,
    SHUTTING_DOWN,
    TRANSFERRED,
    CallError,
    CapacityExceeded,
    End,
    NotFound,
)
from rapida_tw.ids import Ids
from rapida_tw.media.clock import MediaClock
from rapida_tw.media.disk import RecordingDisk
from rapida_tw.media.leg import Leg, LegListener
from rapida_tw.metrics import Counter, Gauge
from rapida_tw.store.placements import PlacementStore
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
        telephones: Telephones | None = None,
    ) -> None:
        """`telephones`: what carriers can do besides carrying audio, by the carrier's name."""
        self._clock = clock
        self._beat = beat
        self._contexts = contexts
        self._cast = Cast(assistants, credentials)
        self._journal = journal
        self._vendors = vendors
        self._makers = makers
        self._now = now
        self._ids = ids
        self._recordings = Recordings(recordings, disk, journal)
        self._running: dict[int, Call] = {}
        self._names = Names(conversations)
        self._events = CarrierEvents(journal)
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
        self._check_number: Callable[[str], None] = lambda number: None
        # Who has answered a call that is not here; the house tells it to the other nodes.
        self.verdict_elsewhere: Callable[[NamedCall, str], None] = lambda call, verdict: None
        self.ended = 0  # calls, since the start
        self._emptying = Emptying(clock)
        self._telephones: Telephones = {} if telephones is None else telephones
        self.outstanding = Outstanding(
            clock,
            contexts,
            journal,
            conversations,
            self._names,
            self._warm,
            lambda claimed: self._prepare(claimed, claimed.media),
            self.attach,
        )
        self._arrivals = Arrivals(
            self._admission,
            contexts,
            self._registration,
            self._cast,
            journal,
            self._warm,
            self.outstanding,
            now,
        )

    def _taking_room(self) -> int:
        # Each has its place when it is answered.
        return len(self._running) + len(self._arrivals) + len(self.outstanding)

    @property
    def room_to_dial(self) -> str:
        """Why no call may be placed now; "" when one may."""
        return self._admission.room_to_dial

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

    def placements(
        self, store: PlacementStore, rules: DiallingRules, settings: Settings, reserve: float
    ) -> Placements:
        """Who places calls of this register; `reserve`: the share of room that is not theirs."""
        self._admission.reserve = reserve
        self._check_number = rules.check_target
        return Placements(
            self._clock,
            self._cast,
            self._contexts,
            store,
            self._journal,
            self.outstanding,
            self._registration.rehearse,
            lambda: self.room_to_dial,
            self._telephones,
            rules,
            settings,
            self._ids,
            self._now,
        )

    # -- phase 2 ----------------------------------------------------------------------------------

    def claim(self, context_id: str, carrier: str) -> Deferred[Claimed]:
        """The media connection is there: take its context, once.

        `ContextNotFound` when it is unknown, late, used or another carrier's; `CapacityExceeded`
        (full or draining) leaves it for a connection to another node.
        """
        return self._arrivals.claim(context_id, carrier)

    def take(
        self, incoming: IncomingCall, assistant_id: int, project_id: int, direction: str = INBOUND
    ) -> Deferred[Claimed]:
        """A call whose media we open ourselves (SIP): announced and claimed in one; cancel freely.

        Errors as of `register`.
        """
        return self._arrivals.take(incoming, assistant_id, project_id, direction)

    def release(self, claimed: Claimed) -> None:
        """The connection was cut before it was open: the carrier tries again.

        The context waits for the rest of its time.
        """
        self._arrivals.release(claimed)

    def abandon(self, claimed: Claimed, error: CallError) -> None:
        """The connection was open and never became a call: that is its end."""
        self._arrivals.abandon(claimed, error)

    def attach(self, claimed: Claimed, leg: Leg) -> LegListener:
        """Make a call of a leg: it is on the beat when this returns, or has ended already.

        A `CallError` says why it cannot be made: the assistant's configuration, or the server
        is draining since the claim.
        """
        self._arrivals.attached(claimed)
        try:
            if self._admission.draining:
                raise CapacityExceeded("draining")
            call = self._make(claimed, leg)
        except Exception as error:
            self._arrivals.never_began(claimed.context, error)
            raise
        self._running[claimed.context.conversation_id] = call
        running.set(len(self._running))
        started.inc(claimed.context.carrier)
        try:
            call.start(self._recordings.recorder(claimed, call.session.started))
        except Exception:
            self._log.failure("{call} did not start", call=call)
            call.end(INTERNAL_ERROR)
        if claimed.placed is not None and claimed.placed.verdict:
            call.machine_detected(claimed.placed.verdict)
        if claimed.placed is not None and claimed.placed.unwanted:
            call.end(HUNG_UP)
        return call.session

    def _make(self, claimed: Claimed, leg: Leg) -> Call:
        context, now = claimed.context, self._now()
        prepared = self._warm.take(context.id) or self._prepare(claimed, leg.format)
        try:
            return self._wire(claimed, leg, prepared.parts, prepared.script, now)
        except BaseException:
            prepared.parts.stop()
            raise

    def _prepare(self, claimed: Claimed, media: AudioFormat | None) -> Prepared:
        """It was announced to another node, or long ago, or it was placed."""
        assistant, deployment = claimed.assistant, claimed.deployment
        ready = script(assistant, deployment, claimed.context, self._now())
        parts = self._vendors.open(assistant, deployment, claimed.accounts, media)
        parts.keep(ready.experience)
        return Prepared(ready, parts)

    def _wire(
        self, claimed: Claimed, leg: Leg, parts: Parts | LiveParts, ready: Script, now: float
    ) -> Call:
        context = claimed.context
        return Call(
            context,
            leg,
            parts,
            ready,
            self._clock,
            self._beat,
            self._journal.of(context.conversation_id),
            line_of(leg, claimed, self._contexts, self._telephones),
            self._makers,
            now,
            self._over,
        )

    def _over(self, call: Call) -> None:
        del self._running[call.context.conversation_id]
        self.ended += 1
        running.set(len(self._running))
        if call.ended is not None:
            ended.inc(call.ended.reason, call.ended.status)
            if call.context.direction == OUTBOUND:
                self.outstanding.tell(over_of(call.context.conversation_id, call.ended))
        if not self._running:
            self._emptying.emptied()

    # -- events, views, steering ------------------------------------------------------------------

    def named(
        self, carrier: str, names: Sequence[str], project_id: int | None = None
    ) -> Deferred[NamedCall | None]:
        """The call, running or not, that a carrier knows under the first of `names` that fits.

        With a project only its own calls are seen. `Unavailable`.
        """
        return self._names.find(carrier, names, project_id)

    def event_received(
        self, call: NamedCall | None, carrier: str, event: CarrierEvent, context_id: str = ""
    ) -> None:
        """A status callback of the carrier; None: it is of no known call.

        `context_id`: of the address that it was sent to. It ends calls whose media is not there,
        and no other.
        """
        if not self._events.received(call, carrier, event) or call is None:
            return
        self.outstanding.event_received(call, carrier, context_id, event)
        if event.verdict and self.outstanding.find(call.conversation_id) is None:
            if call.conversation_id in self._running:
                self._running[call.conversation_id].machine_detected(event.verdict)
            else:
                self.verdict_elsewhere(call, event.verdict)

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
        """`NotSupported` when the call's carrier cannot, `DiallingForbidden`."""
        call = self._call(conversation_id, project_id)
        self._check_number(to)
        return call.transfer(to).addCallback(lambda _: call.end(TRANSFERRED.because(f"to {to}")))

    def send_digits(self, conversation_id: int, project_id: int, digits: str) -> Deferred[None]:
        """`BadRequest` for what is no key; fires when they are sent, or heard as tones."""
        return self._call(conversation_id, project_id).send_digits(digits)

    def machine_detected(self, conversation_id: int, project_id: int, verdict: str) -> None:
        """Another node was told who has answered."""
        self._call(conversation_id, project_id).machine_detected(verdict)

    def hold(self, conversation_id: int, project_id: int, on: bool) -> None:
        self._call(conversation_id, project_id).hold(on)

    def __len__(self) -> int:
        return len(self._running)

    # -- the end ----------------------------------------------------------------------------------

    def drain(self, seconds: float) -> Deferred[None]:
        """Take no new call, let the running ones end, then say goodbye to what is left."""
        return Deferred.fromCoroutine(self._drain(seconds))

    async def _drain(self, seconds: float) -> None:
        self._admission.draining = True
        self.outstanding.give_up_all()
        if self._running:
            self._log.info("draining: {calls} calls on the phone", calls=len(self._running))
            await self._emptying.wait(len(self._running), seconds)
        if not self._emptying.hurried:
            for call in tuple(self._running.values()):
                call.say_goodbye(GOODBYE)
            await self._emptying.wait(len(self._running), GOODBYE_WITHIN)
        for call in tuple(self._running.values()):
            call.end(SHUTTING_DOWN)
        await self.outstanding.settled()
        self._registration.close()
        self._warm.close()

    def hurry(self) -> None:
        """Cut the drain short, its goodbyes too: what is still on the phone ends now."""
        self._emptying.hurry()
