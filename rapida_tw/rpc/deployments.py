"""AssistantDeploymentService: phone deployments (the contract, section 8)."""

from __future__ import annotations

from typing import Any

from rapida_tw.errors import BadRequest, CallError, Forbidden, NotFound
from rapida_tw.rpc.answers import data, listing, method, part
from rapida_tw.rpc.base import Caller, Methods
from rapida_tw.rpc.deployment_messages import deployment_message, read_deployment
from rapida_tw.rpc.messages.deployment_pb2 import (
    AssistantPhoneDeployment,
    CreateAssistantDeploymentRequest,
    GetAllAssistantDeploymentRequest,
    GetAllAssistantPhoneDeploymentResponse,
    GetAssistantDeploymentRequest,
    GetAssistantPhoneDeploymentResponse,
)
from rapida_tw.store.credential_documents import check_references
from rapida_tw.store.documents import new_deployment
from rapida_tw.store.records import AssistantStore, CredentialStore

_READ, _WRITE = "assistants:read", "assistants:write"
_SERVICE = "/assistant_api.AssistantDeploymentService"

# The contract's numbers of a refused deployment, by the word that its text begins with.
_NUMBERS = {
    "assistantId": 1005004,
    "stt": 1005006,
    "tts": 1005006,
    "vad": 1005006,
    "endOfSpeech": 1005006,
    "idleTimeout": 1005007,
    "idleTimeoutRetries": 1005008,
    "maxCallDuration": 1005009,
    "phoneProviderName": 1005010,
}
_CANNOT, _NO_SCOPE = 1005005, 1005003


class PhoneDeployments:
    """One of an assistant, in the project of the key."""

    def __init__(self, store: AssistantStore, credentials: CredentialStore) -> None:
        self._store = store
        self._credentials = credentials

    def methods(self) -> Methods:
        one, many = GetAssistantPhoneDeploymentResponse, GetAllAssistantPhoneDeploymentResponse
        asked = GetAssistantDeploymentRequest
        return {
            f"{_SERVICE}/CreateAssistantPhoneDeployment": method(
                CreateAssistantDeploymentRequest, one, self.create, _WRITE, _refuse
            ),
            f"{_SERVICE}/GetAssistantPhoneDeployment": method(asked, one, self.get, _READ),
            f"{_SERVICE}/DisableAssistantPhoneDeployment": method(asked, one, self.disable, _WRITE),
            f"{_SERVICE}/GetAllAssistantPhoneDeployment": method(
                GetAllAssistantDeploymentRequest, many, self.list, _READ
            ),
        }

    async def create(
        self, caller: Caller, request: CreateAssistantDeploymentRequest
    ) -> GetAssistantPhoneDeploymentResponse:
        """Set or replace it."""
        if request.WhichOneof("deployment") != "phone":
            raise BadRequest("phone is missing")
        given = request.phone
        if not given.assistantId:
            raise BadRequest("assistantId is missing")
        try:
            await self._store.get(given.assistantId, caller.project_id)
        except NotFound as error:
            raise BadRequest(f"assistantId: {error}") from None
        if not given.phoneProviderName.strip():
            raise BadRequest("phoneProviderName is missing")
        new = new_deployment(read_deployment(given), given.assistantId)
        await check_references(new, caller.project_id, self._credentials)
        kept = await self._store.deploy(new)
        return data(GetAssistantPhoneDeploymentResponse, deployment_message(kept))

    async def get(
        self, caller: Caller, request: GetAssistantDeploymentRequest
    ) -> GetAssistantPhoneDeploymentResponse:
        """Without `data` where none was set."""
        found = await self._find(caller, request.assistantId)
        return data(GetAssistantPhoneDeploymentResponse, found)

    async def disable(
        self, caller: Caller, request: GetAssistantDeploymentRequest
    ) -> GetAssistantPhoneDeploymentResponse:
        """Answers what there was."""
        found = await self._find(caller, request.assistantId)
        if found is not None:
            await self._store.withdraw(request.assistantId)
            found.status = "INACTIVE"
        return data(GetAssistantPhoneDeploymentResponse, found)

    async def list(
        self, caller: Caller, request: GetAllAssistantDeploymentRequest
    ) -> GetAllAssistantPhoneDeploymentResponse:
        """The one that there is: those it has replaced are not kept."""
        found = await self._find(caller, request.assistantId)
        page = part([] if found is None else [found], request.paginate)
        return listing(GetAllAssistantPhoneDeploymentResponse, page.items, page)

    async def _find(self, caller: Caller, assistant_id: int) -> AssistantPhoneDeployment | None:
        await self._store.get(assistant_id, caller.project_id)
        deployment = await self._store.deployment(assistant_id)
        return deployment_message(deployment) if deployment.updated else None


def _refuse(error: CallError) -> tuple[int, int]:
    if isinstance(error, Forbidden):
        return error.status, _NO_SCOPE
    return error.status, _number(str(error))


def _number(text: str) -> int:
    words: Any = text.replace(":", " ").replace(".", " ").split()
    return _NUMBERS.get(words[0] if words else "", _CANNOT)
