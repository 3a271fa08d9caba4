"""/metrics: the process's counters for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from rapida_tw.carriers.base import Document
from rapida_tw.metrics import exposition
from rapida_tw.web.operation import Operation
from rapida_tw.web.route import Route, only

_METRICS = Operation(
    "getMetrics",
    "Counters in Prometheus' text format.",
    "Server",
    media={"text/plain": {"type": "string"}},
    is_open=True,
)


def routes() -> Iterator[Route]:
    yield Route("GET", "/metrics", only(metrics), operation=_METRICS)


def metrics() -> Document:
    """Prometheus' text format, version 0.0.4."""
    return Document(exposition().encode(), "text/plain; version=0.0.4; charset=utf-8")
