"""What carriers ask and tell: a new call, its events, and where the dialplan goes on after it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from rapida_tw.carriers.base import Carrier, Document, Invitation, WebhookRequest
from rapida_tw.errors import AssistantNotFound, BadRequest, NotFound
from rapida_tw.ids import LARGEST, parse_id
from rapida_tw.web.api import parse_json
from rapida_tw.web.auth import KEY, Gate
from rapida_tw.web.ports import CallRegister
from rapida_tw.web.request import BoundedRequest, read_fields
from rapida_tw.web.route import Route

PREFIX = "/v1/talk/"
_FORM = "application/x-www-form-urlencoded"
_LONGEST_VALUE = 4000  # characters of an event's field that are kept


class Talk:
    """The routes below /v1/talk/."""

    def __init__(self, carriers: Mapping[str, Carrier], gate: Gate, calls: CallRegister) -> None:
        self._carriers = carriers
        self._gate = gate
        self._calls = calls

    def routes(self) -> Iterator[Route]:
        context = f"{PREFIX}<carrier>/ctx/<context_id>"
        yield Route("GET POST", f"{PREFIX}<carrier>/call/<assistant_id>", self.call)
        yield Route("GET POST", f"{context}/event", self.event)
        yield Route("GET", f"{context}/next", self.next)

    async def call(self, request: BoundedRequest, carrier: str, assistant_id: str) -> Document:
        """A new call: register it, and tell the carrier where its media goes."""
        answering = self._carrier(carrier)
        key = await self._gate.authenticate(request)
        number = _assistant_id(assistant_id)
        webhook = read_webhook(request)
        incoming = answering.read_call(webhook)
        call = await self._calls.register(incoming, number, key.project_id)
        context = call.context
        invitation = Invitation(context.id, "", "", number, context.conversation_id, incoming)
        return answering.answer(invitation, webhook)

    async def event(self, request: BoundedRequest, carrier: str, context_id: str) -> Document:
        """A status callback. The context's id is all the authentication that carriers can give."""
        self._carrier(carrier)
        self._calls.event_received(context_id, carrier, read_event(request))
        return Document(b"", status=201)

    async def next(self, request: BoundedRequest, carrier: str, context_id: str) -> Document:
        """The dialplan's question after `AudioSocket()`: was the call transferred, and where to?"""
        self._carrier(carrier)
        await self._gate.authenticate(request)
        return Document((await self._calls.follow_up(context_id)).encode())

    def _carrier(self, name: str) -> Carrier:
        if name not in self._carriers:
            raise NotFound(f"no carrier is named {name!r} here")
        return self._carriers[name]


def _assistant_id(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text[:20]) > LARGEST:
        raise AssistantNotFound("there is no assistant with such a large id")
    return parse_id(text, "the assistant's id")


def read_webhook(request: BoundedRequest) -> WebhookRequest:
    """The request as carriers see it; `BodyTooLarge`, `BadRequest`."""
    request.check_size()
    headers = request.requestHeaders.getAllRawHeaders()
    names = [name.decode("latin-1").lower() for name, _ in headers]
    is_form = _content_type(request) == _FORM
    return WebhookRequest(
        request.method.decode("ascii"),
        request.path.decode("utf-8", "replace"),
        request.query,
        read_fields(request.body) if is_form else {},
        {name: request.header(name) for name in names},
        request.body,
    )


def read_event(request: BoundedRequest) -> dict[str, str]:
    """What a status callback tells, by query, form or JSON object, flat and without the API key."""
    webhook = read_webhook(request)
    fields = {**webhook.query, **webhook.form, **_object(request)}
    return {name: value[:_LONGEST_VALUE] for name, value in fields.items() if name.lower() != KEY}


def _object(request: BoundedRequest) -> dict[str, str]:
    if _content_type(request) != "application/json":
        return {}
    value = parse_json(request.body)
    if not isinstance(value, dict):
        raise BadRequest("the body must be a JSON object")
    return {
        name: part if isinstance(part, str) else json.dumps(part) for name, part in value.items()
    }


def _content_type(request: BoundedRequest) -> str:
    return request.header("content-type").partition(";")[0].strip().lower()
