"""POST /v1/messages: a message by WhatsApp that a program has an assistant send."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from rapida_tw.calls.call_document import (
    LONGEST_IDEMPOTENCY_KEY,
    LONGEST_KEY,
    LONGEST_TEXT,
    MOST_ENTRIES,
)
from rapida_tw.calls.call_request import LONGEST_NUMBER
from rapida_tw.carriers.twilio_messages import LONGEST, content_sid, number
from rapida_tw.errors import BadRequest
from rapida_tw.messaging.outgoing import MessageRequest, MessageSent
from rapida_tw.messaging.whatsapp import StatusUrl
from rapida_tw.store.reading import Reading, mapping, reference, text
from rapida_tw.web.address import PublicAddress
from rapida_tw.web.answers import Answer
from rapida_tw.web.api import Api, Ask
from rapida_tw.web.operation import Operation, ref
from rapida_tw.web.route import Route
from rapida_tw.web.whatsapp import Followed, Inbox, status_url

PATH = "/v1/messages"
SCOPE = "messages:write"
_SEND = Operation(
    "sendMessage",
    "Have an assistant write to somebody by WhatsApp; answered when Twilio has the message.",
    "Messages",
    ref("SentMessage"),
    ref("NewMessage"),
    answers={502: "Twilio did not take it; the text says why."},
)


class Outbox(Protocol):
    """Who sends messages (`messaging.outgoing.Outgoing`)."""

    def send(self, request: MessageRequest, status_url: StatusUrl) -> Deferred[MessageSent]: ...


class Writing(Protocol):
    """All that conversations in writing need of the house (`messaging.messaging.Messaging`)."""

    @property
    def whatsapp(self) -> Inbox: ...
    @property
    def deliveries(self) -> Followed: ...
    @property
    def outgoing(self) -> Outbox: ...


class Messages:
    """The route."""

    def __init__(self, outbox: Outbox, address: PublicAddress) -> None:
        self._outbox = outbox
        self._address = address

    def routes(self, api: Api) -> Iterator[Route]:
        yield Route("POST", PATH, api(self.send, SCOPE), seconds=None, operation=_SEND)

    async def send(self, ask: Ask) -> Answer:
        """{assistantId, to, from?, text | contentSid + contentVariables?, metadata?}."""
        header = ask.request.header("idempotency-key").strip()
        request = read_request(ask.document(), ask.project_id, header)
        url: StatusUrl = _nowhere
        if self._address.is_set:  # Twilio refuses an address that it cannot reach
            url = status_url(self._address, ask.request, request.assistant_id)
        return Answer(message_document(await self._outbox.send(request, url)))


def message_document(sent: MessageSent) -> dict[str, Any]:
    """`id` is Twilio's name of the message, "" where nobody knows it."""
    return {
        "id": sent.sid,
        "conversationId": str(sent.conversation_id),
        "status": sent.status,
        "channel": "whatsapp",
    }


def read_request(document: object, project_id: int, idempotency_key: str = "") -> MessageRequest:
    """`BadRequest` tells all mistakes. An idempotency key of the document goes first."""
    reading = Reading(document)
    request = MessageRequest(
        project_id,
        reading.value("assistantId", reference, None, None) or 0,
        reading.value("to", _number, "", ""),
        reading.value("from", _number, "", ""),
        reading.value("text", text(LONGEST, 1), "", "").strip(),
        reading.value("contentSid", _template, "", ""),
        reading.value("contentVariables", _texts, {}, {}),
        reading.value("metadata", _texts, {}, {}),
        reading.value("idempotencyKey", text(LONGEST_IDEMPOTENCY_KEY, 1), "", "")
        or idempotency_key,
    )
    if len(request.idempotency_key) > LONGEST_IDEMPOTENCY_KEY:  # cut off, it would be another's
        reading.wrong("idempotencyKey", f"has at most {LONGEST_IDEMPOTENCY_KEY} characters")
    if not request.assistant_id:
        reading.wrong("assistantId", "is required")
    if not request.recipient and not (isinstance(document, dict) and document.get("to")):
        reading.wrong("to", "is required, a number in E.164")
    if bool(request.text) == bool(request.content_sid):
        reading.wrong("text", "or contentSid is required, and not both")
    if request.variables and not request.content_sid:
        reading.wrong("contentVariables", "are those of a contentSid")
    reading.finish()
    return request


def _number(value: Any) -> str:
    try:
        return number(text(LONGEST_NUMBER)(value))
    except BadRequest:
        raise ValueError("is no number in E.164, like +15550100001") from None


def _template(value: Any) -> str:
    try:
        return content_sid(text(LONGEST_NUMBER)(value))
    except BadRequest:
        raise ValueError("must be HX and 32 hexadecimal digits") from None


def _texts(value: Any) -> Mapping[str, str]:
    """What is no text is kept as text."""
    found = mapping(value)
    if len(found) > MOST_ENTRIES or any(not 0 < len(key) <= LONGEST_KEY for key in found):
        raise ValueError(f"must have at most {MOST_ENTRIES} keys of 1 to {LONGEST_KEY} characters")
    texts = {key: one if isinstance(one, str) else _plain(one) for key, one in found.items()}
    if any(len(one) > LONGEST_TEXT for one in texts.values()):
        raise ValueError(f"must have values of at most {LONGEST_TEXT} characters")
    return texts


def _plain(value: Any) -> str:
    if value is None or isinstance(value, bool | int | float):
        return "" if value is None else json.dumps(value)
    raise ValueError("must have texts, numbers or truth values as values")


def _nowhere(conversation_id: int) -> str:
    """Nobody is told what became of it."""
    return ""
