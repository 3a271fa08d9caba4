"""Contexts in Redis, for calls whose webhook and media reach different workers or nodes.

SET with EX keeps them, GETDEL (Redis 6.2) takes them out: the server runs one command after the
other, so of many who claim a context one gets it.
"""

from __future__ import annotations

import re
from math import ceil
from typing import Protocol

from twisted.internet.defer import Deferred, fail

from rapida_tw.calls.context import (
    LIFETIME,
    NOTE_LIFETIME,
    CallContext,
    ContextStore,
)
from rapida_tw.errors import ContextNotFound

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class ExpiringValues(Protocol):
    """What is asked of Redis. All errback with `Unavailable`, soon, when it does not answer."""

    def set(self, key: str, value: str, seconds: int) -> Deferred[None]:
        """Keep `value` for so long."""

    def take(self, key: str) -> Deferred[str | None]:
        """The value, which is gone then; None when there is none."""

    def has(self, key: str) -> Deferred[bool]:
        """Whether there is a value."""


class RedisContexts:
    """Contexts of all workers that share one Redis. Bounded by the lifetime and by admission."""

    def __init__(self, values: ExpiringValues) -> None:
        self._values = values

    def put(self, context: CallContext, seconds: float = LIFETIME) -> Deferred[None]:
        key = _key(context.carrier, context.id)
        return self._values.set(key, context.encode(), max(1, ceil(seconds)))

    def claim(self, context_id: str, carrier: str) -> Deferred[CallContext]:
        wanted = context_id.lower()
        if not _UUID.fullmatch(wanted):
            return fail(ContextNotFound("this is not a context's id"))
        return self._values.take(_key(carrier, wanted)).addCallback(_decode, wanted)

    def waits(self, context_id: str, carrier: str) -> Deferred[bool]:
        return self._values.has(_key(carrier, context_id.lower()))

    def leave(self, context_id: str, note: str) -> Deferred[None]:
        return self._values.set(f"ctxnote:{context_id.lower()}", note, NOTE_LIFETIME)

    def fetch(self, context_id: str) -> Deferred[str]:
        return self._values.take(f"ctxnote:{context_id.lower()}").addCallback(_or_nothing)


def _key(carrier: str, context_id: str) -> str:
    return f"ctx:{carrier}:{context_id}"


def _decode(text: str | None, context_id: str) -> CallContext:
    if text is None:
        raise ContextNotFound(f"no context {context_id}: unknown, late or used")
    try:
        return CallContext.decode(text)
    except ValueError:
        # A worker of another version wrote it.
        raise ContextNotFound(f"context {context_id} cannot be read") from None


def _or_nothing(note: str | None) -> str:
    return note or ""


_conforms: type[ContextStore] = RedisContexts
