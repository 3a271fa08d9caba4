"""CallContext: what the webhook knew, kept 300 s under a UUID, claimed once.

The store has two forms with one contract (`tests/contracts`): in memory for one worker, Redis
(`redis_contexts.py`) for many workers and nodes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol
from uuid import uuid4

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rapida_tw.errors import ContextNotFound

INBOUND, OUTBOUND = "inbound", "outbound"
LIFETIME = 300  # seconds between the webhook and the media connection (the brief, "Asterisk")


@dataclass(frozen=True, slots=True)
class CallContext:
    """Everything that the media connection's side needs to know of a call.

    `caller` is the human side in both directions, `callee` the assistant's number. `arguments`,
    `options`: of a call that was placed, for the templates and over the deployment. `remote`: what
    its carrier's API told and needs again.
    """

    conversation_id: int
    assistant_id: int
    project_id: int
    carrier: str
    direction: str = "inbound"
    caller: str = ""
    callee: str = ""
    provider_call_id: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    remote: Mapping[str, str] = field(default_factory=dict)
    registered: float = 0.0  # seconds since the epoch
    id: str = ""  # UUID text, lower case; `fresh` chooses it

    def encode(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def decode(cls, text: str) -> CallContext:
        """What `encode` wrote; `ValueError` for anything else (another version's, say)."""
        try:
            return cls(**json.loads(text))
        except TypeError as error:
            raise ValueError(str(error)) from None


class ContextStore(Protocol):
    """Where contexts wait. A context is claimed at most once, by whoever comes first.

    It is there for the media of its own carrier alone: a name that one carrier's callbacks hold is
    no way into the call over another's wire.
    """

    def put(self, context: CallContext, seconds: float = LIFETIME) -> Deferred[None]:
        """Keep it under its `id` for so long."""

    def claim(self, context_id: str, carrier: str) -> Deferred[CallContext]:
        """Take it out, atomically.

        `ContextNotFound` when unknown, late or already taken; also when it is another carrier's,
        for whom it is left there.
        """

    def waits(self, context_id: str, carrier: str) -> Deferred[bool]:
        """Whether it can still be claimed."""

    def leave(self, context_id: str, note: str) -> Deferred[None]:
        """Keep a note for whoever asks about the call afterwards (a transfer's target), 60 s."""

    def fetch(self, context_id: str) -> Deferred[str]:
        """Take the note out, atomically; "" when there is none."""


NOTE_LIFETIME = 60  # seconds


def fresh(context: CallContext) -> CallContext:
    """The context under an id that nobody can guess."""
    return replace(context, id=str(uuid4()))


class MemoryContexts:
    """Contexts of a single worker. Bounded by the lifetime and by admission."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[CallContext, IDelayedCall]] = {}
        self._notes: dict[str, tuple[str, IDelayedCall]] = {}

    def put(self, context: CallContext, seconds: float = LIFETIME) -> Deferred[None]:
        late = self._clock.callLater(seconds, self._kept.pop, context.id)
        self._kept[context.id] = context, late
        return succeed(None)

    def claim(self, context_id: str, carrier: str) -> Deferred[CallContext]:
        found = self._find(context_id, carrier)
        if found is None:
            return fail(ContextNotFound(f"no context {context_id}: unknown, late or used"))
        context, late = found
        del self._kept[context.id]
        late.cancel()
        return succeed(context)

    def waits(self, context_id: str, carrier: str) -> Deferred[bool]:
        return succeed(self._find(context_id, carrier) is not None)

    def _find(self, context_id: str, carrier: str) -> tuple[CallContext, IDelayedCall] | None:
        found = self._kept.get(context_id.lower())
        return found if found is not None and found[0].carrier == carrier else None

    def leave(self, context_id: str, note: str) -> Deferred[None]:
        self._forget(context_id)
        late = self._clock.callLater(NOTE_LIFETIME, self._notes.pop, context_id.lower())
        self._notes[context_id.lower()] = note, late
        return succeed(None)

    def fetch(self, context_id: str) -> Deferred[str]:
        return succeed(self._forget(context_id))

    def _forget(self, context_id: str) -> str:
        note, late = self._notes.pop(context_id.lower(), ("", None))
        if late is not None:
            late.cancel()
        return note

    def close(self) -> None:
        """Forget everything and leave no timer behind."""
        for _, late in (*self._kept.values(), *self._notes.values()):
            late.cancel()
        self._kept.clear()
        self._notes.clear()


_conforms: type[ContextStore] = MemoryContexts
