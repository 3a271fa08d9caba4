"""ToolRuns: the tools that a live model wants, those of one reply side by side.

The model goes on talking and listening meanwhile. Those that were wanted together are answered
together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.models.base import ToolCall
from rapida_tw.pipeline.tools import Result, ToolBox


@dataclass(slots=True, eq=False)
class _Batch:
    calls: list[ToolCall]
    running: dict[str, Deferred[None]] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)


class ToolRuns:
    """`answered` is told the results of a batch, in the order in which they were wanted."""

    _log = Logger()

    def __init__(
        self, tools: ToolBox, answered: Callable[[Sequence[tuple[ToolCall, Result]]], None]
    ) -> None:
        self._tools = tools
        self._answered = answered
        self._batches: list[_Batch] = []

    @property
    def running(self) -> bool:
        return bool(self._batches)

    def run(self, calls: Sequence[ToolCall]) -> None:
        """Use them, now and at once."""
        batch = _Batch(list(calls))
        self._batches.append(batch)
        for call in calls:
            using = self._tools.use(call)
            batch.running[call.id] = done = using.addCallback(self._used, batch, call)
            done.addErrback(self._not_used, batch, call)
        self._complete(batch)

    def withdraw(self, ids: Sequence[str]) -> None:
        """These are not wanted any more: they are cancelled and never answered."""
        for batch in tuple(self._batches):
            batch.calls = [call for call in batch.calls if call.id not in ids]
            for one in ids:
                if one in batch.running:
                    batch.running[one].cancel()
            self._complete(batch)

    def stop(self) -> None:
        """None is wanted any more."""
        batches, self._batches = self._batches, []
        for batch in batches:
            for using in tuple(batch.running.values()):
                using.cancel()

    def _used(self, result: Result, batch: _Batch, call: ToolCall) -> None:
        batch.results[call.id] = result
        self._complete(batch)

    def _not_used(self, failure: Failure, batch: _Batch, call: ToolCall) -> None:
        batch.running.pop(call.id, None)
        if not failure.check(CancelledError):
            self._log.failure("after the tool {name}", failure, name=call.name)

    def _complete(self, batch: _Batch) -> None:
        wanted = [call for call in batch.calls if call.id not in batch.results]
        if batch not in self._batches or wanted:
            return
        self._batches.remove(batch)
        if batch.calls:
            self._answered([(call, batch.results[call.id]) for call in batch.calls])
