"""AssistantService: an assistant's webhooks, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rapida_tw.errors import NotFound
from rapida_tw.rpc.answers import data, listing, method, part
from rapida_tw.rpc.base import Caller, Methods
from rapida_tw.rpc.messages.assistant_pb2 import (
    CreateAssistantWebhookRequest,
    DeleteAssistantWebhookRequest,
    GetAllAssistantWebhookRequest,
    GetAllAssistantWebhookResponse,
    GetAssistantWebhookRequest,
    GetAssistantWebhookResponse,
    UpdateAssistantWebhookRequest,
)
from rapida_tw.rpc.webhook_messages import read_webhook, webhook_id, webhook_message
from rapida_tw.store.documents import changed_assistant
from rapida_tw.store.records import JSON, Assistant, AssistantStore

_READ, _WRITE = "assistants:read", "assistants:write"
_SERVICE = "/assistant_api.AssistantService"


class AssistantWebhooks:
    """They stand in the assistant's document, in their order."""

    def __init__(self, store: AssistantStore) -> None:
        self._store = store

    def methods(self) -> Methods:
        one = GetAssistantWebhookResponse
        return {
            f"{_SERVICE}/CreateAssistantWebhook": method(
                CreateAssistantWebhookRequest, one, self.create, _WRITE
            ),
            f"{_SERVICE}/GetAssistantWebhook": method(
                GetAssistantWebhookRequest, one, self.get, _READ
            ),
            f"{_SERVICE}/GetAllAssistantWebhook": method(
                GetAllAssistantWebhookRequest, GetAllAssistantWebhookResponse, self.list, _READ
            ),
            f"{_SERVICE}/UpdateAssistantWebhook": method(
                UpdateAssistantWebhookRequest, one, self.update, _WRITE
            ),
            f"{_SERVICE}/DeleteAssistantWebhook": method(
                DeleteAssistantWebhookRequest, one, self.delete, _WRITE
            ),
        }

    async def create(
        self, caller: Caller, request: CreateAssistantWebhookRequest
    ) -> GetAssistantWebhookResponse:
        """The answer alone holds the secret, where one was made."""
        assistant = await self._store.get(request.assistantId, caller.project_id)
        kept = await self._keep(assistant, [*assistant.webhooks, read_webhook(request)])
        return data(GetAssistantWebhookResponse, webhook_message(kept, kept.webhooks[-1]))

    async def get(
        self, caller: Caller, request: GetAssistantWebhookRequest
    ) -> GetAssistantWebhookResponse:
        assistant = await self._store.get(request.assistantId, caller.project_id)
        found = assistant.webhooks[_place(assistant, request.id)]
        return data(GetAssistantWebhookResponse, webhook_message(assistant, found))

    async def list(
        self, caller: Caller, request: GetAllAssistantWebhookRequest
    ) -> GetAllAssistantWebhookResponse:
        """In the order of the assistant."""
        assistant = await self._store.get(request.assistantId, caller.project_id)
        found = [webhook_message(assistant, one) for one in assistant.webhooks]
        page = part(found, request.paginate)
        return listing(GetAllAssistantWebhookResponse, page.items, page)

    async def update(
        self, caller: Caller, request: UpdateAssistantWebhookRequest
    ) -> GetAssistantWebhookResponse:
        """All of it but its secret, which stays unless another is given."""
        assistant = await self._store.get(request.assistantId, caller.project_id)
        place = _place(assistant, request.id)
        before = assistant.webhooks[place].get("credentialId")
        changed: list[JSON] = list(assistant.webhooks)
        changed[place] = read_webhook(request) | ({"credentialId": before} if before else {})
        kept = await self._keep(assistant, changed)
        return data(GetAssistantWebhookResponse, webhook_message(kept, kept.webhooks[place]))

    async def delete(
        self, caller: Caller, request: DeleteAssistantWebhookRequest
    ) -> GetAssistantWebhookResponse:
        """Answers what was deleted."""
        assistant = await self._store.get(request.assistantId, caller.project_id)
        place = _place(assistant, request.id)
        message = webhook_message(assistant, assistant.webhooks[place])
        message.status = "INACTIVE"
        left = [*assistant.webhooks[:place], *assistant.webhooks[place + 1 :]]
        await self._keep(assistant, left)
        return data(GetAssistantWebhookResponse, message)

    async def _keep(self, assistant: Assistant, webhooks: Sequence[JSON]) -> Assistant:
        document: dict[str, Any] = {"webhooks": [dict(one) for one in webhooks]}
        return await self._store.update(changed_assistant(document, assistant))


def _place(assistant: Assistant, wanted: int) -> int:
    for place, stored in enumerate(assistant.webhooks):
        if webhook_id(assistant.id, stored) == wanted:
            return place
    raise NotFound(f"no webhook {wanted}")
