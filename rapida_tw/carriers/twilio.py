"""Twilio: TwiML that opens a Media Stream, and its webhooks (its documentation, "TwiML Voice")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from xml.etree.ElementTree import Element

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
from rapida_tw.carriers.markup import element, response
from rapida_tw.carriers.outbound import RestControl
from rapida_tw.carriers.twilio_media import TwilioMedia
from rapida_tw.carriers.withheld import withheld
from rapida_tw.errors import BadRequest, CallError

# Of a call that is over; "answered" is told as in-progress.
_OVER: Final = frozenset(("completed", "busy", "failed", "no-answer", "canceled"))
# Our documentation has it; to Twilio it is no attribute of <Stream>, and passed over.
_EVENTS: Final = "initiated ringing answered completed"
_LONGEST_PARAMETER = 499  # characters of a <Parameter>'s name and value together
_OPAQUE = "CallToken"  # lets its holder call with the caller's number: not for a history


class Twilio:
    """The carrier `twilio`."""

    name = "twilio"
    description = "Twilio Programmable Voice, by Media Streams"
    credential_fields: Mapping[str, str] = {
        "account_sid": "The account's SID: AC and 32 characters.",
        "account_token": "The account's auth token, with which Twilio signs its requests.",
        "shared_key": "Optional: the secret of a SharedKey, where requests are signed with one.",
    }
    subprotocols: tuple[str, ...] = ()
    control: RestControl | None = None
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
        assistant = str(invitation.assistant_id)
        stream = element(
            "Stream",
            _parameter("assistant_id", assistant),
            _parameter("client_number", invitation.incoming.caller),
            attributes={
                "url": invitation.media_url,
                "name": f"{assistant}__{invitation.conversation_id}",
                "statusCallback": invitation.event_url,
                "statusCallbackMethod": "POST",
                "statusCallbackEvent": _EVENTS,
            },
        )
        return response(element("Connect", stream))

    def apology(self, error: CallError) -> Document:
        return markup.apology(error, say="Say", reject="Reject")

    def read_event(self, request: WebhookRequest) -> CarrierEvent:
        told = fields(request)
        told.pop(_OPAQUE, None)
        name = _event_name(told)
        if not name:
            raise BadRequest("neither of a stream, a recording, a call nor a message")
        call_id = identity(told, "CallSid")
        return CarrierEvent(name, (call_id,) if call_id else (), told)

    def verify(self, request: WebhookRequest, secrets: Mapping[str, str], now: float) -> bool:
        return twilio_signature.verify(request, secrets)

    def media(self, request: WebhookRequest, options: Mapping[str, Any]) -> MediaWire:
        return TwilioMedia()


def _parameter(name: str, value: str) -> Element:
    short = value[: _LONGEST_PARAMETER - len(name)]
    return element("Parameter", attributes={"name": name, "value": short})


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
