"""AssistantService: an assistant's tools, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rapida_tw.errors import BadRequest, NotFound
from rapida_tw.rpc.answers import data, listing, method, part
from rapida_tw.rpc.base import Caller, Methods
from rapida_tw.rpc.messages.assistant_pb2 import (
    CreateAssistantToolRequest,
    DeleteAssistantToolRequest,
    GetAllAssistantToolRequest,
    GetAllAssistantToolResponse,
    GetAssistantToolRequest,
    GetAssistantToolResponse,
    UpdateAssistantToolRequest,
)
from rapida_tw.rpc.tool_messages import name_of, read_tool, tool_id, tool_message
from rapida_tw.store.documents import changed_assistant
from rapida_tw.store.records import JSON, Assistant, AssistantStore

_READ, _WRITE = "assistants:read", "assistants:write"
_SERVICE = "/assistant_api.AssistantService"


class Tools:
    """They stand in the assistant's document, in their order."""

    def __init__(self, store: AssistantStore) -> None:
        self._store = store

    def methods(self) -> Methods:
        one = GetAssistantToolResponse
        return {
            f"{_SERVICE}/CreateAssistantTool": method(
                CreateAssistantToolRequest, one, self.create, _WRITE
            ),
            f"{_SERVICE}/GetAssistantTool": method(GetAssistantToolRequest, one, self.get, _READ),
            f"{_SERVICE}/GetAllAssistantTool": method(
                GetAllAssistantToolRequest, GetAllAssistantToolResponse, self.list, _READ
            ),
            f"{_SERVICE}/UpdateAssistantTool": method(
                UpdateAssistantToolRequest, one, self.update, _WRITE
            ),
            f"{_SERVICE}/DeleteAssistantTool": method(
                DeleteAssistantToolRequest, one, self.delete, _WRITE
            ),
        }

    async def create(
        self, caller: Caller, request: CreateAssistantToolRequest
    ) -> GetAssistantToolResponse:
        assistant = await self._store.get(request.assistantId, caller.project_id)
        definition = read_tool(request)
        await self._keep(assistant, [*assistant.tools, definition])
        return data(GetAssistantToolResponse, tool_message(assistant, definition))

    async def get(
        self, caller: Caller, request: GetAssistantToolRequest
    ) -> GetAssistantToolResponse:
        assistant = await self._store.get(request.assistantId, caller.project_id)
        found = assistant.tools[_place(assistant, request.id)]
        return data(GetAssistantToolResponse, tool_message(assistant, found))

    async def list(
        self, caller: Caller, request: GetAllAssistantToolRequest
    ) -> GetAllAssistantToolResponse:
        """In the order of the assistant."""
        assistant = await self._store.get(request.assistantId, caller.project_id)
        found = [tool_message(assistant, one) for one in assistant.tools]
        page = part(found, request.paginate)
        return listing(GetAllAssistantToolResponse, page.items, page)

    async def update(
        self, caller: Caller, request: UpdateAssistantToolRequest
    ) -> GetAssistantToolResponse:
        """All of it. With another name it has another id."""
        assistant = await self._store.get(request.assistantId, caller.project_id)
        place = _place(assistant, request.id)
        definition = read_tool(request)
        changed = list(assistant.tools)
        changed[place] = definition
        await self._keep(assistant, changed)
        return data(GetAssistantToolResponse, tool_message(assistant, definition))

    async def delete(
        self, caller: Caller, request: DeleteAssistantToolRequest
    ) -> GetAssistantToolResponse:
        """Answers what was deleted."""
        assistant = await self._store.get(request.assistantId, caller.project_id)
        place = _place(assistant, request.id)
        message = tool_message(assistant, assistant.tools[place])
        message.status = "INACTIVE"
        await self._keep(assistant, [*assistant.tools[:place], *assistant.tools[place + 1 :]])
        return data(GetAssistantToolResponse, message)

    async def _keep(self, assistant: Assistant, tools: Sequence[JSON]) -> None:
        check_tools(tools)
        checked = changed_assistant({"tools": [dict(one) for one in tools]}, assistant)
        await self._store.update(replace(assistant, tools=checked.tools))


def check_tools(tools: Sequence[JSON]) -> None:
    """`BadRequest` for two of one name, or none: models choose by it."""
    names = [name_of(one) for one in tools]
    if not all(names):
        raise BadRequest("a tool needs a name")
    if len(set(names)) < len(names):
        raise BadRequest("there are two tools of one name")


def _place(assistant: Assistant, wanted: int) -> int:
    for place, definition in enumerate(assistant.tools):
        if tool_id(assistant.id, definition) == wanted:
            return place
    raise NotFound(f"no tool {wanted}")
