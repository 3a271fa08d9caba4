"""Being sent elsewhere: REFER in, an attended transfer of a PBX for the most part (RFC 3515, 5589).

It is toll fraud's favourite door. So it opens only from within the dialog, only to the very host
that the dialog's far side is on, over the way that is there already, and no password is ever used.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.metrics import Counter
from rapida_tw.sip.base import ServerTransaction
from rapida_tw.sip.media import Offers
from rapida_tw.sip.placing import Declined, Invitation, Place, Placed
from rapida_tw.sip.usage import Usage
from rapida_tw.wire import sip_refer
from rapida_tw.wire.sip_message import Request, Response
from rapida_tw.wire.sip_uri import Address

ANSWER_WITHIN = 70.0  # seconds: what rings longer is given up
MOST_REFERRALS = 10  # in one call
SESSION_BITS = 31  # of the number in o=: there are peers that keep it as a signed word
LONGEST = 1_000  # characters of a header that is passed on

referrals = Counter("rapida_sip_referrals_total", "REFERs received, by what came of them.", ("is",))

_PRINTABLE = re.compile(rf"[ -~]{{1,{LONGEST}}}")
_ACTIVE = "active;expires=80"
_OVER = "terminated;reason=noresource"


class Refused(Exception):
    """A REFER that is not followed."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Referral:
    """REFERs of the far side, one at a time.

    `moved` takes the call over to what was placed, with the offers of that dialog, if it can; then
    `arrived` and this dialog's BYE are its matter. `stranded` is told when the far side has hung up
    meanwhile and it came to nothing. `deserted`: it has hung up while one was under way.
    """

    _log = Logger()

    def __init__(
        self,
        usage: Usage,
        place: Place | None,
        offers: Offers,
        moved: Callable[[Placed, Offers], bool],
        stranded: Callable[[], None],
    ) -> None:
        self._usage = usage
        self._place = place
        self._offers = offers
        self._moved = moved
        self._stranded = stranded
        self._placing: Deferred[Placed] | None = None
        self._count = 0
        self._event = "refer"
        self._notifies = True
        self.deserted = False

    @property
    def pending(self) -> bool:
        return self._placing is not None

    def received(self, transaction: ServerTransaction) -> None:
        request, usage = transaction.request, self._usage
        try:
            uri, fields = self._check(request)
        except Refused as error:
            referrals.inc("refused")
            self._log.warn("a REFER is refused: {error}", error=error)
            usage.respond(transaction, error.status, str(error))
            return
        self._count += 1
        # Each REFER after the first is told apart by its CSeq number (RFC 3515 2.4.6).
        self._event = "refer" if self._count == 1 else f"refer;id={request.cseq[0]}"
        silent = request.headers.get("Refer-Sub").strip().lower() == "false"
        self._notifies = not silent
        contact = ("Contact", usage.stack.contact(usage.flow))
        usage.respond(
            transaction, 202, headers=(contact, ("Refer-Sub", "false")) if silent else (contact,)
        )
        self._notify(100, "Trying", _ACTIVE)
        assert self._place is not None
        offers = self._offers.another(usage.stack.random.getrandbits(SESSION_BITS))
        placing = self._place(
            Invitation(
                uri, usage.dialog.local, usage.flow, offers.offer(), fields, self._progressed
            )
        )
        placing.addTimeout(ANSWER_WITHIN, usage.stack.clock)
        self._placing = placing
        placing.addCallbacks(self._placed, self._declined, (offers,))
        placing.addErrback(lambda failure: self._log.failure("a referral failed", failure))

    def left(self) -> bool:
        """Their BYE: whether the call goes on without them, until the referral is decided."""
        self.deserted = self.pending
        self._notifies = False
        return self.deserted

    def stop(self) -> None:
        placing, self._placing = self._placing, None
        if placing is not None:
            placing.cancel()

    def _check(self, request: Request) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Where to, and what the INVITE carries besides."""
        if self._place is None or not self._usage.stack.settings.refer_in:
            raise Refused(403, "not taken here")
        values = request.headers.values("Refer-To")
        if len(values) != 1:
            raise Refused(400, "one Refer-To is needed")
        try:
            uri = Address.parse(values[0]).uri
        except RemoteProtocolError as error:
            raise Refused(400, f"Refer-To: {error}") from None
        if uri.scheme not in ("sip", "sips") or uri.host not in self._hosts():
            raise Refused(403, "another host")
        if uri.parameters.get("method", "INVITE").upper() != "INVITE":
            raise Refused(403, "another method")
        if self.pending:
            raise Refused(491, "another one is under way")
        if self._count >= MOST_REFERRALS:
            raise Refused(403, "too many of them")
        fields = [(name, value) for name, value in uri.headers if name.lower() == "replaces"][:1]
        by = request.headers.get("Referred-By")
        if by:
            fields.append(("Referred-By", by))  # RFC 3892 2.2
        if not all(_PRINTABLE.fullmatch(value) for _, value in fields):
            raise Refused(400, "a header that cannot be passed on")
        parameters = {name: text for name, text in uri.parameters.items() if name != "method"}
        return str(replace(uri, headers=(), parameters=parameters)), tuple(fields)

    def _hosts(self) -> set[str]:
        """What the far side may call itself: whatever it says, the INVITE goes to it."""
        usage = self._usage
        return {usage.flow.peer[0], usage.target.host, usage.dialog.remote.uri.host}

    def _progressed(self, response: Response) -> None:
        if self.pending:
            self._notify(response.status, response.phrase, _ACTIVE)

    def _placed(self, placed: Placed, offers: Offers) -> None:
        self._placing = None
        if self._moved(placed, offers):
            referrals.inc("followed")
            return
        self._over(488, "Not Acceptable Here")

    def _declined(self, failure: Failure) -> None:
        stopped = self._placing is None
        self._placing = None
        if stopped:
            return
        error = failure.value
        if isinstance(error, Declined):
            self._over(error.status, error.phrase)
        elif isinstance(error, DeferredTimeout | CancelledError):
            self._over(408, "Request Timeout")
        else:
            self._log.failure("a referral failed", failure)
            self._over(500, "Server Internal Error")

    def _over(self, status: int, phrase: str) -> None:
        referrals.inc("failed")
        self._notify(status, phrase, _OVER)
        if self.deserted:
            self._stranded()

    def arrived(self) -> None:
        """The last NOTIFY, before the BYE: the call is where they wanted it."""
        self._notify(200, "OK", _OVER)

    def _notify(self, status: int, phrase: str, state: str) -> None:
        if self._notifies:
            body = sip_refer.fragment(status, phrase)
            fields = (("Event", self._event), ("Subscription-State", state))
            self._usage.send("NOTIFY", self._notified, body, sip_refer.FRAGMENT, fields)

    def _notified(self, response: Response) -> None:
        if response.status == 481:
            self._notifies = False
