"""How the ways to vendors went, in the metrics."""

from __future__ import annotations

from rapida_tw.metrics import Counter

connections = Counter(
    "rapida_vendor_connections_total",
    "Ways to vendors' servers, and how they ended: opened, refused, failed, cancelled.",
    ("host", "outcome"),
)

_HOSTS = 50
_OTHER = "other"

_known: set[str] = set()


def count(host: str, outcome: str) -> None:
    """The first so many hosts by their names: users may name any, and metrics are for ever."""
    if host not in _known:
        if len(_known) >= _HOSTS:
            host = _OTHER
        else:
            _known.add(host)
    connections.inc(host, outcome)
