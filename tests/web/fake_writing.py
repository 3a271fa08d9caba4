"""Who answers and sends messages, for tests: nothing leaves, everything is remembered."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed

from rapida_tw.carriers.twilio_whatsapp import IncomingMessage, MessageStatus
from rapida_tw.messaging.outgoing import MessageRequest, MessageSent
from rapida_tw.messaging.whatsapp import StatusUrl
from rapida_tw.web.messages import Writing


class FakeInbox:
    def __init__(self) -> None:
        self.messages: list[tuple[IncomingMessage, int, int]] = []
        self.urls: list[str] = []
        self.answer: tuple[str, ...] | Exception = ()

    def received(
        self, message: IncomingMessage, assistant_id: int, project_id: int, status_url: StatusUrl
    ) -> Deferred[tuple[str, ...]]:
        self.messages.append((message, assistant_id, project_id))
        self.urls.append(status_url(77))
        return fail(self.answer) if isinstance(self.answer, Exception) else succeed(self.answer)


class FakeFollowed:
    def __init__(self) -> None:
        self.statuses: list[tuple[str, str, int]] = []

    def told(
        self, status: MessageStatus, assistant_id: int, project_id: int, conversation_id: int = 0
    ) -> Deferred[None]:
        self.statuses.append((status.sid, status.status, conversation_id))
        return succeed(None)


class FakeOutbox:
    def __init__(self) -> None:
        self.requests: list[MessageRequest] = []
        self.urls: list[str] = []
        self.error: Exception | None = None

    def send(self, request: MessageRequest, status_url: StatusUrl) -> Deferred[MessageSent]:
        self.requests.append(request)
        self.urls.append(status_url(77))
        if self.error is not None:
            return fail(self.error)
        return succeed(MessageSent(77, "SM1"))


class FakeWriting:
    def __init__(self) -> None:
        self.whatsapp = FakeInbox()
        self.deliveries = FakeFollowed()
        self.outgoing = FakeOutbox()


_conforms: type[Writing] = FakeWriting
