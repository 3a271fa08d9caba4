"""Ports for RTP: an even one and the next for RTCP, bound before anybody is told of them.

A port that was just given back may still be sent to, for seconds, by a peer that has not noticed.
So ports are drawn at random over the whole range, and rest in quarantine before they are free.
"""

from __future__ import annotations

import errno
from collections import deque
from random import Random

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rapida_tw.errors import CapacityExceeded
from rapida_tw.metrics import Counter
from rapida_tw.transports.datagrams import DatagramSocket, Sockets

SILENT_FOR = 2.0  # seconds in which nothing came: the peer has stopped
AT_MOST = 30.0  # seconds of quarantine, whatever comes
# Each one at rest is looked at twice in a second, but not more at one time than take a millisecond:
# hundreds of calls may end at once.
_LOOKED_AT_AGAIN = 0.5  # seconds
_EVERY = 0.05  # seconds
_AT_ONCE = 50
_TRIES = 100  # pairs that other programs may hold, before a caller is told that we are full
_TAKEN = {errno.EADDRINUSE, errno.EACCES}
_ANYWHERE = ("0.0.0.0", "::")

not_bound = Counter("rapida_rtp_ports_not_bound_total", "Pairs of ports not to be had.", ("error",))


class Exhausted(CapacityExceeded):
    """No pair of RTP ports is to be had; the text says whether the range is full."""


class PortPair:
    """Two bound sockets. Whoever has taken it closes it, on every path."""

    __slots__ = ("_pool", "look_at", "port", "quiet_since", "resting_since", "rtcp", "rtp")

    def __init__(self, pool: PortPool, rtp: DatagramSocket, rtcp: DatagramSocket) -> None:
        self._pool: PortPool | None = pool
        self.rtp = rtp
        self.rtcp = rtcp
        self.port = rtp.address[1]
        self.resting_since = 0.0
        self.quiet_since = 0.0
        self.look_at = 0.0

    def close(self) -> None:
        """Back to its pool; idempotent."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.give_back(self)


class PortPool:
    """Pairs from `first` to `last`, both included, on one address ("0.0.0.0", "::", or another)."""

    def __init__(
        self,
        clock: IReactorTime,
        sockets: Sockets,
        interface: str,
        first: int,
        last: int,
        random: Random,
    ) -> None:
        self._clock = clock
        self._sockets = sockets
        self._interface = interface
        self._random = random
        self._free = list(range(first + first % 2, last, 2))
        if not self._free:
            raise ValueError(f"there is no even port with the next one from {first} to {last}")
        self._resting: deque[PortPair] = deque()
        self._timer: IDelayedCall | None = None
        self._open = True
        self.in_use = 0  # pairs that are taken

    def __len__(self) -> int:
        """Pairs that are free now."""
        return len(self._free)

    @property
    def resting(self) -> int:
        """Pairs in quarantine."""
        return len(self._resting)

    def take(self, host: str = "") -> PortPair:
        """A pair at a random place of the range; `Exhausted`.

        `host`: as the far side is told. A pool on all addresses binds it where it is one of ours:
        the kernel would else choose where packets come from, and strict peers drop others.
        """
        if self._interface not in _ANYWHERE:
            host = ""
        held: list[int] = []  # by others
        try:
            while self._free and self._open and len(held) < _TRIES:
                port = self._draw()
                try:
                    pair = self._bind(host or self._interface, port)
                except OSError as error:
                    if host and error.errno == errno.EADDRNOTAVAIL:  # a router's
                        self._free.append(port)
                        host = ""
                        continue
                    held.append(port)
                    not_bound.inc(errno.errorcode.get(error.errno or 0, "other"))
                    if error.errno not in _TAKEN:  # another port would not help
                        where = f"{self._interface} port {port}"
                        raise Exhausted(f"cannot bind {where}: {error.strerror}") from error
                    continue
                self.in_use += 1
                return pair
        finally:
            self._free += held
        if held:
            raise Exhausted(f"other programs hold the RTP ports: {len(held)} pairs were tried")
        raise Exhausted(f"all RTP ports are taken: {self.in_use} in use, {self.resting} at rest")

    def _draw(self) -> int:
        place = self._random.randrange(len(self._free))
        port = self._free[place]
        self._free[place] = self._free[-1]
        self._free.pop()
        return port

    def _bind(self, host: str, port: int) -> PortPair:
        rtp = self._sockets.bind(host, port)
        try:
            return PortPair(self, rtp, self._sockets.bind(host, port + 1))
        except OSError:
            rtp.close()
            raise

    def give_back(self, pair: PortPair) -> None:
        """Whoever had it is done; `PortPair.close` calls it, once."""
        self.in_use -= 1
        if not self._open:
            self._unbind(pair)
            return
        pair.rtp.rest()
        pair.rtcp.rest()
        now = self._clock.seconds()
        pair.resting_since = pair.quiet_since = now
        self._rest_on(pair, now)
        if self._timer is None:
            self._timer = self._clock.callLater(_EVERY, self._look)

    def _look(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        for _ in range(_AT_ONCE):
            if not self._resting or self._resting[0].look_at > now:
                break
            pair = self._resting.popleft()
            came = pair.rtp.drain()
            if pair.rtcp.drain() or came:
                pair.quiet_since = now
            if now - pair.quiet_since >= SILENT_FOR or now - pair.resting_since >= AT_MOST:
                self._unbind(pair)
            else:
                self._rest_on(pair, now)
        if self._resting:
            self._timer = self._clock.callLater(_EVERY, self._look)

    def _rest_on(self, pair: PortPair, now: float) -> None:
        pair.look_at = now + _LOOKED_AT_AGAIN
        self._resting.append(pair)

    def _unbind(self, pair: PortPair) -> None:
        pair.rtp.close()
        pair.rtcp.close()
        self._free.append(pair.port)

    def close(self) -> None:
        """Unbind what rests, at once; what is still taken is unbound when it is closed."""
        self._open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._resting:
            self._unbind(self._resting.popleft())
