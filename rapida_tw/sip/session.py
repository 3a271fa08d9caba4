"""A call over SIP: one INVITE dialog with its media, from the first 18x to the answered BYE.

Where we are called, the owner does this, in this order:

    session = Session(...)            # in stack.dialogs from now on
    session.ring(transaction)         # 180, reliably where they ask for it (RFC 3262)
    session.answer(transaction)       # 200 with our description; waits for a PRACK if it must
    session.on_established = ...      # the ACK has come, and a late offer's answer with it
    session.listen(listener)          # after Reception.attach

The user that `Transactions.accept` wants for requests within the dialog is the session itself. Where
we call, the owner makes it of the first 18x with a To tag, gives it all responses of that tag by
`provisional_received`, and after the ACK of the 2xx calls `established`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from twisted.internet.defer import Deferred

from rapida_tw.audio.format import AudioFormat
from rapida_tw.errors import End
from rapida_tw.media.leg import LegListener
from rapida_tw.sip.base import Flow, ServerTransaction
from rapida_tw.sip.media import Offers, Stream
from rapida_tw.sip.placing import Place
from rapida_tw.sip.settings import Stack
from rapida_tw.sip.usage import Login
from rapida_tw.wire.sip_dialog import Dialog
from rapida_tw.wire.sip_message import Request, Response
from rapida_tw.wire.sip_timer import SessionTimer


class Session:
    """Leg, Transferring and Measured of a SIP call; DialogUser and InviteUser of its dialog.

    `invite` is the first INVITE, theirs or ours; `allowed` the methods that their Allow named,
    empty when there was none. `on_end` is told how it ended as long as nobody listens.
    """

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
        raise NotImplementedError

    # -- called: what the owner does until it is established --------------------------------------

    def ring(self, transaction: ServerTransaction, status: int = 180) -> None:
        """Send an 18x; again, after a minute, to keep proxies waiting (13.3.1.1)."""
        raise NotImplementedError

    def answer(self, transaction: ServerTransaction) -> None:
        """Send the 200: with the answer that `negotiator` has, or with an offer to a late one."""
        raise NotImplementedError

    def abandon(self) -> None:
        """It was not answered, or was cancelled: media closed, nothing left, nobody is told.

        The INVITE's final response is the owner's.
        """
        raise NotImplementedError

    # -- calling ----------------------------------------------------------------------------------

    def provisional_received(self, response: Response) -> None:
        """A 18x of this dialog: PRACK where it wants one, its description for early media."""
        raise NotImplementedError

    def established(self, response: Response) -> None:
        """Their 2xx, whose ACK has been sent: its description, its Session-Expires."""
        raise NotImplementedError

    # -- DialogUser, InviteUser -------------------------------------------------------------------

    def request_received(self, transaction: ServerTransaction) -> None:
        raise NotImplementedError

    def ack_received(self, ack: Request) -> None:
        raise NotImplementedError

    def cancelled(self, cancel: Request) -> None:
        raise NotImplementedError

    def not_acknowledged(self) -> None:
        """No ACK of a 2xx within 64*T1: BYE (13.3.1.4). The owner of the INVITE passes it on."""
        raise NotImplementedError

    # -- Leg, Transferring, Measured --------------------------------------------------------------

    format: AudioFormat

    def listen(self, listener: LegListener) -> None:
        """The call is told everything from now on, and its beat sends."""
        raise NotImplementedError

    def send_audio(self, payload: bytes) -> None:
        raise NotImplementedError

    def mark(self, name: str) -> None:
        raise NotImplementedError

    def clear(self) -> None:
        raise NotImplementedError

    def send_digits(self, digits: str) -> None:
        raise NotImplementedError

    def hang_up(self) -> None:
        """Media stops at once, BYE follows as soon as it may; the dialog is kept until then."""
        raise NotImplementedError

    def transfer(self, target: str) -> Deferred[None]:
        raise NotImplementedError

    def measures(self) -> Mapping[str, tuple[str, Mapping[str, object]]]:
        raise NotImplementedError
