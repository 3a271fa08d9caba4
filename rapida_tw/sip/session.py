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
from rapida_tw.sip.base import DialogUser, Flow, InviteUser, ServerTransaction
from rapida_tw.sip.farewell import Farewell, reason_for_them, reason_of
from rapida_tw.sip.info import Presses
from rapida_tw.sip.login import Login
from rapida_tw.sip.media import Offers, Stream
from rapida_tw.sip.parts import Owner, Parts
from rapida_tw.sip.placing import Place, Placed
from rapida_tw.sip.prack import Pracks
from rapida_tw.sip.relay import Relay
from rapida_tw.sip.settings import Stack
from rapida_tw.sip.usage import Usage
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
        usage = Usage(stack, dialog, flow, login, self._gone)
        self._pracks = Pracks(usage)
        self._parts = Parts(self, usage, negotiator, timer, allowed, self._presses, place, invite)
        stack.dialogs.add(dialog, self)
        if negotiator.agreed is not None:
            self.agree(negotiator.agreed)

    # -- called: what the owner does until it is established --------------------------------------

    def ring(self, transaction: ServerTransaction, status: int = 180) -> None:
        """Send an 18x; again, after a minute, to keep proxies waiting (13.3.1.1)."""
        if self._parts.answering is not None:
            self._parts.answering.ring(transaction, status)

    def answer(self, transaction: ServerTransaction) -> None:
        """Send the 200: with the answer that `negotiator` has, or with an offer to a late one."""
        if self._parts.answering is not None:
            self._parts.answering.answer(transaction)

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
            self.agree(self._parts.offers.answered(response.sdp))
        except RemoteProtocolError as error:
            # The 2xx has the answer once more; that one counts.
            self._log.warn("early media cannot be used: {error}", error=error)
        else:
            if prack.OPTION in response.headers.tokens("Require"):
                self._parts.renegotiation.settled()

    def established(self, response: Response) -> None:
        """Their 2xx, which has confirmed the dialog and has its ACK: what it describes and asks."""
        if self._end is None:
            self._parts.accepted(response)
        if self._end is None:
            self.on_established()

    # -- DialogUser, InviteUser -------------------------------------------------------------------

    def request_received(self, transaction: ServerTransaction) -> None:
        self._parts.received(transaction)

    def ack_received(self, ack: Request) -> None:
        self._parts.ack_received(ack)

    def cancelled(self, cancel: Request) -> None:
        """Of a re-INVITE, which has always been answered by then; of the first one: `abandon`."""

    def not_acknowledged(self) -> None:
        """No ACK of a 2xx within 64*T1: BYE (13.3.1.4). The owner of the INVITE passes it on."""
        if self._end is None:
            if self._parts.answering is not None:
                self._parts.answering.unacknowledged = None
            self.lost("our 200 was never acknowledged")
        elif self._farewell is not None:
            self._farewell.not_acknowledged()

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
        if not self._parts.informs:
            raise NotSupported("the far side takes neither telephone-event nor INFO")
        self._parts.info.send(digits)

    def hang_up(self, end: End | None = None) -> None:
        """Media stops at once, BYE follows as soon as it may; the dialog is kept until then."""
        self._hung_up = True
        self._finish(REMOTE_HANGUP, reason_for_them(end))

    def transfer(self, target: str) -> Deferred[None]:
        if self._end is not None or not self._parts.renegotiation.established:
            return fail(NotSupported("the call is not up"))
        return self._parts.transfer.start(target)

    def measures(self) -> Mapping[str, tuple[str, Mapping[str, object]]]:
        return self._stream.measures()

    # -- Owner of its parts -----------------------------------------------------------------------

    def acknowledged(self) -> None:
        self.on_established()

    def agree(self, agreed: Agreed) -> None:
        self._stream.agree(agreed, self._parts.usage.flow.peer[0])
        self.format = self._stream.format

    def pressed(self, digit: str) -> None:
        if self._listener is not None and self._end is None:
            self._listener.digit_received(digit)

    def bye(self, transaction: ServerTransaction) -> None:
        parts = self._parts
        reasons = transaction.request.headers.values("Reason")
        reason = sip_cause.parse(reasons[0]) if reasons else None
        parts.usage.respond(transaction, 200)
        if parts.answering is not None:
            parts.answering.refuse()
        if parts.referral.left():
            # Where they send us the call may go on; until that is known it is nobody's dialog.
            parts.refreshing.stop()
            self._part(None)
        elif parts.transfer.going:
            self._finish(TRANSFERRED, None)
        else:
            self._finish(REMOTE_HANGUP.because(reason.sentence if reason else ""), None)

    def moved(self, placed: Placed, offers: Offers) -> bool:
        """The call goes on in the dialog that they have sent us to, with the media that it has."""
        old, stack = self._parts, self._parts.usage.stack
        usage = Usage(stack, placed.dialog, placed.flow, None, self._gone)
        try:
            offers.answered(placed.response.sdp)
        except RemoteProtocolError as error:
            self._log.warn("we were sent to a far side without media: {error}", error=error)
            Farewell(usage, reason_of(PROTOCOL_ERROR.because("no usable answer")))
            return False
        old.stop()
        if not old.referral.deserted:
            old.referral.arrived()
            self._part(NORMAL)
        allowed = placed.response.headers.tokens("Allow")
        self._parts = Parts(
            self, usage, offers, SessionTimer(), allowed, self._presses, self._place
        )
        stack.dialogs.add(placed.dialog, self)
        stack.calling(placed.dialog, placed.flow)
        self._parts.accepted(placed.response)
        return True

    def stranded(self) -> None:
        self._finish(REMOTE_HANGUP.because("we were sent elsewhere, and nobody answered"), None)

    def unusable(self, why: str) -> None:
        self._leave(PROTOCOL_ERROR.because(why))

    def lost(self, why: str) -> None:
        self._leave(NETWORK_FAILED.because(why))

    # -- ends -------------------------------------------------------------------------------------

    def _gone(self, why: str) -> None:
        """A request of ours was answered so that there is no dialog."""
        if not self._parts.referral.deserted:
            self.lost(why)

    def _format_changed(self, format: AudioFormat) -> None:
        self.format = format

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
        parts = self._parts
        if not parts.referral.deserted:
            self._part(reason if parts.renegotiation.established else None)
        parts.stop(end is TRANSFERRED)
        if self._hung_up:
            return
        if self._listener is not None:
            self._listener.leg_ended(end)
        else:
            self._on_end(end)

    def _part(self, reason: Reason | None) -> None:
        """From the dialog: it is kept until a BYE is answered, else forgotten."""
        usage, waiting = self._parts.usage, self._parts.unacknowledged
        if reason is not None:
            self._farewell = Farewell(usage, reason, waiting)
            return
        usage.stack.dialogs.remove(usage.dialog)
        if waiting is not None:
            waiting.acknowledged()


_conforms: tuple[type[Leg], type[DialogUser], type[InviteUser]] = (Session, Session, Session)
_also: tuple[type[Transferring], type[Measured], type[Owner]] = (Session, Session, Session)
