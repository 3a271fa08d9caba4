"""Taking a call: their first INVITE, from the 180 to the ACK (RFC 3261 13.3, RFC 3262 3)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rapida_tw.sip import prack
from rapida_tw.sip.base import ServerTransaction
from rapida_tw.sip.prack import Reliable
from rapida_tw.sip.refreshing import Refreshing
from rapida_tw.sip.renegotiation import Renegotiation
from rapida_tw.sip.usage import Usage
from rapida_tw.wire.sip_message import Request


class Answering:
    """One INVITE of theirs. `established` is told of the ACK, `failed` that no PRACK came: the
    INVITE has been refused then.

    `unacknowledged`: the INVITE whose 200 has no ACK yet.
    """

    def __init__(
        self,
        usage: Usage,
        invite: Request,
        renegotiation: Renegotiation,
        refreshing: Refreshing,
        established: Callable[[], None],
        failed: Callable[[str], None],
    ) -> None:
        self._usage = usage
        self._invite = invite
        self._renegotiation = renegotiation
        self._refreshing = refreshing
        self._established = established
        self._reliable = Reliable(usage, failed) if prack.wanted(invite) else None
        self._ringing: ServerTransaction | None = None
        self._late = False  # we have made the offer, in a reliable 18x or in the 200
        self._stopped = False
        self.unacknowledged: ServerTransaction | None = None

    def ring(self, transaction: ServerTransaction, status: int) -> None:
        if self._stopped or transaction.answered:
            return
        self._ringing = transaction
        if self._reliable is None:
            self._usage.respond(transaction, status)
            return
        body = b""
        if not self._invite.sdp and not self._late:
            # The offer belongs into the first reliable response (RFC 3261 13.2.1).
            body = self._offer()
        response = self._usage.response(transaction.request, status, body=body)
        self._reliable.send(transaction, response)

    def answer(self, transaction: ServerTransaction) -> None:
        self._ringing = transaction
        if self._reliable is None:
            self._answer(transaction)
        else:
            self._reliable.when_acknowledged(partial(self._answer, transaction))

    def _answer(self, transaction: ServerTransaction) -> None:
        if self._stopped or transaction.answered:
            return
        renegotiation, body = self._renegotiation, b""
        if self._invite.sdp:
            body = renegotiation.offers.local
            renegotiation.settled()
        elif not renegotiation.negotiated:
            body = self._offer()
        response = self._usage.response(transaction.request, 200, body=body)
        self._refreshing.timer.accept(transaction.request, response)
        self._stop_ringing()
        self.unacknowledged = transaction
        renegotiation.established = True
        transaction.respond(response)
        self._refreshing.restart()

    def acknowledged(self, ack: Request) -> bool:
        """Whether it is the ACK of our 200 to this INVITE."""
        transaction = self.unacknowledged
        if transaction is None or ack.cseq[0] != transaction.request.cseq[0]:
            return False
        self.unacknowledged = None
        transaction.acknowledged()
        self._usage.dialog.confirmed = True
        if self._late and not self._renegotiation.negotiated:
            self._renegotiation.answered_late(ack)
        if not self._stopped:
            self._established()
        return True

    def pracked(self, transaction: ServerTransaction) -> None:
        """Their PRACK."""
        request, usage, reliable = transaction.request, self._usage, self._reliable
        if reliable is None or not reliable.pracked(request):
            usage.respond(transaction, 481)
            return
        if self._late and not self._renegotiation.negotiated:
            usage.respond(transaction, 200)
            self._renegotiation.answered_late(request)
        elif request.sdp:
            self._renegotiation.received(transaction)  # an offer of its own (RFC 3262 5)
        else:
            usage.respond(transaction, 200)
        if not self._stopped:
            reliable.go_on()

    def _offer(self) -> bytes:
        """To an INVITE without one."""
        self._late = self._renegotiation.offering = True
        return self._renegotiation.offers.offer()

    def refuse(self) -> None:
        """They have given up by BYE what they have not got yet (15.1.2)."""
        if self._ringing is not None:
            self._usage.respond(self._ringing, 487)

    def stop(self) -> None:
        self._stopped = True
        self._stop_ringing()

    def _stop_ringing(self) -> None:
        self._ringing = None
        if self._reliable is not None:
            self._reliable.stop()
