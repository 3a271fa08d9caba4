"""Desk: opens conversations in writing: the assistant's model, prompt and tools, what was said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from rapida_tw.calls.accounts import accounts_of
from rapida_tw.calls.context import CallContext
from rapida_tw.calls.journal import Journal
from rapida_tw.calls.overrides import overridden, overridden_model
from rapida_tw.calls.parts import Vendors
from rapida_tw.calls.script import script
from rapida_tw.calls.toolset import Makers
from rapida_tw.messaging.text_notes import TextNotes
from rapida_tw.messaging.text_session import TextListener, TextParts, TextSession
from rapida_tw.messaging.text_tools import text_tools
from rapida_tw.models.base import Message
from rapida_tw.pipeline.history import History
from rapida_tw.store.records import Assistant, AssistantStore, CredentialStore, Deployment, Entry

_SAID = ("user", "assistant")


class Desk:
    """Of one process. Sessions belong to whoever opened them."""

    def __init__(
        self,
        clock: IReactorTime,
        assistants: AssistantStore,
        credentials: CredentialStore,
        journal: Journal,
        vendors: Vendors,
        makers: Makers,
        now: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._assistants = assistants
        self._credentials = credentials
        self._journal = journal
        self._vendors = vendors
        self._makers = makers
        self._now = now

    def open(
        self,
        context: CallContext,
        listener: TextListener,
        streaming: bool = False,
        before: Sequence[Entry] = (),
    ) -> Deferred[TextSession]:
        """The conversation of that context, which is in the store already.

        `before`: what is remembered of it. `AssistantNotFound`, `MisconfiguredAssistant`,
        `Unavailable`.
        """
        return Deferred.fromCoroutine(self._open(context, listener, streaming, before))

    async def _open(
        self,
        context: CallContext,
        listener: TextListener,
        streaming: bool,
        before: Sequence[Entry],
    ) -> TextSession:
        assistant = await self._assistants.get(context.assistant_id, context.project_id)
        deployment = await self._assistants.deployment(context.assistant_id)
        if context.options:
            assistant = overridden_model(assistant, context.options)
            deployment = overridden(deployment, context.options)
        parts = await self._parts(assistant, deployment, context, before)
        return TextSession(self._clock, parts, self.notes(context), listener, streaming)

    def notes(self, context: CallContext) -> TextNotes:
        """Where the conversation writes."""
        return TextNotes(self._journal.of(context.conversation_id), self._now)

    async def _parts(
        self,
        assistant: Assistant,
        deployment: Deployment,
        context: CallContext,
        before: Sequence[Entry],
    ) -> TextParts:
        # Of its vendors none but the model has anything to do.
        accounts = await accounts_of(assistant, Deployment(assistant.id), self._credentials)
        ready = script(assistant, deployment, context, self._now())
        tools = text_tools(ready.tools, self._makers, self._clock)
        tools.offered()  # servers of tools are asked now which they have
        return TextParts(
            history_of(ready.prompt, before),
            self._vendors.model(assistant, accounts),
            tools,
            ready.experience.error_message,
            ready.experience.greeting,
            context.registered,
        )


def history_of(prompt: Sequence[Message], entries: Sequence[Entry]) -> History:
    """The dialogue that these entries remember: what was said; tools have been used up."""
    history = History(prompt)
    for entry in entries:
        if entry.kind != "message" or not entry.value:
            continue
        if entry.name == "user":
            history.user_said(entry.value)
        elif entry.name == "assistant":
            history.begin_reply()
            history.assistant_said(entry.value)
            history.end_reply({}, interrupted=False)
    return history


def messages_in(entries: Sequence[Entry]) -> int:
    """How many messages of either side these are."""
    return sum(1 for one in entries if one.kind == "message" and one.name in _SAID and one.value)


def told_of(entries: Sequence[Entry]) -> dict[str, str]:
    """The metadata that a program gave, for the templates; what we noted ourselves is left out."""
    return {
        one.name: one.value
        for one in entries
        if one.kind == "metadata" and not one.name.startswith("client.")
    }


def resumed(context: CallContext, entries: Sequence[Entry]) -> CallContext:
    """The context of a conversation that goes on."""
    return replace(context, metadata={**told_of(entries), **context.metadata})
