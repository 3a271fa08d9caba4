"""Where a server's name leads to, and in which order that is tried (RFC 3263, RFC 2782).

The transport is given, so no NAPTR is asked for; without a port SRV says where the service is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import NoReturn, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime

from rapida_tw.errors import CallError, Fault
from rapida_tw.wire.sdp_address import read as literal

SERVICES_WITHIN = 3.0  # seconds; without an answer the name itself is looked up
LOCATED_WITHIN = 8.0  # seconds in all
MOST_TARGETS = 8
MOST_SERVICES = 8  # SRV records whose names are looked up

_SERVICES = {"UDP": "_sip._udp", "TCP": "_sip._tcp", "TLS": "_sips._tcp"}
_PORTS = {"UDP": 5060, "TCP": 5060, "TLS": 5061}


class NotLocated(CallError):
    """The trunk's server has no address, or DNS does not tell it."""

    fault, reason, status = Fault.CONFIGURATION, "not-located", 502


@dataclass(frozen=True, slots=True)
class Target:
    """One address to try; `name` is what a TLS certificate must be for."""

    host: str  # an IP literal without brackets
    port: int
    transport: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """An SRV record. `target` "" or ".": the service is not there at all."""

    priority: int
    weight: int
    port: int
    target: str


class Resolver(Protocol):
    """DNS, without blocking. What fails is any exception."""

    def addresses(self, name: str) -> Deferred[Sequence[str]]:
        """A and AAAA, as literals in the order of choice."""

    def services(self, name: str) -> Deferred[Sequence[Service]]:
        """SRV; none where there is no such name."""


class Locator:
    """Asks a resolver, within bounds of time and number."""

    def __init__(self, resolver: Resolver, clock: IReactorTime, random: Random) -> None:
        self._resolver = resolver
        self._clock = clock
        self._random = random

    def find(self, host: str, port: int | None, transport: str) -> Deferred[Sequence[Target]]:
        """At least one; `NotLocated`. `host`: a name or a literal. Cancel it freely."""
        finding = Deferred.fromCoroutine(self._find(host, port, transport))

        def late(result: object, seconds: float) -> NoReturn:
            raise NotLocated(f"DNS does not tell where {host} is")

        return finding.addTimeout(LOCATED_WITHIN, self._clock, late)

    async def _find(self, host: str, port: int | None, transport: str) -> Sequence[Target]:
        address = literal(host)
        usual = _PORTS[transport]
        if address is not None:
            return (Target(str(address), port or usual, transport, host),)
        services: Sequence[Service] = () if port else await self._services(host, transport)
        if len(services) == 1 and services[0].target in ("", "."):
            raise NotLocated(f"{host} says that it has no SIP over {transport}")
        names = [(each.target.rstrip("."), each.port) for each in self._ordered(services)]
        targets: list[Target] = []
        for name, at in names[:MOST_SERVICES] or [(host, port or usual)]:
            # The certificate is for whom we wanted, not for whom DNS names (RFC 5922 4).
            targets += [Target(each, at, transport, host) for each in await self._addresses(name)]
            if len(targets) >= MOST_TARGETS:
                break
        if not targets:
            raise NotLocated(f"{host} has no address")
        return tuple(dict.fromkeys(targets))[:MOST_TARGETS]

    async def _services(self, host: str, transport: str) -> Sequence[Service]:
        asking = self._resolver.services(f"{_SERVICES[transport]}.{host}")
        asking.addTimeout(SERVICES_WITHIN, self._clock, lambda *late: [])
        try:
            return await asking
        except CancelledError:
            raise
        except Exception:
            return ()  # the name itself may have an address all the same

    async def _addresses(self, name: str) -> list[str]:
        """Those that are addresses; none for a name that cannot be looked up."""
        try:
            found = await self._resolver.addresses(name)
        except CancelledError:
            raise
        except Exception:
            return []
        return [str(address) for each in found if (address := literal(each)) is not None]

    def _ordered(self, services: Iterable[Service]) -> Iterator[Service]:
        """By priority; within one by chance, as the weights say (RFC 2782, "Weight")."""
        usable = [each for each in services if each.target not in ("", ".") and each.port > 0]
        for priority in sorted({each.priority for each in usable}):
            group = [each for each in usable if each.priority == priority]
            # Those of weight 0 first, so that they have a small chance.
            group.sort(key=lambda each: each.weight)
            while group:
                at = self._random.randint(0, sum(each.weight for each in group))
                chosen = _reached(group, at)
                group.remove(chosen)
                yield chosen


def _reached(group: Sequence[Service], at: int) -> Service:
    """The first whose running sum of weights is `at` or more."""
    running = 0
    for each in group:
        running += each.weight
        if running >= at:
            return each
    return group[-1]
