"""Reading conversations back, on TalkService and AssistantService (the contract, section 7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rapida_tw.errors import BadRequest, NotFound
from rapida_tw.rpc.answers import criteria_of, data, listing, method, order_of, page_of
from rapida_tw.rpc.base import Caller, Methods
from rapida_tw.rpc.conversation_messages import conversation_message, message_message, metric
from rapida_tw.rpc.conversation_messages import message_id as id_of
from rapida_tw.rpc.messages.shared_pb2 import (
    AssistantConversationMessage,
    FieldSelector,
    Metric,
    Source,
)
from rapida_tw.rpc.messages.talk_pb2 import (
    CreateConversationMetricRequest,
    CreateConversationMetricResponse,
    CreateMessageMetricRequest,
    CreateMessageMetricResponse,
    GetAllAssistantConversationRequest,
    GetAllAssistantConversationResponse,
    GetAllAssistantMessageRequest,
    GetAllAssistantMessageResponse,
    GetAllConversationMessageRequest,
    GetAllConversationMessageResponse,
    GetAllMessageRequest,
    GetAllMessageResponse,
    GetAssistantConversationRequest,
    GetAssistantConversationResponse,
)
from rapida_tw.store.client_metrics import MESSAGE, PREFIX, ClientMetricStore
from rapida_tw.store.criteria import Criterion
from rapida_tw.store.records import ConversationStore, Entry, Message

READ, WRITE = "conversations:read", "calls:write"
MOST_METRICS = 100  # of one request
LONGEST_NAME, LONGEST_VALUE = 100, 2_000  # characters
_ALL_MESSAGES = 1_000  # of one conversation
_TALK, _ASSISTANT = "/talk_api.TalkService", "/assistant_api.AssistantService"


class Conversations:
    """Each in the project of the key; others' are not found."""

    def __init__(
        self, store: ConversationStore, metrics: ClientMetricStore, now: Callable[[], float]
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._now = now

    def methods(self) -> Methods:
        every = method(
            GetAllAssistantConversationRequest,
            GetAllAssistantConversationResponse,
            self.list,
            READ,
        )
        messages = method(
            GetAllConversationMessageRequest,
            GetAllConversationMessageResponse,
            self.messages,
            READ,
        )
        return {
            f"{_TALK}/GetAllAssistantConversation": every,
            f"{_ASSISTANT}/GetAllAssistantConversation": every,
            f"{_TALK}/GetAllConversationMessage": messages,
            f"{_ASSISTANT}/GetAllConversationMessage": messages,
            f"{_ASSISTANT}/GetAssistantConversation": method(
                GetAssistantConversationRequest, GetAssistantConversationResponse, self.get, READ
            ),
            f"{_ASSISTANT}/GetAllAssistantMessage": method(
                GetAllAssistantMessageRequest,
                GetAllAssistantMessageResponse,
                self.messages_of_assistant,
                READ,
            ),
            f"{_ASSISTANT}/GetAllMessage": method(
                GetAllMessageRequest, GetAllMessageResponse, self.all_messages, READ
            ),
            f"{_TALK}/CreateMessageMetric": method(
                CreateMessageMetricRequest,
                CreateMessageMetricResponse,
                self.add_message_metrics,
                WRITE,
            ),
            f"{_TALK}/CreateConversationMetric": method(
                CreateConversationMetricRequest,
                CreateConversationMetricResponse,
                self.add_metrics,
                WRITE,
            ),
        }

    # -- conversations ----------------------------------------------------------------------------

    async def list(
        self, caller: Caller, request: GetAllAssistantConversationRequest
    ) -> GetAllAssistantConversationResponse:
        """Newest first, without what is in them."""
        criteria = [*criteria_of(request.criterias), *_of_source(request.source)]
        page = await self._store.page(
            caller.project_id, *page_of(request.paginate), request.assistantId or None, criteria
        )
        found = (conversation_message(one) for one in page.items)
        return listing(GetAllAssistantConversationResponse, found, page)

    async def get(
        self, caller: Caller, request: GetAssistantConversationRequest
    ) -> GetAssistantConversationResponse:
        """`NotFound` also for another assistant's."""
        found = await self._store.get(request.id, caller.project_id)
        if request.assistantId not in (0, found.assistant_id):
            raise NotFound(f"no conversation {request.id}")
        selectors = _fields(request.selectors)
        message = conversation_message(found, selectors)
        if "message" in selectors:
            page = await self._store.messages(caller.project_id, 1, _ALL_MESSAGES, found.id)
            message.assistantConversationMessage.extend(await self._with_metrics(page.items))
        return data(GetAssistantConversationResponse, message)

    # -- messages ---------------------------------------------------------------------------------

    async def messages(
        self, caller: Caller, request: GetAllConversationMessageRequest
    ) -> GetAllConversationMessageResponse:
        """Oldest first, of one conversation."""
        if not request.assistantConversationId:
            raise BadRequest("assistantConversationId is missing")
        criteria = [
            *criteria_of(request.criterias),
            *_of_assistant(request.assistantId),
            *_of_source(request.source),
        ]
        page = await self._store.messages(
            caller.project_id,
            *page_of(request.paginate),
            request.assistantConversationId,
            criteria,
            order_of(request.order),
        )
        found = await self._with_metrics(page.items)
        return listing(GetAllConversationMessageResponse, found, page)

    async def messages_of_assistant(
        self, caller: Caller, request: GetAllAssistantMessageRequest
    ) -> GetAllAssistantMessageResponse:
        """Of all its conversations."""
        if not request.assistantId:
            raise BadRequest("assistantId is missing")
        criteria = [*criteria_of(request.criterias), *_of_assistant(request.assistantId)]
        page = await self._store.messages(
            caller.project_id,
            *page_of(request.paginate),
            None,
            criteria,
            order_of(request.order),
        )
        return listing(GetAllAssistantMessageResponse, await self._with_metrics(page.items), page)

    async def all_messages(
        self, caller: Caller, request: GetAllMessageRequest
    ) -> GetAllMessageResponse:
        """Of the whole project."""
        page = await self._store.messages(
            caller.project_id,
            *page_of(request.paginate),
            None,
            criteria_of(request.criterias),
            order_of(request.order),
        )
        return listing(GetAllMessageResponse, await self._with_metrics(page.items), page)

    async def _with_metrics(
        self, messages: Sequence[Message]
    ) -> Sequence[AssistantConversationMessage]:
        if not messages:
            return []
        kept = await self._metrics.of_messages([one.conversation_id for one in messages])
        metrics: dict[tuple[int, Any], list[Metric]] = defaultdict(list)
        for entry in kept:
            metrics[entry.conversation_id, entry.data.get(MESSAGE)].append(metric(entry))
        return [
            message_message(one, metrics.get((one.conversation_id, id_of(one)), ()))
            for one in messages
        ]

    # -- metrics of clients -----------------------------------------------------------------------

    async def add_metrics(
        self, caller: Caller, request: CreateConversationMetricRequest
    ) -> CreateConversationMetricResponse:
        """Answers them as they are kept."""
        entries = self._read(request.assistantConversationId, request.metrics, {})
        await self._metrics.put(
            request.assistantConversationId, caller.project_id, request.assistantId, entries
        )
        return data(CreateConversationMetricResponse, [metric(one) for one in entries])

    async def add_message_metrics(
        self, caller: Caller, request: CreateMessageMetricRequest
    ) -> CreateMessageMetricResponse:
        """The same, of one message."""
        if not request.messageId or len(request.messageId) > LONGEST_NAME:
            raise BadRequest(f"messageId must be a text of 1 to {LONGEST_NAME} characters")
        named = {MESSAGE: request.messageId}
        entries = self._read(request.assistantConversationId, request.metrics, named)
        await self._metrics.put(
            request.assistantConversationId, caller.project_id, request.assistantId, entries
        )
        return data(CreateMessageMetricResponse, [metric(one) for one in entries])

    def _read(
        self, conversation_id: int, metrics: Iterable[Metric], named: dict[str, str]
    ) -> Sequence[Entry]:
        """`BadRequest`; of two with the same name, the last."""
        read = {}
        for one in metrics:
            name = PREFIX + one.name.strip().removeprefix(PREFIX)
            texts = (one.name, one.value, one.description)
            if name == PREFIX or len(name) > LONGEST_NAME:
                raise BadRequest(f"the name of a metric has 1 to {LONGEST_NAME} characters")
            if any(len(text) > LONGEST_VALUE or "\0" in text for text in texts):
                raise BadRequest(f"a metric's texts have at most {LONGEST_VALUE} characters")
            about = {"description": one.description} if one.description else {}
            read[name] = Entry(
                conversation_id, "metric", name, one.value, about | named, self._now()
            )
        if not 0 < len(read) <= MOST_METRICS:
            raise BadRequest(f"metrics must be 1 to {MOST_METRICS}")
        return list(read.values())


def _fields(selectors: Iterable[FieldSelector]) -> frozenset[str]:
    return frozenset(one.field for one in selectors)


def _of_assistant(assistant_id: int) -> list[Criterion]:
    return [Criterion("assistant_id", str(assistant_id))] if assistant_id else []


def _of_source(source: Source) -> list[Criterion]:
    """0 is no filter: it is what clients send who set none."""
    name = Source.Name(source) if source in Source.values() else ""
    return [Criterion("source", name.lower().replace("_", "-"))] if source and name else []
