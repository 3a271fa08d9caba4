"""VaultService: credentials, which go in and never come out (the contract, section 9)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rapida_tw.rpc.answers import data, listing, method, page_of, stamp
from rapida_tw.rpc.base import Caller, Methods
from rapida_tw.rpc.messages.vault_pb2 import (
    CreateProviderCredentialRequest,
    DeleteCredentialRequest,
    GetAllOrganizationCredentialRequest,
    GetAllOrganizationCredentialResponse,
    GetCredentialRequest,
    GetCredentialResponse,
    VaultCredential,
)
from rapida_tw.rpc.values import from_struct, to_struct
from rapida_tw.store.credential_documents import Known, new_credential
from rapida_tw.store.records import Credential, CredentialStore

MASK = "***"
_READ, _WRITE = "credentials:read", "credentials:write"
_SERVICE = "/vault_api.VaultService"


class CredentialVault:
    """Each in the project of the key; others' are not found."""

    def __init__(self, store: CredentialStore, known: Callable[[], Awaitable[Known]]) -> None:
        """`known`: the keys of each provider's value."""
        self._store = store
        self._known = known

    def methods(self) -> Methods:
        return {
            f"{_SERVICE}/CreateProviderCredential": method(
                CreateProviderCredentialRequest, GetCredentialResponse, self.create, _WRITE
            ),
            f"{_SERVICE}/GetAllOrganizationCredential": method(
                GetAllOrganizationCredentialRequest,
                GetAllOrganizationCredentialResponse,
                self.list,
                _READ,
            ),
            f"{_SERVICE}/GetCredential": method(
                GetCredentialRequest, GetCredentialResponse, self.get, _READ
            ),
            f"{_SERVICE}/DeleteCredential": method(
                DeleteCredentialRequest, GetCredentialResponse, self.delete, _WRITE
            ),
        }

    async def create(
        self, caller: Caller, request: CreateProviderCredentialRequest
    ) -> GetCredentialResponse:
        value = {key: _text(one) for key, one in from_struct(request.credential).items()}
        document = {
            "name": request.name or request.provider,
            "provider": request.provider.strip().lower(),
            "value": value,
        }
        new = new_credential(document, await self._known())
        made = await self._store.create(caller.project_id, new.name, new.provider, new.value)
        return data(GetCredentialResponse, _message(made))

    async def list(
        self, caller: Caller, request: GetAllOrganizationCredentialRequest
    ) -> GetAllOrganizationCredentialResponse:
        """Newest first. Of criteria, none."""
        page = await self._store.page(caller.project_id, *page_of(request.paginate))
        found = (_message(one) for one in page.items)
        return listing(GetAllOrganizationCredentialResponse, found, page)

    async def get(self, caller: Caller, request: GetCredentialRequest) -> GetCredentialResponse:
        found = await self._store.get(request.vaultId, caller.project_id)
        return data(GetCredentialResponse, _message(found))

    async def delete(
        self, caller: Caller, request: DeleteCredentialRequest
    ) -> GetCredentialResponse:
        """Answers what was deleted."""
        found = await self._store.get(request.vaultId, caller.project_id)
        await self._store.delete(request.vaultId, caller.project_id)
        message = _message(found)
        message.status = "INACTIVE"
        return data(GetCredentialResponse, message)


def _message(credential: Credential) -> VaultCredential:
    """Of the value, the names of its keys."""
    return VaultCredential(
        id=credential.id,
        name=credential.name,
        value=to_struct(dict.fromkeys(credential.keys_set, MASK)),
        status="ACTIVE",
        provider=credential.provider,
        organizationId=credential.project_id,
        createdDate=stamp(credential.created),
        lastUsedDate=stamp(credential.last_used),
        updatedDate=stamp(credential.updated),
    )


def _text(value: object) -> object:
    """Numbers, as of a port, are texts in the vault."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if whole else value
