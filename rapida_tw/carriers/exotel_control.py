"""Exotel's REST API for calls, as values ("Connect Voice AI", "Outgoing call to a call flow").

A call is placed in one of two ways: straight to our socket, or, where the deployment names an
`app_id`, to a flow of Exotel's whose Voicebot applet asks our webhook where the socket is. Then the
CustomField says whose call it is. There is no hang-up and no transfer: closing the socket ends the
call, or lets the flow go on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from rapida_tw.account import Account
from rapida_tw.carriers.exotel_media import RATE, RATES
from rapida_tw.carriers.options import one_of
from rapida_tw.carriers.outbound import (
    CarrierRefused,
    Order,
    Placed,
    RemoteCall,
    RestAnswer,
    RestControl,
)
from rapida_tw.carriers.rest_answers import good, inner, json_object, name_of, refusal, text
from rapida_tw.carriers.rest_requests import FORM, basic, form, phone, seconds, shown
from rapida_tw.errors import MisconfiguredAssistant, NotSupported
from rapida_tw.net.base import Request

_API: Final = "https://api.exotel.com"  # Singapore; Mumbai's is api.in.exotel.com
_HOST: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+){0,3}\.exotel\.(com|in)")
_REGIONS: Final = {
    "in": "api.in.exotel.com",
    "mumbai": "api.in.exotel.com",
    "sg": "api.exotel.com",
    "singapore": "api.exotel.com",
}
_APP: Final = re.compile(r"[0-9]{1,20}")
_LONGEST_URL: Final = 599  # characters of the stream's, with its query
_LONGEST_RING: Final = 600  # seconds
_LONGEST_CALL: Final = 14_400
_STATUS: Final = {402: "configuration_failed", 403: "configuration_failed"}


class ExotelControl:
    """Basic authentication with the account's key and token, at its region's host."""

    name = "exotel"
    detects_machines = False

    def place(self, order: Order, now: float) -> Request:
        """Numbers as the account's country writes them; E.164 does everywhere."""
        account = order.account
        sid = _sid(account)
        app = str(order.options.get("app_id") or "").strip()
        pairs = [
            ("From", phone(order.callee, "toNumber")),
            ("CallerId", shown(order, self.name)),
            *(_flow(sid, app) if app else _stream(order)),
            ("CallType", "trans"),
            ("CustomField", order.context_id),
            ("TimeOut", str(seconds(order.ring_seconds, 1, _LONGEST_RING))),
            ("StatusCallback", order.event_url),
            ("StatusCallbackContentType", "application/json"),
        ]
        # Calls to flows report their end alone.
        events = ("terminal",) if app else ("terminal", "answered", "ringing")
        pairs += [(f"StatusCallbackEvents[{n}]", event) for n, event in enumerate(events)]
        if order.most_seconds:
            pairs.append(("TimeLimit", str(seconds(order.most_seconds, 1, _LONGEST_CALL))))
        headers = {**_headers(account), "Content-Type": FORM}
        # Without .json the answer is XML.
        url = f"{_base(account)}/v1/Accounts/{quote(sid, safe='')}/Calls/connect.json"
        return Request(url, "POST", headers, form(pairs), once=True)

    def read_placed(self, answer: RestAnswer) -> Placed:
        """Its status is in-progress at once: no sign that anybody has answered."""
        call = inner(_lower(json_object(answer)), "call") if good(answer) else {}
        call_id = name_of(_lower(call), "sid")
        if not call_id:
            raise _refused(answer)
        return Placed(call_id)

    def hang_up(self, call: RemoteCall, now: float) -> Request | None:
        return None

    def transfer(self, call: RemoteCall, target: str, now: float) -> Request:
        raise NotSupported(
            "Exotel transfers by its flow alone: end the call, a Connect applet next"
        )

    def send_digits(self, call: RemoteCall, digits: str, now: float) -> Request:
        raise NotSupported("Exotel takes no digits: they are played as tones")

    def check(self, account: Account, now: float) -> Request:
        """How many streams run: it proves the key, and that the account may stream at all."""
        sid = quote(_sid(account), safe="")
        return Request(
            f"{_base(account)}/v1/Accounts/{sid}/ActiveStreams", headers=_headers(account)
        )

    def read(self, answer: RestAnswer) -> Mapping[str, Any]:
        """XML, at most places; what is in it is not needed."""
        if good(answer):
            return json_object(answer)
        raise _refused(answer)


def _stream(order: Order) -> list[tuple[str, str]]:
    rate = one_of(order.options, "sample_rate", RATES, RATE)
    url = order.media_url if rate == RATE else f"{order.media_url}?sample-rate={rate}"
    if len(url) > _LONGEST_URL:
        raise MisconfiguredAssistant(
            f"Exotel takes no address of more than {_LONGEST_URL} characters"
        )
    return [("StreamUrl", url), ("StreamType", "bidirectional")]


def _flow(sid: str, app: str) -> list[tuple[str, str]]:
    if not _APP.fullmatch(app):
        raise MisconfiguredAssistant("app_id is the number of a flow at Exotel")
    return [("Url", f"http://my.exotel.com/{quote(sid, safe='')}/exoml/start_voice/{app}")]


def _sid(account: Account) -> str:
    return account.need("account_sid", "accountSid")


def _headers(account: Account) -> dict[str, str]:
    key = account.need("api_key", "apiKey", "client_id", "clientId")
    token = account.need("api_secret", "apiSecret", "api_token", "client_secret", "clientSecret")
    return {**basic(key, token), "Accept": "application/json"}


def _base(account: Account) -> str:
    """The account's region: `subdomain` is what Exotel's console calls the API's host."""
    named = account.first("subdomain", "region").strip().lower()
    host = _REGIONS.get(named, named).removeprefix("https://").removeprefix("@").rstrip("/")
    if host and not _HOST.fullmatch(host):
        raise MisconfiguredAssistant("the credential's subdomain is no host of Exotel's")
    return account.base_url(f"https://{host}" if host else _API)


def _lower(value: Mapping[str, Any]) -> dict[str, Any]:
    """Keys are spelt Call and Sid, or in lower case."""
    return {name.lower(): part for name, part in value.items()}


def _refused(answer: RestAnswer) -> CarrierRefused:
    said = _lower(inner(_lower(json_object(answer)), "restexception"))
    words = text(said, "message")
    status = _STATUS.get(answer.status, "")
    if "ndnc" in words.lower():  # India's register of who must not be called
        status = "rejected"
    elif answer.status == 400 and "number" in words.lower() and "callerid" not in words.lower():
        status = "bad_number"
    return refusal(answer, text(said, "code"), words, status)


_conforms: type[RestControl] = ExotelControl
