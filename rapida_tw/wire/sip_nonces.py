"""Nonces that need no memory until they are used (RFC 7616 3.3, 3.4.5, 5.4)."""

from __future__ import annotations

import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

LIFE: Final = 60.0  # seconds
WINDOW: Final = 32  # counts below the highest that may come late
MOST_USED: Final = 50_000

_NONCE = re.compile(r"([0-9a-f]{1,16})\.[0-9a-f]{16}\.[0-9a-f]{32}")
_COUNT = re.compile(r"[0-9A-Fa-f]{8}")


@dataclass(slots=True)
class _Use:
    issued: float  # seconds
    highest: int
    seen: int  # bit n: highest - n has come


class Nonces:
    """Gives nonces out, and tells those apart that come back.

    A nonce is the time, something random, and an HMAC of both, so that every process with the
    same `secret` and the same clock knows it again. Only of those that were used something is
    kept: for their life, and of the youngest `MOST_USED`; what is older than one that had to be
    forgotten counts as stale. `seconds` is a clock that goes on.
    """

    def __init__(
        self,
        secret: bytes,
        seconds: Callable[[], float],
        random: Callable[[int], str] = secrets.token_hex,
        most_used: int = MOST_USED,
    ) -> None:
        """`random(8)` gives 16 hex digits."""
        self._secret = secret
        self._seconds = seconds
        self._random = random
        self._most_used = most_used
        self._used: OrderedDict[str, _Use] = OrderedDict()
        self._forgotten = float("-inf")  # when the youngest that had to be forgotten was issued

    def issue(self) -> str:
        """A nonce as it stands in a challenge; no two are the same."""
        head = f"{max(0, int(self._seconds() * 1000)):x}.{self._random(8)}"
        return f"{head}.{self._mac(head)}"

    def state(self, nonce: str, nc: str) -> str:
        """`fresh`; `stale`: ours, but too old; `replayed`: that nc has been spent; `forged`.

        Tell it to nobody before the response was found right: then anything but `fresh` is
        answered by a new challenge with stale=true.
        """
        issued = self._issued(nonce)
        if issued is None or not _COUNT.fullmatch(nc):
            return "forged"
        if not -LIFE < self._seconds() - issued <= LIFE:
            return "stale"
        use = self._used.get(nonce)
        if use is None:
            return "stale" if issued <= self._forgotten else "fresh"
        behind = use.highest - int(nc, 16)
        if behind < 0:
            return "fresh"
        return "replayed" if behind >= WINDOW or use.seen >> behind & 1 else "fresh"

    def spend(self, nonce: str, nc: str) -> None:
        """That count of that nonce is not taken again. Of a nonce that is not ours: nothing."""
        issued = self._issued(nonce)
        if issued is None or not _COUNT.fullmatch(nc):
            return
        count = int(nc, 16)
        use = self._used.get(nonce)
        if use is None:
            self._forget()
            self._used[nonce] = _Use(issued, count, 1)
        elif count > use.highest:
            shift = min(count - use.highest, WINDOW)
            use.seen = (use.seen << shift | 1) & (1 << WINDOW) - 1
            use.highest = count
        elif use.highest - count < WINDOW:
            use.seen |= 1 << (use.highest - count)

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._used)

    def _forget(self) -> None:
        """Make room: for those whose life is over, and at the bound for the oldest."""
        now = self._seconds()
        while self._used:
            nonce, use = next(iter(self._used.items()))
            dead = now - use.issued > LIFE
            if not dead and len(self._used) < self._most_used:
                return
            if not dead:
                self._forgotten = max(self._forgotten, use.issued)
            del self._used[nonce]

    def _issued(self, nonce: str) -> float | None:
        """When, in seconds; None for what is not ours."""
        found = _NONCE.fullmatch(nonce)
        if found is None:
            return None
        head, _, mac = nonce.rpartition(".")
        if not hmac.compare_digest(self._mac(head).encode("ascii"), mac.encode("ascii")):
            return None
        return int(found[1], 16) / 1000

    def _mac(self, head: str) -> str:
        return hmac.digest(self._secret, head.encode("ascii"), "sha256").hex()[:32]
