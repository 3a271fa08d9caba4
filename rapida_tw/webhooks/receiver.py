"""Receivers: hosts that webhooks are sent to, and how much each is given at once."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from urllib.parse import urlsplit

MOST = 64  # attempts at once
EACH = 4  # of these, to one host
SICK = 1  # to one whose last attempts had no answer
_SICK_AFTER = 3  # of them
_REMEMBERED = 1_000  # hosts that fail


def host_of(url: str) -> str:
    """Host and port, as they are counted and kept."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


class Receivers:
    """Counts what is being sent; a host that hangs holds a part of us, and a small one soon."""

    def __init__(self) -> None:
        self._busy: Counter[str] = Counter()
        self._failures: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return self._busy.total()

    @property
    def room(self) -> Mapping[str, int]:
        """Hosts that take fewer than `EACH`, and how many."""
        hosts = {*self._busy, *(h for h, n in self._failures.items() if n >= _SICK_AFTER)}
        return {host: self._most(host) - self._busy[host] for host in hosts}

    def began(self, host: str) -> None:
        self._busy[host] += 1

    def ended(self, host: str) -> None:
        self._busy[host] -= 1
        if not self._busy[host]:
            del self._busy[host]

    def answered(self, host: str, answered: bool) -> None:
        """Whether it said anything at all."""
        if answered:
            self._failures.pop(host, None)
            return
        self._failures[host] = self._failures.get(host, 0) + 1
        self._failures.move_to_end(host)
        if len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def _most(self, host: str) -> int:
        return SICK if self._failures.get(host, 0) >= _SICK_AFTER else EACH
