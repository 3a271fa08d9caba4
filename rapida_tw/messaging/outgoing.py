"""Outgoing: messages that programs have an assistant send, by REST or the command."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Final
from uuid import uuid4

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rapida_tw.calls.journal import Journal
from rapida_tw.carriers.outbound import CarrierRefused, Outcome, Reach
from rapida_tw.carriers.twilio_messages import OutgoingMessage, Sent, number, sender_of
from rapida_tw.errors import Conflict
from rapida_tw.ids import Ids
from rapida_tw.messaging.chat import note_failure
from rapida_tw.messaging.numbers import CARRIER, Numbers
from rapida_tw.messaging.sending import Messenger
from rapida_tw.messaging.threads import SOURCE, WINDOW, ThreadStore
from rapida_tw.messaging.whatsapp import StatusUrl
from rapida_tw.store.records import Arrival, Conversation, ConversationStore, Entry, Thread

REMEMBERED: Final = 1_000  # requests with a key, whose answers are given again


@dataclass(frozen=True, slots=True)
class MessageRequest:
    """What is to be sent to whom.

    `sender` "" = the deployment's. Either `text`, within 24 hours of the recipient's last message,
    or an approved template (`content_sid`, `variables`). `metadata` is kept with the conversation.
    `idempotency_key`: the same one sends once, whatever became of it.
    """

    project_id: int
    assistant_id: int
    recipient: str
    sender: str = ""
    text: str = ""
    content_sid: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    idempotency_key: str = ""

    @property
    def digest(self) -> str:
        """Equal for equal requests."""
        values = json.dumps(asdict(replace(self, idempotency_key="")), sort_keys=True)
        return hashlib.sha256(values.encode("utf-8", "replace")).hexdigest()

    @property
    def shown(self) -> str:
        """What the history and the model have of it."""
        if not self.content_sid:
            return self.text
        values = ", ".join(f"{name}: {value}" for name, value in self.variables.items())
        return f"[template {self.content_sid}{f' ({values})' if values else ''}]"


@dataclass(frozen=True, slots=True)
class MessageSent:
    """`status`: queued, or unknown where nobody knows whether the carrier has it."""

    conversation_id: int
    sid: str
    status: str = "queued"


class Outgoing:
    """Sends them; `tell` makes a conversation that is at hand know of it."""

    def __init__(
        self,
        threads: ThreadStore,
        conversations: ConversationStore,
        journal: Journal,
        numbers: Numbers,
        messenger: Messenger,
        tell: Callable[[int, str], None],
        ids: Ids,
        now: Callable[[], float],
    ) -> None:
        self._threads = threads
        self._conversations = conversations
        self._journal = journal
        self._numbers = numbers
        self._messenger = messenger
        self._tell = tell
        self._ids = ids
        self._now = now
        self._answers: OrderedDict[str, tuple[str, MessageSent]] = OrderedDict()
        self._waiting: dict[str, list[Deferred[MessageSent]]] = {}

    def send(self, request: MessageRequest, status_url: StatusUrl) -> Deferred[MessageSent]:
        """Answers when Twilio has it. Cancelling gives up the answer, not the message.

        `BadRequest`, `AssistantNotFound`, `MisconfiguredAssistant`, `Conflict`, `CarrierRefused`,
        `Unavailable`.
        """
        name = _name(request)
        answer: Deferred[MessageSent] = Deferred()
        waiting = self._waiting.setdefault(f"{name} {request.digest}", [])
        waiting.append(answer)
        if len(waiting) == 1:
            work = Deferred.fromCoroutine(self._send(request, name, status_url))
            work.addBoth(self._answer, f"{name} {request.digest}")
        return answer

    def _answer(self, result: MessageSent | Failure, key: str) -> None:
        for waiting in self._waiting.pop(key):
            if not waiting.called:
                waiting.callback(result)

    async def _send(self, request: MessageRequest, name: str, status_url: StatusUrl) -> MessageSent:
        deployment, account = await self._numbers.need(request.assistant_id, request.project_id)
        sender = number(request.sender, "from") if request.sender else ""
        message = OutgoingMessage(
            account,
            sender or sender_of(deployment.options),
            number(request.recipient, "to"),
            request.text,
            request.content_sid,
            request.variables,
        )
        arrival = await self._arrive(request, message.recipient, name)
        conversation = arrival.conversation
        if arrival.known:
            return await self._again(request, name, conversation)
        self._note(request, name, arrival, message)
        message = replace(message, status_url=status_url(conversation.id))
        note = self._journal.of(conversation.id)
        try:
            sent = await self._messenger.send(message)
        except Exception:
            note_failure(note, Failure(), key=name)
            raise
        return await self._sent(request, name, conversation, sent)

    async def _arrive(self, request: MessageRequest, recipient: str, name: str) -> Arrival:
        thread = Thread(
            request.project_id, request.assistant_id, CARRIER, SOURCE, recipient, "outbound"
        )
        return await self._threads.arrive(thread, name, self._now() - WINDOW, self._ids.new())

    def _note(
        self, request: MessageRequest, name: str, arrival: Arrival, message: OutgoingMessage
    ) -> None:
        """Before it is sent: after a crash nobody sends it twice, and the history has it."""
        note = self._journal.of(arrival.conversation.id)
        if arrival.begun:
            note.metadata("client.phone", message.recipient)
            note.metadata("client.assistant_phone", message.sender)
            note.metadata("client.direction", "outbound")
            note.metadata("client.channel", SOURCE)
        for key, value in request.metadata.items():
            note.metadata(key, value)
        note.event("message.requested", carrier=CARRIER, key=name, digest=request.digest)

    async def _sent(
        self, request: MessageRequest, name: str, conversation: Conversation, sent: Sent
    ) -> MessageSent:
        note = self._journal.of(conversation.id)
        note.message("assistant", request.shown, kind="api", by="text", sid=sent.sid)
        note.event("message.queued", carrier=CARRIER, sid=sent.sid, key=name)
        self._tell(conversation.id, request.shown)
        done = MessageSent(conversation.id, sent.sid)
        self._answers[name] = request.digest, done
        if len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
        await self._threads.name(conversation.id, [sent.sid])
        return done

    # -- the same request again -------------------------------------------------------------------

    async def _again(
        self, request: MessageRequest, name: str, conversation: Conversation
    ) -> MessageSent:
        """What became of it; nothing is sent."""
        if name in self._answers:
            digest, done = self._answers[name]
            if digest != request.digest:
                raise Conflict("the idempotency key was used for another message")
            return done
        stored = await self._conversations.get(conversation.id, request.project_id)
        told = [one for one in stored.entries if one.data.get("key") == name]
        if any(one.data.get("digest", request.digest) != request.digest for one in told):
            raise Conflict("the idempotency key was used for another message")
        return _outcome(conversation.id, told)


def _outcome(conversation_id: int, told: Sequence[Entry]) -> MessageSent:
    for one in told:
        if one.name == "message.queued":
            return MessageSent(conversation_id, str(one.data.get("sid", "")))
        if one.name == "message.failed":
            reason, code = str(one.data.get("reason", "")), str(one.data.get("code", ""))
            reach = Reach(one.data.get("reach", Reach.UNKNOWN.value))
            raise CarrierRefused.by(Outcome("failed", reason, code, reach=reach))
    return MessageSent(conversation_id, "", "unknown")


def _name(request: MessageRequest) -> str:
    """Of the request, among the conversation's names."""
    if not request.idempotency_key:
        return f"message:{uuid4().hex}"
    whole = f"{request.project_id} {request.assistant_id} {request.idempotency_key}"
    return "message:" + hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()
