"""Counters, gauges and histograms in Prometheus' text format; a leaf without dependencies.

A metric is made once, where it is counted, and registers itself in the process's one registry:
the exception to "no module state", because a counter that has to be handed through ten
constructors is a counter that nobody adds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

_registry: dict[str, Metric] = {}


class Metric:
    """The common part: a name, a help text, label names."""

    kind = ""

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:
        if name in _registry:
            raise ValueError(f"there are two metrics named {name}")
        self.name = name
        self.help = help
        self.labels = tuple(labels)
        _registry[name] = self

    def samples(self) -> Iterator[tuple[str, str, float]]:
        """Suffix of the name, rendered labels, value."""
        raise NotImplementedError

    def _check(self, values: Sequence[str]) -> None:
        """`TypeError` where they are counted: later they would break the page of all metrics."""
        if len(values) != len(self.labels):
            raise TypeError(f"{self.name} has {len(self.labels)} labels, not {len(values)}")

    def _render(self, values: Sequence[str], *more: tuple[str, str]) -> str:
        pairs = [*zip(self.labels, values, strict=True), *more]
        inside = ",".join(f'{name}="{_escape(str(value))}"' for name, value in pairs)
        return f"{{{inside}}}" if inside else ""


class Counter(Metric):
    """Only grows. `inc(*label values)`."""

    kind = "counter"

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:
        super().__init__(name, help, labels)
        self._values: dict[tuple[str, ...], float] = {} if labels else {(): 0.0}

    def inc(self, *labels: str, by: float = 1) -> None:
        self._check(labels)
        self._values[labels] = self._values.get(labels, 0.0) + by

    def value(self, *labels: str) -> float:
        return self._values.get(labels, 0.0)

    def samples(self) -> Iterator[tuple[str, str, float]]:
        for labels, value in self._values.items():
            yield "", self._render(labels), value


class Gauge(Counter):
    """Goes up and down. `set(value, *label values)`."""

    kind = "gauge"

    def set(self, value: float, *labels: str) -> None:
        self._check(labels)
        self._values[labels] = value


class Histogram(Metric):
    """Counts observations into buckets of upper bounds."""

    kind = "histogram"

    def __init__(
        self, name: str, help: str, bounds: Sequence[float], labels: Sequence[str] = ()
    ) -> None:
        super().__init__(name, help, labels)
        self._bounds = tuple(sorted(bounds))
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}

    def observe(self, value: float, *labels: str) -> None:
        self._check(labels)
        counts = self._counts.setdefault(labels, [0] * (len(self._bounds) + 1))
        counts[bisect_left(self._bounds, value)] += 1
        self._sums[labels] = self._sums.get(labels, 0.0) + value

    def samples(self) -> Iterator[tuple[str, str, float]]:
        for labels, counts in self._counts.items():
            total = 0
            for bound, count in zip((*self._bounds, float("inf")), counts, strict=True):
                total += count
                le = "+Inf" if bound == float("inf") else f"{bound:g}"
                yield "_bucket", self._render(labels, ("le", le)), total
            yield "_sum", self._render(labels), self._sums[labels]
            yield "_count", self._render(labels), total


def exposition() -> str:
    """All metrics in Prometheus' text format, version 0.0.4."""
    lines = []
    for metric in _registry.values():
        lines.append(f"# HELP {metric.name} {metric.help}")
        lines.append(f"# TYPE {metric.name} {metric.kind}")
        lines += [
            f"{metric.name}{suffix}{labels} {value:.12g}"
            for suffix, labels, value in metric.samples()
        ]
    return "\n".join(lines) + "\n"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
