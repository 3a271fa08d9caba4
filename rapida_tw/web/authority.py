"""Authority: whose signature counts for an assistant.

A carrier signs with a secret of the account whose number it is; that is in the credential of the
assistant's phone deployment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rapida_tw.carriers.base import Carrier, WebhookRequest
from rapida_tw.errors import CallError, Unavailable
from rapida_tw.store.records import AssistantStore, Credential


class Vault(Protocol):
    """The stored credentials (`store.credentials.Credentials`)."""

    def get(self, credential_id: int, project_id: int) -> Deferred[Credential]: ...
    def secrets(self, credential_id: int, project_id: int) -> Deferred[Mapping[str, str]]: ...


class Authority:
    """Checks the signatures of carriers' requests."""

    _log = Logger()

    def __init__(self, assistants: AssistantStore, vault: Vault, now: Callable[[], float]) -> None:
        self._assistants = assistants
        self._vault = vault
        self._now = now

    def verify(
        self, webhook: WebhookRequest, carrier: Carrier, assistant_id: int
    ) -> Deferred[int | None]:
        """The assistant's project, when the request is signed by its account at the carrier.

        None: there is no signature, or nothing to check it with. `Forged` when it is wrong,
        `AssistantNotFound`, `Unavailable`.
        """
        return Deferred.fromCoroutine(self._verify(webhook, carrier, assistant_id))

    async def _verify(
        self, webhook: WebhookRequest, carrier: Carrier, assistant_id: int
    ) -> int | None:
        project_id, secrets = await self.secrets_for(assistant_id, carrier.name)
        return project_id if carrier.verify(webhook, secrets, self._now()) else None

    def secrets_for(
        self, assistant_id: int, carrier: str
    ) -> Deferred[tuple[int, Mapping[str, str]]]:
        """The assistant's project, and what its credential at that carrier holds, maybe nothing.

        `AssistantNotFound`, `Unavailable`.
        """
        return Deferred.fromCoroutine(self._secrets_for(assistant_id, carrier))

    async def _secrets_for(self, assistant_id: int, carrier: str) -> tuple[int, Mapping[str, str]]:
        assistant = await self._assistants.get(assistant_id)
        deployment = await self._assistants.deployment(assistant_id)
        project_id = assistant.project_id
        if deployment.credential_id is None:
            return project_id, {}
        try:
            credential = await self._vault.get(deployment.credential_id, project_id)
            if credential.provider != carrier:
                return project_id, {}
            return project_id, await self._vault.secrets(deployment.credential_id, project_id)
        except Unavailable:
            raise
        except CallError as error:
            # Deleted, or sealed with another key of the server. As if there were none: then only
            # an API key opens the door.
            self._log.error(
                "no signature can be checked for assistant {id}: {reason}",
                id=assistant_id,
                reason=str(error),
            )
            return project_id, {}
