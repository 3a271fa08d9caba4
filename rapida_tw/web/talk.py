"""What carriers ask and tell: a new call, its events, and where the dialplan goes on after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from rapida_tw.calls.registration import Registered
from rapida_tw.carriers.base import Carrier, Document, IncomingCall, Invitation, WebhookRequest
from rapida_tw.errors import AssistantNotFound, CallError, NotFound, Unauthenticated
from rapida_tw.ids import LARGEST, parse_id
from rapida_tw.web.address import PublicAddress
from rapida_tw.web.auth import Gate
from rapida_tw.web.authority import Authority
from rapida_tw.web.ports import CallRegister
from rapida_tw.web.request import BoundedRequest
from rapida_tw.web.route import Route
from rapida_tw.web.webhook import read_webhook

PREFIX = "/v1/talk/"
CALL = f"{PREFIX}<carrier>/call/<assistant_id>"
_NOTED = 201  # the answer to an event; carriers take any 2xx


class Talk:
    """The routes below /v1/talk/."""

    def __init__(
        self,
        carriers: Mapping[str, Carrier],
        gate: Gate,
        authority: Authority,
        calls: CallRegister,
        address: PublicAddress,
    ) -> None:
        self._carriers = carriers
        self._gate = gate
        self._authority = authority
        self._calls = calls
        self._address = address

    def routes(self) -> Iterator[Route]:
        context = f"{PREFIX}<carrier>/ctx/<context_id>"
        yield Route("GET POST", CALL, self.call)
        yield Route("GET POST", f"{context}/event", self.event)
        yield Route("GET POST", f"{PREFIX}<carrier>/event/<assistant_id>", self.event_of_assistant)
        yield Route("GET", f"{context}/next", self.next)

    async def call(self, request: BoundedRequest, carrier: str, assistant_id: str) -> Document:
        """A new call: register it, and tell the carrier where its media goes."""
        answering = self._carrier(carrier)
        # First, because who looks at the address with curl is to hear what is missing.
        webhook = read_webhook(request, self._address)
        incoming = answering.read_call(webhook)
        number = _assistant_id(assistant_id)
        project_id = await self._enter(request, webhook, answering, number)
        registered = await self._calls.register(incoming, number, project_id)
        try:
            return answering.answer(self._invitation(request, registered, incoming), webhook)
        except CallError as error:
            # Nobody will come: what waits for it is told why.
            claimed = await self._calls.claim(registered.context.id, carrier)
            self._calls.abandon(claimed, error)
            error.spoken = registered.deployment.error_message or error.spoken
            raise

    def _invitation(
        self, request: BoundedRequest, registered: Registered, incoming: IncomingCall
    ) -> Invitation:
        context = registered.context
        path = f"{PREFIX}{incoming.carrier}/ctx/{context.id}"
        return Invitation(
            context.id,
            self._address.media_url(request, path),
            self._address.url(request, f"{path}/event"),
            context.assistant_id,
            context.conversation_id,
            incoming,
            registered.deployment.options,
        )

    async def event(self, request: BoundedRequest, carrier: str, context_id: str) -> Document:
        """A status callback.

        The context's id, which nobody can guess, is all that most carriers can show. Where the
        address is the same for all calls it is not known, and the event itself names the call.

        An event of no call is taken as well: refused, it would be sent again and again, and
        whoever tries ids would see which of them exist.
        """
        answering = self._carrier(carrier)
        webhook = read_webhook(request, self._address)
        event = answering.read_event(webhook)
        key = await self._gate.look(request)
        names = (context_id.lower(), *event.call_ids)
        call = await self._calls.named(carrier, names, None if key is None else key.project_id)
        if call is not None:
            with suppress(AssistantNotFound):  # the history outlives the assistant
                await self._authority.verify(webhook, answering, call.assistant_id)
        self._calls.event_received(call, carrier, event)
        return Document(b"", status=_NOTED)

    async def event_of_assistant(
        self, request: BoundedRequest, carrier: str, assistant_id: str
    ) -> Document:
        """A status callback for whichever call it names; by key or signature, as a new call."""
        answering = self._carrier(carrier)
        webhook = read_webhook(request, self._address)
        event = answering.read_event(webhook)
        number = _assistant_id(assistant_id)
        project_id = await self._enter(request, webhook, answering, number)
        call = await self._calls.named(carrier, event.call_ids, project_id)
        self._calls.event_received(call, carrier, event)
        return Document(b"", status=_NOTED)

    async def next(self, request: BoundedRequest, carrier: str, context_id: str) -> Document:
        """The dialplan's question after `AudioSocket()`: was the call transferred, and where to?"""
        self._carrier(carrier)
        await self._gate.carrier(request)
        return Document((await self._calls.follow_up(context_id)).encode())

    async def _enter(
        self, request: BoundedRequest, webhook: WebhookRequest, carrier: Carrier, assistant_id: int
    ) -> int:
        """The project that a key or the carrier's signature opens; `Unauthenticated`, `Forged`.

        A wrong key or a wrong signature is refused whatever the other says.
        """
        key = await self._gate.look(request)
        try:
            signed_for = await self._authority.verify(webhook, carrier, assistant_id)
        except AssistantNotFound:
            if key is not None:
                raise
            signed_for = None  # nobody who may not come in learns which assistants there are
        if key is not None:
            return key.project_id
        if signed_for is None:
            raise Unauthenticated(
                "Unauthenticated request: it carries no API key, and no signature can be checked"
            )
        return signed_for

    def _carrier(self, name: str) -> Carrier:
        if name not in self._carriers:
            raise NotFound(f"no carrier is named {name!r} here")
        return self._carriers[name]


def _assistant_id(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text[:20]) > LARGEST:
        raise AssistantNotFound("there is no assistant with such a large id")
    return parse_id(text, "the assistant's id")
