"""Media sockets: `GET /v1/talk/{carrier}/ctx/{contextId}` with an upgrade to WebSocket.

Everything is decided before the upgrade: a context that is unknown, late, used or another carrier's
is a plain 404. What is claimed for a socket that does not open is put back, because carriers try
again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import IResource

from rapida_tw.calls.claimed import Claimed
from rapida_tw.carriers.base import Carrier
from rapida_tw.errors import CallError, ContextNotFound, Fault, NotFound
from rapida_tw.web.address import PublicAddress
from rapida_tw.web.authority import Authority
from rapida_tw.web.operation import Operation, Parameter
from rapida_tw.web.ports import CallRegister, Sockets
from rapida_tw.web.request import BoundedRequest
from rapida_tw.web.route import Route
from rapida_tw.web.talk import PREFIX
from rapida_tw.web.webhook import read_webhook


class UpgradeRequired(CallError):
    """A media address takes nothing but an upgrade to WebSocket (RFC 6455, section 4.2.1)."""

    fault, reason, status = Fault.CALLER, "upgrade-required", 426


_OPEN = Operation(
    "openMedia",
    "A call's media: a WebSocket in the carrier's protocol.",
    "Carriers",
    media={},
    status=101,
    is_open=True,
    own_errors=True,
)
_OPEN_NAMED = replace(
    _OPEN,
    name="openNamedMedia",
    parameters=(Parameter("contextId", {"type": "string"}, "Of the call, a UUID."),),
)


class Media:
    """The routes of media sockets."""

    _log = Logger()

    def __init__(
        self,
        carriers: Mapping[str, Carrier],
        calls: CallRegister,
        sockets: Sockets,
        authority: Authority,
        address: PublicAddress,
    ) -> None:
        self._carriers = carriers
        self._calls = calls
        self._sockets = sockets
        self._authority = authority
        self._address = address

    def routes(self) -> Iterator[Route]:
        yield Route("GET", f"{PREFIX}<carrier>/ctx/<context_id>", self.open, operation=_OPEN)
        # chan_websocket can only append a query to the one address it is configured with.
        yield Route("GET", f"{PREFIX}<carrier>/ctx", self.open, operation=_OPEN_NAMED)

    async def open(self, request: BoundedRequest, carrier: str, context_id: str = "") -> IResource:
        """The resource that takes the connection over."""
        if carrier not in self._carriers:
            raise NotFound(f"no carrier is named {carrier!r} here")
        if request.header("upgrade").lower() != "websocket":
            request.setHeader("Upgrade", "websocket")
            raise UpgradeRequired("this address is a WebSocket")
        answering = self._carriers[carrier]
        context_id = context_id or request.query.get("contextId", "")
        if context_id:
            return await self._claimed(request, answering, context_id)
        if not answering.context_in_band:
            raise ContextNotFound("the address names no context")
        webhook = read_webhook(request, self._address)
        wire = answering.media(webhook, {})
        secure = webhook.url.startswith("wss:")
        return self._sockets.resource(carrier, wire, answering.subprotocols, secure)

    async def _claimed(
        self, request: BoundedRequest, carrier: Carrier, context_id: str
    ) -> IResource:
        claimed = await self._claim(context_id, carrier.name)
        try:
            webhook = read_webhook(request, self._address)
            await self._authority.verify(webhook, carrier, claimed.context.assistant_id)
            wire = carrier.media(webhook, claimed.deployment.options)
            secure = webhook.url.startswith("wss:")
            return self._sockets.resource(carrier.name, wire, carrier.subprotocols, secure, claimed)
        except BaseException:
            self._calls.release(claimed)
            raise

    def _claim(self, context_id: str, carrier: str) -> Deferred[Claimed]:
        """Claim; when the far side is gone before the answer comes, the context is put back."""
        claiming = self._calls.claim(context_id, carrier)
        watching: Deferred[Claimed] = Deferred()

        def arrived(claimed: Claimed) -> None:
            if watching.called:
                self._calls.release(claimed)
            else:
                watching.callback(claimed)

        def failed(failure: Failure) -> None:
            if not watching.called:
                watching.errback(failure)
            elif not failure.check(CallError, CancelledError):
                self._log.failure("a claim failed", failure)

        claiming.addCallbacks(arrived, failed)
        return watching
