"""DNS as the machine has it: addresses by the reactor's resolver, SRV by Twisted's own client."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import IHostResolution, IResolutionReceiver
from twisted.names import client, dns
from twisted.names.error import DNSNameError
from twisted.python.failure import Failure
from zope.interface import implementer

from rapida_tw.sip.locate import Resolver, Service

MOST_SERVERS = 3  # of resolv.conf, as libc reads it
MOST_RECORDS = 16
ASK_AGAIN = (1, 2)  # seconds

_SERVER = re.compile(r"^nameserver[ \t]+([0-9]{1,3}(?:\.[0-9]{1,3}){3})[ \t\r]*$", re.MULTILINE)


class SystemNames:
    """The resolver of a server that runs. Nothing is kept between look-ups."""

    def __init__(self, reactor: Any, resolv_conf: Path = Path("/etc/resolv.conf")) -> None:
        self._reactor = reactor
        self._resolv_conf = resolv_conf

    def addresses(self, name: str) -> Deferred[Sequence[str]]:
        """As getaddrinfo has them, /etc/hosts too."""
        receiver = _Receiver(name)
        self._reactor.nameResolver.resolveHostName(receiver, name)
        return receiver.done

    def services(self, name: str) -> Deferred[Sequence[Service]]:
        """See Resolver. The file is read each time: it is short, and changes with the network."""
        try:
            servers = _SERVER.findall(self._resolv_conf.read_text("ascii", "replace"))
        except OSError:
            servers = []
        if not servers:
            return fail(DNSLookupError("there is no name server"))
        asking = client.Resolver(
            servers=[(server, dns.PORT) for server in servers[:MOST_SERVERS]],
            timeout=ASK_AGAIN,
            reactor=self._reactor,
        )
        looking: Deferred[Any] = asking.lookupService(name)
        return looking.addCallbacks(_services, _none)


def _services(found: tuple[Sequence[Any], Sequence[Any], Sequence[Any]]) -> Sequence[Service]:
    records = [each.payload for each in found[0] if each.type == dns.SRV][:MOST_RECORDS]
    return [
        Service(each.priority, each.weight, each.port, each.target.name.decode("ascii", "replace"))
        for each in records
    ]


def _none(failure: Failure) -> Sequence[Service]:
    failure.trap(DNSNameError)
    return []


@implementer(IResolutionReceiver)
class _Receiver:
    """Gathers the addresses of one name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._found: list[str] = []
        # A thread that looks up cannot be stopped: what it finds later is nobody's.
        self.done: Deferred[Sequence[str]] = Deferred()

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        pass

    def addressResolved(self, address: Any) -> None:
        if address.host not in self._found:
            self._found.append(address.host)

    def resolutionComplete(self) -> None:
        if self.done.called:
            return
        if self._found:
            self.done.callback(self._found)
        else:
            self.done.errback(DNSLookupError(self._name))


class Literals:
    """No DNS at all: only addresses are reached."""

    def addresses(self, name: str) -> Deferred[Sequence[str]]:
        return succeed(())

    def services(self, name: str) -> Deferred[Sequence[Service]]:
        return succeed(())


_conforms: tuple[type[Resolver], type[Resolver]] = (SystemNames, Literals)
