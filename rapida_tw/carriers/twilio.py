"""Twilio: TwiML that opens a Media Stream, and its webhooks (its documentation, "TwiML Voice")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rapida_tw.account import URL_FIELDS
from rapida_tw.carriers import markup, twilio_signature
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
from rapida_tw.carriers.outbound import RestControl
from rapida_tw.carriers.twilio_control import TwilioControl
from rapida_tw.carriers.twilio_events import progress, verdict
from rapida_tw.carriers.twilio_markup import connect
from rapida_tw.carriers.twilio_media import TwilioMedia
from rapida_tw.carriers.withheld import withheld
from rapida_tw.errors import BadRequest, CallError

# Of a call that is over; "answered" is told as in-progress.
_OVER: Final = frozenset(("completed", "busy", "failed", "no-answer", "canceled"))
_OPAQUE = "CallToken"  # lets its holder call with the caller's number: not for a history


class Twilio:
    """The carrier `twilio`."""

    name = "twilio"
    description = "Twilio Programmable Voice, by Media Streams"
    credential_fields: Mapping[str, str] = {
        "account_sid": "The account's SID: AC and 32 characters.",
        "account_token": "The account's auth token, with which Twilio signs its requests.",
        "auth_token": "The same as account_token.",
        "api_key_sid": "Optional: an API key's SID, to ask Twilio with instead of the token.",
        "api_key": "The same as api_key_sid.",
        "api_key_secret": "Optional: that key's secret.",
        **URL_FIELDS,
        "shared_key": "Optional: the secret of a SharedKey, where requests are signed with one.",
    }
    subprotocols: tuple[str, ...] = ()
    control: RestControl | None = TwilioControl()
    context_in_band = False

    def read_call(self, request: WebhookRequest) -> IncomingCall:
        told = fields(request)
        caller = identity(told, "From", "Caller")
        if caller is None:
            raise BadRequest("From is missing: the number of the caller")
        status = told.get("CallStatus", "").lower()
        if status in _OVER:
            raise BadRequest(f"the call is over already: {status}")
        return IncomingCall(
            carrier=self.name,
            caller="" if withheld(caller) else caller,
            callee=identity(told, "To", "Called") or "",
            provider_call_id=identity(told, "CallSid") or "",
            media=TwilioMedia.format,
        )

    def answer(self, invitation: Invitation, request: WebhookRequest) -> Document:
        return connect(
            invitation.media_url,
            invitation.event_url,
            invitation.assistant_id,
            invitation.conversation_id,
            invitation.incoming.caller,
        )

    def apology(self, error: CallError) -> Document:
        return markup.apology(error, say="Say", reject="Reject")

    def read_event(self, request: WebhookRequest) -> CarrierEvent:
        told = fields(request)
        told.pop(_OPAQUE, None)
        name = _event_name(told)
        if not name:
            raise BadRequest("neither of a stream, a recording, a call nor a message")
        call_id = identity(told, "CallSid")
        call_ids = (call_id,) if call_id else ()
        return CarrierEvent(name, call_ids, told, progress(name, told), verdict(told))

    def verify(self, request: WebhookRequest, secrets: Mapping[str, str], now: float) -> bool:
        return twilio_signature.verify(request, secrets)

    def media(self, request: WebhookRequest, options: Mapping[str, Any]) -> MediaWire:
        return TwilioMedia()


def _event_name(told: Mapping[str, str]) -> str:
    """All callbacks have one address: which one it is, the fields tell. "": none that we know."""
    stream, recording = word(told.get("StreamEvent", "")), word(told.get("RecordingStatus", ""))
    if stream:
        return "stream." + stream.removeprefix("stream-")
    if recording:
        return "recording." + recording
    answered_by = word(told.get("AnsweredBy", ""))
    if answered_by and "MachineDetectionDuration" in told and "CallbackSource" not in told:
        return "machine." + answered_by
    call = word(told.get("CallStatus", ""))
    if call:
        return "status." + call
    message = word(told.get("MessageStatus", "") or told.get("SmsStatus", ""))
    return "message." + message if message else ""


TWILIO = Twilio()

_conforms: Carrier = TWILIO
