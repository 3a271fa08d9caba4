"""/metrics: the process's counters for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from rapida_tw.carriers.base import Document
from rapida_tw.metrics import exposition
from rapida_tw.web.route import Route, only


def routes() -> Iterator[Route]:
    yield Route("GET", "/metrics", only(metrics))


def metrics() -> Document:
    """Prometheus' text format, version 0.0.4."""
    return Document(exposition().encode(), "text/plain; version=0.0.4; charset=utf-8")
