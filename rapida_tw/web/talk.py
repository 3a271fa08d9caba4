"""What carriers ask and tell: a new call, its events, and where the dialplan goes on after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from rapida_tw.calls.registration import Registered
from rapida_tw.carriers.base import Carrier, Document, IncomingCall, Invitation
from rapida_tw.errors import AssistantNotFound, CallError, NotFound
from rapida_tw.web.address import PublicAddress
from rapida_tw.web.auth import Gate
from rapida_tw.web.authority import Authority
from rapida_tw.web.entrance import Entrance, assistant_of
from rapida_tw.web.operation import Operation
from rapida_tw.web.ports import CallRegister
from rapida_tw.web.request import BoundedRequest
from rapida_tw.web.route import Route
from rapida_tw.web.webhook import read_webhook

PREFIX = "/v1/talk/"
CALL = f"{PREFIX}<carrier>/call/<assistant_id>"
_NOTED = 201  # the answer to an event; carriers take any 2xx

_TAG = "Carriers"
_ANYTHING: dict[str, Any] = {"*/*": {}}
_CALL = Operation(
    "answerCall",
    "A carrier asks what to do with a new call; by its signature or a key, in its own form.",
    _TAG,
    media=_ANYTHING,
    own_errors=True,
)
_EVENT = Operation(
    "takeEvent",
    "A carrier's status callback.",
    _TAG,
    media=_ANYTHING,
    status=_NOTED,
    is_open=True,
    own_errors=True,
)
_EVENTS = Operation(
    "takeAssistantEvent",
    "A status callback for whichever call it names.",
    _TAG,
    media=_ANYTHING,
    status=_NOTED,
    own_errors=True,
)
_NEXT = Operation(
    "getFollowUp",
    "Where a dialplan goes on after the call; empty: nowhere.",
    _TAG,
    media=_ANYTHING,
    own_errors=True,
)


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
        self._entrance = Entrance(gate, authority)
        self._calls = calls
        self._address = address

    def routes(self) -> Iterator[Route]:
        context = f"{PREFIX}<carrier>/ctx/<context_id>"
        events = f"{PREFIX}<carrier>/event/<assistant_id>"
        yield Route("GET POST", CALL, self.call, operation=_CALL)
        yield Route("GET POST", f"{context}/event", self.event, operation=_EVENT)
        yield Route("GET POST", events, self.event_of_assistant, operation=_EVENTS)
        yield Route("GET", f"{context}/next", self.next, operation=_NEXT)

    async def call(self, request: BoundedRequest, carrier: str, assistant_id: str) -> Document:
        """A new call: register it, and tell the carrier where its media goes."""
        answering = self._carrier(carrier)
        # First, because who looks at the address with curl is to hear what is missing.
        webhook = read_webhook(request, self._address)
        incoming = answering.read_call(webhook)
        number = assistant_of(assistant_id)
        project_id = await self._entrance.enter(request, webhook, answering, number)
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
        self._calls.event_received(call, carrier, event, context_id)
        return Document(b"", status=_NOTED)

    async def event_of_assistant(
        self, request: BoundedRequest, carrier: str, assistant_id: str
    ) -> Document:
        """A status callback for whichever call it names; by key or signature, as a new call."""
        answering = self._carrier(carrier)
        webhook = read_webhook(request, self._address)
        event = answering.read_event(webhook)
        number = assistant_of(assistant_id)
        project_id = await self._entrance.enter(request, webhook, answering, number)
        call = await self._calls.named(carrier, event.call_ids, project_id)
        self._calls.event_received(call, carrier, event)
        return Document(b"", status=_NOTED)

    async def next(self, request: BoundedRequest, carrier: str, context_id: str) -> Document:
        """The dialplan's question after `AudioSocket()`: was the call transferred, and where to?"""
        self._carrier(carrier)
        await self._gate.carrier(request)
        return Document((await self._calls.follow_up(context_id)).encode())

    def _carrier(self, name: str) -> Carrier:
        if name not in self._carriers:
            raise NotFound(f"no carrier is named {name!r} here")
        return self._carriers[name]
