"""Registration, phase 1: a webhook tells of a call, and its context waits for the media."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.calls.admission import Admission
from rapida_tw.calls.context import LIFETIME, CallContext, ContextStore
from rapida_tw.calls.journal import Journal
from rapida_tw.calls.parts import Vendors
from rapida_tw.carriers.base import IncomingCall
from rapida_tw.errors import NEVER_CONNECTED, CallError, CapacityExceeded, ContextNotFound
from rapida_tw.ids import Ids
from rapida_tw.metrics import Counter
from rapida_tw.store.records import AssistantStore, Conversation, ConversationStore

REMEMBERED = 10_000  # context ids whose later events can still be told apart

registered = Counter("rapida_calls_registered_total", "Webhooks that made a call.", ("carrier",))
refused = Counter("rapida_calls_refused_total", "Webhooks that were refused.", ("reason",))


class Registration:
    """The calls that were announced and have no media yet."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        admission: Admission,
        contexts: ContextStore,
        assistants: AssistantStore,
        conversations: ConversationStore,
        journal: Journal,
        vendors: Vendors,
        ids: Ids,
        now: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._admission = admission
        self._contexts = contexts
        self._assistants = assistants
        self._conversations = conversations
        self._journal = journal
        self._vendors = vendors
        self._ids = ids
        self._now = now
        self._waiting: dict[str, IDelayedCall] = {}  # contexts that nobody has claimed yet
        self._known: OrderedDict[str, int] = OrderedDict()  # context id → conversation id

    def register(
        self, incoming: IncomingCall, assistant_id: int, project_id: int
    ) -> Deferred[CallContext]:
        """`CapacityExceeded`, `AssistantNotFound`, `MisconfiguredAssistant`, `Unavailable`."""
        registering = Deferred.fromCoroutine(self._register(incoming, assistant_id, project_id))
        return registering.addErrback(_count_refusal)

    async def _register(
        self, incoming: IncomingCall, assistant_id: int, project_id: int
    ) -> CallContext:
        if self._admission.ready:
            raise CapacityExceeded(self._admission.ready)
        assistant = await self._assistants.get(assistant_id, project_id)
        deployment = await self._assistants.deployment(assistant_id)
        self._vendors.check(assistant, deployment)
        conversation_id = self._ids.new()
        now = self._now()
        conversation = Conversation(
            conversation_id,
            project_id,
            assistant_id,
            incoming.caller,
            carrier=incoming.carrier,
            created=now,
            updated=now,
        )
        context = CallContext(
            conversation_id,
            assistant_id,
            project_id,
            incoming.carrier,
            caller=incoming.caller,
            callee=incoming.callee,
            provider_call_id=incoming.provider_call_id,
            metadata=incoming.metadata,
        )
        await self._conversations.create(conversation)
        try:
            context = await self._contexts.put(context)
        except Exception as error:
            self._journal.of(context.conversation_id).never_began(error)
            raise
        self._remember(context, incoming)
        registered.inc(incoming.carrier)
        return context

    def _remember(self, context: CallContext, incoming: IncomingCall) -> None:
        note = self._journal.of(context.conversation_id)
        note.event("webhook", carrier=incoming.carrier, caller=incoming.caller)
        note.metadata("client.phone", incoming.caller)
        note.metadata("client.assistant_phone", incoming.callee)
        note.metadata("client.direction", context.direction)
        note.metadata("client.channel", incoming.carrier)
        note.metadata("client.provider_call_id", incoming.provider_call_id)
        note.metadata("client.context_id", context.id)
        note.status("saved")
        self._waiting[context.id] = self._clock.callLater(LIFETIME, self._expired, context)
        self._known[context.id] = context.conversation_id
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def _expired(self, context: CallContext) -> None:
        """Nobody came here. With many nodes another may have taken the call: ask the store."""
        del self._waiting[context.id]
        asking = self._conversations.get(context.conversation_id)
        asking.addCallback(self._expire_if_saved)
        asking.addErrback(lambda f: self._log.failure("could not expire a context", f))

    def _expire_if_saved(self, conversation: Conversation) -> None:
        if conversation.status in ("webhook", "saved"):
            note = self._journal.of(conversation.id)
            note.event("call.failed", reason=NEVER_CONNECTED.reason)
            note.metric("call.status", NEVER_CONNECTED.status)
            note.metric("call.disconnected_by", NEVER_CONNECTED.disconnected_by)
            note.status("expired", NEVER_CONNECTED.reason)

    def claimed(self, context_id: str) -> None:
        """Somebody came for it: it does not expire any more."""
        waiting = self._waiting.pop(context_id, None)
        if waiting is not None:
            waiting.cancel()

    def conversation(self, context_id: str) -> int:
        """The id of the conversation that was registered here; `ContextNotFound`."""
        conversation_id = self._known.get(context_id.lower())
        if conversation_id is None:
            raise ContextNotFound(f"no call of context {context_id} is known here")
        return conversation_id

    def close(self) -> None:
        """Leave no timer behind."""
        for waiting in self._waiting.values():
            waiting.cancel()
        self._waiting.clear()


def _count_refusal(failure: Failure) -> Failure:
    if isinstance(failure.value, CallError):
        refused.inc(failure.value.reason)
    return failure
