"""Guard: what strangers may cost, decided on bytes before anything is parsed.

Each source has two token buckets, all strangers together have one, and who sends wrong passwords is
shut out for a while. Who is trusted, has given a right password lately or is in a call is spared.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from rapida_tw.sip.counters import bans, dropped
from rapida_tw.sip.networks import Networks, address, source

_SCANNERS = (
    b"friendly-scanner",
    b"friendly-request",
    b"sipvicious",
    b"sipcli",
    b"sip-scan",
    b"sundayddr",
    b"vaxsipuseragent",
    b"vaxipuseragent",
    b"siparmyknife",
    b"pplsip",
    b"sivus",
)
# As a whole word: "sipclient" is nobody's scanner. Names stand in User-Agent, and in From and To of
# those that do not even hide there.
_SCANNING = re.compile(
    rb"^(?:user-agent|from|f|to|t)[ \t]*:[^\r\n]*(?<![a-z0-9])(?:%s)(?![a-z0-9])"
    % b"|".join(_SCANNERS),
    re.MULTILINE,
)
_SEEN = 4_096  # bytes of a message in which a scanner's name is looked for


@dataclass(frozen=True, slots=True)
class Limits:
    """Rates are per second, times seconds."""

    messages: float = 50.0  # of one source
    message_burst: float = 200.0
    invites: float = 10.0
    invite_burst: float = 20.0
    # Of all strangers: each new source has a full bucket, and addresses can be made up.
    strangers: float = 500.0
    stranger_burst: float = 1_000.0
    sources: int = 10_000  # that are remembered
    known_for: float = 600.0  # after a right password
    wrong: int = 10  # wrong passwords before a ban
    first_ban: float = 10.0  # each further one twice as long
    longest_ban: float = 3_600.0


class Bucket:
    """`rate` tokens a second, at most `burst` at once."""

    __slots__ = ("_burst", "_rate", "_seen", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._seen = now

    def take(self, now: float) -> bool:
        """Whether there was one."""
        tokens = min(self._burst, self._tokens + (now - self._seen) * self._rate)
        self._seen = now
        if tokens < 1.0:
            self._tokens = tokens
            return False
        self._tokens = tokens - 1.0
        return True


class Source:
    """What is remembered of one source."""

    __slots__ = ("ban", "banned_until", "invites", "messages", "trusted", "wrong")

    def __init__(self, limits: Limits, now: float, trusted: bool) -> None:
        self.trusted = trusted
        self.messages = Bucket(limits.messages, limits.message_burst, now)
        self.invites = Bucket(limits.invites, limits.invite_burst, now)
        self.wrong = 0
        self.ban = 0.0  # the last one's length
        self.banned_until = 0.0


class Guard:
    """Asked of every datagram and message. A call of `drops` costs about a microsecond."""

    def __init__(
        self, seconds: Callable[[], float], trusted: Networks, limits: Limits | None = None
    ) -> None:
        self._seconds = seconds
        self._trusted = trusted
        self._limits = limits = limits or Limits()
        self._sources: OrderedDict[Hashable, Source] = OrderedDict()
        self._known: OrderedDict[Hashable, float] = OrderedDict()  # until when
        self._calls: dict[Hashable, int] = {}
        self._strangers = Bucket(limits.strangers, limits.stranger_burst, seconds())

    def drops(self, data: bytes, host: str) -> bool:
        """Whether the message is to be forgotten; the reason is counted."""
        name = source(host)
        now = self._seconds()
        found = self._source(name, host, now)
        if found.trusted or self._is_known(name, now):
            return False
        reason = self._reason(data, found, now)
        if reason:
            dropped.inc(reason)
        return bool(reason)

    def _reason(self, data: bytes, found: Source, now: float) -> str:
        if now < found.banned_until:
            return "banned"
        if not found.messages.take(now):
            return "source-rate"
        if data.startswith(b"INVITE ") and not found.invites.take(now):
            return "invite-rate"
        if is_scanner(data):
            return "scanner"
        return "" if self._strangers.take(now) else "strangers-rate"

    def spares(self, host: str) -> bool:
        """No limit holds for the source at the moment."""
        name = source(host)
        now = self._seconds()
        return self._source(name, host, now).trusted or self._is_known(name, now)

    def authenticated(self, host: str) -> None:
        """A right password came from there: it is known for a while, its mistakes forgotten."""
        name = source(host)
        self._sources.pop(name, None)
        self._known[name] = self._seconds() + self._limits.known_for
        self._known.move_to_end(name)
        if len(self._known) > self._limits.sources:
            self._known.popitem(last=False)

    def mistaken(self, host: str) -> None:
        """A wrong password came from there, to a challenge that it really was given."""
        name = source(host)
        now = self._seconds()
        found = self._source(name, host, now)
        if found.trusted or self._is_known(name, now):
            return
        found.wrong += 1
        if found.wrong < self._limits.wrong:
            return
        if now > found.banned_until + self._limits.longest_ban:
            found.ban = 0.0
        found.ban = min(max(self._limits.first_ban, 2 * found.ban), self._limits.longest_ban)
        found.banned_until = now + found.ban
        found.wrong = 0
        bans.inc()

    def call_began(self, host: str) -> None:
        """A dialog with that host is open: its messages must get through."""
        name = source(host)
        self._calls[name] = self._calls.get(name, 0) + 1

    def call_ended(self, host: str) -> None:
        name = source(host)
        left = self._calls.get(name, 0) - 1
        if left > 0:
            self._calls[name] = left
        else:
            self._calls.pop(name, None)

    def _is_known(self, name: Hashable, now: float) -> bool:
        return name in self._calls or self._known.get(name, 0.0) > now

    def _source(self, name: Hashable, host: str, now: float) -> Source:
        found = self._sources.get(name)
        if found is not None:
            self._sources.move_to_end(name)
            return found
        parsed = address(host)
        trusted = parsed is not None and (parsed.is_loopback or host in self._trusted)
        found = self._sources[name] = Source(self._limits, now, trusted)
        if len(self._sources) > self._limits.sources:
            self._sources.popitem(last=False)
        return found

    def __len__(self) -> int:
        return len(self._sources) + len(self._known) + len(self._calls)


def is_scanner(data: bytes) -> bool:
    """Whether a message calls itself by a known scanner's name."""
    text = data[:_SEEN].lower()
    return any(name in text for name in _SCANNERS) and _SCANNING.search(text) is not None
