"""The values that the store keeps, and the Protocols that the rest of the house sees of it.

No row and no SQL leaves `store/`. Ids are positive 63-bit ints in Python and strings in JSON;
times are seconds since the epoch (float, UTC).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from rapida_tw.store.criteria import Criterion, Order

JSON = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VendorChoice:
    """A vendor plug-in with its options: `stt`, `tts`, `vad`, `endOfSpeech` or `model`.

    `fallbacks`: whom to ask when it fails, in their order; they have none of their own.
    """

    provider: str = ""  # "" = the server's default
    credential_id: int | None = None
    options: JSON = field(default_factory=dict)
    fallbacks: tuple[VendorChoice, ...] = ()

    @property
    def chain(self) -> tuple[VendorChoice, ...]:
        """Itself and its fallbacks."""
        return (self, *self.fallbacks)


@dataclass(frozen=True, slots=True)
class PromptMessage:
    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Assistant:
    """Who answers: a model with its prompt, tools and webhooks."""

    id: int
    project_id: int
    name: str
    description: str = ""
    model: VendorChoice = field(default_factory=VendorChoice)
    prompt: tuple[PromptMessage, ...] = ()
    tools: tuple[JSON, ...] = ()
    webhooks: tuple[JSON, ...] = ()
    created: float = 0.0
    updated: float = 0.0


@dataclass(frozen=True, slots=True)
class Deployment:
    """How an assistant is on the phone (INTERFACE: phone-deployment). Times in seconds."""

    assistant_id: int
    provider: str = "asterisk"
    credential_id: int | None = None
    options: JSON = field(default_factory=dict)
    greeting: str = ""
    greeting_interruptible: bool = True
    error_message: str = "Sorry, something went wrong. Please call again later."
    idle_timeout: float = 30.0
    idle_message: str = "Are you there?"
    idle_timeout_retries: int = 2
    max_call_duration: float = 300.0
    stt: VendorChoice = field(default_factory=VendorChoice)
    tts: VendorChoice = field(default_factory=VendorChoice)
    vad: VendorChoice = field(default_factory=VendorChoice)
    end_of_speech: VendorChoice = field(default_factory=VendorChoice)
    recording: bool = True
    updated: float = 0.0


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is listed: never its text, only the first characters of it."""

    id: int
    project_id: int
    name: str
    prefix: str  # "rpd-ab12", for people to tell keys apart
    created: float
    revoked: float | None = None
    last_used: float | None = None
    scopes: tuple[str, ...] | None = None  # None: everything


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential as it is shown: of its value only the names of the keys that are set."""

    id: int
    project_id: int
    name: str
    provider: str
    keys_set: tuple[str, ...]
    created: float
    updated: float
    last_used: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to remember of a conversation; the journal writes them in batches.

    `kind` is message, metric, event, metadata, argument, option or recording; `name` the metric's
    or event's name or the message's role; `value` its text; `data` whatever more there is; `at`
    when it was.
    """

    conversation_id: int
    kind: str
    name: str
    value: str = ""
    data: JSON = field(default_factory=dict)
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Conversation:
    """One call as history knows it. `entries` only where a single one was asked for."""

    id: int
    project_id: int
    assistant_id: int
    identifier: str  # the caller's number
    source: str = "phone-call"
    direction: str = "inbound"
    carrier: str = ""
    # webhook (inbound) or queued, dialling, ringing, answered (placed); then saved (inbound),
    # connected, active, ended, failed, expired
    status: str = "webhook"
    end_reason: str = ""
    created: float = 0.0
    updated: float = 0.0
    duration: float | None = None
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation with what a listing of messages needs besides."""

    id: int
    conversation_id: int
    assistant_id: int
    role: str
    text: str
    data: JSON
    at: float
    source: str = "phone-call"


@dataclass(frozen=True, slots=True)
class Thread:
    """What one person and one assistant write to each other, by one channel.

    `source` is the channel ("whatsapp"), `carrier` who carries it, `identifier` the person.
    """

    project_id: int
    assistant_id: int
    carrier: str
    source: str
    identifier: str
    direction: str = "inbound"  # of a conversation that begins now: who wrote first

    @property
    def name(self) -> str:
        """Under which its conversations are found."""
        return f"{self.source}:{self.assistant_id}:{self.identifier}"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where a message of a thread belongs. `conversation` is without entries."""

    conversation: Conversation
    begun: bool = False  # by this message
    known: bool = False  # the message itself was there before


@dataclass(frozen=True, slots=True)
class NamedCall:
    """Whose call it is that a carrier knows under some name."""

    conversation_id: int
    assistant_id: int
    project_id: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing; `total` counts all items of all pages."""

    items: Sequence[Any]
    number: int
    size: int
    total: int


class AssistantStore(Protocol):
    """Each method answers by a Deferred; `NotFound` (or its subclass) for what is not there."""

    def create(self, assistant: Assistant) -> Deferred[Assistant]:
        """`assistant.id` 0 = choose one; answers it as stored."""

    def get(self, assistant_id: int, project_id: int | None = None) -> Deferred[Assistant]: ...
    def update(self, assistant: Assistant) -> Deferred[Assistant]: ...
    def delete(self, assistant_id: int, project_id: int) -> Deferred[None]: ...
    def page(self, project_id: int, number: int = 1, size: int = 20) -> Deferred[Page]: ...
    def deployment(self, assistant_id: int) -> Deferred[Deployment]:
        """The phone deployment; a default one when none was set."""

    def deploy(self, deployment: Deployment) -> Deferred[Deployment]: ...
    def withdraw(self, assistant_id: int) -> Deferred[None]:
        """From now on none is set."""

    def dialled(self, number: str, project_id: int | None = None) -> Deferred[Assistant | None]:
        """Whose deployment has that `phone`, with or without its +; None: nobody's, or several."""

    def on_trunk(self, credential_id: int) -> Deferred[Assistant | None]:
        """Whose deployment has that credential; None: nobody's, or several."""


class KeyStore(Protocol):
    """API keys; of each a salted hash is kept, and for SIP its sealed text."""

    def create(
        self, project_id: int, name: str, scopes: Sequence[str] | None = None
    ) -> Deferred[tuple[ApiKey, str]]:
        """A new key and its text (`rpd-` + 43 url-safe characters), shown this once.

        `scopes`: of scopes.py; None = everything.
        """

    def check(self, text: str) -> Deferred[ApiKey]:
        """The living key of that text; `Unauthenticated` otherwise, from its revocation on."""

    def list(self, project_id: int) -> Deferred[Sequence[ApiKey]]: ...
    def revoke(self, key_id: int) -> Deferred[None]: ...


class CredentialStore(Protocol):
    """Secrets of carriers and vendors, sealed; `NotFound` for those of other projects too."""

    def create(
        self, project_id: int, name: str, provider: str, value: Mapping[str, str]
    ) -> Deferred[Credential]: ...
    def get(self, credential_id: int, project_id: int) -> Deferred[Credential]: ...
    def page(self, project_id: int, number: int = 1, size: int = 20) -> Deferred[Page]: ...
    def of_provider(self, provider: str) -> Deferred[Sequence[Credential]]:
        """Those of all projects."""

    def update(
        self,
        credential_id: int,
        project_id: int,
        name: str | None = None,
        value: Mapping[str, str] | None = None,
    ) -> Deferred[Credential]:
        """Replace what is given; `value` as a whole."""

    def delete(self, credential_id: int, project_id: int) -> Deferred[None]: ...
    def secrets(self, credential_id: int, project_id: int) -> Deferred[Mapping[str, str]]:
        """The value, for the house's own use; its repr hides it. Cached for some seconds.

        `CredentialUnreadable` when the server has another secret key than it was sealed with.
        """


class ConversationStore(Protocol):
    """The history of calls."""

    def create(self, conversation: Conversation, names: Sequence[str] = ()) -> Deferred[None]:
        """`names`: under which its carrier's callbacks may speak of it."""

    def named(
        self, carrier: str, names: Sequence[str], project_id: int | None = None
    ) -> Deferred[NamedCall | None]:
        """The newest call that has the first of `names` that any has; None: there is none."""

    def add_names(self, conversation_id: int, names: Sequence[str]) -> Deferred[None]:
        """Further ones; those that it has already do no harm. `NotFound`."""

    def set_status(
        self, conversation_id: int, status: str, end_reason: str = "", duration: float | None = None
    ) -> Deferred[None]:
        """It never goes back, in the order of a call's life, and the first end stays."""

    def append(self, entries: Sequence[Entry]) -> Deferred[None]:
        """Write a batch in one transaction."""

    def get(self, conversation_id: int, project_id: int | None = None) -> Deferred[Conversation]:
        """One, with all its entries in order."""

    def page(
        self,
        project_id: int,
        number: int = 1,
        size: int = 20,
        assistant_id: int | None = None,
        criteria: Sequence[Criterion] = (),
        order: Order | None = None,
    ) -> Deferred[Page]:
        """Without entries, newest first unless told; `BadRequest` for unknown criteria."""

    def messages(
        self,
        project_id: int,
        number: int = 1,
        size: int = 20,
        conversation_id: int | None = None,
        criteria: Sequence[Criterion] = (),
        order: Order | None = None,
    ) -> Deferred[Page]:
        """`Message`s of one conversation or of all, oldest first unless told; `BadRequest`."""
