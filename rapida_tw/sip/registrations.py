"""Registrations: the trunks that we are registered with, and the calls that come from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twisted.internet.defer import Deferred, gatherResults

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.metrics import Gauge
from rapida_tw.sip.base import Flow
from rapida_tw.sip.parties import dialled, uri_of
from rapida_tw.sip.registration import Registrant, TrunkRegistration
from rapida_tw.sip.trunk import Trunk
from rapida_tw.wire.sip_message import Request
from rapida_tw.wire.sip_uri import Address

STATES = ("registering", "registered", "failed")

states = Gauge("rapida_sip_registrations", "Trunks that we register with.", ("state",))


@dataclass(frozen=True, slots=True)
class Through:
    """By which stored credential a call has come, and the number that was dialled ("" for none)."""

    credential_id: int
    project_id: int | None
    number: str


class Registrations:
    """All of a process."""

    def __init__(self, stack: Registrant) -> None:
        self._stack = stack
        self._by_id: dict[int, TrunkRegistration] = {}
        self._ids: dict[str, int] = {}  # by their tokens

    def set(self, trunks: Mapping[int, Trunk]) -> None:
        """By the credential's id, all that there are: what is new starts, what has gone stops.

        Those with `register` off are left out; one that has changed begins anew.
        """
        wanted = {number: trunk for number, trunk in trunks.items() if trunk.register}
        for number, registration in tuple(self._by_id.items()):
            if wanted.get(number) != registration.trunk:
                self._drop(number)
        for number, trunk in wanted.items():
            if number not in self._by_id:
                registration = TrunkRegistration(self._stack, trunk, self._count)
                self._by_id[number] = registration
                self._ids[registration.token] = number
                registration.start()
        self._count()

    def stop(self) -> Deferred[None]:
        """Take all of them back; fires at most a second later."""
        leaving = [self._drop(number) for number in tuple(self._by_id)]
        self._count()
        return gatherResults(leaving).addCallback(lambda _: None)

    def through(self, request: Request, flow: Flow) -> Through | None:
        """What has come from a registrar, for the address that it alone was told; else None."""
        try:
            token = uri_of(request).user
        except RemoteProtocolError:
            return None
        found = self._ids.get(token)
        if found is None or not self._by_id[found].knows(flow.peer[0]):
            return None
        number = _dialled(request)
        project_id = self._by_id[found].trunk.project_id
        return Through(found, project_id, "" if number == token else number)

    def state(self, credential_id: int) -> str:
        """ "" for one that does not register."""
        found = self._by_id.get(credential_id)
        return "" if found is None else found.state

    def uses(self, flow: Flow) -> bool:
        """Calls come over that connection."""
        return any(each.flow == flow for each in self._by_id.values())

    def _drop(self, number: int) -> Deferred[None]:
        registration = self._by_id.pop(number)
        del self._ids[registration.token]
        return registration.stop()

    def _count(self) -> None:
        for state in STATES:
            states.set(sum(each.state == state for each in self._by_id.values()), state)


def _dialled(request: Request) -> str:
    """The Request-URI is ours; who was called stands in P-Called-Party-ID (RFC 7315 4.2) or To."""
    for value in request.headers.values("P-Called-Party-ID")[:1]:
        try:
            called = Address.parse(value)
        except RemoteProtocolError:
            continue
        if called.uri.user:
            return dialled(called.uri.user).number
    return dialled(request.to.uri.user).number
