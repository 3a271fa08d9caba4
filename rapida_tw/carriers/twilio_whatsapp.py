"""Twilio's WhatsApp webhooks: a message that came in, what became of one that went out.

Twilio's documentation, "Twilio's request to your incoming message webhook URL" and "Messaging
status callbacks". They are signed as those of calls are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from rapida_tw.carriers.base import Document, WebhookRequest
from rapida_tw.carriers.fields import fields, identity, printable, word
from rapida_tw.carriers.markup import REASON_HEADER, element, response
from rapida_tw.carriers.twilio_messages import LONGEST, number, reason_of
from rapida_tw.errors import BadRequest, CallError

LONGEST_TEXT = 4_096  # characters: WhatsApp's own limit
MOST_MEDIA = 10

# In the order of a message's life. Of those that contradict each other the first is believed.
_RANKS: Final = {
    "accepted": 0,
    "scheduled": 0,
    "queued": 1,
    "sending": 2,
    "sent": 3,
    "undelivered": 4,
    "failed": 4,
    "canceled": 4,
    "delivered": 4,
    "read": 5,
}
_KEPT = ("ProfileName", "WaId", "ButtonText", "ButtonPayload", "OriginalRepliedMessageSid")


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """A message of a person's. Numbers in E.164; `media`: the content types of what is attached.

    `place`: a location that was sent, as a person would write it; "" for none.
    """

    sid: str
    sender: str
    recipient: str
    text: str = ""
    media: tuple[str, ...] = ()
    place: str = ""
    account_sid: str = ""
    profile: Mapping[str, str] = field(default_factory=dict)

    def as_text(self) -> str:
        """What the model reads: the words, and a note of what it cannot see."""
        notes = [f"[the user sent {_kind(one)}, which cannot be seen here]" for one in self.media]
        if self.place:
            notes.append(f"[the user sent a location: {self.place}]")
        return "\n".join(filter(None, (self.text, *notes)))


@dataclass(frozen=True, slots=True)
class MessageStatus:
    """What a status callback tells. `rank` grows along a message's life."""

    sid: str
    status: str
    code: str = ""  # Twilio's, of a failure
    reason: str = ""  # a sentence for it
    data: Mapping[str, str] = field(default_factory=dict)

    @property
    def rank(self) -> int:
        """-1 for a word that we do not know."""
        return rank_of(self.status)

    @property
    def failed(self) -> bool:
        return self.status in ("failed", "undelivered")


def rank_of(status: str) -> int:
    """How far along a message's life that is."""
    return _RANKS.get(status, -1)


def read_message(request: WebhookRequest) -> IncomingMessage:
    """`BadRequest` says what is missing. A message of nothing at all has no text and no media."""
    told = fields(request)
    sid = identity(told, "MessageSid", "SmsMessageSid", "SmsSid")
    sender, recipient = identity(told, "From"), identity(told, "To")
    if not sid:
        raise BadRequest("MessageSid is missing: the name of the message")
    if not sender or not recipient:
        raise BadRequest("From or To is missing: the numbers of the two sides")
    return IncomingMessage(
        sid,
        number(sender, "From"),
        number(recipient, "To"),
        _words(request.value("Body") or "") or told.get("ButtonText", ""),
        _media(told),
        _place(told),
        identity(told, "AccountSid") or "",
        {name: told[name][:200] for name in _KEPT if told.get(name)},
    )


def read_status(request: WebhookRequest) -> MessageStatus:
    """`BadRequest` where it is no status of a message."""
    told = fields(request)
    sid = identity(told, "MessageSid", "SmsSid")
    status = word(told.get("MessageStatus", "") or told.get("SmsStatus", ""))
    if not sid or not status:
        raise BadRequest("MessageSid or MessageStatus is missing")
    code = word(told.get("ErrorCode", ""))
    reason = reason_of(code, told.get("ErrorMessage", "")) if code else ""
    return MessageStatus(sid, status, code, reason, told)


def answer(*texts: str) -> Document:
    """`<Response>` of messages; of none: received, and nothing said."""
    return response(*(element("Message", text=text) for text in texts))


def apology(error: CallError) -> Document:
    """What a person is told whose message cannot be answered; only a 200 is sent on."""
    told = answer(error.spoken[:LONGEST])
    return replace(told, headers={**told.headers, REASON_HEADER: error.reason})


def _words(text: str) -> str:
    """With its lines: only what nobody can see is taken out."""
    lines = (printable(line) for line in text[:LONGEST_TEXT].splitlines())
    return "\n".join(lines).strip()


def _media(told: Mapping[str, str]) -> tuple[str, ...]:
    count = told.get("NumMedia", "")
    there = int(count) if count.isascii() and count.isdigit() and len(count) < 4 else 0
    kinds = (told.get(f"MediaContentType{one}", "") for one in range(min(there, MOST_MEDIA)))
    return tuple(kind[:80] or "application/octet-stream" for kind in kinds)


def _place(told: Mapping[str, str]) -> str:
    latitude, longitude = told.get("Latitude", "")[:20], told.get("Longitude", "")[:20]
    if not latitude or not longitude:
        return ""
    names = [told.get(name, "")[:200] for name in ("Label", "Address")]
    return ", ".join(filter(None, (*names, f"{latitude}, {longitude}")))


def _kind(content_type: str) -> str:
    return _KINDS.get(content_type.partition("/")[0].lower(), "a file")


_KINDS = {
    "image": "a picture",
    "audio": "a voice message",
    "video": "a video",
    "text": "a contact or a text file",
}
