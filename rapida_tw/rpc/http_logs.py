"""AssistantService: what assistants' webhooks were told, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rapida_tw.errors import BadRequest, NotFound
from rapida_tw.ids import parse_id
from rapida_tw.rpc.answers import criteria_of, data, listing, method, page_of, stamp
from rapida_tw.rpc.base import Caller, Methods
from rapida_tw.rpc.messages.assistant_pb2 import (
    AssistantHTTPLog,
    GetAllAssistantHTTPLogRequest,
    GetAllAssistantHTTPLogResponse,
    GetAssistantHTTPLogRequest,
    GetAssistantHTTPLogResponse,
    RetryAssistantHTTPLogRequest,
)
from rapida_tw.rpc.values import to_struct
from rapida_tw.rpc.webhook_messages import webhook_id
from rapida_tw.store.criteria import Criterion
from rapida_tw.store.deliveries import Attempt, Delivery
from rapida_tw.webhooks.documents import Deliverer, read_state

_READ, _WRITE = "webhooks:read", "webhooks:write"
_SERVICE = "/assistant_api.AssistantService"
_KEYS = {
    "assistant_id": "assistant",
    "assistant_conversation_id": "conversation",
    "conversation_id": "conversation",
    "status": "state",
    "state": "state",
}


class HttpLogs:
    """Each in the project of the key; others' are not found."""

    def __init__(self, deliverer: Deliverer) -> None:
        self._deliverer = deliverer

    def methods(self) -> Methods:
        one = GetAssistantHTTPLogResponse
        return {
            f"{_SERVICE}/GetAssistantHTTPLog": method(
                GetAssistantHTTPLogRequest, one, self.get, _READ
            ),
            f"{_SERVICE}/GetAllAssistantHTTPLog": method(
                GetAllAssistantHTTPLogRequest, GetAllAssistantHTTPLogResponse, self.list, _READ
            ),
            f"{_SERVICE}/RetryAssistantHTTPLog": method(
                RetryAssistantHTTPLogRequest, one, self.retry, _WRITE
            ),
        }

    async def get(
        self, caller: Caller, request: GetAssistantHTTPLogRequest
    ) -> GetAssistantHTTPLogResponse:
        """With what was sent, and the last answer."""
        _check_project(caller, request.projectId)
        found = await self._deliverer.get(request.id, caller.project_id)
        return data(GetAssistantHTTPLogResponse, _log(found.delivery, found.attempts))

    async def list(
        self, caller: Caller, request: GetAllAssistantHTTPLogRequest
    ) -> GetAllAssistantHTTPLogResponse:
        """Newest first, without answers; criteria by assistant, conversation and status, with =."""
        _check_project(caller, request.projectId)
        wanted = _wanted(criteria_of(request.criterias))
        page = await self._deliverer.page(
            caller.project_id,
            *page_of(request.paginate),
            _id(wanted.get("conversation")),
            _id(wanted.get("assistant")),
            read_state(wanted.get("state", "").lower()),
        )
        return listing(GetAllAssistantHTTPLogResponse, (_log(one) for one in page.items), page)

    async def retry(
        self, caller: Caller, request: RetryAssistantHTTPLogRequest
    ) -> GetAssistantHTTPLogResponse:
        """Once more, now."""
        _check_project(caller, request.projectId)
        again = await self._deliverer.retry(request.id, caller.project_id)
        return data(GetAssistantHTTPLogResponse, _log(again))


def _check_project(caller: Caller, project_id: int) -> None:
    """0 is the key's own."""
    if project_id not in (0, caller.project_id):
        raise NotFound(f"no project {project_id}")


def _wanted(criteria: Iterable[Criterion]) -> dict[str, str]:
    wanted = {}
    for one in criteria:
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in one.key)
        if name not in _KEYS or one.logic != "=":
            raise BadRequest(f"criteria: only {', '.join(_KEYS)} are known here, with =")
        wanted[_KEYS[name]] = one.value
    return wanted


def _id(text: str | None) -> int | None:
    return None if text is None else parse_id(text)


def _log(delivery: Delivery, attempts: Sequence[Attempt] = ()) -> AssistantHTTPLog:
    log = AssistantHTTPLog(
        id=delivery.id,
        sourceRefId=webhook_id(delivery.assistant_id, delivery.webhook),
        status=delivery.state.upper(),
        createdDate=stamp(delivery.created),
        updatedDate=stamp(delivery.updated),
        assistantId=delivery.assistant_id,
        projectId=delivery.project_id,
        organizationId=delivery.project_id,
        assistantConversationId=delivery.conversation_id,
        sourceEvent=delivery.event,
        retryCount=max(0, delivery.attempts - 1),
        httpMethod=str(delivery.webhook.get("method") or "POST"),
        httpUrl=delivery.url.partition("?")[0],
        source="webhook",
        contextId=delivery.event_id,
    )
    if attempts:
        last = attempts[-1]
        log.request.CopyFrom(to_struct({"body": delivery.body}))
        log.response.CopyFrom(to_struct({"status": last.status, "body": last.response}))
        log.responseStatus = last.status
        log.timeTaken = round(last.seconds * 1000)
        log.errorMessage = last.error
    return log
