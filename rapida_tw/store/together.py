"""Questions to the database that come at once, asked as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from rapida_tw.errors import Unavailable

K = TypeVar("K")
V = TypeVar("V")

MOST = 100  # keys in one question
MOST_WAITING = 1000  # questions; when more wait, the database has stopped answering


class Together(Generic[K, V]):
    """While one question is under way, the next one gathers; equal keys are asked once.

    So there is one question at a time however many ask, and each is answered by a read that began
    after it came: what was changed before somebody asked is never missed.
    """

    def __init__(self, ask: Callable[[Set[K]], Deferred[Mapping[K, V]]]) -> None:
        """`ask` answers for each key that it is given."""
        self._ask = ask
        self._waiting: list[tuple[K, Deferred[V]]] = []
        self._asking = False

    def get(self, key: K) -> Deferred[V]:
        """The key's answer, or the whole question's error; cancelling gives up the answer."""
        if len(self._waiting) >= MOST_WAITING:
            return fail(Unavailable(f"{len(self._waiting)} requests wait for the database already"))
        waiter: Deferred[V] = Deferred()
        self._waiting.append((key, waiter))
        if not self._asking:
            self._ask_next()
        return waiter

    def _ask_next(self) -> None:
        batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        self._asking = bool(batch)
        if not batch:
            return

        def answered(answers: Mapping[K, V]) -> None:
            self._ask_next()
            for key, waiter in batch:
                waiter.callback(answers[key])

        def failed(failure: Failure) -> None:
            self._ask_next()
            for _, waiter in batch:
                waiter.errback(failure.value)

        self._ask({key for key, _ in batch}).addCallbacks(answered, failed)
