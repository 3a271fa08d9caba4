"""Vonage Voice: answers by NCCO, reads the events of both legs (Voice API, "NCCO reference",
"Webhook reference").

Vonage repeats a request that is answered 429, 503 or 504, twice, and then asks the fallback URL.
The caller waits in silence meanwhile: a refusal never has such a status.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
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
from rapida_tw.carriers.fields import fields, identity, word
from rapida_tw.carriers.options import one_of
from rapida_tw.carriers.outbound import RestControl
from rapida_tw.carriers.vonage_control import REGION, VonageControl
from rapida_tw.carriers.vonage_events import progress, verdict
from rapida_tw.carriers.vonage_media import RATES, VonageMedia
from rapida_tw.carriers.vonage_ncco import PHONE, RATE, connect
from rapida_tw.carriers.vonage_signature import verify
from rapida_tw.carriers.withheld import withheld
from rapida_tw.errors import BadRequest, CallError, Fault, NotFound

JSON_TYPE = "application/json"

_TALK_CHARACTERS = 1_500
# What the apology is spoken for; all else is the request's fault and told to whoever sent it.
_SPOKEN_FAULTS = (Fault.SERVER, Fault.VENDOR, Fault.CONFIGURATION)

_SIP_HEADER = "SipHeader_"
_METADATA = ("endpoint_type", "custom_data")
_LONGEST_METADATA = 500  # characters of a value that the caller's side chooses

_SOCKET = re.compile(r"\bwss?://", re.IGNORECASE)
_MACHINE = ("human", "machine")
# Events without a status, by the field that only they have.
_BY_FIELD = (
    ("recording_url", "recording.completed"),
    ("dtmf", "input"),
    ("speech", "input"),
    ("conversation_uuid_to", "transfer"),
    ("reason", "error"),
)


class Vonage:
    """The carrier `vonage`."""

    name = "vonage"
    description = "Vonage Voice API (Nexmo)"
    credential_fields: Mapping[str, str] = {
        "application_id": "The id of the Voice application, a UUID.",
        "private_key": "The application's private key, the whole PEM; it signs our requests.",
        "api_key": "The account's API key, for Number Insight.",
        "api_secret": "The account's API secret, for Number Insight.",
        "signature_secret": (
            "The account's signature secret; with it every webhook must be signed by Vonage."
        ),
        **URL_FIELDS,
    }
    subprotocols: tuple[str, ...] = ()
    control: RestControl | None = VonageControl()
    context_in_band = False

    def read_call(self, request: WebhookRequest) -> IncomingCall:
        told = fields(request)
        caller = identity(told, "from", "from_user")
        if caller is None:
            raise BadRequest("from is missing: the caller's number")
        caller = _with_plus(caller)
        conversation = identity(told, "conversation_uuid")
        return IncomingCall(
            carrier=self.name,
            caller="" if withheld(caller) else caller,
            callee=_with_plus(identity(told, "to") or ""),
            provider_call_id=identity(told, "uuid") or "",
            metadata=_metadata(told),
            aliases=(conversation,) if conversation else (),
        )

    def answer(self, invitation: Invitation, request: WebhookRequest) -> Document:
        incoming = invitation.incoming
        ncco = connect(
            invitation.media_url,
            invitation.event_url,
            invitation.assistant_id,
            incoming.callee,
            incoming.caller,
            invitation.options,
        )
        return _document(ncco)

    def apology(self, error: CallError) -> Document:
        """A sentence for the caller; a status where there is no caller or he must not be served."""
        refusal = {"error": str(error) or error.reason, "reason": error.reason}
        if isinstance(error, BadRequest | NotFound):
            return _document(refusal, 422)
        repeated = error.status == 429 or error.status >= 500
        if not repeated and (error.status == 403 or error.fault not in _SPOKEN_FAULTS):
            return _document(refusal, error.status)
        return _document([{"action": "talk", "text": error.spoken[:_TALK_CHARACTERS]}])

    def read_event(self, request: WebhookRequest) -> CarrierEvent:
        told = fields(request)
        leg = identity(told, "uuid", "call_uuid")
        conversation = identity(told, "conversation_uuid", "conversation_uuid_from")
        call_ids = tuple(name for name in (leg, conversation) if name)
        name = _event_name(told)
        if name.startswith("stream."):
            told.pop("to", None)  # our own address
        return CarrierEvent(name, call_ids, told, progress(name, told), verdict(name, told))

    def verify(self, request: WebhookRequest, secrets: Mapping[str, str], now: float) -> bool:
        return verify(request, secrets, now)

    def media(self, request: WebhookRequest, options: Mapping[str, Any]) -> MediaWire:
        return VonageMedia(one_of(options, "sample_rate", RATES, RATE))


def _with_plus(number: str) -> str:
    """E.164 as everybody else writes it; what is no number stays as it is."""
    return f"+{number}" if PHONE.fullmatch(number) else number


def _metadata(told: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value[:_LONGEST_METADATA]
        for name, value in told.items()
        if name in _METADATA or name.startswith(_SIP_HEADER)
    }
    if REGION.fullmatch(told.get("region_url", "")):
        kept["region_url"] = told["region_url"]
    return kept


def _event_name(told: Mapping[str, str]) -> str:
    status = word(told.get("status", ""))
    if status in _MACHINE:
        return f"machine.{status}"
    if status:
        # The socket is a leg of its own, with the same words: its end is not the caller's.
        socket = status == "disconnected" or _SOCKET.search(told.get("to", ""))
        return f"stream.{status}" if socket else f"status.{status}"
    for field, name in _BY_FIELD:
        if field in told:
            return name
    kind = word(told.get("type", ""))
    if not kind:
        raise BadRequest("an event without a status, and of no other kind that is known")
    return kind


def _document(value: object, status: int = 200) -> Document:
    return Document(json.dumps(value).encode("ascii"), JSON_TYPE, status)


VONAGE = Vonage()

_conforms: Carrier = VONAGE
