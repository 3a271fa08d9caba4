"""UDP in memory: machines with addresses, and a network that loses, delays and repeats.

What `bind` gives has what our sockets of datagrams have (transports/datagrams.py), so it stands in
for the kernel's, for RTP and for SIP. All delivery is by timers of the given clock, never within
the `send` itself.
"""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Callable, Iterable
from random import Random

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

HostPort = tuple[str, int]
Received = Callable[[bytes, HostPort], bool]

_EPHEMERAL = 49_152  # the first of the ports that a `bind` to 0 gives
_LARGEST = 65_507  # bytes over IPv4
_KERNEL = 300  # datagrams that wait at a port, the oldest giving way
_WILDCARDS = {"0.0.0.0": False, "::": True}  # whether it is IPv6's


class Storm:
    """What happens to datagrams, from a seed; numbers are seconds and shares of one.

    `latency` and up to `jitter` more for each. A path keeps its order, as most real ones do, but
    for a share of `reorder`, which come `overtaken` later than they should. `loss` hits each by
    itself, or in bursts of `burst` on average; `duplicates` come twice.
    """

    def __init__(
        self,
        seed: int,
        *,
        latency: float = 0.02,
        jitter: float = 0.0,
        loss: float = 0.0,
        burst: float | None = None,
        reorder: float = 0.0,
        overtaken: float = 0.03,
        duplicates: float = 0.0,
    ) -> None:
        self._chance = Random(seed)
        self._latency = latency
        self._jitter = jitter
        self._reorder = reorder
        self._overtaken = overtaken
        self._duplicates = duplicates
        self._begins = self._goes_on = loss
        if burst is not None and loss < 1:
            # Two states (Gilbert): a burst goes on with 1 - 1/burst.
            self._goes_on = 1 - 1 / burst
            self._begins = loss / (burst * (1 - loss))
        self._losing: dict[object, bool] = {}
        self._clear: dict[object, float] = {}  # when the latest of a path will be there

    def arrivals(self, path: object, now: float) -> list[float]:
        """When a datagram sent `now` arrives: never, once or twice."""
        chance = self._chance
        losing = chance.random() < (self._goes_on if self._losing.get(path) else self._begins)
        self._losing[path] = losing
        if losing:
            return []
        at = now + self._latency + self._jitter * chance.random()
        if chance.random() < self._reorder:
            at += self._overtaken
        else:
            at = self._clear[path] = max(at, self._clear.get(path, 0.0))
        twice = chance.random() < self._duplicates
        return [at, at + self._overtaken * chance.random()] if twice else [at]


class Datagrams:
    """The network: machines are put on it by `machine`. `storm` None: a quiet one."""

    _log = Logger()

    def __init__(self, clock: IReactorTime, storm: Storm | None = None) -> None:
        self.clock = clock
        self.storm = storm
        self.bound: dict[HostPort, MemorySocket] = {}
        self.unheard = 0  # sent to where nobody is bound
        self._due: list[tuple[bytes, HostPort, HostPort]] = []

    def machine(self, *addresses: str) -> Machine:
        """One with these addresses, the first of each family being what it sends from."""
        return Machine(self, addresses)

    def carry(self, data: bytes, source: HostPort, target: HostPort) -> None:
        """From one port to another, as the storm lets it; also for those that forge `source`."""
        if self.storm is None:
            if not self._due:
                self.clock.callLater(0, self._deliver)
            self._due.append((data, source, target))
            return
        now = self.clock.seconds()
        for at in self.storm.arrivals((source, target), now):
            self.clock.callLater(at - now, self._arrive, data, source, target)

    def _deliver(self) -> None:
        due, self._due = self._due, []
        for datagram in due:
            self._arrive(*datagram)

    def _arrive(self, data: bytes, source: HostPort, target: HostPort) -> None:
        socket = self.bound.get(target)
        if socket is None:
            self.unheard += 1
            return
        try:
            socket.arrived(data, source)
        except Exception:
            self._log.failure("{target}: failed on a datagram", target=target)


class Machine:
    """Binds ports of its own addresses; 0.0.0.0 and :: stand for all of a family."""

    def __init__(self, network: Datagrams, addresses: Iterable[str]) -> None:
        self._network = network
        self._addresses = tuple(addresses)
        self._ephemeral = _EPHEMERAL

    def bind(self, host: str, port: int = 0) -> MemorySocket:
        """Port 0: any. `OSError` EADDRINUSE, EADDRNOTAVAIL."""
        hosts = self._hosts(host)
        if not hosts:
            raise _error(errno.EADDRNOTAVAIL)
        bound = self._network.bound
        while not port:
            if all((one, self._ephemeral) not in bound for one in hosts):
                port = self._ephemeral
            self._ephemeral += 1
        if any((one, port) in bound for one in hosts):
            raise _error(errno.EADDRINUSE)
        socket = MemorySocket(self._network, (host, port), [(one, port) for one in hosts])
        bound.update((place, socket) for place in socket.places)
        return socket

    def _hosts(self, host: str) -> list[str]:
        if host not in _WILDCARDS:
            return [host] if host in self._addresses else []
        return [one for one in self._addresses if (":" in one) is _WILDCARDS[host]]


class MemorySocket:
    """One bound port."""

    def __init__(self, network: Datagrams, address: HostPort, places: list[HostPort]) -> None:
        self.address = address
        self.places = places  # where it is reached; the first is what it sends from
        self._network = network
        self._received: Received | None = None
        self._waiting: deque[tuple[bytes, HostPort]] = deque(maxlen=_KERNEL)  # for who hears it

    def send(self, data: bytes, address: HostPort) -> bool:
        """False where the kernel would refuse: another family, no port, too long, closed."""
        same_family = (":" in address[0]) is (":" in self.places[0][0])
        fits = 0 < address[1] < 65_536 and len(data) <= _LARGEST
        if not (same_family and fits and self._network.bound.get(self.places[0]) is self):
            return False
        self._network.carry(bytes(data), self.places[0], address)
        return True

    def hear(self, received: Received, often: bool = False) -> None:
        """What has come already is given to `received`, too, a moment later."""
        self._received = received
        if self._waiting:
            self._network.clock.callLater(0, self._give)

    def settle(self, peer: HostPort | None) -> None:
        """Nobody is kept away: who hears has to tell them apart."""

    def rest(self) -> None:
        self._received = None

    def drain(self) -> bool:
        came = bool(self._waiting)
        self._waiting.clear()
        return came

    def close(self) -> None:
        self._received = None
        self._waiting.clear()
        for place in self.places:
            if self._network.bound.get(place) is self:
                del self._network.bound[place]

    def arrived(self, data: bytes, source: HostPort) -> None:
        """The network has brought it."""
        self._waiting.append((data, source))
        self._give()

    def _give(self) -> None:
        while self._waiting and self._received is not None:
            self._received(*self._waiting.popleft())


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
