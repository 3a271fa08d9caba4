"""Exotel: applets ask where the stream goes, and tell how it went (Exotel, "Voicebot applet",
"Passthru applet", "Call status callbacks").

The Voicebot applet reads JSON with a `url`; a Passthru applet only looks at the status. Nothing is
signed. Numbers are kept as they come: `0` and ten digits are a number of India or of Indonesia, and
nothing in the request says which.
"""

from __future__ import annotations

import json
import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Mapping
from hmac import compare_digest
from typing import Any

from rapida_tw.account import URL_FIELDS
from rapida_tw.carriers.base import (
    Carrier,
    CarrierEvent,
    Document,
    IncomingCall,
    Invitation,
    MediaWire,
    WebhookRequest,
)
from rapida_tw.carriers.exotel_chunks import Settings
from rapida_tw.carriers.exotel_control import ExotelControl
from rapida_tw.carriers.exotel_events import by_name, read_event
from rapida_tw.carriers.exotel_media import RATE, RATES, ExotelMedia
from rapida_tw.carriers.fields import fields, identity, our_uuid
from rapida_tw.carriers.markup import element, response
from rapida_tw.carriers.options import one_of
from rapida_tw.carriers.outbound import RestControl
from rapida_tw.carriers.withheld import withheld
from rapida_tw.errors import BadRequest, CallError, Forged

_FORMATS = ("json", "xml")
_LONGEST_CUSTOM_FIELD = 128  # characters that Exotel takes


class Exotel:
    """The carrier `exotel`."""

    name = "exotel"
    description = "Exotel AgentStream (Voicebot applet)"
    credential_fields: Mapping[str, str] = {
        "api_key": "The account's API key.",
        "api_secret": "The account's API token.",
        "account_sid": "The account's SID.",
        "subdomain": "Optional: its API's host, api.in.exotel.com (Mumbai) or api.exotel.com.",
        "region": "The same as subdomain.",
        "client_id": "The same as api_key.",
        "client_secret": "The same as api_secret.",
        "api_token": "The same as api_secret.",
        "socket_user": "The user in the Voicebot applet's wss://USER:PASSWORD@…, if there is one.",
        "socket_password": "Its password; with it no media socket is opened without.",
        **URL_FIELDS,
    }
    subprotocols: tuple[str, ...] = ()
    control: RestControl | None = ExotelControl()
    context_in_band = False

    def read_call(self, request: WebhookRequest) -> IncomingCall:
        told = by_name(fields(request))
        caller = identity(told, "callfrom", "from")
        if caller is None:
            raise BadRequest("CallFrom is missing: the caller's number")
        custom = told.get("customfield", "")[:_LONGEST_CUSTOM_FIELD]
        return IncomingCall(
            carrier=self.name,
            caller="" if withheld(caller) else caller,
            callee=identity(told, "callto", "to") or "",
            provider_call_id=identity(told, "callsid") or "",
            metadata={"CustomField": custom} if custom else {},
            context_id=our_uuid(custom),
        )

    def answer(self, invitation: Invitation, request: WebhookRequest) -> Document:
        options = invitation.options
        Settings.read(options)  # a mistake is told now rather than on the socket
        rate = one_of(options, "sample_rate", RATES, RATE)
        url = invitation.media_url if rate == RATE else f"{invitation.media_url}?sample-rate={rate}"
        if _wants_xml(request, options):
            return response(element("Connect", element("Stream", attributes={"url": url})))
        return _document({"url": url})

    def apology(self, error: CallError) -> Document:
        """Exotel looks at the status alone: anything but 2xx goes the flow's other way."""
        status = 503 if error.status >= 500 else 403 if error.status == 403 else 422
        return _document({"error": str(error) or error.reason, "reason": error.reason}, status)

    def read_event(self, request: WebhookRequest) -> CarrierEvent:
        return read_event(request)

    def verify(self, request: WebhookRequest, secrets: Mapping[str, str], now: float) -> bool:
        """Only the socket can carry a password, and does when the applet's address has one."""
        user, password = secrets.get("socket_user", ""), secrets.get("socket_password", "")
        if not (user or password) or not request.url.startswith(("ws://", "wss://")):
            return False
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        try:
            login = a2b_base64(given.strip().encode("ascii")) if scheme.lower() == "basic" else b""
        except (Base64Error, ValueError):
            login = b""
        if not compare_digest(login, f"{user}:{password}".encode()):
            raise Forged("the media socket's user or password is wrong or missing")
        return True

    def media(self, request: WebhookRequest, options: Mapping[str, Any]) -> MediaWire:
        asked = request.value("sample-rate", "sample_rate") or ""
        rate = int(asked) if asked in map(str, RATES) else RATE
        return ExotelMedia(Settings.read(options), rate)


def _wants_xml(request: WebhookRequest, options: Mapping[str, Any]) -> bool:
    """By the address, by the deployment, or because XML stands before JSON in what is accepted."""
    asked = request.query.get("format", "").lower()
    chosen = asked if asked in _FORMATS else one_of(options, "answer_format", (*_FORMATS, ""), "")
    if chosen:
        return chosen == "xml"
    accepted = re.findall(r"\b(json|xml)\s*(?:[,;]|$)", request.headers.get("accept", "").lower())
    return accepted[:1] == ["xml"]


def _document(value: object, status: int = 200) -> Document:
    return Document(json.dumps(value).encode("ascii"), "application/json", status)


EXOTEL = Exotel()

_conforms: Carrier = EXOTEL
