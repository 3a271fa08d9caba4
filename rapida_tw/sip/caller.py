"""Caller: calls that we make, through a trunk for the house and on a REFER for a session."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Protocol

from twisted.internet.defer import Deferred

from rapida_tw.errors import CapacityExceeded
from rapida_tw.sip.base import Flow
from rapida_tw.sip.dialling import CallUser, Handle, Switch
from rapida_tw.sip.inviting import Inviter, Inviting
from rapida_tw.sip.numbers import callee
from rapida_tw.sip.outbound import OutboundCall
from rapida_tw.sip.placing import Declined, Invitation, Place, Placed
from rapida_tw.sip.trunk import Trunk
from rapida_tw.sip.usage import ALLOW, SDP
from rapida_tw.wire.sip_dialog import Dialog
from rapida_tw.wire.sip_message import Headers, Request, Response
from rapida_tw.wire.sip_uri import Address

UNUSABLE = 502


class Room(Switch, Protocol):
    """The switch, and whether it takes calls at all."""

    draining: bool

    @property
    def asking(self) -> int:
        """Calls that are not among the dialogs yet."""


class Caller:
    """All calls of ours that are not attached or over."""

    def __init__(self, switch: Room) -> None:
        self._switch = switch
        self._calls: set[OutboundCall] = set()

    def dial(self, trunk: Trunk, number: str, user: CallUser) -> Handle:
        """Call a number, or a SIP address on the trunk; the user is told nothing before it returns.

        `BadRequest`: nothing that can be dialled. `CapacityExceeded`: as many calls as there may
        be, or we are about to stop.
        """
        switch = self._switch
        user_part = callee(number, trunk.hosts)
        if switch.draining:
            raise CapacityExceeded("the server is about to stop")
        if len(switch.dialogs) + switch.asking >= switch.settings.most_calls:
            raise CapacityExceeded("too many calls")
        call = OutboundCall(switch, trunk, user_part, user, self._calls.discard)
        self._calls.add(call)
        return call

    def place(self, invitation: Invitation) -> Deferred[Placed]:
        """See sip/placing.py."""
        placing = _Placing(self._switch, invitation)
        placing.begin()
        return placing.result

    def __len__(self) -> int:
        """Calls that are not among the dialogs."""
        return sum(not call.in_dialog for call in self._calls)

    def close(self) -> None:
        """Those who wait for an answer are told that there is none."""
        for call in tuple(self._calls):
            call.cancel()


class _Placing:
    """An Inviter: one INVITE over a way that is there, without media, password or redirection."""

    def __init__(self, switch: Switch, invitation: Invitation) -> None:
        self._invitation = invitation
        request = partial(_invite, switch, invitation)
        self._inviting = Inviting(switch, invitation.flow, request, None, self)
        self.result: Deferred[Placed] = Deferred(lambda _: self._inviting.give_up())

    def begin(self) -> None:
        self._inviting.send()

    def progressed(
        self, response: Response, dialog: Dialog | None, invite: Request, flow: Flow
    ) -> None:
        if response.status > 100:
            self._invitation.progress(response)

    def accepted(self, dialog: Dialog, invite: Request, response: Response, flow: Flow) -> None:
        self.result.callback(Placed(dialog, flow, invite, response))

    def refused(self, response: Response) -> None:
        self.result.errback(Declined(response.status, response.phrase))

    def failed(self, reason: str, heard: bool) -> None:
        status = 408 if reason == "timeout" else UNUSABLE
        self.result.errback(Declined(status, "" if reason == "timeout" else reason))


def _invite(
    switch: Switch, invitation: Invitation, credentials: Iterable[tuple[str, str]]
) -> Request:
    """Without 100rel in Supported: before the 2xx there is nobody to say PRACK."""
    caller = Address(
        invitation.local.uri,
        invitation.local.display,
        {"tag": f"{switch.random.getrandbits(64):016x}"},
    )
    fields = (
        ("Max-Forwards", "70"),
        ("From", str(caller)),
        ("To", f"<{invitation.uri}>"),
        ("Call-ID", f"{switch.random.getrandbits(128):032x}"),
        ("CSeq", "1 INVITE"),
        ("Contact", switch.contact(invitation.flow)),
        ("Allow", ALLOW),
        ("Supported", "timer"),
        ("User-Agent", switch.settings.user_agent),
        *invitation.headers,
        ("Content-Type", SDP),
    )
    return Request("INVITE", invitation.uri, Headers(fields), invitation.offer)


def _conforms(caller: Caller) -> Place:
    return caller.place


_also: type[Inviter] = _Placing
