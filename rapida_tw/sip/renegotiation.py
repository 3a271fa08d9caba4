"""Changing a call that runs: re-INVITE and UPDATE (RFC 3261 14, RFC 3311, RFC 6337)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from twisted.internet.interfaces import IDelayedCall

from rapida_tw.errors import LocalProtocolError, RemoteProtocolError
from rapida_tw.sip.base import ServerTransaction
from rapida_tw.sip.media import Offers
from rapida_tw.sip.usage import SDP, Answered, Usage, printable
from rapida_tw.wire.sdp import Agreed
from rapida_tw.wire.sdp_negotiation import NotAcceptable
from rapida_tw.wire.sip_message import Message, Request, Response
from rapida_tw.wire.sip_timer import SessionTimer

MOST_UNACKNOWLEDGED = 4  # re-INVITEs with a 2xx whose ACK has not come
BUSY_AGAIN_AFTER = 1.0  # seconds, while an INVITE of theirs is not over (14.1)


class Renegotiation:
    """Offers within the dialog, theirs and ours.

    `agreed` is told what holds now, `refreshed` of each 2xx that we gave, `failed` of an answer to
    us that cannot be used: it cannot be refused. An offer is applied whole or not at all.
    `negotiated`: the first offer has its answer; `offering`: one of ours has none;
    `established`: the first INVITE has its 2xx.
    """

    def __init__(
        self,
        usage: Usage,
        offers: Offers,
        timer: SessionTimer,
        calling: bool,
        allowed: Collection[str],
        agreed: Callable[[Agreed], None],
        refreshed: Callable[[], None],
        failed: Callable[[str], None],
    ) -> None:
        self._usage = usage
        self.offers = offers
        self._timer = timer
        self._calling = calling
        self.updates = "UPDATE" in allowed
        self._agreed = agreed
        self._refreshed = refreshed
        self._failed = failed
        self.negotiated = False
        self.offering = calling
        self.established = False
        self._asking = False  # our re-INVITE has no final response
        self._unacknowledged: dict[int, ServerTransaction] = {}  # by CSeq number
        self._late: int | None = None  # the CSeq whose ACK must answer our offer
        self._waiting: IDelayedCall | None = None
        self._stopped = False

    # -- theirs -----------------------------------------------------------------------------------

    def received(self, transaction: ServerTransaction) -> None:
        """A re-INVITE, an UPDATE, or a PRACK with an offer (RFC 3262 5)."""
        request, usage = transaction.request, self._usage
        if request.body and not request.sdp:
            usage.respond(transaction, 415, headers=(("Accept", SDP),))
            return
        glare = self._glare(request)
        if glare:
            after = ("Retry-After", str(usage.stack.random.randrange(11)))
            usage.respond(transaction, glare, headers=(after,) if glare == 500 else ())
            return
        timed = request.method != "PRACK"
        if timed and self._timer.refuses(request):
            refusal = usage.response(request, 422)
            self._timer.refuse(refusal)
            transaction.respond(refusal)
            return
        try:
            agreed, body = self._answer(request, transaction.flow.transport == "TLS")
        except (NotAcceptable, LocalProtocolError) as error:
            usage.respond(transaction, 488, headers=(("Warning", warning(error)),))
            return
        except RemoteProtocolError as error:
            usage.respond(transaction, 400, str(error))
            return
        usage.move(transaction.flow)
        response = usage.response(request, 200, body=body)
        if timed:
            self._timer.accept(request, response)
        if request.method == "INVITE":
            self._unacknowledged[request.cseq[0]] = transaction
            if agreed is None:
                self._late, self.offering = request.cseq[0], True
        transaction.respond(response)
        if agreed is not None:
            self._agreed(agreed)
        if timed:
            self._refreshed()

    def acknowledged(self, ack: Request) -> None:
        """The ACK of a 2xx to a re-INVITE: it stops being sent again; its answer counts."""
        number = ack.cseq[0]
        transaction = self._unacknowledged.pop(number, None)
        if transaction is None:
            return
        transaction.acknowledged()
        if self._late != number:
            return
        self._late = None
        self.answered_late(ack)

    def answered_late(self, message: Message) -> None:
        """What has the answer to our first offer: a 2xx, an ACK or a PRACK (RFC 3261 13.2.1)."""
        if not message.sdp:
            self._failed("no answer to our offer")
            return
        try:
            agreed = self.offers.answered(message.sdp)
        except RemoteProtocolError as error:
            self._failed(f"their answer cannot be used: {error}")
            return
        self.settled()
        self._agreed(agreed)

    def settled(self) -> None:
        """The first offer, or the latest of ours, has its answer."""
        self.negotiated, self.offering = True, False

    def _answer(self, request: Request, secure: bool) -> tuple[Agreed | None, bytes]:
        """What it comes to, and our description; without theirs a re-INVITE asks for an offer."""
        if request.sdp:
            agreed = self.offers.answer(request.sdp, secure)
            return agreed, self.offers.local
        return None, self.offers.offer() if request.method == "INVITE" else b""

    def _glare(self, request: Request) -> int:
        """491 while an offer of ours waits for its answer, 500 while one of theirs does; else 0."""
        invite = request.method == "INVITE"
        if not invite and not request.sdp:
            return 0  # it only refreshes
        if self._asking or self.offering or (self._calling and invite and not self.established):
            return 491
        if not self.negotiated or (invite and not self.established):
            return 500
        return 500 if len(self._unacknowledged) >= MOST_UNACKNOWLEDGED else 0

    # -- ours -------------------------------------------------------------------------------------

    def refresh(self, answered: Answered) -> None:
        """UPDATE if they take it, else a re-INVITE with the description that they have (4028 7.4).

        `answered` gets the final response; a 491 is waited out here.
        """
        if self._stopped:
            return
        if self._asking or self._unacknowledged:
            self._later(BUSY_AGAIN_AFTER, answered)
            return
        update = self.updates
        self._asking = not update
        self._usage.send(
            "UPDATE" if update else "INVITE",
            partial(self._answered, update, answered),
            b"" if update else self.offers.refresh(),
            complete=self._timer.offer,
        )

    def stop(self) -> None:
        """Nothing is sent any more; what was not acknowledged is not sent again."""
        self._stopped = True
        if self._waiting is not None and self._waiting.active():
            self._waiting.cancel()
        for transaction in self._unacknowledged.values():
            transaction.acknowledged()
        self._unacknowledged.clear()

    def _answered(self, update: bool, answered: Answered, response: Response) -> None:
        self._asking = False
        if self._stopped:
            return
        if response.status == 491:
            # Whoever made the Call-ID waits longer, so that both do not meet again (14.1).
            hundredths = self._usage.stack.random.randrange(191 if self._calling else 201)
            self._later(hundredths / 100 + (2.1 if self._calling else 0.0), answered)
            return
        if update and response.status in (405, 501):
            self.updates = False
            self.refresh(answered)
            return
        if not update and response.status < 300 and response.sdp:
            try:
                self._agreed(self.offers.answered(response.sdp))
            except RemoteProtocolError as error:
                self._failed(f"their answer cannot be used: {error}")
                return
        answered(response)

    def _later(self, seconds: float, answered: Answered) -> None:
        clock = self._usage.stack.clock
        self._waiting = clock.callLater(seconds, self.refresh, answered)


def warning(error: Exception) -> str:
    """Why a description was refused, as a Warning header (20.43): 305, incompatible format."""
    text = printable(str(error)).replace('"', " ").replace("\\", " ")
    return f'305 rapida_tw "{text[:200]}"'
