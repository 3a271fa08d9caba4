"""The WhatsApp side of an assistant's deployment: by which account and number it writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from twisted.internet.defer import Deferred

from rapida_tw.account import Account
from rapida_tw.errors import CallError, MisconfiguredAssistant, Unavailable
from rapida_tw.store.records import AssistantStore, Credential, Deployment

CARRIER = "twilio"


class Vault(Protocol):
    """The stored credentials (`store.credentials.Credentials`)."""

    def get(self, credential_id: int, project_id: int) -> Deferred[Credential]: ...
    def secrets(self, credential_id: int, project_id: int) -> Deferred[Mapping[str, str]]: ...


class Numbers:
    """Finds them in the store."""

    def __init__(self, assistants: AssistantStore, vault: Vault) -> None:
        self._assistants = assistants
        self._vault = vault

    async def of(self, assistant_id: int, project_id: int) -> tuple[Deployment, Account | None]:
        """The deployment, and the account of its credential at Twilio, if it has one there.

        `AssistantNotFound`, `Unavailable`.
        """
        await self._assistants.get(assistant_id, project_id)
        deployment = await self._assistants.deployment(assistant_id)
        try:
            return deployment, await self._account(deployment, project_id)
        except Unavailable:
            raise
        except CallError:  # deleted, or sealed with another key: there is none to write with
            return deployment, None

    async def _account(self, deployment: Deployment, project_id: int) -> Account | None:
        number = deployment.credential_id
        if number is None or (await self._vault.get(number, project_id)).provider != CARRIER:
            return None
        return Account(CARRIER, await self._vault.secrets(number, project_id))

    async def need(self, assistant_id: int, project_id: int) -> tuple[Deployment, Account]:
        """The same; `MisconfiguredAssistant` where there is no account."""
        deployment, account = await self.of(assistant_id, project_id)
        if account is None:
            why = "the assistant's phone deployment has no credential of Twilio to write with"
            raise MisconfiguredAssistant(why)
        return deployment, account
