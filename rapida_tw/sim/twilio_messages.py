"""Twilio's Messages as far as WhatsApp goes: what is sent, what becomes of it, what users write."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapida_tw.sim.http import HttpRequest
from rapida_tw.sim.rest_request import BadRequest, is_e164, is_url
from rapida_tw.sim.switchboard import Switchboard
from rapida_tw.sim.twilio import new_sid, signed_form
from rapida_tw.sim.twilio_placed import API_VERSION, TwilioAccount, rfc_2822

LONGEST_BODY = 1_600  # characters
WINDOW = 86_400.0  # seconds behind a user's message in which free text is taken
_CHANNEL = "whatsapp:"
_OUT_OF_WINDOW = 63016
_STEPS = ("queued", "sent", "delivered", "read")
_EVERY = 0.3  # seconds from one to the next
_KNOWN = frozenset(
    "To From Body MediaUrl ContentSid ContentVariables MessagingServiceSid StatusCallback "
    "PersistentAction ValidityPeriod SmartEncoded".split()
)


@dataclass(slots=True)
class Message:
    """One that was sent, and where it is."""

    to: str
    sender: str
    body: str
    media: Sequence[str] = ()
    content: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    status_url: str = field(default="", repr=False)
    sid: str = ""
    status: str = "queued"
    error: int | None = None


class TwilioMessages:
    """`sent`: in their order. `reads`: users read what they get."""

    def __init__(self, board: Switchboard, account: TwilioAccount) -> None:
        self.sent: list[Message] = []
        self.reads = True
        self._board = board
        self._account = account
        self._heard: dict[str, float] = {}  # when a user has written last

    def create(self, form: Sequence[tuple[str, str]], complaints: Any) -> dict[str, Any]:
        """POST Messages.json; raises `BadRequest`."""
        message = self._read(form, complaints)
        self.sent.append(message)
        heard = self._heard.get(message.to)
        in_window = heard is not None and self._board.now() - heard < WINDOW
        steps: Sequence[str] = _STEPS if self.reads else _STEPS[:-1]
        if not in_window and not message.content:
            message.error = _OUT_OF_WINDOW
            steps = ("queued", "failed")
        for number, step in enumerate(steps[1:]):
            self._board.later((number + 1) * _EVERY, self._reach, message, step)
        return self.resource(message)

    def fetch(self, sid: str) -> dict[str, Any] | None:
        """GET Messages/{sid}.json; None: there is none."""
        return next((self.resource(one) for one in self.sent if one.sid == sid), None)

    def written(
        self, url: str, user: str, body: str, to: str, name: str = "Maria", **more: str
    ) -> HttpRequest:
        """The webhook of a user's message, as the number's console has `url`."""
        sid = more.pop("MessageSid", new_sid("SM"))
        self._heard[f"{_CHANNEL}{user}"] = self._board.now()
        fields = {
            "SmsMessageSid": sid,
            "SmsSid": sid,
            "MessageSid": sid,
            "AccountSid": self._account.sid,
            "From": f"{_CHANNEL}{user}",
            "To": f"{_CHANNEL}{to}",
            "Body": body,
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsStatus": "received",
            "ApiVersion": API_VERSION,
            "ProfileName": name,
            "WaId": user.removeprefix("+"),
            "ReferralNumMedia": "0",
            "MessageType": "text",
            **more,
        }
        return signed_form("POST", url, fields, self._account.signing)

    def resource(self, message: Message) -> dict[str, Any]:
        """The message as JSON."""
        stamp = rfc_2822(self._board.now())
        sid = self._account.sid
        return {
            "sid": message.sid,
            "account_sid": sid,
            "messaging_service_sid": None,
            "to": message.to,
            "from": message.sender,
            "body": message.body,
            "status": message.status,
            "direction": "outbound-api",
            "num_segments": "1",
            "num_media": str(len(message.media)),
            "error_code": message.error if message.status == "failed" else None,
            "error_message": None,
            "price": None,
            "price_unit": None,
            "api_version": API_VERSION,
            "date_created": stamp,
            "date_sent": None,
            "date_updated": stamp,
            "uri": f"/{API_VERSION}/Accounts/{sid}/Messages/{message.sid}.json",
            "subresource_uris": {},
        }

    # -- inside -----------------------------------------------------------------------------------

    def _reach(self, message: Message, status: str) -> None:
        message.status = status
        if not message.status_url:
            return
        fields = {
            "MessageSid": message.sid,
            "SmsSid": message.sid,
            "MessageStatus": status,
            "SmsStatus": status,
            "To": message.to,
            "From": message.sender,
            "AccountSid": self._account.sid,
            "ApiVersion": API_VERSION,
            "ChannelPrefix": "whatsapp",
        }
        if status == "failed":
            fields["ErrorCode"] = str(message.error)
        token = self._account.signing
        self._board.post([signed_form("POST", message.status_url, fields, token)])

    def _read(self, form: Sequence[tuple[str, str]], complaints: Any) -> Message:
        fields = dict(form)
        for name in fields:
            if name not in _KNOWN:
                complaints(f"there is no parameter {name}")
        to, sender = fields.get("To", ""), fields.get("From", "")
        if not to:
            raise _bad(21604, "A 'To' phone number is required.")
        if not sender and not fields.get("MessagingServiceSid"):
            raise _bad(21603, "A 'From' phone number is required.")
        if to.startswith(_CHANNEL) != sender.startswith(_CHANNEL):
            raise _bad(21910, "Invalid From and To pair. They should be of the same channel")
        if not is_e164(to.removeprefix(_CHANNEL)):
            raise _bad(21211, f"The 'To' number {to} is not a valid phone number.")
        number = sender.removeprefix(_CHANNEL)
        if not is_e164(number):
            raise _bad(21212, f"The 'From' number {sender} is not a valid phone number.")
        if self._account.numbers and number not in self._account.numbers:
            raise _bad(63007, "Twilio could not find a Channel with the specified From address")
        media = [value for name, value in form if name == "MediaUrl"]
        content = fields.get("ContentSid", "")
        body = fields.get("Body", "")
        if not body and not media and not content:
            raise _bad(21619, "A text message body or media urls must be specified.")
        if len(body) > LONGEST_BODY:
            raise _bad(21617, "The concatenated message body exceeds the 1600 character limit.")
        if not all(map(is_url, media)):
            raise _bad(21620, "Invalid media URL(s)")
        if "StatusCallback" in fields and not is_url(fields["StatusCallback"]):
            raise _bad(21609, "The StatusCallback URL is not a valid URL.")
        return Message(
            to,
            sender,
            body,
            media,
            content,
            _variables(fields, content),
            fields.get("StatusCallback", ""),
            new_sid("MM" if media else "SM"),
        )


def _variables(fields: Mapping[str, str], content: str) -> Mapping[str, str]:
    text = fields.get("ContentVariables")
    if text is None:
        return {}
    try:
        variables = json.loads(text)
    except ValueError:
        variables = None
    texts = isinstance(variables, dict) and all(isinstance(one, str) for one in variables.values())
    if not content or not texts:
        raise _bad(21656, "The ContentVariables Parameter is invalid.")
    found: Mapping[str, str] = variables
    return found


def _bad(code: int, why: str) -> BadRequest:
    return BadRequest(400, code, why)
