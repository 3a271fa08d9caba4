"""Placements: calls that are asked for, checked, written down and dialled, each once.

In this order: the guard and the limits, the assistant with its deployment and account, a rehearsal
of all that its definitions can get wrong, the conversation with its idempotency key in one
transaction, the context, and then only the carrier.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rapida_tw.calls.answerer import MachinePolicy
from rapida_tw.calls.call_request import CallRequest, Placing, dialled
from rapida_tw.calls.cast import Cast
from rapida_tw.calls.claimed import Claimed
from rapida_tw.calls.context import LIFETIME, OUTBOUND, CallContext, ContextStore, fresh
from rapida_tw.calls.dialling_rules import DiallingRules
from rapida_tw.calls.journal import Journal
from rapida_tw.calls.outstanding import Outstanding
from rapida_tw.calls.placed_call import GRACE, MEDIA_WITHIN, PlacedCall
from rapida_tw.carriers.outbound import Order, Outcome, Telephone, Telephones
from rapida_tw.errors import (
    BadRequest,
    CallError,
    CapacityExceeded,
    MisconfiguredAssistant,
)
from rapida_tw.ids import Ids
from rapida_tw.store.placements import Placement, PlacementStore
from rapida_tw.store.records import Conversation

PATIENCE = 3.0  # seconds that the carrier's answer is waited for
DAY = 86_400.0  # seconds
SHORTEST_RING, LONGEST_RING = 5.0, 600.0  # seconds
OWN_MEDIA = ("sip",)  # whose Telephone opens the media itself
NO_ADDRESS = ("sip", "asterisk")  # which need no public address of ours


@dataclass(frozen=True, slots=True)
class Settings:
    """Of this node. `media_url`, `event_url`: the public addresses, each of a path; None: there is
    no public address. `audiosocket`: as of `Order`.
    """

    ring_timeout: float = 60.0
    media_url: Callable[[str], str] | None = None
    event_url: Callable[[str], str] | None = None
    audiosocket: str = ""


class Placements:
    """See `Placing`."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        cast: Cast,
        contexts: ContextStore,
        store: PlacementStore,
        journal: Journal,
        outstanding: Outstanding,
        rehearse: Callable[[Claimed], None],
        room: Callable[[], str],
        telephones: Telephones,
        rules: DiallingRules,
        settings: Settings,
        ids: Ids,
        now: Callable[[], float],
        own_media: Collection[str] = OWN_MEDIA,
    ) -> None:
        """`rehearse`: `MisconfiguredAssistant`. `room`: why no call may be placed now, or ""."""
        self._clock = clock
        self._cast = cast
        self._contexts = contexts
        self._store = store
        self._journal = journal
        self._outstanding = outstanding
        self._rehearse = rehearse
        self._room = room
        self._telephones = telephones
        self._rules = rules
        self._settings = settings
        self._ids = ids
        self._now = now
        self._own_media = own_media

    def place(self, request: CallRequest) -> Deferred[Conversation]:
        return Deferred.fromCoroutine(self._place(request))

    async def _place(self, request: CallRequest) -> Conversation:
        conversation = await self.prepare(request)
        return await self.dial(conversation, request)

    def prepare(self, request: CallRequest) -> Deferred[Conversation]:
        return Deferred.fromCoroutine(self._prepare(request))

    async def _prepare(self, request: CallRequest) -> Conversation:
        digest = _digest(request)
        if request.idempotency_key:
            known = await self._store.find(request.project_id, request.idempotency_key, digest)
            if known is not None:
                return known
        self._check_version(request)
        callee = dialled(request.callee)
        self._rules.check(callee)
        if "extension" in request.options:  # where Asterisk's dialplan goes on
            self._rules.check_target(str(request.options["extension"]))
        if not request.queued and (why := self._room()):
            raise CapacityExceeded(why)
        context = self._context(request, self._ids.new(), callee)
        claimed = await self._cast.of(context)
        self._telephone(claimed)
        self._rehearse(claimed)
        await self._count(request)
        now = self._now()
        conversation = Conversation(
            context.conversation_id,
            request.project_id,
            request.assistant_id,
            callee,
            direction=OUTBOUND,
            carrier=claimed.deployment.provider,
            status="queued",
            created=now,
            updated=now,
        )
        placement = Placement(
            conversation.id,
            request.project_id,
            request.key_id,
            digest,
            now,
            request.idempotency_key,
        )
        made = await self._store.create(placement, conversation, ())
        if made.id == conversation.id:
            self._write(conversation, claimed, request)
        return made

    def dial(self, conversation: Conversation, request: CallRequest) -> Deferred[Conversation]:
        return Deferred.fromCoroutine(self._dial(conversation, request))

    async def _dial(self, conversation: Conversation, request: CallRequest) -> Conversation:
        if request.queued and (why := self._room()):
            raise CapacityExceeded(why)  # before it has begun: its turn comes again
        self._outstanding.begin()  # many that begin at once do not all find the last room
        try:
            settled = await self._begun(conversation, request)
        finally:
            self._outstanding.begun()
        if settled is None:
            return conversation
        waiting: Deferred[None] = Deferred()
        settled.addBoth(lambda result: None if waiting.called else waiting.callback(result))
        waiting.addTimeout(PATIENCE, self._clock)
        try:
            await waiting
        except TimeoutError:
            self._log.info("the carrier of call {id} takes its time", id=conversation.id)
        return conversation

    async def _begun(
        self, conversation: Conversation, request: CallRequest
    ) -> Deferred[None] | None:
        """It is outstanding: fires when it is settled; None: it was dialled before."""
        try:
            if not await self._store.begin(conversation.id):
                return None  # another request has dialled it, here or elsewhere
        except CallError as error:
            # With a key, or in a line, it comes again; else nobody asks for it any more.
            if not (request.idempotency_key or request.queued):
                self._journal.of(conversation.id).never_began(error)
            raise
        try:
            call, telephone = await self._ready(conversation, request)
        except Exception as error:
            self._journal.of(conversation.id).never_began(error)
            raise
        self._outstanding.add(call)
        settled = call.settled
        try:
            if self._outstanding.closing:
                raise CapacityExceeded("draining")
            call.dial(telephone)
        except Exception as error:
            settled.addErrback(lambda _: None)
            await self._drop(call, error)
            raise
        return settled

    async def _ready(
        self, conversation: Conversation, request: CallRequest
    ) -> tuple[PlacedCall, Telephone]:
        """Its context is in the store when this returns."""
        context = self._context(request, conversation.id, conversation.identifier)
        claimed = await self._cast.of(replace(context, carrier=conversation.carrier))
        telephone = self._telephone(claimed)
        deployment = claimed.deployment
        caller = request.caller or str(deployment.options.get("phone") or "")
        context = fresh(
            replace(context, carrier=deployment.provider, callee=caller, registered=self._now())
        )
        claimed = replace(claimed, context=context)
        order = self._order(claimed, caller)
        own_media = deployment.provider in self._own_media
        if not own_media:
            seconds = max(LIFETIME, order.ring_seconds + GRACE + MEDIA_WITHIN + GRACE)
            await self._contexts.put(context, seconds)
        try:
            await self._outstanding.know(context, (context.id,))
        except CallError:
            await self._take_out(context)
            raise
        note = self._journal.of(conversation.id)
        note.metadata("client.context_id", context.id)
        note.metadata("client.assistant_phone", caller)
        return PlacedCall(claimed, order, self._outstanding, own_media), telephone

    async def _drop(self, call: PlacedCall, error: Exception) -> None:
        """Not even asked for."""
        await self._take_out(call.context)
        call.not_dialled(error)

    async def _take_out(self, context: CallContext) -> None:
        with suppress(CallError):  # of a leg of our own there is none
            await self._contexts.claim(context.id, context.carrier)

    def give_up(self, conversation_id: int, project_id: int | None = None) -> bool:
        call = self._outstanding.find(conversation_id)
        if call is None or project_id not in (None, call.context.project_id):
            return False
        call.unwanted = True
        call.give_up(Outcome("cancelled", "it was not wanted any more"))
        return True

    # -- inside -----------------------------------------------------------------------------------

    def _telephone(self, claimed: Claimed) -> Telephone:
        """`MisconfiguredAssistant` says what is missing to dial with."""
        deployment = claimed.deployment
        telephone = self._telephones.get(deployment.provider)
        if telephone is None:
            raise MisconfiguredAssistant(
                f"the assistant's deployment is on {deployment.provider}, which places no calls"
            )
        if claimed.carrier is None:
            raise MisconfiguredAssistant(
                f"the assistant's phone deployment has no {deployment.provider} credential"
            )
        if self._settings.media_url is None and deployment.provider not in NO_ADDRESS:
            raise MisconfiguredAssistant(
                f"server.public_host is not set: {deployment.provider} would not find this server"
            )
        return telephone

    def _context(self, request: CallRequest, conversation_id: int, callee: str) -> CallContext:
        """`caller` is the human side: whom we call."""
        return CallContext(
            conversation_id,
            request.assistant_id,
            request.project_id,
            "",
            OUTBOUND,
            caller=callee,
            callee=request.caller,
            metadata=dict(request.metadata),
            arguments=dict(request.arguments),
            options=dict(request.options),
        )

    def _order(self, claimed: Claimed, caller: str) -> Order:
        context, deployment, settings = claimed.context, claimed.deployment, self._settings
        assert claimed.carrier is not None
        path = f"/v1/talk/{context.carrier}/ctx/{context.id}"
        detection = MachinePolicy.read(deployment.options).detection
        if detection and not self._telephones[context.carrier].detects_machines:
            note = self._journal.of(context.conversation_id)
            note.event("machine.not_detected", carrier=context.carrier)
            detection = ""
        return Order(
            context.conversation_id,
            context.assistant_id,
            context.project_id,
            context.id,
            context.caller,
            caller,
            settings.media_url(path) if settings.media_url else "",
            settings.event_url(f"{path}/event") if settings.event_url else "",
            claimed.carrier,
            settings.audiosocket,
            deployment.options,
            _ring_seconds(deployment.options, settings.ring_timeout),
            deployment.max_call_duration,
            detection,
        )

    def _check_version(self, request: CallRequest) -> None:
        version = request.version
        if version and version != "latest" and not version.startswith("vrsn_"):
            raise BadRequest('version must be "latest" or vrsn_ with its number')

    async def _count(self, request: CallRequest) -> None:
        """`TooManyCalls`."""
        if not request.queued:
            self._rules.count(request.key_id)
        if self._rules.per_day and request.key_id:
            since = await self._store.since(request.key_id, self._now() - DAY)
            self._rules.count_day(since)

    def _write(self, conversation: Conversation, claimed: Claimed, request: CallRequest) -> None:
        note = self._journal.of(conversation.id)
        note.event("call.queued", carrier=conversation.carrier, to=conversation.identifier)
        # First: the last value of a name counts, and ours are not the client's to say.
        for name, value in request.metadata.items():
            note.metadata(name, value)
        note.metadata("client.phone", conversation.identifier)
        note.metadata("client.direction", OUTBOUND)
        note.metadata("client.channel", conversation.carrier)
        for name, given in request.arguments.items():
            note.argument(name, given)
        for name, given in request.options.items():
            note.option(name, given)


def _digest(request: CallRequest) -> str:
    """Equal for requests that ask for the same call."""
    asked: dict[str, Any] = {
        "assistant": request.assistant_id,
        "to": request.callee,
        "from": request.caller,
        "version": request.version,
        "metadata": dict(request.metadata),
        "args": dict(request.arguments),
        "options": dict(request.options),
    }
    text = json.dumps(asked, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _ring_seconds(options: Any, usual: float) -> float:
    """The option `ring_timeout`; `BadRequest`."""
    told = options.get("ring_timeout")
    if told is None or told == "":
        return usual
    try:
        seconds = float(told)
    except (TypeError, ValueError, OverflowError):
        seconds = 0.0
    if not SHORTEST_RING <= seconds <= LONGEST_RING:
        raise BadRequest(
            f"options: ring_timeout must be between {SHORTEST_RING:g} and {LONGEST_RING:g} seconds"
        )
    return seconds


_conforms: type[Placing] = Placements
