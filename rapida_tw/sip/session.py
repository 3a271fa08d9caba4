"""A call over SIP: one INVITE dialog with its media, from the first 18x to the answered BYE.

Where we are called, the owner does this, in this order:

    session = Session(...)            # in stack.dialogs from now on, media as far as agreed
    session.ring(transaction)         # 180, reliably where they ask for it (RFC 3262)
    session.answer(transaction)       # 200 with our description; waits for a PRACK if it must
    session.on_established = ...      # the ACK has come, and a late offer's answer with it
    session.listen(listener)          # after Reception.attach

The user that `Transactions.accept` wants for requests within the dialog is the session itself.
Where we call, the owner makes it of the first 18x with a To tag, gives it all responses of that tag
by `provisional_received`, and after the ACK of the 2xx calls `established`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from twisted.internet.defer import Deferred, fail
from twisted.logger import Logger

from rapida_tw.audio.format import AudioFormat
from rapida_tw.errors import (
    NETWORK_FAILED,
    PROTOCOL_ERROR,
    REMOTE_HANGUP,
    TRANSFERRED,
    End,
    NotSupported,
    RemoteProtocolError,
)
from rapida_tw.media.leg import Leg, LegListener, Measured, Transferring
from rapida_tw.sip import prack
from rapida_tw.sip.answering import Answering
from rapida_tw.sip.base import DialogUser, Flow, InviteUser, ServerTransaction
from rapida_tw.sip.counters import KNOWN_METHODS
from rapida_tw.sip.farewell import Farewell, reason_of
from rapida_tw.sip.info import Info, Presses
from rapida_tw.sip.login import Login
from rapida_tw.sip.media import Offers, Stream
from rapida_tw.sip.placing import Place, Placed
from rapida_tw.sip.prack import Pracks
from rapida_tw.sip.refer import Transfer
from rapida_tw.sip.referred import Referral
from rapida_tw.sip.refreshing import Refreshing
from rapida_tw.sip.relay import Relay
from rapida_tw.sip.renegotiation import Renegotiation
from rapida_tw.sip.settings import EXTENSIONS, Stack
from rapida_tw.sip.usage import SDP, Usage
from rapida_tw.wire import sip_cause
from rapida_tw.wire.sdp import Agreed
from rapida_tw.wire.sip_cause import NORMAL, Reason
from rapida_tw.wire.sip_dialog import Dialog
from rapida_tw.wire.sip_message import Request, Response
from rapida_tw.wire.sip_timer import SessionTimer


class Session:
    """Leg, Transferring and Measured of a SIP call; DialogUser and InviteUser of its dialog.

    `invite` is the first INVITE, theirs or ours; `allowed` the methods that their Allow named,
    empty when there was none. `on_end` is told how it ended as long as nobody listens.
    """

    _log = Logger()

    def __init__(
        self,
        stack: Stack,
        dialog: Dialog,
        flow: Flow,
        negotiator: Offers,
        stream: Stream,
        invite: Request,
        timer: SessionTimer,
        allowed: Collection[str],
        on_end: Callable[[End], None],
        login: Login | None = None,
        place: Place | None = None,
    ) -> None:
        self.on_established: Callable[[], None] = lambda: None
        self.format: AudioFormat = stream.format
        self._stream = stream
        self._on_end = on_end
        self._place = place
        self._listener: LegListener | None = None
        self._presses = Presses(stack.clock.seconds)
        self._end: End | None = None  # it is over
        self._hung_up = False  # by the call: it is told nothing any more
        self._farewell: Farewell | None = None
        self._offers = negotiator
        usage = Usage(stack, dialog, flow, login, self._gone)
        self._use(usage, timer, invite.from_.tag == dialog.local_tag, allowed)
        self._pracks = Pracks(usage)
        self._answering = Answering(
            usage,
            invite,
            self._renegotiation,
            self._refreshing,
            self._established,
            self._not_pracked,
        )
        if negotiator.agreed is not None:
            self._agree(negotiator.agreed)

    def _use(
        self, usage: Usage, timer: SessionTimer, calling: bool, allowed: Collection[str]
    ) -> None:
        """This dialog is the call's from now on."""
        self._usage = usage
        allowed = frozenset(method.upper() for method in allowed)
        self._informs = "INFO" in allowed
        self._renegotiation = Renegotiation(
            usage,
            self._offers,
            timer,
            calling,
            allowed,
            self._agree,
            self._refreshed,
            self._unusable,
        )
        self._refreshing = Refreshing(
            usage.stack.clock, timer, self._renegotiation.refresh, self._expired
        )
        self._info = Info(usage, self._presses, self._pressed)
        self._transfer = Transfer(usage)
        self._referral = Referral(usage, self._place, self._offers, self._move, self._stranded)
        self._requests: Mapping[str, Callable[[ServerTransaction], None]] = {
            "INVITE": self._renegotiation.received,
            "UPDATE": self._renegotiation.received,
            "BYE": self._bye,
            "INFO": self._info.received,
            "OPTIONS": self._asked,
            "PRACK": self._pracked,
            "REFER": self._referred,
            "NOTIFY": self._transfer.notified,
        }
        usage.stack.dialogs.add(usage.dialog, self)

    # -- called: what the owner does until it is established --------------------------------------

    def ring(self, transaction: ServerTransaction, status: int = 180) -> None:
        """Send an 18x; again, after a minute, to keep proxies waiting (13.3.1.1)."""
        self._answering.ring(transaction, status)

    def answer(self, transaction: ServerTransaction) -> None:
        """Send the 200: with the answer that `negotiator` has, or with an offer to a late one."""
        self._answering.answer(transaction)

    def abandon(self) -> None:
        """It came to nothing: media closed, nothing left, nobody is told.

        The INVITE's final response is the owner's; a 200 that has been sent is taken back by BYE.
        """
        self.hang_up()

    # -- calling ----------------------------------------------------------------------------------

    def provisional_received(self, response: Response) -> None:
        """A 18x of this dialog: PRACK where it wants one, its description for early media."""
        if self._end is not None or not self._pracks.received(response) or not response.sdp:
            return
        try:
            self._agree(self._offers.answered(response.sdp))
        except RemoteProtocolError as error:
            # The 2xx has the answer once more; that one counts.
            self._log.warn("early media cannot be used: {error}", error=error)
        else:
            if prack.OPTION in response.headers.tokens("Require"):
                self._renegotiation.settled()

    def established(self, response: Response) -> None:
        """Their 2xx, which has confirmed the dialog and has its ACK: what it describes and asks."""
        if self._end is None:
            self._renegotiation.established = True
            if response.sdp or self._offers.agreed is None:
                self._renegotiation.answered_late(response)
            # Without one, what a 18x has said holds, though it was not reliable.
            self._renegotiation.settled()
        if self._end is None:
            self._refreshing.timer.answered(response)
            self._refreshing.restart()
            self._established()

    # -- DialogUser, InviteUser -------------------------------------------------------------------

    def request_received(self, transaction: ServerTransaction) -> None:
        request, usage = transaction.request, self._usage
        refusal = usage.dialog.received(request)
        if refusal:
            usage.respond(transaction, refusal)
            return
        unknown = request.headers.tokens("Require") - set(EXTENSIONS)
        if unknown and request.method != "BYE":
            usage.respond(transaction, 420, headers=(("Unsupported", ", ".join(sorted(unknown))),))
            return
        take = self._requests.get(request.method)
        if take is not None:
            take(transaction)
        else:
            usage.respond(transaction, 405 if request.method in KNOWN_METHODS else 501)

    def ack_received(self, ack: Request) -> None:
        if not self._answering.acknowledged(ack):
            self._renegotiation.acknowledged(ack)

    def cancelled(self, cancel: Request) -> None:
        """Of a re-INVITE, which has always been answered by then; of the first one: `abandon`."""

    def not_acknowledged(self) -> None:
        """No ACK of a 2xx within 64*T1: BYE (13.3.1.4). The owner of the INVITE passes it on."""
        if self._end is None:
            self._answering.unacknowledged = None
            self._leave(NETWORK_FAILED.because("our 200 was never acknowledged"))
        elif self._farewell is not None:
            self._farewell.not_acknowledged()

    def _pracked(self, transaction: ServerTransaction) -> None:
        self._answering.pracked(transaction)

    def _asked(self, transaction: ServerTransaction) -> None:
        self._usage.respond(transaction, 200, headers=(("Accept", SDP),))

    def _referred(self, transaction: ServerTransaction) -> None:
        if self._renegotiation.established and self._answering.unacknowledged is None:
            self._referral.received(transaction)
        else:
            self._usage.respond(transaction, 491)  # first it has to be a call

    def _bye(self, transaction: ServerTransaction) -> None:
        reasons = transaction.request.headers.values("Reason")
        reason = sip_cause.parse(reasons[0]) if reasons else None
        self._usage.respond(transaction, 200)
        self._answering.refuse()
        if self._referral.left():
            # Where they send us the call may go on; until that is known it is nobody's dialog.
            self._refreshing.stop()
            self._part(None)
        elif self._transfer.going:
            self._finish(TRANSFERRED, None)
        else:
            self._finish(REMOTE_HANGUP.because(reason.sentence if reason else ""), None)

    # -- Leg, Transferring, Measured --------------------------------------------------------------

    def listen(self, listener: LegListener) -> None:
        """The call is told everything from now on, and its beat sends."""
        self._listener = listener
        if self._end is not None:
            listener.leg_ended(self._end)
            return
        self._stream.listen(Relay(listener, self._presses, self._format_changed, self._leave))

    def send_audio(self, payload: bytes) -> None:
        self._stream.send_audio(payload)

    def mark(self, name: str) -> None:
        """Nothing is queued at the far side: what was sent has been played."""
        if self._listener is not None and self._end is None:
            self._listener.mark_heard(name)

    def clear(self) -> None:
        """What was sent cannot be taken back."""

    def send_digits(self, digits: str) -> None:
        if self._end is not None or self._stream.send_digits(digits):
            return
        if not self._informs:
            raise NotSupported("the far side takes neither telephone-event nor INFO")
        self._info.send(digits)

    def hang_up(self) -> None:
        """Media stops at once, BYE follows as soon as it may; the dialog is kept until then."""
        self._hung_up = True
        self._finish(REMOTE_HANGUP, NORMAL)

    def transfer(self, target: str) -> Deferred[None]:
        if self._end is not None or not self._renegotiation.established:
            return fail(NotSupported("the call is not up"))
        return self._transfer.start(target)

    def measures(self) -> Mapping[str, tuple[str, Mapping[str, object]]]:
        return self._stream.measures()

    # -- told by the parts ------------------------------------------------------------------------

    def _established(self) -> None:
        self.on_established()

    def _agree(self, agreed: Agreed) -> None:
        self._stream.agree(agreed, self._usage.flow.peer[0])
        self.format = self._stream.format

    def _format_changed(self, format: AudioFormat) -> None:
        self.format = format

    def _refreshed(self) -> None:
        self._refreshing.restart()

    def _pressed(self, digit: str) -> None:
        if self._listener is not None and self._end is None:
            self._listener.digit_received(digit)

    def _unusable(self, why: str) -> None:
        self._leave(PROTOCOL_ERROR.because(why))

    def _expired(self, why: str) -> None:
        self._leave(NETWORK_FAILED.because(why))

    def _gone(self, why: str) -> None:
        if not self._referral.deserted:
            self._leave(NETWORK_FAILED.because(why))

    def _not_pracked(self) -> None:
        self._finish(NETWORK_FAILED.because("no PRACK of our ringing"), None)

    def _stranded(self) -> None:
        self._finish(REMOTE_HANGUP.because("we were sent elsewhere, and nobody answered"), None)

    def _move(self, placed: Placed, offers: Offers) -> bool:
        """The call goes on in the dialog that they have sent us to, with the media that it has."""
        new = Usage(self._usage.stack, placed.dialog, placed.flow, None, self._gone)
        try:
            agreed = offers.answered(placed.response.sdp)
        except RemoteProtocolError as error:
            self._log.warn("we were sent to a far side without media: {error}", error=error)
            Farewell(new, reason_of(PROTOCOL_ERROR.because("no usable answer")))
            return False
        self._stop()
        if not self._referral.deserted:
            self._referral.arrived()
            self._part(NORMAL)
        timer = SessionTimer()
        timer.answered(placed.response)
        self._offers = offers
        new.stack.calling(placed.dialog, placed.flow)
        self._use(new, timer, True, placed.response.headers.tokens("Allow"))
        self._renegotiation.established = True
        self._renegotiation.settled()
        self._agree(agreed)
        self._refreshing.restart()
        return True

    # -- ends -------------------------------------------------------------------------------------

    def _leave(self, end: End) -> None:
        """It cannot go on: BYE, and the call is told."""
        self._finish(end, reason_of(end))

    def _finish(self, end: End, reason: Reason | None) -> None:
        """Everything stops, once; `reason` goes into our BYE, None: none is due.

        Nor is it before the 2xx (15): then an INVITE is to be refused, or cancelled, by its owner.
        """
        if self._end is not None:
            return
        self._end = end
        self._stream.close()
        if not self._referral.deserted:
            self._part(reason if self._renegotiation.established else None)
        self._stop()
        if self._hung_up:
            return
        if self._listener is not None:
            self._listener.leg_ended(end)
        else:
            self._on_end(end)

    def _part(self, reason: Reason | None) -> None:
        """From the dialog: it is kept until a BYE is answered, else forgotten."""
        waiting, self._answering.unacknowledged = self._answering.unacknowledged, None
        if reason is not None:
            self._farewell = Farewell(self._usage, reason, waiting)
            return
        self._usage.stack.dialogs.remove(self._usage.dialog)
        if waiting is not None:
            waiting.acknowledged()

    def _stop(self) -> None:
        """Every timer, and whoever waits for something."""
        self._answering.stop()
        self._renegotiation.stop()
        self._refreshing.stop()
        self._info.stop()
        self._referral.stop()
        self._transfer.stop(self._end is TRANSFERRED)


_conforms: tuple[type[Leg], type[DialogUser], type[InviteUser]] = (Session, Session, Session)
_also: tuple[type[Transferring], type[Measured]] = (Session, Session)
