"""A guard around what others make: whoever is cancelled has stopped, whatever the other says.

An interruption is `reply.cancel()`. A vendor or a tool that answers its cancellation with a result,
or with an error of its own (Twisted's Agent does), would let the reply go on behind the next one.
"""

from __future__ import annotations

from typing import Any, TypeVar

from twisted.internet.defer import Deferred

T = TypeVar("T")


def cancellable(inner: Deferred[T]) -> Deferred[T]:
    """Fires as `inner` does; cancelling it cancels `inner` and is always a CancelledError.

    What `inner` answers afterwards is dropped.
    """
    cancelled = False

    def cancel(_: Deferred[T]) -> None:
        nonlocal cancelled
        cancelled = True
        inner.cancel()

    def answered(result: Any) -> None:
        if not cancelled:
            outer.callback(result)

    outer: Deferred[T] = Deferred(cancel)
    inner.addBoth(answered)
    return outer
