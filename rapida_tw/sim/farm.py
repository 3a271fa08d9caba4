"""The fakes by their names, calling a server that really runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.ssl import optionsForClientTLS

from rapida_tw.sim.asterisk import Dialplan
from rapida_tw.sim.carrier import FakeCarrier, Media
from rapida_tw.sim.chan_websocket import ChanWebSocketCall
from rapida_tw.sim.exotel import ExotelCall, Flow
from rapida_tw.sim.http import Http, HttpAnswer, HttpRequest
from rapida_tw.sim.plivo import PlivoCall, PlivoNumber
from rapida_tw.sim.telnyx import TelnyxCall, TelnyxNumber
from rapida_tw.sim.twilio import TwilioCall, TwilioNumber
from rapida_tw.sim.vonage import Application, VonageCall
from rapida_tw.sim.websocket_line import WebSocketLine

CONNECT_WITHIN = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class Callee:
    """An assistant of a server. `url`: of its HTTP port, without a path; `caller`: who calls it.

    `secret`: what the carriers of `SIGNING` sign with; "" signs nothing.
    """

    url: str
    assistant_id: str
    api_key: str = field(repr=False)
    caller: str = "+15550100"
    secret: str = field(default="", repr=False)

    def webhook(self, carrier: str) -> str:
        """The address that is set in the carrier's console, the key in it."""
        path = f"/v1/talk/{carrier}/call/{quote(self.assistant_id, '')}"
        return f"{self.url.rstrip('/')}{path}?x-api-key={quote(self.api_key, '')}"


def _asterisk(callee: Callee) -> FakeCarrier:
    plan = Dialplan(
        callee.url,
        callee.assistant_id,
        callee.api_key,
        caller=callee.caller,
        key_in_header=True,
    )
    return ChanWebSocketCall(plan)


def _exotel(callee: Callee) -> FakeCarrier:
    return ExotelCall(Flow(callee.webhook("exotel")), callee.caller)


def _plivo(callee: Callee) -> FakeCarrier:
    number = PlivoNumber(callee.webhook("plivo"), auth_token=callee.secret, tls=False)
    return PlivoCall(number, callee.caller.removeprefix("+"))


def _telnyx(callee: Callee) -> FakeCarrier:
    return TelnyxCall(TelnyxNumber(callee.webhook("telnyx"), tls=False), callee.caller)


def _twilio(callee: Callee) -> FakeCarrier:
    number = TwilioNumber(callee.webhook("twilio"), auth_token=callee.secret, tls=False)
    return TwilioCall(number, callee.caller)


def _vonage(callee: Callee) -> FakeCarrier:
    application = Application(callee.webhook("vonage"), signature_secret=callee.secret)
    return VonageCall(application, callee.caller.removeprefix("+"))


# By what a carrier calls; asterisk is chan_websocket.
CARRIERS: Mapping[str, Callable[[Callee], FakeCarrier]] = {
    "twilio": _twilio,
    "vonage": _vonage,
    "exotel": _exotel,
    "asterisk": _asterisk,
    "plivo": _plivo,
    "telnyx": _telnyx,
}
# Telnyx signs with a key that nobody else has; the others do not sign.
SIGNING = ("twilio", "plivo", "vonage")


class Reach:
    """The way to one server, under whatever public name its documents know it.

    Everything goes to the host and port of `url`, by TLS where that says https; only Host and the
    paths are those of the documents, as behind a proxy.
    """

    def __init__(self, reactor: Any, url: str) -> None:
        parts = urlsplit(url)
        self._reactor = reactor
        self._scheme, self._netloc = parts.scheme, parts.netloc
        self._tls = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._tls else 80)

    def http(self, http: Http) -> Http:
        """The same, to that server."""

        def ask(request: HttpRequest) -> Deferred[HttpAnswer]:
            parts = urlsplit(request.url)
            if parts.netloc == self._netloc:
                return http(request)
            there = urlunsplit(parts._replace(scheme=self._scheme, netloc=self._netloc))
            headers = {**request.headers, "Host": parts.netloc}
            return http(replace(request, url=there, headers=headers))

        return ask

    def connect(self, media: Media, line: WebSocketLine) -> Deferred[object]:
        """A connection for the line."""
        endpoint: Any = HostnameEndpoint(
            self._reactor, self._host, self._port, timeout=CONNECT_WITHIN
        )
        if self._tls:
            endpoint = wrapClientTLS(optionsForClientTLS(self._host), endpoint)
        connecting: Deferred[object] = connectProtocol(endpoint, line)
        return connecting
