"""/v1/webhook-deliveries: what assistants' webhooks were told, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator

from rapida_tw.store.records import AssistantStore
from rapida_tw.web.answers import Answer
from rapida_tw.web.api import Api, Ask, read_id
from rapida_tw.web.openapi_schemas import ID_IN_PATH
from rapida_tw.web.operation import Operation, Parameter, ref
from rapida_tw.web.route import Route
from rapida_tw.webhooks.documents import (
    Deliverer,
    delivery_document,
    logged_document,
    read_ping,
    read_state,
)

PATH = "/v1/webhook-deliveries"
TAG = "Webhooks"
READ, WRITE = "webhooks:read", "webhooks:write"
_ONE = ref("WebhookDelivery")
_LIST = Operation(
    "listWebhookDeliveries",
    "Newest first, without bodies and attempts.",
    TAG,
    _ONE,
    parameters=(
        Parameter("conversationId", ID_IN_PATH, "Of this conversation only."),
        Parameter("assistantId", ID_IN_PATH, "Of this assistant only."),
        Parameter(
            "state",
            {"enum": ["waiting", "sending", "delivered", "failed"]},
            "In this state only.",
        ),
    ),
    paged=True,
)
_PING = Operation(
    "pingWebhooks",
    "Send the event `ping` to each webhook of an assistant.",
    TAG,
    {"type": "array", "items": _ONE},
    ref("WebhookPing"),
)
_SHOW = Operation(
    "getWebhookDelivery", "With its body and each attempt.", TAG, ref("WholeWebhookDelivery")
)
_RETRY = Operation(
    "retryWebhookDelivery",
    "Send it again, now, with the same event id.",
    TAG,
    _ONE,
    answers={409: "It is being sent at the moment."},
)


class WebhookDeliveries:
    """Each in the project of the key; others' are not found."""

    def __init__(self, deliverer: Deliverer, assistants: AssistantStore) -> None:
        self._deliverer = deliverer
        self._assistants = assistants

    def routes(self, api: Api) -> Iterator[Route]:
        one = f"{PATH}/<delivery_id>"
        yield Route("GET", PATH, api(self.list, READ), operation=_LIST)
        yield Route("POST", PATH, api(self.ping, WRITE), operation=_PING)
        yield Route("GET", one, api(self.show, READ), operation=_SHOW)
        yield Route("POST", f"{one}/retry", api(self.retry, WRITE), operation=_RETRY)

    async def list(self, ask: Ask) -> Answer:
        """Newest first; `?conversationId`, `?assistantId` and `?state` choose."""
        query = ask.request.query
        conversation, assistant = query.get("conversationId"), query.get("assistantId")
        page = await self._deliverer.page(
            ask.project_id,
            *ask.page(),
            None if conversation is None else read_id(conversation),
            None if assistant is None else read_id(assistant),
            read_state(query.get("state", "")),
        )
        return Answer([delivery_document(one) for one in page.items], page)

    async def ping(self, ask: Ask) -> Answer:
        assistant = await self._assistants.get(read_ping(ask.document()), ask.project_id)
        made = await self._deliverer.ping(assistant)
        return Answer([delivery_document(one) for one in made])

    async def show(self, ask: Ask, delivery_id: int) -> Answer:
        return Answer(logged_document(await self._deliverer.get(delivery_id, ask.project_id)))

    async def retry(self, ask: Ask, delivery_id: int) -> Answer:
        return Answer(delivery_document(await self._deliverer.retry(delivery_id, ask.project_id)))
