"""Messaging: all that a process has for conversations in writing, put together."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from rapida_tw.calls.journal import Journal
from rapida_tw.calls.parts import Vendors
from rapida_tw.calls.toolset import Makers
from rapida_tw.ids import Ids
from rapida_tw.messaging.deliveries import Deliveries
from rapida_tw.messaging.desk import Desk
from rapida_tw.messaging.numbers import Numbers
from rapida_tw.messaging.outgoing import Outgoing
from rapida_tw.messaging.overheard import Overheard
from rapida_tw.messaging.sending import Messenger
from rapida_tw.messaging.threads import ThreadStore
from rapida_tw.messaging.visits import CallRoom, Visits
from rapida_tw.messaging.whatsapp import WhatsApp
from rapida_tw.net.base import Net
from rapida_tw.store.records import AssistantStore, ConversationStore, CredentialStore


class Messaging:
    """WhatsApp, and who talks by a stream."""

    def __init__(
        self,
        clock: IReactorTime,
        assistants: AssistantStore,
        credentials: CredentialStore,
        conversations: ConversationStore,
        threads: ThreadStore,
        journal: Journal,
        vendors: Vendors,
        makers: Makers,
        net: Net,
        ids: Ids,
        now: Callable[[], float],
        calls: CallRoom,
    ) -> None:
        numbers = Numbers(assistants, credentials)
        messenger = Messenger(net, clock)
        self.desk = Desk(clock, assistants, credentials, journal, vendors, makers, now)
        self.whatsapp = WhatsApp(
            clock, self.desk, threads, conversations, journal, numbers, messenger, ids, now
        )
        self.outgoing = Outgoing(
            threads, conversations, journal, numbers, messenger, self.whatsapp.tell, ids, now
        )
        self.deliveries = Deliveries(conversations, journal)
        self.visits = Visits(
            self.desk, calls, assistants, credentials, conversations, journal, ids, now
        )
        self.overheard = Overheard(journal)

    def stop(self) -> Deferred[None]:
        """The server's end: replies that are being made still go out."""
        return self.whatsapp.stop()
