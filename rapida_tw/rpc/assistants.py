"""AssistantService: assistants (the contract, section 10)."""

from __future__ import annotations

from dataclasses import replace

from rapida_tw.errors import BadRequest
from rapida_tw.rpc.answers import data, listing, method, page_of
from rapida_tw.rpc.assistant_messages import assistant_message, read_assistant
from rapida_tw.rpc.base import Caller, Methods
from rapida_tw.rpc.messages.assistant_pb2 import (
    CreateAssistantRequest,
    DeleteAssistantRequest,
    GetAllAssistantRequest,
    GetAllAssistantResponse,
    GetAssistantRequest,
    GetAssistantResponse,
    UpdateAssistantDetailRequest,
)
from rapida_tw.rpc.tools import check_tools
from rapida_tw.store.credential_documents import check_model_references
from rapida_tw.store.documents import changed_assistant, new_assistant
from rapida_tw.store.records import Assistant, AssistantStore, CredentialStore

READ, WRITE = "assistants:read", "assistants:write"
_SERVICE = "/assistant_api.AssistantService"


class Assistants:
    """Each in the project of the key; others' are not found."""

    def __init__(self, store: AssistantStore, credentials: CredentialStore) -> None:
        self._store = store
        self._credentials = credentials

    def methods(self) -> Methods:
        one = GetAssistantResponse
        return {
            f"{_SERVICE}/GetAssistant": method(GetAssistantRequest, one, self.get, READ),
            f"{_SERVICE}/GetAllAssistant": method(
                GetAllAssistantRequest, GetAllAssistantResponse, self.list, READ
            ),
            f"{_SERVICE}/CreateAssistant": method(CreateAssistantRequest, one, self.create, WRITE),
            f"{_SERVICE}/UpdateAssistantDetail": method(
                UpdateAssistantDetailRequest, one, self.update, WRITE
            ),
            f"{_SERVICE}/DeleteAssistant": method(DeleteAssistantRequest, one, self.delete, WRITE),
        }

    async def get(self, caller: Caller, request: GetAssistantRequest) -> GetAssistantResponse:
        """With its phone deployment. There is one version of each."""
        found = await self._store.get(request.assistantDefinition.assistantId, caller.project_id)
        return await self._answer(found)

    async def list(
        self, caller: Caller, request: GetAllAssistantRequest
    ) -> GetAllAssistantResponse:
        """Newest first, without deployments."""
        if request.criterias:
            raise BadRequest("criteria: assistants have none here")
        page = await self._store.page(caller.project_id, *page_of(request.paginate))
        return listing(
            GetAllAssistantResponse, (assistant_message(one) for one in page.items), page
        )

    async def create(self, caller: Caller, request: CreateAssistantRequest) -> GetAssistantResponse:
        new = new_assistant(read_assistant(request), caller.project_id)
        check_tools(new.tools)
        await check_model_references(new.model, caller.project_id, self._credentials)
        return await self._answer(await self._store.create(new))

    async def update(
        self, caller: Caller, request: UpdateAssistantDetailRequest
    ) -> GetAssistantResponse:
        """Name and description; what is empty stays."""
        found = await self._store.get(request.assistantId, caller.project_id)
        given = {"name": request.name, "description": request.description}
        document = {key: text for key, text in given.items() if text}
        changed = changed_assistant(document, found)
        return await self._answer(await self._store.update(changed))

    async def delete(self, caller: Caller, request: DeleteAssistantRequest) -> GetAssistantResponse:
        """Answers what was deleted; its conversations stay."""
        found = await self._store.get(request.id, caller.project_id)
        await self._store.delete(request.id, caller.project_id)
        message = assistant_message(replace(found, tools=()))
        message.status = "INACTIVE"
        return data(GetAssistantResponse, message)

    async def _answer(self, assistant: Assistant) -> GetAssistantResponse:
        deployment = await self._store.deployment(assistant.id)
        known = deployment if deployment.updated else None
        return data(GetAssistantResponse, assistant_message(assistant, known))
