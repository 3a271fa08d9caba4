"""ToolRuns: the tools that a live model wants, those of one reply side by side.

The model goes on talking and listening meanwhile. Those that were wanted together are answered
together; those that wait for the caller or end the call keep their order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.models.base import ToolCall
from rapida_tw.pipeline.tools import Result, ToolBox


@dataclass(slots=True, eq=False)
class _Batch:
    calls: list[ToolCall]
    later: list[ToolCall] = field(default_factory=list)  # one after the other
    running: dict[str, Deferred[Any]] = field(default_factory=dict)
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
        batch.later = [call for call in calls if not self._tools.independent(call)]
        for call in calls:
            if call not in batch.later:
                self._use(batch, call)
        self._next(batch)

    def _use(self, batch: _Batch, call: ToolCall) -> None:
        using = self._tools.use(call)
        batch.running[call.id] = using
        using.addCallback(self._used, batch, call)
        using.addErrback(self._not_used, batch, call)

    def _next(self, batch: _Batch) -> None:
        if batch.later:
            self._use(batch, batch.later.pop(0))
        else:
            self._complete(batch)

    def withdraw(self, ids: Sequence[str]) -> None:
        """These are not wanted any more: they are cancelled and never answered."""
        for batch in tuple(self._batches):
            batch.calls = [call for call in batch.calls if call.id not in ids]
            batch.later = [call for call in batch.later if call.id not in ids]
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
        if self._tools.independent(call):
            self._complete(batch)
        else:
            self._next(batch)

    def _not_used(self, failure: Failure, batch: _Batch, call: ToolCall) -> None:
        batch.running.pop(call.id, None)
        if not failure.check(CancelledError):
            self._log.failure("after the tool {name}", failure, name=call.name)
        if batch in self._batches and not self._tools.independent(call):
            self._next(batch)

    def _complete(self, batch: _Batch) -> None:
        wanted = [call for call in batch.calls if call.id not in batch.results]
        if batch not in self._batches or wanted:
            return
        self._batches.remove(batch)
        if batch.calls:
            self._answered([(call, batch.results[call.id]) for call in batch.calls])
