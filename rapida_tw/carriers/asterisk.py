"""Asterisk: its dialplan asks for a call by `CURL()`, and its media comes by chan_websocket.

`CURL()` hands the body of any answer to the dialplan, an error page too: so a success is the bare
context id, and every refusal has an empty body and tells its reason in a header.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rapida_tw.carriers.asterisk_events import read_event
from rapida_tw.carriers.asterisk_media import AsteriskMedia
from rapida_tw.carriers.base import (
    Carrier,
    CarrierEvent,
    Document,
    IncomingCall,
    Invitation,
    MediaWire,
    WebhookRequest,
)
from rapida_tw.carriers.fields import LONGEST, printable
from rapida_tw.carriers.outbound import RestControl
from rapida_tw.carriers.withheld import withheld
from rapida_tw.errors import BadRequest, CallError

ERROR_HEADER = "X-Rapida-Error"

_CALLER = ("from", "caller", "callerid")
_CALLEE = ("to", "extension", "dnid")


class Asterisk:
    """The carrier `asterisk`: webhooks of the dialplan."""

    name = "asterisk"
    description = "Asterisk by AudioSocket or chan_websocket"
    credential_fields: Mapping[str, str] = {
        "ari_url": "Where ARI answers, http://asterisk.local:8088; for outbound calls.",
        "url": "The same as ari_url.",
        "ari_user": "The user in ari.conf.",
        "user": "The same as ari_user.",
        "username": "The same as ari_user.",
        "ari_password": "That user's password.",
        "password": "The same as ari_password.",
        "endpoint_technology": "What Asterisk dials by: PJSIP unless given, SIP, IAX2, DAHDI.",
        "trunk": "The trunk that numbers are dialled at; without one they are dialled as they are.",
    }
    subprotocols: tuple[str, ...] = ("media",)
    control: RestControl | None = None
    context_in_band = True

    def read_call(self, request: WebhookRequest) -> IncomingCall:
        caller = _field(request, *_CALLER)
        if caller is None:
            raise BadRequest("from is missing: the caller's number, or nothing when it is withheld")
        if caller.startswith(" "):
            # `from=+1555…`, as the brief's dialplan writes it: a query's "+" means a blank.
            caller = "+" + caller.lstrip()
        if withheld(caller):
            caller = ""
        announced = _field(request, "transfer") == "1"
        return IncomingCall(
            carrier=self.name,
            caller=caller,
            callee=(_field(request, *_CALLEE) or "").strip(),
            provider_call_id=_field(request, "channel_id") or "",
            metadata={"transfer": "1"} if announced else {},
        )

    def answer(self, invitation: Invitation, request: WebhookRequest) -> Document:
        return Document(invitation.context_id.encode("ascii"))

    def apology(self, error: CallError) -> Document:
        reason = f"{error.reason}: {error}" if str(error) else error.reason
        return Document(b"", status=error.status, headers={ERROR_HEADER: _header_value(reason)})

    def read_event(self, request: WebhookRequest) -> CarrierEvent:
        return read_event(request)

    def verify(self, request: WebhookRequest, secrets: Mapping[str, str], now: float) -> bool:
        return False  # the dialplan signs nothing

    def media(self, request: WebhookRequest, options: Mapping[str, Any]) -> MediaWire:
        named = request.query.get("contextId") or request.path.rpartition("/ctx/")[2]
        return AsteriskMedia(named, secure=request.url.startswith("wss:"))


def _field(request: WebhookRequest, *names: str) -> str | None:
    """The value of the first name there is, without what cannot be printed; None: not there."""
    value = request.value(*names)
    if value is None:
        return None
    if len(value) > LONGEST:
        raise BadRequest(f"{names[0]} is longer than {LONGEST} characters")
    return printable(value)


def _header_value(text: str) -> str:
    """`text` on one line, in characters that a header can hold (RFC 9110, section 5.5)."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split()).encode("ascii", "backslashreplace").decode("ascii")


ASTERISK = Asterisk()

_conforms: Carrier = ASTERISK
