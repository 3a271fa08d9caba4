"""WhatsApp by Twilio: people write, assistants answer.

What was said lies in the store: a conversation goes on after a restart, and on another worker.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from rapida_tw.account import Account
from rapida_tw.calls.context import CallContext
from rapida_tw.calls.journal import Journal
from rapida_tw.carriers.twilio_messages import OutgoingMessage, Sent
from rapida_tw.carriers.twilio_whatsapp import IncomingMessage
from rapida_tw.errors import CallError, CapacityExceeded
from rapida_tw.ids import Ids
from rapida_tw.messaging.chat import Chat, Texts
from rapida_tw.messaging.desk import Desk, messages_in, resumed
from rapida_tw.messaging.numbers import CARRIER, Numbers
from rapida_tw.messaging.sending import Messenger
from rapida_tw.messaging.threads import SOURCE, WINDOW, ThreadStore
from rapida_tw.metrics import Counter, Gauge
from rapida_tw.store.records import Arrival, Conversation, ConversationStore, Deployment, Thread

MOST_CHATS: Final = 1_000  # at hand; of others the history is read when they go on
LOOK_EVERY: Final = 300.0  # seconds, for chats in which nobody writes any more
IDLE_AFTER: Final = 900.0  # seconds, until a chat is let go of
FINISH_WITHIN: Final = 8.0  # seconds for replies that are being made when the server stops

arrived = Counter("rapida_messages_received_total", "Messages that came in.", ("channel",))
repeated = Counter(
    "rapida_messages_repeated_total", "Messages that came a second time.", ("channel",)
)
at_hand = Gauge("rapida_chats", "Conversations in writing that are at hand.")

StatusUrl = Callable[[int], str]  # where Twilio tells what became of a conversation's messages


class WhatsApp:
    """All chats of this process."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        desk: Desk,
        threads: ThreadStore,
        conversations: ConversationStore,
        journal: Journal,
        numbers: Numbers,
        messenger: Messenger,
        ids: Ids,
        now: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._desk = desk
        self._threads = threads
        self._conversations = conversations
        self._journal = journal
        self._numbers = numbers
        self._messenger = messenger
        self._ids = ids
        self._now = now
        self._chats: dict[int, Chat] = {}  # by the conversation's id, the longest unused first
        self._work: set[Deferred[Texts]] = set()
        self._looking: IDelayedCall | None = None
        self._stopping = False

    def received(
        self, message: IncomingMessage, assistant_id: int, project_id: int, status_url: StatusUrl
    ) -> Deferred[Texts]:
        """A person has written: what the webhook answers, mostly nothing.

        Without an account to send with it is the reply itself. `CapacityExceeded`,
        `AssistantNotFound`, `MisconfiguredAssistant`, `Unavailable`: spoken with the assistant's
        own words where these are known.
        """
        work = Deferred.fromCoroutine(self._received(message, assistant_id, project_id, status_url))
        self._work.add(work)

        def done(result: Texts) -> Texts:
            self._work.discard(work)
            return result

        return work.addBoth(done)

    async def _received(
        self, message: IncomingMessage, assistant_id: int, project_id: int, status_url: StatusUrl
    ) -> Texts:
        if self._stopping:
            raise CapacityExceeded("the server stops")
        deployment, account = await self._numbers.of(assistant_id, project_id)
        try:
            thread = Thread(project_id, assistant_id, CARRIER, SOURCE, message.sender)
            arrival = await self._arrive(thread, message.sid)
            if arrival.known:
                repeated.inc("whatsapp")
                return ()
            arrived.inc("whatsapp")
            self._note_arrival(arrival, message)
            chat = await self._chat(arrival.conversation, message.recipient)
        except CallError as error:
            error.spoken = deployment.error_message or error.spoken
            raise
        self._equip(chat, deployment, account, message, status_url)
        text = message.as_text()
        return await chat.received(text, message.sid, sid=message.sid, media=list(message.media))

    async def _arrive(self, thread: Thread, name: str) -> Arrival:
        since = self._now() - WINDOW
        return await self._threads.arrive(thread, name, since, self._ids.new())

    def _note_arrival(self, arrival: Arrival, message: IncomingMessage) -> None:
        if not arrival.begun:
            return
        note = self._journal.of(arrival.conversation.id)
        note.event("webhook", carrier=CARRIER, caller=message.sender)
        note.metadata("client.phone", message.sender)
        note.metadata("client.assistant_phone", message.recipient)
        note.metadata("client.direction", "inbound")
        note.metadata("client.channel", SOURCE)
        for name, value in message.profile.items():
            note.metadata(f"client.{name}", value)

    # -- chats ------------------------------------------------------------------------------------

    async def _chat(self, conversation: Conversation, callee: str) -> Chat:
        """With its session open, and knowing all that was said."""
        chat = self._chats.pop(conversation.id, None) or self._new_chat(conversation.id)
        self._chats[conversation.id] = chat  # the latest
        await chat.lock.acquire()
        try:
            await self._renew(chat, conversation, callee)
        except BaseException:
            if chat.session is None:
                self._drop(chat)
            raise
        finally:
            chat.lock.release()
        return chat

    def _new_chat(self, conversation_id: int) -> Chat:
        if len(self._chats) >= MOST_CHATS:
            idle = next((one for one in self._chats.values() if not one.busy), None)
            if idle is None:
                raise CapacityExceeded(f"{MOST_CHATS} conversations in writing are answered now")
            self._drop(idle)
        if self._looking is None:
            self._looking = self._clock.callLater(LOOK_EVERY, self._look)
        note = self._journal.of(conversation_id)
        chat = Chat(self._clock, conversation_id, note, self._sent, self._drop)
        self._chats[conversation_id] = chat
        at_hand.set(len(self._chats))
        return chat

    async def _renew(self, chat: Chat, conversation: Conversation, callee: str) -> None:
        """Open its session; anew where others have said something (another worker, the API)."""
        stored = await self._conversations.get(conversation.id)
        if chat.session is not None and chat.session.replying:
            return
        said = messages_in(stored.entries)
        if chat.session is not None and not chat.session.over and said <= chat.known:
            return
        context = CallContext(
            conversation.id,
            conversation.assistant_id,
            conversation.project_id,
            SOURCE,
            conversation.direction,
            caller=conversation.identifier,
            callee=callee,
            registered=conversation.created,
        )
        before = chat.session
        context = resumed(context, stored.entries)
        chat.begin(await self._desk.open(context, chat, before=stored.entries), said)
        if before is not None:
            before.stop()

    def _equip(
        self,
        chat: Chat,
        deployment: Deployment,
        account: Account | None,
        message: IncomingMessage,
        status_url: StatusUrl,
    ) -> None:
        """Each time: the credential may have been changed."""
        chat.error_message = deployment.error_message
        chat.post = None
        if account is not None:
            outgoing = partial(
                OutgoingMessage,
                account,
                message.recipient,
                message.sender,
                status_url=status_url(chat.conversation_id),
            )
            chat.post = lambda text: self._messenger.send(outgoing(text=text))

    def tell(self, conversation_id: int, text: str) -> None:
        """The API has sent this in the conversation: the model is to know."""
        chat = self._chats.get(conversation_id)
        if chat is not None and chat.session is not None:
            chat.session.told(text)
            chat.known += 1

    def _sent(self, conversation_id: int, sent: Sent) -> None:
        self._journal.of(conversation_id).event("message.queued", carrier=CARRIER, sid=sent.sid)
        naming = self._threads.name(conversation_id, [sent.sid])
        naming.addErrback(lambda failure: self._log.failure("a message has no name", failure))

    def _drop(self, chat: Chat) -> None:
        if self._chats.get(chat.conversation_id) is chat:
            del self._chats[chat.conversation_id]
            at_hand.set(len(self._chats))
        chat.stop()

    # -- time, and the end ------------------------------------------------------------------------

    def _look(self) -> None:
        """Let go of who is silent, and end conversations that nobody may go on with."""
        self._looking = None
        for chat in tuple(self._chats.values()):
            if not chat.busy and self._clock.seconds() - chat.used > IDLE_AFTER:
                self._drop(chat)
        closing = self._threads.close_idle(SOURCE, self._now() - WINDOW)
        closing.addErrback(lambda failure: self._log.failure("old chats were not ended", failure))
        if self._chats:
            self._looking = self._clock.callLater(LOOK_EVERY, self._look)

    def stop(self) -> Deferred[None]:
        """Take no message, let replies that are being made go out, then let go of all."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self._stopping = True
        waited = 0.0
        while waited < FINISH_WITHIN and any(chat.busy for chat in self._chats.values()):
            await deferLater(self._clock, 0.1)
            waited += 0.1
        for work in tuple(self._work):
            work.addErrback(_given_up)
            work.cancel()
        for chat in tuple(self._chats.values()):
            self._drop(chat)
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None


def _given_up(failure: object) -> Texts:
    """Nobody is there any more who could be told."""
    return ()
