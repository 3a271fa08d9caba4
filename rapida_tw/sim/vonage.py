"""Vonage's side of a call: the answer webhook, the NCCO, and what is told of the call afterwards.

Written from Vonage's own guides ("Webhooks", "Signed webhooks"). Who speaks on the socket is in
vonage_media.py.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4, uuid5

from rapida_tw.sim.carrier import FakeCarrier, Media
from rapida_tw.sim.http import HttpAnswer, HttpRequest
from rapida_tw.sim.phone import CallFailed, Ending, Reason
from rapida_tw.sim.twilio import stamp
from rapida_tw.sim.vonage_media import VonageMedia
from rapida_tw.sim.vonage_ncco import Endpoint, read_ncco
from rapida_tw.sim.web_token import signed

_NAMES = UUID("5f0f3c2e-6f0c-4d5b-9d7e-2a4f1f6b7c10")
# Of a leg that was answered just now.
UNKNOWN_BILL: Mapping[str, Any] = {"start_time": None, "rate": "", "network": None}
_BY_SERVER = frozenset((Reason.SERVER_HUNG_UP, Reason.SERVER_CLOSED, Reason.SERVER_FAILED))


@dataclass(frozen=True, slots=True)
class Application:
    """What is set in Vonage's dashboard. Its repr shows no key.

    `event_url` gets what the caller's own leg does; "" tells nobody. With a `signature_secret`
    every webhook is signed.
    """

    answer_url: str = field(repr=False)
    answer_method: str = "GET"
    event_url: str = ""
    signature_secret: str = field(default="", repr=False)
    api_key: str = "a1b2c3d4"
    application_id: str = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"


class VonageCall:
    """A call to the application's number. Numbers are E.164 without the plus."""

    def __init__(
        self,
        application: Application,
        caller: str = "15550100001",
        callee: str = "15550100002",
        uuid: str = "",
    ) -> None:
        self.uuid = uuid or str(uuid4())
        self.conversation_uuid = f"CON-{self._name('conversation')}"
        self.socket_uuid = self._name("socket")  # of the WebSocket's leg: not the caller's
        self.endpoint: Endpoint | None = None  # once the NCCO was read
        self._application = application
        self._caller = caller
        self._callee = callee
        self._started = 0.0

    def webhook(self, now: float) -> HttpRequest:
        fields = {
            "from": self._caller,
            "to": self._callee,
            "uuid": self.uuid,
            "conversation_uuid": self.conversation_uuid,
            "region_url": "https://api-us-3.vonage.com",
            "endpoint_type": "phone",
        }
        application = self._application
        return self.request(application.answer_method, application.answer_url, fields, now)

    def invited(self, answer: HttpAnswer, now: float) -> Media:
        if answer.status != 200:
            raise CallFailed(f"the answer URL: {answer.reason}")
        if answer.content_type != "application/json":
            raise CallFailed(f"the NCCO is {answer.content_type or 'of no type'}, not JSON")
        try:
            actions = json.loads(answer.body)
        except ValueError as error:
            raise CallFailed(f"the NCCO is no JSON: {error}") from None
        return self.streams(read_ncco(actions), now)

    def streams(self, endpoint: Endpoint, now: float) -> Media:
        """The media of a WebSocket that an NCCO has asked for."""
        self.endpoint = endpoint
        authorization = self._authorization(endpoint.authorization, now)
        return Media(
            endpoint.uri,
            VonageMedia(endpoint.rate, endpoint.headers),
            (("Authorization", authorization),) if authorization else (),
        )

    def started(self, now: float) -> Sequence[HttpRequest]:
        """Both legs were answered; rates and times are not known yet."""
        self._started = now
        return self._events(("answered",), ("answered",), UNKNOWN_BILL, now)

    def ended(self, ending: Ending, now: float) -> Sequence[HttpRequest]:
        """The end of the WebSocket's leg, then that of the caller's."""
        by_server = ("disconnected",) if ending.reason in _BY_SERVER else ()
        bill = bill_of(self._started, now)
        return self._events((*by_server, "completed"), ("completed",), bill, now)

    # -- inside -----------------------------------------------------------------------------------

    def _events(
        self,
        of_socket: Sequence[str],
        of_caller: Sequence[str],
        more: Mapping[str, Any],
        now: float,
    ) -> list[HttpRequest]:
        events = []
        endpoint = self.endpoint
        if endpoint is not None and endpoint.event_url:
            socket = {
                "to": endpoint.uri,
                "uuid": self.socket_uuid,
                "direction": "outbound",
                "headers": dict(endpoint.headers),
            }
            for status in of_socket:
                fields = {**self._fields(status, now), **socket, **more}
                events.append(self.request(endpoint.event_method, endpoint.event_url, fields, now))
        if self._application.event_url:
            caller = {"to": self._callee, "uuid": self.uuid, "direction": "inbound"}
            for status in of_caller:
                fields = {**self._fields(status, now), **caller, **more}
                events.append(self.request("POST", self._application.event_url, fields, now))
        return events

    def _fields(self, status: str, now: float) -> dict[str, Any]:
        return {
            "from": self._caller,
            "conversation_uuid": self.conversation_uuid,
            "status": status,
            "timestamp": stamp(now),
        }

    def _authorization(self, wanted: Mapping[str, str], now: float) -> str:
        if wanted.get("type") == "vonage":
            return f"Bearer {self._token(b'', now)}"
        return wanted.get("value", "")

    def request(self, method: str, url: str, fields: Mapping[str, Any], now: float) -> HttpRequest:
        """A webhook: JSON, or a query; signed, where the application has a secret."""
        body = b""
        headers: dict[str, str] = {}
        if method == "GET":
            flat = {name: value for name, value in fields.items() if isinstance(value, str)}
            url += ("&" if urlsplit(url).query else "?") + urlencode(flat)
        else:
            body = json.dumps(fields, separators=(",", ":")).encode()
            headers["Content-Type"] = "application/json"
        if self._application.signature_secret:
            headers["Authorization"] = f"Bearer {self._token(body, now)}"
        return HttpRequest(method, url, headers, body)

    def _token(self, body: bytes, now: float) -> str:
        claims = {
            "iat": int(now),
            "jti": str(uuid4()),
            "iss": "Vonage",
            "payload_hash": hashlib.sha256(body).hexdigest(),
            "api_key": self._application.api_key,
            "application_id": self._application.application_id,
        }
        return signed(claims, self._application.signature_secret)

    def _name(self, what: str) -> str:
        return str(uuid5(_NAMES, f"{what} of {self.uuid}"))


def bill_of(started: float, now: float) -> dict[str, Any]:
    """What is told of a leg's time when it is over."""
    return {
        "start_time": stamp(started),
        "end_time": stamp(now),
        "duration": str(round(now - started)),
        "rate": "0.00450000",
        "price": "0.00007500",
        "network": "GB-FIXED",
    }


_conforms: type[FakeCarrier] = VonageCall
