"""GetAllAssistantTelemetry: everything that happened in an assistant's conversations."""

from __future__ import annotations

import json
from typing import Any

from rapida_tw.errors import BadRequest
from rapida_tw.rpc.answers import criteria_of, listing, method, page_of, stamp
from rapida_tw.rpc.base import Caller, Methods
from rapida_tw.rpc.conversation_messages import metric
from rapida_tw.rpc.messages.assistant_pb2 import (
    GetAllAssistantTelemetryRequest,
    GetAllAssistantTelemetryResponse,
    TelemetryEvent,
    TelemetryMetric,
    TelemetryRecord,
)
from rapida_tw.store.client_metrics import MESSAGE
from rapida_tw.store.records import Entry
from rapida_tw.store.telemetry import TelemetryStore

_READ = "conversations:read"


class TelemetryRecords:
    """Events and messages with their data as texts, metrics with their scope."""

    def __init__(self, store: TelemetryStore) -> None:
        self._store = store

    def methods(self) -> Methods:
        return {
            "/assistant_api.AssistantService/GetAllAssistantTelemetry": method(
                GetAllAssistantTelemetryRequest, GetAllAssistantTelemetryResponse, self.list, _READ
            )
        }

    async def list(
        self, caller: Caller, request: GetAllAssistantTelemetryRequest
    ) -> GetAllAssistantTelemetryResponse:
        """Oldest first; criteria `conversationId`, `name`, `scope` and `time`."""
        assistant_id = request.assistant.assistantId
        if not assistant_id:
            raise BadRequest("assistant is missing")
        page = await self._store.page(
            caller.project_id,
            assistant_id,
            *page_of(request.paginate),
            criteria_of(request.criterias),
        )
        records = (_record(one, assistant_id, caller.project_id) for one in page.items)
        return listing(GetAllAssistantTelemetryResponse, records, page)


def _record(entry: Entry, assistant_id: int, project_id: int) -> TelemetryRecord:
    common: dict[str, Any] = {
        "assistantId": assistant_id,
        "assistantConversationId": entry.conversation_id,
        "projectId": project_id,
        "organizationId": project_id,
        "time": stamp(entry.at),
    }
    message = str(entry.data.get(MESSAGE, ""))
    if entry.kind == "metric":
        scope = "message" if message or "turn" in entry.data else "conversation"
        return TelemetryRecord(
            metric=TelemetryMetric(
                contextId=message, scope=scope, metrics=[metric(entry)], **common
            )
        )
    told = {key: _text(value) for key, value in entry.data.items()}
    if entry.kind == "message":
        told |= {"role": entry.name, "text": entry.value}
    name = "message" if entry.kind == "message" else entry.name
    return TelemetryRecord(event=TelemetryEvent(messageId=message, name=name, data=told, **common))


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
