"""One dialog of a call: what it is made of, and which request of theirs is whose."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from rapida_tw.sip.answering import Answering
from rapida_tw.sip.base import ServerTransaction
from rapida_tw.sip.counters import KNOWN_METHODS
from rapida_tw.sip.info import Info, Presses
from rapida_tw.sip.media import Offers
from rapida_tw.sip.placing import Place, Placed
from rapida_tw.sip.refer import Transfer
from rapida_tw.sip.referred import Referral
from rapida_tw.sip.refreshing import Refreshing
from rapida_tw.sip.renegotiation import Renegotiation
from rapida_tw.sip.settings import EXTENSIONS
from rapida_tw.sip.usage import SDP, Usage
from rapida_tw.wire.sdp import Agreed
from rapida_tw.wire.sip_message import Request, Response
from rapida_tw.wire.sip_timer import SessionTimer


class Owner(Protocol):
    """Whose dialog it is: the session."""

    def acknowledged(self) -> None:
        """The first INVITE of theirs has its ACK, and the answer to our offer if we made one."""

    def agree(self, agreed: Agreed) -> None:
        """The media are so from now on."""

    def pressed(self, digit: str) -> None:
        """A key, told by INFO."""

    def bye(self, transaction: ServerTransaction) -> None:
        """Their BYE, unanswered."""

    def moved(self, placed: Placed, offers: Offers) -> bool:
        """They have sent us to that dialog. False: nothing can be heard there."""

    def stranded(self) -> None:
        """They have sent us somewhere and hung up, and it came to nothing."""

    def unusable(self, why: str) -> None:
        """An answer that fits no offer of ours; it cannot go on."""

    def lost(self, why: str) -> None:
        """The far side is not there any more, or never was."""


class Parts:
    """All parts of one dialog, from its beginning to `stop`.

    `allowed`: methods that they take. Without `invite` it is a dialog that was placed for us.
    """

    def __init__(
        self,
        owner: Owner,
        usage: Usage,
        offers: Offers,
        timer: SessionTimer,
        allowed: Collection[str],
        presses: Presses,
        place: Place | None,
        invite: Request | None = None,
    ) -> None:
        calling = invite is None or invite.from_.tag == usage.dialog.local_tag
        allowed = frozenset(method.upper() for method in allowed)
        self.usage = usage
        self.offers = offers
        self.informs = "INFO" in allowed
        self.renegotiation = Renegotiation(
            usage, offers, timer, calling, allowed, owner.agree, self._refreshed, owner.unusable
        )
        self.refreshing = Refreshing(
            usage.stack.clock, timer, self.renegotiation.refresh, owner.lost
        )
        self.answering: Answering | None = None
        if invite is not None and not calling:
            self.answering = Answering(
                usage, invite, self.renegotiation, self.refreshing, owner.acknowledged, owner.lost
            )
        self.info = Info(usage, presses, owner.pressed)
        self.transfer = Transfer(usage)
        self.referral = Referral(usage, place, offers, owner.moved, owner.stranded)
        self._takes: Mapping[str, Callable[[ServerTransaction], None]] = {
            "INVITE": self.renegotiation.received,
            "UPDATE": self.renegotiation.received,
            "BYE": owner.bye,
            "INFO": self.info.received,
            "OPTIONS": self._asked,
            "PRACK": self._pracked,
            "REFER": self._referred,
            "NOTIFY": self.transfer.notified,
        }

    @property
    def unacknowledged(self) -> ServerTransaction | None:
        """The first INVITE of theirs, as long as our 200 has no ACK."""
        return None if self.answering is None else self.answering.unacknowledged

    def received(self, transaction: ServerTransaction) -> None:
        """A request of theirs, whatever it is; answered by whoever takes it."""
        request, usage = transaction.request, self.usage
        refusal = usage.dialog.received(request)
        if refusal:
            usage.respond(transaction, refusal)
            return
        unknown = request.headers.tokens("Require") - set(EXTENSIONS)
        if unknown and request.method != "BYE":
            usage.respond(transaction, 420, headers=(("Unsupported", ", ".join(sorted(unknown))),))
            return
        take = self._takes.get(request.method)
        if take is not None:
            take(transaction)
        else:
            usage.respond(transaction, 405 if request.method in KNOWN_METHODS else 501)

    def ack_received(self, ack: Request) -> None:
        if self.answering is None or not self.answering.acknowledged(ack):
            self.renegotiation.acknowledged(ack)

    def accepted(self, response: Response) -> None:
        """Their 2xx to our first INVITE: what it says holds."""
        allowed = {method.upper() for method in response.headers.tokens("Allow")}
        if allowed:  # more than a gateway's 18x may have told
            self.informs, self.renegotiation.updates = "INFO" in allowed, "UPDATE" in allowed
        self.renegotiation.established = True
        if response.sdp or self.offers.agreed is None:
            self.renegotiation.answered_late(response)
        # Without one, what a 18x has said holds, though it was not reliable.
        self.renegotiation.settled()
        self.refreshing.timer.answered(response)
        self.refreshing.restart()

    def stop(self, gone: bool = False) -> None:
        """No timer, and nobody who waits. `gone`: because they have gone where we sent them."""
        if self.answering is not None:
            self.answering.stop()
        self.renegotiation.stop()
        self.refreshing.stop()
        self.info.stop()
        self.referral.stop()
        self.transfer.stop(gone)

    def _refreshed(self) -> None:
        self.refreshing.restart()

    def _asked(self, transaction: ServerTransaction) -> None:
        self.usage.respond(transaction, 200, headers=(("Accept", SDP),))

    def _pracked(self, transaction: ServerTransaction) -> None:
        if self.answering is not None:
            self.answering.pracked(transaction)
        else:
            self.usage.respond(transaction, 481)

    def _referred(self, transaction: ServerTransaction) -> None:
        if self.renegotiation.established and self.unacknowledged is None:
            self.referral.received(transaction)
        else:
            self.usage.respond(transaction, 491)  # first it has to be a call
