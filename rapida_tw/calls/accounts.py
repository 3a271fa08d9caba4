"""Accounts: the credentials that an assistant's vendors are used with, out of the vault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant, NotFound
from rapida_tw.store.records import Assistant, CredentialStore, Deployment, VendorChoice

# By the credential's id; its repr hides the values.
Accounts = Mapping[int, Account]


async def accounts_of(
    assistant: Assistant, deployment: Deployment, credentials: CredentialStore
) -> Accounts:
    """All that its vendors and their fallbacks name; `MisconfiguredAssistant` for one not there."""
    found: dict[int, Account] = {}
    for choice in _choices(assistant, deployment):
        number = choice.credential_id
        if number is None or number in found:
            continue
        try:
            fields = await credentials.secrets(number, assistant.project_id)
        except NotFound:
            why = f"{choice.provider or 'a vendor'}: there is no credential {number}"
            raise MisconfiguredAssistant(why) from None
        found[number] = Account(choice.provider, fields)
    return found


def account_of(choice: VendorChoice, name: str, accounts: Accounts) -> Account:
    """That of one choice, whose vendor is `name`; without fields when it names none."""
    if choice.credential_id is None:
        return Account(name)
    return Account(name, accounts[choice.credential_id])


def _choices(assistant: Assistant, deployment: Deployment) -> Iterator[VendorChoice]:
    for first in (deployment.stt, deployment.tts, deployment.vad, assistant.model):
        yield from first.chain
