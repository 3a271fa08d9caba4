"""A carrier that signs, small and complete but for its media, and an assistant that is its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from rapida_tw.carriers.base import (
    Carrier,
    CarrierEvent,
    Document,
    IncomingCall,
    Invitation,
    MediaWire,
    WebhookRequest,
)
from rapida_tw.errors import BadRequest, CallError, Forged, NotSupported
from rapida_tw.store.records import Deployment
from tests.web.case import Response, WebCase
from tests.web.fakes import ASSISTANT, PROJECT

CALL = f"/v1/talk/acme/call/{ASSISTANT}"
ASKED = f"{CALL}?From=%2B1555&CallId=c1"
PUBLIC = "https://voice.example"
SECRET = "acme's secret"
LASTING = 60.0  # seconds


class Acme:
    """Fields From, To, CallId and Status; signed by `signed`, which may be left out."""

    name = "acme"
    description = "for tests"
    credential_fields: Mapping[str, str] = {"secret": "What webhooks are signed with."}
    subprotocols: tuple[str, ...] = ()
    control = None
    context_in_band = False

    def read_call(self, request: WebhookRequest) -> IncomingCall:
        caller = request.value("From")
        if caller is None:
            raise BadRequest("From is missing")
        return IncomingCall(
            self.name,
            caller,
            request.value("To") or "",
            request.value("CallId") or "",
            aliases=tuple(filter(None, [request.value("Alias")])),
        )

    def answer(self, invitation: Invitation, request: WebhookRequest) -> Document:
        told = asdict(invitation) | {"incoming": invitation.incoming.caller, "url": request.url}
        return Document(json.dumps(told).encode(), "application/json")

    def apology(self, error: CallError) -> Document:
        """Spoken, so a success, where it is our fault."""
        status = 200 if error.status >= 500 else 403 if error.status == 403 else 422
        return Document(error.spoken.encode(), status=status, headers={"X-Reason": error.reason})

    def read_event(self, request: WebhookRequest) -> CarrierEvent:
        status = request.value("Status")
        if status is None:
            raise BadRequest("Status is missing")
        call_id = request.value("CallId")
        return CarrierEvent(f"status.{status}", (call_id,) if call_id else (), dict(request.form))

    def verify(self, request: WebhookRequest, secrets: Mapping[str, str], now: float) -> bool:
        signature = request.headers.get("x-acme-signature", "")
        if not signature or "secret" not in secrets:
            return False
        made, _, _ = signature.partition(" ")
        if signature != signed(request.url, float(made), secrets["secret"]):
            raise Forged("the signature is wrong")
        if abs(now - float(made)) > LASTING:
            raise Forged("the signature is too old")
        return True

    def media(self, request: WebhookRequest, options: Mapping[str, Any]) -> MediaWire:
        raise NotSupported("no media here")


def signed(url: str, now: float, secret: str = SECRET) -> str:
    """The header X-Acme-Signature."""
    return f"{now} {sha256(f'{now} {url} {secret}'.encode()).hexdigest()}"


class AcmeCase(WebCase):
    """The assistant's deployment has a credential of the carrier."""

    def setUp(self) -> None:
        super().setUp()
        self.carriers["acme"] = Acme()
        self.keep("acme")

    def keep(self, provider: str, project_id: int = PROJECT) -> None:
        made = self.credentials.create(project_id, "c", provider, {"secret": SECRET})
        credential = self.successResultOf(made)
        self.assistants.deployed[ASSISTANT] = Deployment(ASSISTANT, credential_id=credential.id)

    def call(self, key: str | None = None, signature: str = "", **headers: str) -> Response:
        if signature:
            headers["X_Acme_Signature"] = signature
        return self.get(ASKED, key=key, **headers)

    def signature(self) -> str:
        return signed(PUBLIC + ASKED, self.clock.seconds())

    def refused(self, response: Response, status: int, reason: str) -> None:
        self.assertEqual((response.status, response.headers["x-reason"]), (status, reason))
        self.assertEqual(self.calls.registered, [])

    def registered_for(self, response: Response, project_id: int = PROJECT) -> None:
        self.assertEqual(response.status, 200)
        ((_, assistant_id, project),) = self.calls.registered
        self.assertEqual((assistant_id, project), (ASSISTANT, project_id))


_conforms: Carrier = Acme()
