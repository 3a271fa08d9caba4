"""Reception: what the SIP user agent asks of the house (sip/base.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from rapida_tw.calls.calls import Calls
from rapida_tw.carriers.base import IncomingCall
from rapida_tw.errors import AssistantNotFound, CallError, Unauthenticated
from rapida_tw.media.leg import Leg, LegListener
from rapida_tw.sip.base import Party
from rapida_tw.sip.base import Reception as ReceptionPort
from rapida_tw.store.records import Assistant, AssistantStore, KeyStore
from rapida_tw.store.scopes import TALK, may


class Passwords(Protocol):
    """The texts of API keys (`store.key_texts.KeyTexts`)."""

    def of_assistant(self, assistant_id: int) -> Deferred[Sequence[str]]: ...


class Reception:
    """Keys and numbers out of the stores, legs into `Calls`."""

    def __init__(
        self, calls: Calls, keys: KeyStore, passwords: Passwords, assistants: AssistantStore
    ) -> None:
        self._calls = calls
        self._keys = keys
        self._passwords = passwords
        self._assistants = assistants

    @property
    def ready(self) -> str:
        """Why no new call is taken; "" when one is."""
        return self._calls.ready

    def passwords(self, assistant_id: int) -> Deferred[Sequence[str]]:
        return self._passwords.of_assistant(assistant_id)

    def enter(self, assistant_id: int, key: str) -> Deferred[Party]:
        return Deferred.fromCoroutine(self._enter(assistant_id, key))

    async def _enter(self, assistant_id: int, key: str) -> Party:
        found = await self._keys.check(key)
        if not may(found, TALK):
            raise Unauthenticated(f"the API key {found.prefix}… may not bring calls")
        try:
            assistant = await self._assistants.get(assistant_id, found.project_id)
        except AssistantNotFound:
            # Not even who has a key learns which assistants others have.
            raise Unauthenticated("no such assistant for that key") from None
        return Party(assistant.id, assistant.project_id)

    def dialled(self, number: str, project_id: int | None) -> Deferred[Party | None]:
        return self._assistants.dialled(number, project_id).addCallback(_party)

    def trunk(self, credential_id: int) -> Deferred[Party | None]:
        return self._assistants.on_trunk(credential_id).addCallback(_party)

    def take(self, party: Party, incoming: IncomingCall) -> Deferred[Any]:
        return self._calls.take(incoming, party.assistant_id, party.project_id)

    def attach(self, taken: Any, leg: Leg) -> LegListener:
        return self._calls.attach(taken, leg)

    def abandon(self, taken: Any, error: CallError) -> None:
        self._calls.abandon(taken, error)


def _party(assistant: Assistant | None) -> Party | None:
    return None if assistant is None else Party(assistant.id, assistant.project_id)


_conforms: type[ReceptionPort] = Reception
