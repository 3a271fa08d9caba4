"""cancellable: a cancellation that nobody can turn into something else."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.cancellable import cancellable


class CancellableTests(SynchronousTestCase):
    """Passing through, and being cancelled."""

    def test_result(self) -> None:
        """A result passes, at once or later."""
        self.assertEqual(self.successResultOf(cancellable(succeed(7))), 7)
        inner: Deferred[int] = Deferred()
        outer = cancellable(inner)
        self.assertNoResult(outer)
        inner.callback(7)
        self.assertEqual(self.successResultOf(outer), 7)

    def test_failure(self) -> None:
        """So does a failure."""
        self.failureResultOf(cancellable(fail(ValueError())), ValueError)

    def test_obedient(self) -> None:
        """What lets itself be cancelled is."""
        outer = cancellable(Deferred())
        outer.cancel()
        self.failureResultOf(outer, CancelledError)

    def test_result_instead(self) -> None:
        """A result in answer to the cancellation is dropped, now or later."""
        for inner in (Deferred[int](lambda d: d.callback(7)), Deferred[int](lambda d: None)):
            outer = cancellable(inner)
            outer.cancel()
            self.failureResultOf(outer, CancelledError)

    def test_error_instead(self) -> None:
        """An error in answer to it is dropped too, without a log."""
        outer = cancellable(Deferred[int](lambda d: d.errback(ValueError())))
        outer.cancel()
        self.failureResultOf(outer, CancelledError)

    def test_coroutine_that_goes_on(self) -> None:
        """A coroutine that catches its cancellation has no more say."""
        first: Deferred[None] = Deferred()
        second: Deferred[None] = Deferred()

        async def stubborn() -> int:
            try:
                await first
            except CancelledError:
                await second
            return 7

        outer = cancellable(Deferred.fromCoroutine(stubborn()))
        outer.cancel()
        self.failureResultOf(outer, CancelledError)
        second.callback(None)
