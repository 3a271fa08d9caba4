"""What stands for the rest of the house: small things that remember."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.web.resource import IResource, Resource

from rapida_tw.calls.call import LiveCall
from rapida_tw.calls.claimed import Claimed
from rapida_tw.calls.context import CallContext
from rapida_tw.calls.registration import Registered
from rapida_tw.carriers.base import CarrierEvent, IncomingCall, MediaWire
from rapida_tw.errors import (
    AssistantNotFound,
    CallError,
    ContextNotFound,
    NotFound,
    Unauthenticated,
)
from rapida_tw.store.criteria import Criterion, Order
from rapida_tw.store.records import (
    ApiKey,
    Assistant,
    AssistantStore,
    Conversation,
    ConversationStore,
    Deployment,
    Entry,
    KeyStore,
    NamedCall,
    Page,
)
from rapida_tw.web.ports import CallRegister, PlugIns, Sockets

KEY = "rpd-0123456789012345678901234567890123456789012"
OTHER_KEY = "rpd-other-project"
PROJECT, OTHER_PROJECT = 7, 8
ASSISTANT = 2_000_000_000_000_000_001
CONTEXT_ID = "66bc093d-34ab-4436-8e47-83e4fa85f361"


class FakeKeys:
    """Knows two keys, of two projects."""

    def __init__(self) -> None:
        self.checked: list[str] = []
        self.scopes: tuple[str, ...] | None = None  # of both

    def check(self, text: str) -> Deferred[ApiKey]:
        self.checked.append(text)
        projects = {KEY: PROJECT, OTHER_KEY: OTHER_PROJECT}
        if text not in projects:
            return fail(Unauthenticated("the API key is unknown"))
        return succeed(ApiKey(1, projects[text], "test", text[:8], 0.0, scopes=self.scopes))

    def create(
        self, project_id: int, name: str, scopes: Sequence[str] | None = None
    ) -> Deferred[tuple[ApiKey, str]]:
        raise NotImplementedError

    def list(self, project_id: int) -> Deferred[Sequence[ApiKey]]:
        raise NotImplementedError

    def revoke(self, key_id: int) -> Deferred[None]:
        raise NotImplementedError


class FakeAssistants:
    """Keeps them in a dict."""

    def __init__(self) -> None:
        self.kept = {ASSISTANT: Assistant(ASSISTANT, PROJECT, "Ada", created=1.0, updated=2.0)}
        self.deployed: dict[int, Deployment] = {}

    def create(self, assistant: Assistant) -> Deferred[Assistant]:
        made = replace(assistant, id=ASSISTANT + len(self.kept))
        self.kept[made.id] = made
        return succeed(made)

    def get(self, assistant_id: int, project_id: int | None = None) -> Deferred[Assistant]:
        found = self.kept.get(assistant_id)
        if found is None or project_id not in (None, found.project_id):
            return fail(AssistantNotFound(f"no assistant {assistant_id}"))
        return succeed(found)

    def update(self, assistant: Assistant) -> Deferred[Assistant]:
        self.kept[assistant.id] = assistant
        return succeed(assistant)

    def delete(self, assistant_id: int, project_id: int) -> Deferred[None]:
        found = self.get(assistant_id, project_id)
        return found.addCallback(lambda assistant: self.kept.pop(assistant.id) and None)

    def page(self, project_id: int, number: int = 1, size: int = 20) -> Deferred[Page]:
        mine = [one for one in self.kept.values() if one.project_id == project_id]
        return succeed(Page(mine[(number - 1) * size : number * size], number, size, len(mine)))

    def deployment(self, assistant_id: int) -> Deferred[Deployment]:
        return succeed(self.deployed.get(assistant_id, Deployment(assistant_id)))

    def deploy(self, deployment: Deployment) -> Deferred[Deployment]:
        self.deployed[deployment.assistant_id] = deployment
        return succeed(deployment)

    def withdraw(self, assistant_id: int) -> Deferred[None]:
        self.deployed.pop(assistant_id, None)
        return succeed(None)


class FakeConversations:
    """Keeps what the test has put in; remembers what was asked of `page`."""

    def __init__(self) -> None:
        self.kept: dict[int, Conversation] = {}
        self.pages: list[tuple[Any, ...]] = []
        self.criteria: tuple[Criterion, ...] = ()
        self.order: Order | None = None

    def create(self, conversation: Conversation, names: Sequence[str] = ()) -> Deferred[None]:
        raise NotImplementedError

    def named(
        self, carrier: str, names: Sequence[str], project_id: int | None = None
    ) -> Deferred[NamedCall | None]:
        raise NotImplementedError

    def set_status(
        self, conversation_id: int, status: str, end_reason: str = "", duration: float | None = None
    ) -> Deferred[None]:
        raise NotImplementedError

    def append(self, entries: Sequence[Entry]) -> Deferred[None]:
        raise NotImplementedError

    def get(self, conversation_id: int, project_id: int | None = None) -> Deferred[Conversation]:
        found = self.kept.get(conversation_id)
        if found is None or project_id not in (None, found.project_id):
            return fail(NotFound(f"no conversation {conversation_id}"))
        return succeed(found)

    def page(
        self,
        project_id: int,
        number: int = 1,
        size: int = 20,
        assistant_id: int | None = None,
        criteria: Sequence[Criterion] = (),
        order: Order | None = None,
    ) -> Deferred[Page]:
        self.pages.append((project_id, number, size, assistant_id))
        self.criteria, self.order = tuple(criteria), order
        items = [replace(one, entries=()) for one in self.kept.values()]
        return succeed(Page(items, number, size, len(items)))

    def messages(
        self,
        project_id: int,
        number: int = 1,
        size: int = 20,
        conversation_id: int | None = None,
        criteria: Sequence[Criterion] = (),
        order: Order | None = None,
    ) -> Deferred[Page]:
        raise NotImplementedError


class FakeCalls:
    """Registers whatever comes, unless `refusal` is set; `steered` is what was done to calls."""

    def __init__(self) -> None:
        self.ready = ""
        self.refusal: Exception | None = None
        self.answer: Deferred[Registered] | None = None
        self.registered: list[tuple[IncomingCall, int, int]] = []
        self.names: dict[tuple[str, str], NamedCall] = {}
        self.asked: list[tuple[str, tuple[str, ...], int | None]] = []
        self.events: list[tuple[NamedCall | None, str, CarrierEvent]] = []
        self.addressed: list[str] = []  # the contexts of their addresses
        self.deployment = Deployment(ASSISTANT)
        self.targets: dict[str, str] = {}
        self.running: list[LiveCall] = []
        self.steered: list[tuple[Any, ...]] = []
        self.claims: list[tuple[str, str]] = []
        self.claimed: Deferred[Claimed] | None = None
        self.released: list[Claimed] = []
        self.abandoned: list[tuple[str, CallError]] = []

    def claim(self, context_id: str, carrier: str) -> Deferred[Claimed]:
        """The context CONTEXT_ID waits, for every carrier."""
        self.claims.append((context_id, carrier))
        if self.claimed is not None:
            return self.claimed
        if context_id != CONTEXT_ID:
            return fail(ContextNotFound(f"no context {context_id}: unknown, late or used"))
        return succeed(self.claimed_context(carrier))

    def claimed_context(self, carrier: str) -> Claimed:
        context = CallContext(5, ASSISTANT, PROJECT, carrier, id=CONTEXT_ID)
        return Claimed(context, Assistant(ASSISTANT, PROJECT, "Ada"), self.deployment)

    def release(self, claimed: Claimed) -> None:
        self.released.append(claimed)

    def abandon(self, claimed: Claimed, error: CallError) -> None:
        self.abandoned.append((claimed.context.id, error))

    def register(
        self, incoming: IncomingCall, assistant_id: int, project_id: int
    ) -> Deferred[Registered]:
        if self.refusal is not None:
            return fail(self.refusal)
        self.registered.append((incoming, assistant_id, project_id))
        if self.answer is not None:
            return self.answer
        context = CallContext(5, assistant_id, project_id, incoming.carrier, id=CONTEXT_ID)
        return succeed(Registered(context, self.deployment))

    def follow_up(self, context_id: str) -> Deferred[str]:
        return succeed(self.targets.pop(context_id, ""))

    def named(
        self, carrier: str, names: Sequence[str], project_id: int | None = None
    ) -> Deferred[NamedCall | None]:
        self.asked.append((carrier, tuple(names), project_id))
        found = (self.names.get((carrier, name)) for name in names)
        calls = (call for call in found if call and project_id in (None, call.project_id))
        return succeed(next(calls, None))

    def event_received(
        self, call: NamedCall | None, carrier: str, event: CarrierEvent, context_id: str = ""
    ) -> None:
        self.events.append((call, carrier, event))
        self.addressed.append(context_id)

    def live(self, project_id: int) -> Sequence[LiveCall]:
        return [call for call in self.running if call.project_id == project_id]

    def find(self, conversation_id: int, project_id: int) -> LiveCall:
        for call in self.live(project_id):
            if call.id == conversation_id:
                return call
        raise NotFound(f"no call {conversation_id} is on the phone")

    def hang_up(self, conversation_id: int, project_id: int) -> None:
        self._steer("hang up", conversation_id, project_id)

    def say(self, conversation_id: int, project_id: int, text: str) -> None:
        self._steer("say", conversation_id, project_id, text)

    def transfer(self, conversation_id: int, project_id: int, to: str) -> Deferred[None]:
        self._steer("transfer", conversation_id, project_id, to)
        return succeed(None)

    def send_digits(self, conversation_id: int, project_id: int, digits: str) -> Deferred[None]:
        self._steer("digits", conversation_id, project_id, digits)
        return succeed(None)

    def machine_detected(self, conversation_id: int, project_id: int, verdict: str) -> None:
        self._steer("machine", conversation_id, project_id, verdict)

    def hold(self, conversation_id: int, project_id: int, on: bool) -> None:
        self._steer("hold", conversation_id, project_id, str(on))

    def _steer(self, what: str, conversation_id: int, project_id: int, *more: str) -> None:
        self.find(conversation_id, project_id)
        if self.refusal is not None:
            raise self.refusal
        self.steered.append((what, conversation_id, *more))


class _Upgraded(Resource):
    isLeaf = True

    def render(self, request: Any) -> bytes:
        return b"upgraded"


class FakeSockets:
    """Answers an upgrade with a page that says so; keeps what it was given."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, MediaWire, tuple[str, ...], bool, Claimed | None]] = []
        self.refusal: Exception | None = None

    def resource(
        self,
        carrier: str,
        wire: MediaWire,
        subprotocols: tuple[str, ...],
        secure: bool,
        claimed: Claimed | None = None,
    ) -> IResource:
        if self.refusal is not None:
            raise self.refusal
        self.opened.append((carrier, wire, subprotocols, secure, claimed))
        return _Upgraded()


class FakePlugIns:
    """Installed names, and which of them are in use."""

    def __init__(self, names: Sequence[str], made: Mapping[str, Any] | None = None) -> None:
        self._names = names
        self._made = made or {}
        self.classes: dict[str, Any] = {}

    def names(self) -> Sequence[str]:
        return self._names

    def made(self) -> Mapping[str, Any]:
        return self._made

    def declared(self) -> Mapping[str, Any]:
        return self.classes


_keys: type[KeyStore] = FakeKeys
_assistants: type[AssistantStore] = FakeAssistants
_conversations: type[ConversationStore] = FakeConversations
_calls: type[CallRegister] = FakeCalls
_plugins: type[PlugIns] = FakePlugIns
_sockets: type[Sockets] = FakeSockets
