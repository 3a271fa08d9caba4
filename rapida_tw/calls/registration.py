"""Registration, phase 1: a webhook tells of a call, and its context waits for the media."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.calls.accounts import accounts_of
from rapida_tw.calls.admission import Admission
from rapida_tw.calls.claimed import Claimed
from rapida_tw.calls.context import LIFETIME, OUTBOUND, CallContext, ContextStore, fresh
from rapida_tw.calls.journal import Journal
from rapida_tw.calls.names import Names
from rapida_tw.calls.rehearsal import Rehearsal
from rapida_tw.calls.warm import Warm
from rapida_tw.carriers.base import IncomingCall
from rapida_tw.errors import NEVER_CONNECTED, CallError, CapacityExceeded, ContextNotFound
from rapida_tw.ids import Ids
from rapida_tw.metrics import Counter
from rapida_tw.store.records import (
    AssistantStore,
    Conversation,
    ConversationStore,
    CredentialStore,
    Deployment,
    NamedCall,
)

registered = Counter("rapida_calls_registered_total", "Webhooks that made a call.", ("carrier",))
repeated = Counter(
    "rapida_webhooks_repeated_total", "Webhooks for a call that waits already.", ("carrier",)
)
refused = Counter("rapida_calls_refused_total", "Webhooks that were refused.", ("reason",))


@dataclass(frozen=True, slots=True)
class Registered:
    """A call whose media may come, and the deployment that it is for."""

    context: CallContext
    deployment: Deployment


@dataclass(frozen=True, slots=True)
class Announced:
    """A registered call that nobody has claimed; `name` is the carrier's for it."""

    registered: Registered
    name: Hashable
    expiry: IDelayedCall


class Registration:
    """The calls that were announced and have no media yet.

    A carrier that had no answer in time asks again: the same name of a call, while its context
    waits, is the same call. When it was claimed it is a new one, because a call flow may come back.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        admission: Admission,
        contexts: ContextStore,
        assistants: AssistantStore,
        credentials: CredentialStore,
        conversations: ConversationStore,
        names: Names,
        journal: Journal,
        rehearse: Rehearsal,
        warm: Warm,
        ids: Ids,
        now: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._admission = admission
        self._contexts = contexts
        self._assistants = assistants
        self._credentials = credentials
        self._conversations = conversations
        self._names = names
        self._journal = journal
        self._rehearse = rehearse
        self._warm = warm
        self._ids = ids
        self._now = now
        self._asking: dict[Hashable, list[Deferred[Registered]]] = {}  # until it is registered
        self._waiting: dict[str, Announced] = {}  # by the context's id
        self._named: dict[Hashable, str] = {}  # the newest context of that name

    def __len__(self) -> int:
        """How many calls are announced, or about to be."""
        return len(self._waiting) + len(self._asking)

    def register(
        self, incoming: IncomingCall, assistant_id: int, project_id: int
    ) -> Deferred[Registered]:
        """`CapacityExceeded`, `AssistantNotFound`, `MisconfiguredAssistant`, `Unavailable`.

        Cancelling gives up the answer and not the work: half a registration would stay in the
        history for ever, a whole one expires.
        """
        name: Hashable = object()
        if incoming.provider_call_id:
            name = (incoming.carrier, incoming.provider_call_id, assistant_id, project_id)
        answer: Deferred[Registered] = Deferred()
        if name in self._asking:
            self._asking[name].append(answer)
            repeated.inc(incoming.carrier)
            return answer
        self._asking[name] = [answer]
        work = Deferred.fromCoroutine(self._register(name, incoming, assistant_id, project_id))
        work.addBoth(self._answer, name)
        return answer

    def _answer(self, result: Registered | Failure, name: Hashable) -> None:
        for answer in self._asking.pop(name):
            if isinstance(result, Failure):
                answer.errback(result)
            else:
                answer.callback(result)

    async def _register(
        self, name: Hashable, incoming: IncomingCall, assistant_id: int, project_id: int
    ) -> Registered:
        if incoming.context_id:
            placed = await self._placed(incoming, assistant_id, project_id)
            if placed is not None:
                return placed
        try:
            again = await self._again(name)
        except CallError as error:
            refused.inc(error.reason)
            raise
        if again is not None:
            repeated.inc(incoming.carrier)
            return again
        self.check_room(len(self))
        admitted = await self.admit(incoming, assistant_id, project_id, waits=True)
        found = Registered(admitted.context, admitted.deployment)
        self._wait(found, name, LIFETIME)
        return found

    async def _placed(
        self, incoming: IncomingCall, assistant_id: int, project_id: int
    ) -> Registered | None:
        """A call of ours was answered, and the carrier's flow asks where its media goes.

        None: it is no name of ours, whatever else it means; the call is a new one.
        """
        name, carrier = incoming.context_id.lower(), incoming.carrier
        call = await self._names.find(carrier, (name,), project_id)
        if call is None:
            return None
        waits = await self._contexts.waits(name, carrier)
        if not waits or call.assistant_id != assistant_id:
            refused.inc(ContextNotFound.reason)
            raise ContextNotFound("the call that was placed does not wait for its media")
        deployment = await self._assistants.deployment(assistant_id)
        context = CallContext(
            call.conversation_id, assistant_id, project_id, carrier, OUTBOUND, id=name
        )
        return Registered(context, deployment)

    async def admit(
        self,
        incoming: IncomingCall,
        assistant_id: int,
        project_id: int,
        direction: str = "inbound",
        waits: bool = False,
    ) -> Claimed:
        """Try it, write it down and warm it up; errors as of `register`.

        `waits`: its context goes to the store, for whoever comes with its name.
        """
        deployment: Deployment | None = None
        try:
            assistant = await self._assistants.get(assistant_id, project_id)
            deployment = await self._assistants.deployment(assistant_id)
            context = self._context(incoming, assistant_id, project_id, direction)
            accounts = await accounts_of(assistant, deployment, self._credentials)
            prepared = self._rehearse(assistant, deployment, context, accounts, incoming.media)
            try:
                names = await self._save(context, incoming, waits)
            except BaseException:
                prepared.parts.stop()
                raise
            if self._admission.draining:
                prepared.parts.stop()
            else:
                self._warm.keep(context.id, prepared)
        except CallError as error:
            if deployment is not None and deployment.error_message:
                error.spoken = deployment.error_message
            refused.inc(error.reason)
            raise
        self._names.remember(
            incoming.carrier, names, NamedCall(context.conversation_id, assistant_id, project_id)
        )
        self._write(context, incoming)
        registered.inc(incoming.carrier)
        return Claimed(context, assistant, deployment, accounts, media=incoming.media)

    def rehearse(self, claimed: Claimed) -> None:
        """Try a call that is to be placed, and let go of it; `MisconfiguredAssistant`."""
        assistant, deployment = claimed.assistant, claimed.deployment
        prepared = self._rehearse(assistant, deployment, claimed.context, claimed.accounts, None)
        prepared.parts.stop()

    def check_room(self, waiting: int = 0) -> None:
        """`CapacityExceeded` when no new call is taken, or too many are `waiting`."""
        why = self._admission.ready
        if not why and waiting > self._admission.most_waiting:
            why = "too many calls wait for their media"
        if why:
            refused.inc(CapacityExceeded.reason)
            raise CapacityExceeded(why)

    async def _again(self, name: Hashable) -> Registered | None:
        """What was registered under that name, if it can still be claimed, wherever."""
        announced = self._waiting.get(self._named.get(name, ""))
        if announced is None:
            return None
        context = announced.registered.context
        waits = await self._contexts.waits(context.id, context.carrier)
        return announced.registered if waits else None

    def _context(
        self, incoming: IncomingCall, assistant_id: int, project_id: int, direction: str
    ) -> CallContext:
        return fresh(
            CallContext(
                self._ids.new(),
                assistant_id,
                project_id,
                incoming.carrier,
                direction,
                caller=incoming.caller,
                callee=incoming.callee,
                provider_call_id=incoming.provider_call_id,
                metadata=incoming.metadata,
                registered=self._now(),
            )
        )

    async def _save(
        self, context: CallContext, incoming: IncomingCall, waits: bool
    ) -> Sequence[str]:
        """The call's names."""
        conversation = Conversation(
            context.conversation_id,
            context.project_id,
            context.assistant_id,
            incoming.caller,
            carrier=incoming.carrier,
            created=context.registered,
            updated=context.registered,
        )
        names = (context.id, incoming.provider_call_id, *incoming.aliases)
        await self._conversations.create(conversation, names)
        if not waits:
            return names
        try:
            await self._contexts.put(context)
        except Exception as error:
            self._journal.of(conversation.id).never_began(error)
            raise
        return names

    def _write(self, context: CallContext, incoming: IncomingCall) -> None:
        note = self._journal.of(context.conversation_id)
        note.event("webhook", carrier=incoming.carrier, caller=incoming.caller)
        note.metadata("client.phone", incoming.caller)
        note.metadata("client.assistant_phone", incoming.callee)
        note.metadata("client.direction", context.direction)
        note.metadata("client.channel", incoming.carrier)
        note.metadata("client.provider_call_id", incoming.provider_call_id)
        note.metadata("client.context_id", context.id)
        note.status("saved")

    def _wait(self, found: Registered, name: Hashable, seconds: float) -> None:
        if self._admission.draining:
            return  # nobody would be there to see it expire
        context_id = found.context.id
        expiry = self._clock.callLater(seconds, self._expired, context_id)
        self._waiting[context_id] = Announced(found, name, expiry)
        self._named[name] = context_id

    def _forget(self, context_id: str) -> Announced | None:
        announced = self._waiting.pop(context_id, None)
        if announced is not None and self._named.get(announced.name) == context_id:
            del self._named[announced.name]
        return announced

    def _expired(self, context_id: str) -> None:
        """Nobody came here. With many nodes another may have taken the call: ask the store."""
        announced = self._forget(context_id)
        assert announced is not None
        asking = self._conversations.get(announced.registered.context.conversation_id)
        asking.addCallback(self._expire_if_saved)
        asking.addErrback(lambda f: self._log.failure("could not expire a context", f))

    def _expire_if_saved(self, conversation: Conversation) -> None:
        if conversation.status in ("webhook", "saved"):
            note = self._journal.of(conversation.id)
            note.event("call.failed", reason=NEVER_CONNECTED.reason)
            note.metric("call.status", NEVER_CONNECTED.status)
            note.metric("call.disconnected_by", NEVER_CONNECTED.disconnected_by)
            note.status("expired", NEVER_CONNECTED.reason)

    def claimed(self, context_id: str) -> Announced | None:
        """Somebody came for it: it does not expire any more. None: another node's."""
        announced = self._forget(context_id)
        if announced is not None:
            announced.expiry.cancel()
        return announced

    def released(self, announced: Announced, seconds: float) -> None:
        """It waits again, for so long."""
        self._wait(announced.registered, announced.name, seconds)

    def close(self) -> None:
        """Leave no timer behind."""
        for context_id in tuple(self._waiting):
            self.claimed(context_id)
