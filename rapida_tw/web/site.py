"""The HTTP port: all routes in one Klein tree, behind a site with limits.

Everything that is answered, errors too, passes through `Tree`; what each address does is in the
modules named for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

from klein import Klein
from klein.resource import KleinResource
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import NOT_MODIFIED, Request
from twisted.web.resource import IResource
from twisted.web.server import NOT_DONE_YET, Site

from rapida_tw.calls.call_request import Placing
from rapida_tw.calls.everywhere import Everywhere
from rapida_tw.campaigns.service import CampaignService
from rapida_tw.carriers.base import Carrier, Document
from rapida_tw.carriers.outbound import Telephone
from rapida_tw.errors import BadRequest
from rapida_tw.metrics import Counter
from rapida_tw.store.records import (
    AssistantStore,
    ConversationStore,
    CredentialStore,
    KeyStore,
)
from rapida_tw.store.verification import Login, Logins
from rapida_tw.web import metrics
from rapida_tw.web.address import PublicAddress
from rapida_tw.web.api import Api
from rapida_tw.web.assistants import Assistants
from rapida_tw.web.auth import KEY, Gate
from rapida_tw.web.authority import Authority
from rapida_tw.web.calls import LiveCalls
from rapida_tw.web.campaigns import Campaigns
from rapida_tw.web.conversations import Conversations
from rapida_tw.web.credentials import Credentials
from rapida_tw.web.entrance import Entrance
from rapida_tw.web.failures import Failures
from rapida_tw.web.health import Health
from rapida_tw.web.media import Media
from rapida_tw.web.messages import Messages, Writing
from rapida_tw.web.number_insight import Insights, NumberInsight
from rapida_tw.web.openapi import OpenApi
from rapida_tw.web.peer import Proxies
from rapida_tw.web.placing import PlacedCalls
from rapida_tw.web.plugins import Installed
from rapida_tw.web.ports import CallRegister, Draw, InThread, PlugIns, Sockets
from rapida_tw.web.recordings import Recordings
from rapida_tw.web.request import BoundedChannel, BoundedRequest
from rapida_tw.web.route import Answered, Route
from rapida_tw.web.talk import Talk
from rapida_tw.web.webhook_deliveries import WebhookDeliveries
from rapida_tw.web.whatsapp import WhatsAppWebhooks
from rapida_tw.webhooks.documents import Deliverer

COMPLETE_WITHIN = 60  # seconds for a request to be whole, and for the next one to come

requests = Counter("rapida_http_requests_total", "Requests answered.", ("route", "status"))


@dataclass(frozen=True, slots=True)
class WebDependencies:
    """What the HTTP side is put together from; see the classes of each module."""

    clock: IReactorTime
    in_thread: InThread
    keys: KeyStore
    assistants: AssistantStore
    credentials: CredentialStore
    conversations: ConversationStore
    calls: CallRegister
    carriers: Mapping[str, Carrier]
    speech: Mapping[str, PlugIns]  # recognizers, synthesizers, detectors
    models: PlugIns
    draw: Draw
    address: PublicAddress
    proxies: Proxies
    sockets: Sockets
    now: Callable[[], float]  # seconds since the epoch
    recordings: Path | None = None  # the folder; None: nothing is recorded
    metrics: bool = True  # whether /metrics is there
    campaigns: CampaignService | None = None
    everywhere: Everywhere | None = None  # None: the calls of this process are all
    placing: Placing | None = None  # None: no calls are placed here
    telephones: Mapping[str, Telephone] = field(default_factory=dict)  # that verify accounts
    vendor_login: Login | None = None  # the same, of speech
    writing: Writing | None = None  # None: nobody writes here
    deliverer: Deliverer | None = None  # None: no webhooks are told
    insights: Insights | None = None  # None: no numbers are looked up here


def build_site(deps: WebDependencies) -> Site:
    """The factory to listen with."""
    return BoundedSite(build_tree(deps), deps.clock, deps.proxies)


def build_tree(deps: WebDependencies) -> Tree:
    """The one root resource."""
    return Tree(routes(deps), Failures(deps.carriers, deps.proxies), deps.clock)


def routes(deps: WebDependencies) -> Iterator[Route]:
    """Every address of the server, and what describes them."""
    known = list(_routes(deps))
    yield from known
    yield from OpenApi(known).routes()


def _routes(deps: WebDependencies) -> Iterator[Route]:
    gate = Gate(deps.keys)
    api = Api(gate)
    authority = Authority(deps.assistants, deps.credentials, deps.now)
    recordings = Recordings(
        deps.conversations, deps.recordings, deps.draw, deps.in_thread, deps.clock
    )
    yield from Health(deps.calls).routes()
    if deps.metrics:
        yield from metrics.routes()
    yield from Talk(deps.carriers, gate, authority, deps.calls, deps.address).routes()
    yield from Media(deps.carriers, deps.calls, deps.sockets, authority, deps.address).routes()
    yield from Assistants(deps.assistants, deps.credentials).routes(api)
    yield from _credentials(deps).routes(api)
    line = None if deps.campaigns is None else deps.campaigns.queue
    if deps.placing is not None:
        yield from PlacedCalls(deps.placing, line).routes(api)
    if deps.campaigns is not None:
        yield from Campaigns(deps.campaigns, deps.assistants).routes(api)
    yield from LiveCalls(deps.everywhere or Everywhere(deps.calls, deps.placing), line).routes(api)
    yield from Conversations(deps.conversations).routes(api)
    yield from recordings.routes(api)
    yield from _messages(deps, api, Entrance(gate, authority))
    if deps.deliverer is not None:
        yield from WebhookDeliveries(deps.deliverer, deps.assistants).routes(api)
    if deps.insights is not None:
        yield from NumberInsight(deps.insights).routes(api)
    yield from Installed(deps.carriers, deps.speech, deps.models, deps.in_thread).routes(api)


def _messages(deps: WebDependencies, api: Api, entrance: Entrance) -> Iterator[Route]:
    """WhatsApp, where there is Twilio, which carries it."""
    twilio, writing = deps.carriers.get("twilio"), deps.writing
    if twilio is not None and writing is not None:
        inbox, followed = writing.whatsapp, writing.deliveries
        yield from WhatsAppWebhooks(twilio, entrance, inbox, followed, deps.address).routes()
        yield from Messages(writing.outgoing, deps.address).routes(api)


def _credentials(deps: WebDependencies) -> Credentials:
    vendors = [deps.speech[kind] for kind in deps.speech if kind != "detectors"]
    logins = Logins(deps.clock, deps.telephones, deps.vendor_login)
    return Credentials(
        deps.credentials, deps.carriers, [*vendors, deps.models], deps.in_thread, logins
    )


class Tree(KleinResource):
    """Finds who answers a request, sends the answer, and turns every error into one."""

    _log = Logger()

    def __init__(self, routes: Iterator[Route], failures: Failures, clock: IReactorTime) -> None:
        app = Klein()
        # Nobody is sent elsewhere for a slash: Asterisk's CURL() would not go.
        app.url_map.strict_slashes = False
        app.url_map.merge_slashes = False
        for route in routes:
            methods = route.methods.split()
            answering = self._answering(route, clock)
            app.route(route.path, methods=methods, endpoint=f"{route.methods} {route.path}")(
                answering
            )
        app.handle_errors(Exception)(lambda request, failure: self._failed(request, failure))
        self._failures = failures
        super().__init__(app)

    def render(self, request: Any) -> Any:
        """Klein wants a path and a host that are text; answers what has neither itself."""
        request.setHeader("Server", "rapida_tw")
        request.setHeader("X-Content-Type-Options", "nosniff")
        try:
            b"/".join(request.postpath).decode("utf-8")
            request.getRequestHostname().decode("ascii").encode("idna")
        except UnicodeError:
            refusal = Failure(BadRequest("the address is not UTF-8, or the host is no name"))
            request.write(self._send(request, self._failures(request, refusal)))
            request.finish()
            return NOT_DONE_YET
        return super().render(request)

    def _answering(
        self, route: Route, clock: IReactorTime
    ) -> Callable[..., Deferred[bytes | IResource]]:
        async def answer(work: Awaitable[Answered], request: BoundedRequest) -> bytes | IResource:
            answered = await work
            if isinstance(answered, Document):
                return self._send(request, answered)
            return answered or b""

        def handle(request: BoundedRequest, **parts: str) -> Deferred[bytes | IResource]:
            request.route = route.path
            answering = Deferred.fromCoroutine(answer(route.handler(request, **parts), request))
            if route.seconds is not None:
                answering.addTimeout(route.seconds, clock)
            return answering

        return handle

    def _failed(self, request: BoundedRequest, failure: Failure) -> bytes:
        if request.startedWriting:
            self._log.failure("the answer of {route} broke off", failure, route=request.route)
            # All that is left to tell the client is that this was not the whole.
            request.channel.forceAbortClient()
            return b""
        return self._send(request, self._failures(request, failure))

    def _send(self, request: BoundedRequest, document: Document) -> bytes:
        """Set the headers; returns the body."""
        request.setResponseCode(document.status)
        request.setHeader("Content-Type", document.content_type)
        if document.status != NOT_MODIFIED:  # whose length would be that of the whole file
            request.setHeader("Content-Length", str(len(document.body)))
        for name, value in document.headers.items():
            request.setHeader(name, value)
        return document.body


class BoundedSite(Site):
    """HTTP/1.1 alone: HTTP/2 on this port is gRPC's, and none of Twisted's."""

    protocol = BoundedChannel  # type: ignore[assignment]  # Twisted's is a function
    _log = Logger()

    def __init__(self, tree: Tree, clock: IReactorTime, proxies: Proxies) -> None:
        super().__init__(
            tree, requestFactory=BoundedRequest, timeout=COMPLETE_WITHIN, reactor=clock
        )
        self._proxies = proxies

    def acceptableProtocols(self) -> list[bytes]:
        return [b"http/1.1"]

    def startFactory(self) -> None:
        """Without Twisted's access log: it would hold the keys of queries."""

    def stopFactory(self) -> None:
        """Nothing was started."""

    def log(self, request: Request) -> None:
        """Called once for each request that was answered to its end."""
        requests.inc(getattr(request, "route", ""), str(request.code))
        self._log.debug(
            "{client} {method} {uri} {status} {size} bytes",
            client=self._proxies.client(request),
            method=request.method.decode("ascii", "replace"),
            uri=redacted(request.uri),
            status=request.code,
            size=request.sentLength,
        )


def redacted(uri: bytes) -> str:
    """A request's target without the API key that its query may hold."""
    path, question, query = uri.decode("utf-8", "replace").partition("?")
    return path + question + "&".join(map(_redacted_field, query.split("&")))


def _redacted_field(field: str) -> str:
    name, equals, _ = field.partition("=")
    return f"{name}{equals}***" if unquote_plus(name).lower() == KEY else field
