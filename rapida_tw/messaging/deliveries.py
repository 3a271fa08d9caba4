"""Deliveries: what became of messages that we sent, by Twilio's callbacks, into the history.

These come late, twice and in any order: a message's state never goes back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rapida_tw.calls.journal import Journal
from rapida_tw.carriers.twilio_whatsapp import MessageStatus, rank_of
from rapida_tw.errors import NotFound
from rapida_tw.messaging.numbers import CARRIER
from rapida_tw.metrics import Counter
from rapida_tw.store.records import ConversationStore, Entry

REMEMBERED: Final = 10_000  # messages; of others the history is asked

statuses = Counter(
    "rapida_message_statuses_total", "Status callbacks of messages.", ("channel", "outcome")
)


class Deliveries:
    """Of all messages."""

    _log = Logger()

    def __init__(self, conversations: ConversationStore, journal: Journal) -> None:
        self._conversations = conversations
        self._journal = journal
        self._ranks: OrderedDict[tuple[int, str], int] = OrderedDict()

    def told(
        self, status: MessageStatus, assistant_id: int, project_id: int, conversation_id: int = 0
    ) -> Deferred[None]:
        """A callback for one of this assistant's messages; of no known one it is left out.

        `conversation_id`: what the callback's address says; 0: the message's name tells. Later than
        a later state it changes nothing. `Unavailable`.
        """
        return Deferred.fromCoroutine(self._told(status, assistant_id, project_id, conversation_id))

    async def _told(
        self, status: MessageStatus, assistant_id: int, project_id: int, conversation_id: int
    ) -> None:
        if not conversation_id:
            named = await self._conversations.named(CARRIER, [status.sid], project_id)
            conversation_id = 0 if named is None else named.conversation_id
        key = conversation_id, status.sid
        if key not in self._ranks:
            try:
                stored = await self._conversations.get(conversation_id, project_id)
            except NotFound:
                stored = None
            if stored is None or stored.assistant_id != assistant_id:
                statuses.inc("whatsapp", "unknown")
                self._log.info("a status of no message of ours: {sid}", sid=status.sid)
                return
            # It may have been told while the store was asked.
            known = self._ranks.get(key, _highest(stored.entries, status.sid))
            self._remember(key, known)
        if status.rank <= self._ranks[key]:
            statuses.inc("whatsapp", "late")
            return
        self._remember(key, status.rank)
        statuses.inc("whatsapp", status.status)
        note = self._journal.of(conversation_id)
        told = {"reason": status.reason, "code": status.code} if status.code else {}
        note.event(f"message.{status.status}", carrier=CARRIER, sid=status.sid, **told)
        if status.failed:
            self._log.warn(
                "message {sid} of conversation {id} did not arrive: {reason} ({code})",
                sid=status.sid,
                id=conversation_id,
                reason=status.reason or "no reason was given",
                code=status.code or "no code",
            )

    def _remember(self, key: tuple[int, str], rank: int) -> None:
        self._ranks[key] = rank
        self._ranks.move_to_end(key)
        if len(self._ranks) > REMEMBERED:
            self._ranks.popitem(last=False)


def _highest(entries: Sequence[Entry], sid: str) -> int:
    """How far the message had come by then."""
    words = (
        one.name.removeprefix("message.")
        for one in entries
        if one.kind == "event" and one.name.startswith("message.") and one.data.get("sid") == sid
    )
    return max(map(rank_of, words), default=-1)
