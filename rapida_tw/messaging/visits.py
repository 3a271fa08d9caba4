"""Visits: conversations that somebody opens by a stream of their own, in writing or by sound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred

from rapida_tw.calls.cast import Cast
from rapida_tw.calls.claimed import Claimed
from rapida_tw.calls.context import CallContext, fresh
from rapida_tw.calls.journal import Journal, Notebook
from rapida_tw.errors import CapacityExceeded, NotFound
from rapida_tw.ids import Ids
from rapida_tw.media.leg import Leg, LegListener
from rapida_tw.messaging.desk import Desk
from rapida_tw.messaging.text_session import TextListener, TextSession
from rapida_tw.store.records import (
    AssistantStore,
    Conversation,
    ConversationStore,
    CredentialStore,
    Entry,
    PromptMessage,
)

CARRIER: Final = "stream"
SOURCES: Final = ("sdk", "web-plugin", "debugger", "phone-call", "whatsapp")
MOST_CARRIED: Final = 100  # messages of before that a call is told of


class CallRoom(Protocol):
    """Who makes calls of legs (`calls.calls.Calls`)."""

    @property
    def ready(self) -> str:
        """Why no new call is taken; "" when one is."""

    def attach(self, claimed: Claimed, leg: Leg) -> LegListener: ...


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who wants to talk with whom. `identifier`: a number or an id of theirs, maybe "".

    `conversation_id`: one of before, that is to go on; 0: a new one.
    """

    project_id: int
    assistant_id: int
    source: str = "sdk"
    identifier: str = ""
    conversation_id: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Visit:
    """A conversation that has begun, and what is remembered of it."""

    context: CallContext
    before: tuple[Entry, ...] = ()


class Visits:
    """Errors of all: `AssistantNotFound`, `MisconfiguredAssistant`, `BadRequest` for options,
    `CapacityExceeded`, `Unavailable`.
    """

    def __init__(
        self,
        desk: Desk,
        calls: CallRoom,
        assistants: AssistantStore,
        credentials: CredentialStore,
        conversations: ConversationStore,
        journal: Journal,
        ids: Ids,
        now: Callable[[], float],
    ) -> None:
        self._desk = desk
        self._calls = calls
        self._cast = Cast(assistants, credentials)
        self._assistants = assistants
        self._conversations = conversations
        self._journal = journal
        self._ids = ids
        self._now = now

    async def begin(self, visitor: Visitor) -> Visit:
        """`NotFound` for a conversation of before that is not this assistant's."""
        if why := self._calls.ready:
            raise CapacityExceeded(why)
        context = fresh(
            CallContext(
                visitor.conversation_id or self._ids.new(),
                visitor.assistant_id,
                visitor.project_id,
                CARRIER,
                caller=visitor.identifier,
                metadata=visitor.metadata,
                arguments=visitor.arguments,
                options=visitor.options,
                registered=self._now(),
            )
        )
        await self._assistants.get(visitor.assistant_id, visitor.project_id)
        if visitor.conversation_id:
            stored = await self._conversations.get(visitor.conversation_id, visitor.project_id)
            if stored.assistant_id != visitor.assistant_id:
                raise NotFound(f"no conversation {visitor.conversation_id} of this assistant")
            return Visit(context, stored.entries)
        await self._conversations.create(
            Conversation(
                context.conversation_id,
                visitor.project_id,
                visitor.assistant_id,
                visitor.identifier,
                visitor.source if visitor.source in SOURCES else SOURCES[0],
                carrier=CARRIER,
                created=context.registered,
                updated=context.registered,
            ),
            [context.id],
        )
        self._write(context, visitor)
        return Visit(context)

    def _write(self, context: CallContext, visitor: Visitor) -> None:
        note = self.note(context)
        note.event("webhook", carrier=CARRIER, caller=visitor.identifier)
        note.metadata("client.phone", visitor.identifier)
        note.metadata("client.direction", context.direction)
        note.metadata("client.channel", visitor.source)
        for name, text in visitor.metadata.items():
            note.metadata(name, text)
        for name, value in visitor.arguments.items():
            note.argument(name, value)
        for name, value in visitor.options.items():
            note.option(name, value)

    def note(self, context: CallContext) -> Notebook:
        """Where the conversation writes."""
        return self._journal.of(context.conversation_id)

    def write(self, visit: Visit, listener: TextListener) -> Deferred[TextSession]:
        """In writing, word by word."""
        return self._desk.open(visit.context, listener, streaming=True, before=visit.before)

    async def speak(self, visit: Visit, leg: Leg) -> LegListener:
        """By sound: a call like any other, on the beat when this fires.

        Of what was said before in writing the model is told.
        """
        claimed = await self._cast.of(visit.context)
        if visit.before:
            claimed = _greeted(claimed, visit.before)
        return self._calls.attach(claimed, leg)

    async def latest(self, visit: Visit) -> Visit:
        """With all that is remembered by now."""
        context = visit.context
        stored = await self._conversations.get(context.conversation_id, context.project_id)
        return replace(visit, before=stored.entries)

    def failed(self, visit: Visit, error: Exception) -> None:
        """It never became a conversation."""
        self.note(visit.context).never_began(error)


def _greeted(claimed: Claimed, before: tuple[Entry, ...]) -> Claimed:
    """What was said follows the prompt, and nobody is greeted a second time."""
    said = [
        # Braces would be a template's.
        PromptMessage(one.name, one.value.replace("{", "(").replace("}", ")"))
        for one in before
        if one.kind == "message" and one.name in ("user", "assistant") and one.value
    ]
    assistant = claimed.assistant
    assistant = replace(assistant, prompt=(*assistant.prompt, *said[-MOST_CARRIED:]))
    deployment = replace(claimed.deployment, greeting="") if said else claimed.deployment
    return replace(claimed, assistant=assistant, deployment=deployment)
