"""One INVITE of ours at one hop: its challenges, its forks, and the end of what nobody wants.

It lives for as long as something may come of it (64*T1 after the 2xx): each repeated 2xx gets the
same ACK, and a 2xx that is one too many gets an ACK and a BYE (RFC 3261 13.2.2.4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from twisted.logger import Logger

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.sip.base import ClientTransaction, ClientUser, Flow
from rapida_tw.sip.farewell import Farewell
from rapida_tw.sip.login import Login, Rounds
from rapida_tw.sip.settings import Stack
from rapida_tw.sip.usage import Usage
from rapida_tw.wire.sip_cause import NORMAL, Reason
from rapida_tw.wire.sip_dialog import Dialog
from rapida_tw.wire.sip_message import Request, Response

MOST_FORKS = 8

Fields = Iterable[tuple[str, str]]


class Inviter(Protocol):
    """Whose INVITE it is. After `accepted`, `refused` or `failed` it is told nothing more."""

    def progressed(
        self, response: Response, dialog: Dialog | None, invite: Request, flow: Flow
    ) -> None:
        """A provisional one; the early dialog that it belongs to, if it makes or has one."""

    def accepted(self, dialog: Dialog, invite: Request, response: Response, flow: Flow) -> None:
        """The first 2xx; its ACK has been sent."""

    def refused(self, response: Response) -> None:
        """300 to 699, but for challenges that could be met."""

    def failed(self, reason: str, heard: bool) -> None:
        """No final response that is of use: "timeout", or why. `heard`: something has answered."""


class Inviting:
    """A ClientUser. `build` makes the request, with the next CSeq and these credentials."""

    _log = Logger()

    def __init__(
        self,
        stack: Stack,
        flow: Flow,
        build: Callable[[Fields], Request],
        login: Login | None,
        inviter: Inviter,
    ) -> None:
        self._stack = stack
        self._flow = flow
        self._build = build
        self._login = login
        self._rounds = Rounds(login, stack.random)
        self._inviter: Inviter | None = inviter
        self._reason = NORMAL  # of the BYE to what comes too late
        self._dialogs: dict[str, Dialog] = {}  # by their tag, early ones too
        self._acks: dict[str, Request] = {}
        self._heard = False
        self._request: Request
        self._transaction: ClientTransaction | None = None

    def send(self) -> None:
        self._dialogs.clear()  # those of a try that was challenged are no more
        self._request = self._build(self._rounds.fields)
        self._transaction = self._stack.transactions.send(self._request, self._flow, self)

    def give_up(self, reason: Reason = NORMAL) -> None:
        """CANCEL; the inviter is told nothing more, and a 2xx that was faster is told BYE."""
        if self._inviter is not None:
            self._inviter, self._reason = None, reason
            if self._transaction is not None:
                self._transaction.cancel(str(reason))

    # -- ClientUser -------------------------------------------------------------------------------

    def response_received(self, response: Response, flow: Flow) -> None:
        self._heard = True
        if 200 <= response.status < 300:
            self._accepted(response, flow)
            return
        inviter = self._inviter
        if inviter is None:
            return
        if response.status < 200:
            inviter.progressed(response, self._early(response), self._request, flow)
        elif self._rounds.met(self._request, response):
            self.send()
        else:
            self._inviter = None
            inviter.refused(response)

    def request_failed(self, reason: str) -> None:
        inviter, self._inviter = self._inviter, None
        if inviter is not None:
            inviter.failed(reason, self._heard)

    # -- dialogs ----------------------------------------------------------------------------------

    def _early(self, response: Response) -> Dialog | None:
        """None: it makes no dialog (12.1), or cannot be followed, or is one fork too many."""
        tag = response.to.tag
        if response.status == 100 or not tag:
            return None
        if tag not in self._dialogs and len(self._dialogs) < MOST_FORKS:
            try:
                self._dialogs[tag] = Dialog.asked(self._request, response)
            except RemoteProtocolError as error:
                self._log.warn("a provisional response is passed over: {error}", error=error)
        return self._dialogs.get(tag)

    def _accepted(self, response: Response, flow: Flow) -> None:
        tag = response.to.tag
        ack = self._acks.get(tag)
        if ack is not None:
            self._stack.transactions.send_ack(ack, flow)
            return
        if len(self._acks) >= MOST_FORKS:
            return
        dialog = self._confirmed(response)
        inviter, self._inviter = self._inviter, None
        if dialog is None:
            if inviter is not None:
                inviter.failed("their 200 names a way back that cannot be followed", True)
            return
        ack = self._acks[tag] = dialog.ack(self._request)
        self._stack.transactions.send_ack(ack, flow)
        if inviter is not None:
            inviter.accepted(dialog, self._request, response, flow)
        else:
            Farewell(Usage(self._stack, dialog, flow, self._login, _nothing), self._reason)

    def _confirmed(self, response: Response) -> Dialog | None:
        dialog = self._dialogs.get(response.to.tag)
        try:
            if dialog is None:
                return Dialog.asked(self._request, response)
            dialog.confirm(response)
        except RemoteProtocolError as error:
            # Of an early dialog the way is known, and was good so far.
            self._log.warn("a 200 is not as it should be: {error}", error=error)
        return dialog


def _nothing(why: str) -> None:
    """Nobody is left to be told."""


_conforms: type[ClientUser] = Inviting
