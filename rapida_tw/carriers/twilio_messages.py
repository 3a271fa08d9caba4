"""Twilio's Messages API as values: WhatsApp messages out, and what is answered to them.

Twilio's documentation, "Messages resource" and "Programmable Messaging with WhatsApp".
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

from rapida_tw.account import Account
from rapida_tw.carriers.fields import printable
from rapida_tw.carriers.outbound import CarrierRefused, Outcome, Reach, RestAnswer
from rapida_tw.errors import BadRequest, MisconfiguredAssistant
from rapida_tw.net.base import Request

CHANNEL: Final = "whatsapp:"
LONGEST: Final = 1600  # characters of a message's text
_BASE: Final = "https://api.twilio.com"
_LONGEST_REASON = 300
_ACCOUNT = re.compile(r"AC[0-9A-Za-z]{1,64}")
_CONTENT = re.compile(r"HX[0-9A-Fa-f]{32}")
_NUMBER = re.compile(r"\+?[0-9]{5,15}")
_BETWEEN = str.maketrans("", "", " -.()/\u00a0")

# What a code means to who reads the history; Twilio's own words for these are often empty.
REASONS: Final = {
    "20003": "Twilio does not accept the credential's account_sid and account_token",
    "21211": "the number is none that WhatsApp can be sent to",
    "21408": "the account may not send to that country",
    "21610": "the recipient has asked for no more messages",
    "21617": f"the text is longer than {LONGEST} characters",
    "63003": "WhatsApp has no such recipient",
    "63007": "the account has no WhatsApp sender of that number",
    "63015": "the recipient has not joined the sandbox",
    "63016": "more than 24 hours since the recipient's last message: only an approved template "
    "(contentSid) may be sent now",
    "63018": "too many messages at once for this WhatsApp sender",
    "63024": "WhatsApp does not know the recipient's number",
}
_BAD_NUMBER = frozenset(("21211", "21217", "63003", "63024"))
_PASSING = frozenset(("20429", "63018", "63038"))


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message. Numbers in E.164, without their channel.

    Either `text`, or an approved template: `content_sid` with the values of its `variables`.
    """

    account: Account
    sender: str
    recipient: str
    text: str = ""
    content_sid: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    status_url: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """Twilio has it: its name (SM… or MM…), and its state by then, mostly queued."""

    sid: str
    status: str = "queued"


def send(message: OutgoingMessage) -> Request:
    """The one request that sends it; at most once, because there is no way to ask twice safely.

    `MisconfiguredAssistant` for what the account lacks.
    """
    sid, password = _login(message.account)
    form: list[tuple[str, str]] = [
        ("From", CHANNEL + message.sender),
        ("To", CHANNEL + message.recipient),
    ]
    if message.content_sid:
        form.append(("ContentSid", message.content_sid))
        if message.variables:
            form.append(("ContentVariables", json.dumps(dict(message.variables))))
    else:
        form.append(("Body", message.text))
    if message.status_url:
        form.append(("StatusCallback", message.status_url))
    account = _account_sid(message.account)
    token = b64encode(f"{sid}:{password}".encode()).decode("ascii")
    return Request(
        f"{message.account.base_url(_BASE)}/2010-04-01/Accounts/{quote(account)}/Messages.json",
        "POST",
        {
            "Authorization": f"Basic {token}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        },
        urlencode(form).encode("ascii"),
        once=True,
    )


def read_sent(answer: RestAnswer) -> Sent:
    """`CarrierRefused` with Twilio's words, and its code's meaning where it is known."""
    told = _object(answer.body)
    sid = told.get("sid")
    if 200 <= answer.status < 300 and isinstance(sid, str) and 0 < len(sid) <= 64:
        return Sent(printable(sid), printable(str(told.get("status") or "queued"))[:32])
    if 200 <= answer.status < 300:
        outcome = Outcome("failed", "Twilio's answer names no message", reach=Reach.UNKNOWN)
        raise CarrierRefused.by(outcome)
    raise CarrierRefused.by(_outcome(answer.status, told), _retry_after(answer.headers))


def reason_of(code: str, words: str = "") -> str:
    """A sentence for an error code of Twilio's; with its own `words` where the code is unknown."""
    return REASONS.get(code) or printable(words)[:_LONGEST_REASON] or "no reason was given"


def number(text: str, what: str = "the number") -> str:
    """A number in E.164, of `whatsapp:+…` or what people write; `BadRequest` for what is none."""
    bare = text.strip().removeprefix(CHANNEL).translate(_BETWEEN)
    if not _NUMBER.fullmatch(bare):
        raise BadRequest(f"{what} is no number in E.164, like +15550100001")
    return "+" + bare.removeprefix("+")


def content_sid(text: str) -> str:
    """A template's name at Twilio; `BadRequest` for what is none."""
    if not _CONTENT.fullmatch(text):
        raise BadRequest("contentSid must be HX and 32 hexadecimal digits")
    return text


def sender_of(options: Mapping[str, Any]) -> str:
    """The assistant's WhatsApp number: `whatsapp_number`, else the deployment's `phone`."""
    for name in ("whatsapp_number", "phone"):
        value = str(options.get(name) or "").strip()
        if value:
            try:
                return number(value, name)
            except BadRequest as error:
                raise MisconfiguredAssistant(str(error)) from None
    raise MisconfiguredAssistant("the deployment has neither whatsapp_number nor phone to send by")


def _account_sid(account: Account) -> str:
    sid = account.need("account_sid", "accountSid")
    if not _ACCOUNT.fullmatch(sid):
        raise MisconfiguredAssistant("twilio: account_sid must be AC and letters or digits")
    return sid


def _login(account: Account) -> tuple[str, str]:
    """User and password: an API key where the credential has one, else the account itself."""
    key, secret = account.first("api_key_sid", "api_key"), account.first("api_key_secret")
    if key and secret:
        return key, secret
    return _account_sid(account), account.need("account_token", "auth_token", "authToken")


def _outcome(status: int, told: Mapping[str, Any]) -> Outcome:
    code = printable(str(told.get("code") or ""))[:16]
    words = printable(str(told.get("message") or ""))[:_LONGEST_REASON]
    reason = REASONS.get(code) or words or f"Twilio answered HTTP {status}"
    if status in (401, 403):
        return Outcome("authentication_failed", reason, code, reach=Reach.NOBODY)
    if code in _BAD_NUMBER:
        return Outcome("bad_number", reason, code, reach=Reach.NOBODY)
    if status == 429 or code in _PASSING:
        return Outcome("capacity_exceeded", reason, code, True, Reach.NOBODY)
    if status >= 500:  # it may have been sent all the same
        return Outcome("failed", reason, code, reach=Reach.UNKNOWN)
    return Outcome("rejected", reason, code, reach=Reach.NOBODY)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "").strip()
    return min(float(text), 3600.0) if text.isascii() and text.isdigit() else None


def _object(body: str) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
