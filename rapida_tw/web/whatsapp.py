"""What Twilio asks and tells of WhatsApp: a person's message, and what became of one of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rapida_tw.carriers import twilio_whatsapp
from rapida_tw.carriers.base import Carrier, Document
from rapida_tw.carriers.twilio_whatsapp import (
    IncomingMessage,
    MessageStatus,
    answer,
    read_message,
    read_status,
)
from rapida_tw.errors import CallError, MisconfiguredAssistant, NotSupported
from rapida_tw.messaging.chat import Texts
from rapida_tw.messaging.whatsapp import StatusUrl
from rapida_tw.web.address import PublicAddress
from rapida_tw.web.api import read_id
from rapida_tw.web.entrance import Entrance, assistant_of
from rapida_tw.web.operation import Operation
from rapida_tw.web.request import BoundedRequest
from rapida_tw.web.route import Route
from rapida_tw.web.webhook import read_webhook

MESSAGES = "/v1/talk/whatsapp/<assistant_id>"
OLDER = "/v1/talk/twilio/whatsapp/<assistant_id>"
_CONVERSATION = "conversation"  # in the query of the address for statuses
_ANYTHING: dict[str, Any] = {"*/*": {}}
_MESSAGE = Operation(
    "takeMessage",
    "A person has written by WhatsApp; by Twilio's signature or a key, answered with TwiML.",
    "Carriers",
    media=_ANYTHING,
    own_errors=True,
)
_OLDER_MESSAGE = Operation(
    "takeTwilioMessage",
    "The same under its older address.",
    "Carriers",
    media=_ANYTHING,
    own_errors=True,
)
_STATUS = Operation(
    "takeMessageStatus",
    "What became of a message that was sent by WhatsApp.",
    "Carriers",
    media=_ANYTHING,
    status=201,
    own_errors=True,
)


class Inbox(Protocol):
    """Who answers messages (`messaging.whatsapp.WhatsApp`)."""

    def received(
        self, message: IncomingMessage, assistant_id: int, project_id: int, status_url: StatusUrl
    ) -> Deferred[Texts]: ...


class Followed(Protocol):
    """Who writes down what became of messages (`messaging.deliveries.Deliveries`)."""

    def told(
        self, status: MessageStatus, assistant_id: int, project_id: int, conversation_id: int = 0
    ) -> Deferred[None]: ...


class WhatsAppWebhooks:
    """`carrier` checks the signatures: Twilio's, whoever the message is for."""

    _log = Logger()

    def __init__(
        self,
        carrier: Carrier,
        entrance: Entrance,
        inbox: Inbox,
        followed: Followed,
        address: PublicAddress,
    ) -> None:
        self._carrier = carrier
        self._entrance = entrance
        self._inbox = inbox
        self._followed = followed
        self._address = address

    def routes(self) -> Iterator[Route]:
        yield Route("POST", MESSAGES, self.message, operation=_MESSAGE)
        yield Route("POST", OLDER, self.message, operation=_OLDER_MESSAGE)
        yield Route("POST", f"{MESSAGES}/event", self.status, operation=_STATUS)

    async def message(self, request: BoundedRequest, assistant_id: str) -> Document:
        """Answered at once where the reply can be sent by itself; else with the reply."""
        webhook = read_webhook(request, self._address)
        message = read_message(webhook)
        number = assistant_of(assistant_id)
        project_id = await self._entrance.enter(request, webhook, self._carrier, number)
        url = status_url(self._address, request, number)
        try:
            return answer(*await self._inbox.received(message, number, project_id, url))
        except CallError as error:
            if error.status < 500 and not isinstance(error, MisconfiguredAssistant | NotSupported):
                raise
            self._log.warn(
                "a message to assistant {id} was not answered: {reason}: {error}",
                id=number,
                reason=error.reason,
                error=error,
            )
            return twilio_whatsapp.apology(error)

    async def status(self, request: BoundedRequest, assistant_id: str) -> Document:
        """Of no message of ours it is taken as well: refused, it would be sent again."""
        webhook = read_webhook(request, self._address)
        status = read_status(webhook)
        number = assistant_of(assistant_id)
        project_id = await self._entrance.enter(request, webhook, self._carrier, number)
        named = webhook.query.get(_CONVERSATION, "")
        conversation_id = read_id(named) if named else 0
        await self._followed.told(status, number, project_id, conversation_id)
        return Document(b"", status=201)


def status_url(address: PublicAddress, request: BoundedRequest, assistant_id: int) -> StatusUrl:
    """Where Twilio tells what becomes of messages, by the conversation that they are in."""
    base = address.url(request, f"{MESSAGES.replace('<assistant_id>', str(assistant_id))}/event")
    return lambda conversation_id: f"{base}?{_CONVERSATION}={conversation_id}"
