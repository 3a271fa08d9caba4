"""Cast: who and what a call is made with, read from the store."""

from __future__ import annotations

from rapida_tw.account import Account
from rapida_tw.calls.accounts import accounts_of
from rapida_tw.calls.claimed import Claimed
from rapida_tw.calls.context import CallContext
from rapida_tw.calls.overrides import overridden, overridden_model
from rapida_tw.errors import CallError, Unavailable
from rapida_tw.store.records import AssistantStore, CredentialStore, Deployment


class Cast:
    """Assistants, their deployments and their credentials."""

    def __init__(self, assistants: AssistantStore, credentials: CredentialStore) -> None:
        self._assistants = assistants
        self._credentials = credentials

    async def of(self, context: CallContext) -> Claimed:
        """`AssistantNotFound`, `MisconfiguredAssistant`, `BadRequest` for its options,
        `Unavailable`.
        """
        assistant = await self._assistants.get(context.assistant_id, context.project_id)
        deployment = await self._assistants.deployment(context.assistant_id)
        if context.options:
            assistant = overridden_model(assistant, context.options)
            deployment = overridden(deployment, context.options)
        accounts = await accounts_of(assistant, deployment, self._credentials)
        carrier = await self._carrier(context, deployment)
        return Claimed(context, assistant, deployment, accounts, carrier)

    async def _carrier(self, context: CallContext, deployment: Deployment) -> Account | None:
        """That of the call's carrier, of the deployment's while that is ""; None: it has none."""
        number = deployment.credential_id
        if number is None or context.carrier not in ("", deployment.provider):
            return None
        try:
            fields = await self._credentials.secrets(number, context.project_id)
        except Unavailable:
            raise
        except CallError:  # deleted, or sealed with another key: a call can do without
            return None
        return Account(deployment.provider, fields)
