"""One call to us, from its INVITE to its place in the house (RFC 3261 13.3, 9.2).

Who calls is found out, then 100 Trying, ports, the offer, the house's consent, 180, 200, and after
the ACK the call is attached as soon as their sound flows. Whatever ends it before, ports are given
back, the taken call is abandoned, and no timer is left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.carriers.base import IncomingCall
from rapida_tw.errors import (
    AssistantNotFound,
    CallError,
    CapacityExceeded,
    End,
    GivenUp,
    MisconfiguredAssistant,
    RemoteProtocolError,
    Unavailable,
)
from rapida_tw.sip.authority import Admitted, Authority, Denied
from rapida_tw.sip.base import Flow, InviteUser, Reception, ServerTransaction
from rapida_tw.sip.counters import answering, failures
from rapida_tw.sip.ladder import Ladders
from rapida_tw.sip.media import Stream
from rapida_tw.sip.parties import caller, printable
from rapida_tw.sip.placing import Place
from rapida_tw.sip.refusals import Refusal
from rapida_tw.sip.session import Session
from rapida_tw.sip.settings import Stack
from rapida_tw.wire.sdp_negotiation import NotAcceptable
from rapida_tw.wire.sip_dialog import Dialog
from rapida_tw.wire.sip_message import Request
from rapida_tw.wire.sip_timer import SessionTimer

CARRIER = "sip"
# RTP may be on its way while the ACK is; a phone that is muted from the start sends none.
ATTACH_WITHIN = 1.0  # seconds after the ACK

T = TypeVar("T")

# What the house says, as SIP has it; the more special ones first.
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (CapacityExceeded, 503),
    (Unavailable, 503),
    (TookTooLong, 503),
    (AssistantNotFound, 404),
    (MisconfiguredAssistant, 480),
    (NotAcceptable, 488),
    (RemoteProtocolError, 400),
)


class Switchboard(Stack, Protocol):
    """What an inbound call needs beside the Stack (sip/agent.py)."""

    authority: Authority
    reception: Reception
    ladders: Ladders
    place: Place | None

    def refuse(self, transaction: ServerTransaction, refusal: Refusal, stale: bool = False) -> None:
        """Send a final response of 300 or more; 401 with challenges, 503 with Retry-After."""


class InboundCall:
    """InviteUser of one INVITE; its session lives on when this is over."""

    _log = Logger()

    def __init__(
        self,
        board: Switchboard,
        request: Request,
        flow: Flow,
        over: Callable[[InboundCall], None],
    ) -> None:
        """`over` is told once, when the call is attached or has come to nothing."""
        self._board = board
        self._request = request
        self._flow = flow
        self._over = over
        self._began = board.clock.seconds()
        self._session: Session | None = None
        self._stream: Stream | None = None
        self._taken: Any = None
        self._attaching: IDelayedCall | None = None
        self._done = False
        # Before anything that takes time: the INVITE's repetitions find it, and call nobody.
        self._transaction = board.transactions.accept(request, flow, self)
        self._work: Deferred[None] | None = None

    def begin(self) -> None:
        """Find out who calls, and so on."""
        self._work = Deferred.fromCoroutine(self._answer())
        self._work.addErrback(self._failed)
        self._work.addErrback(lambda failure: self._log.failure("a refusal failed", failure))

    @property
    def in_dialog(self) -> bool:
        """It is one of the open dialogs."""
        return self._session is not None

    async def _answer(self) -> None:
        board, request = self._board, self._request
        admitted = await self._soon(board.authority.identify(request, self._flow))
        board.ladders.keep(request.call_id, self._flow)
        self._transaction.respond(request.answer(100))
        session = self._open()
        incoming = self._incoming(admitted, session)
        self._taken = await self._soon(board.reception.take(admitted.party, incoming))
        self._log.info(
            "{call} from {peer} is for assistant {assistant}",
            call=printable(request.call_id),
            peer=self._flow.peer[0],
            assistant=admitted.party.assistant_id,
        )
        session.on_established = self._acknowledged
        session.ring(self._transaction)
        session.answer(self._transaction)
        if not self._done and self._stream is not None:
            self._stream.begin(self._attach)
        answering.observe(board.clock.seconds() - self._began)

    def _soon(self, asking: Deferred[T]) -> Deferred[T]:
        return asking.addTimeout(self._board.settings.answer_within, self._board.clock)

    def _open(self) -> Session:
        """Ports and dialog; what is wrong with the offer is found before it rings."""
        board, request = self._board, self._request
        negotiator, stream = board.open_line(self._flow)
        try:
            if request.sdp:
                negotiator.answer(request.sdp, self._flow.transport == "TLS")
            dialog = Dialog.answering(request, f"{board.random.getrandbits(64):016x}")
            self._session = Session(
                board,
                dialog,
                self._flow,
                negotiator,
                stream,
                request,
                SessionTimer(),
                request.headers.tokens("Allow"),
                self._ended,
                place=board.place,
            )
        except BaseException:
            stream.close()
            raise
        self._stream = stream
        board.calling(dialog, self._flow)
        return self._session

    def _incoming(self, admitted: Admitted, session: Session) -> IncomingCall:
        request = self._request
        told = {
            "sip.user_agent": printable(request.headers.get("User-Agent")),
            "sip.source": self._flow.peer[0],
            "sip.transport": self._flow.transport,
        }
        return IncomingCall(
            CARRIER,
            caller(request),
            printable(admitted.number),
            printable(request.call_id),
            {name: value for name, value in told.items() if value},
            media=session.format if request.sdp else None,
        )

    # -- answered: until it is attached -----------------------------------------------------------

    def _acknowledged(self) -> None:
        """The ACK has come."""
        if not self._done:
            self._attaching = self._board.clock.callLater(ATTACH_WITHIN, self._attach_late)

    def _attach_late(self) -> None:
        self._attaching = None
        self._attach()

    def _attach(self) -> None:
        """Their sound flows, or will not for a while: the house has the call from now on."""
        session = self._session
        if self._done or session is None:
            return
        taken, self._taken = self._taken, None
        self._finish()
        try:
            session.listen(self._board.reception.attach(taken, session))
        except Exception as error:
            if not isinstance(error, CallError):
                failures.inc()
                self._log.failure("{call}: attaching failed", call=self._request.call_id)
            session.hang_up()

    # -- InviteUser -------------------------------------------------------------------------------

    def cancelled(self, cancel: Request) -> None:
        """They have got a 487 already."""
        self.stop(GivenUp("the caller gave up before the answer"))

    def not_acknowledged(self) -> None:
        if self._session is not None:
            self._session.not_acknowledged()

    # -- ways out ---------------------------------------------------------------------------------

    def stop(self, why: CallError) -> None:
        """Give all of it back; nothing is sent. Idempotent."""
        if self._done:
            return
        taken, self._taken = self._taken, None
        self._finish()
        if self._work is not None:
            self._work.cancel()
        if self._session is not None:
            self._session.hang_up()  # without BYE where there was no 200
        if taken is not None:
            self._board.reception.abandon(taken, why)

    def _ended(self, end: End) -> None:
        """The session is over before the house had it: BYE, no ACK, no PRACK, no sound."""
        if not self._done and not self._transaction.answered:
            self._board.refuse(self._transaction, Refusal(487))
        self.stop(GivenUp(str(end)))

    def _failed(self, failure: Failure) -> None:
        error = failure.value
        if self._done and isinstance(error, CancelledError):
            return
        refusal, stale = refusal_of(error)
        if refusal.status == 500:
            failures.inc()
            self._log.failure("{call}: failed", failure, call=self._request.call_id)
        elif refusal.status != 401:
            self._log.warn(
                "{call} from {peer} is refused with {status}: {error}",
                call=printable(self._request.call_id),
                peer=self._flow.peer[0],
                status=refusal.status,
                error=error,
            )
        self.stop(error if isinstance(error, CallError) else CallError(str(error)))
        self._board.refuse(self._transaction, refusal, stale)

    def _finish(self) -> None:
        self._done = True
        if self._attaching is not None:
            self._attaching.cancel()
            self._attaching = None
        self._over(self)


def refusal_of(error: BaseException | None) -> tuple[Refusal, bool]:
    """What the peer is told, and whether only its nonce was too old."""
    if isinstance(error, Denied):
        return Refusal(error.status), error.stale
    for kind, status in _STATUS:
        if isinstance(error, kind):
            # Whose offer was refused is told why; what goes on in the house is nobody's business.
            phrase = printable(str(error)) if isinstance(error, RemoteProtocolError) else ""
            return Refusal(status, (), phrase), False
    return Refusal(500), False


_conforms: type[InviteUser] = InboundCall
