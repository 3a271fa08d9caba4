"""Sending the far side elsewhere: REFER out, and the NOTIFYs that tell how it went (RFC 3515).

What fires and fails is the Deferred of `media.leg.Transferring.transfer`.
"""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.interfaces import IDelayedCall

from rapida_tw.errors import LocalProtocolError, NotSupported, RemoteProtocolError
from rapida_tw.sip.base import ServerTransaction
from rapida_tw.sip.usage import Usage
from rapida_tw.wire import sip_refer
from rapida_tw.wire.sip_message import Response
from rapida_tw.wire.sip_uri import Address, SipUri

NEWS_WITHIN = 30.0  # seconds to a NOTIFY, after the 202
RINGING_WITHIN = 60.0  # seconds to the next one, once it rings there


class Transfer:
    """The transfers of one call, one at a time.

    Their BYE while one is under way means that they have gone where we sent them.
    """

    def __init__(self, usage: Usage) -> None:
        self._usage = usage
        self._waiting: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None
        self._asked = False  # a REFER was sent: NOTIFYs are expected, late ones too
        self._succeeded = False

    @property
    def pending(self) -> bool:
        return self._waiting is not None

    def start(self, target: str) -> Deferred[None]:
        """Cancelling it stops the waiting; what was asked for cannot be taken back."""
        if self.pending:
            return fail(NotSupported("another transfer is under way"))
        try:
            # A bare number is dialled at the far side, as it calls itself.
            uri = sip_refer.target(target, self._usage.target.host, self._usage.target.port)
        except LocalProtocolError as error:
            return fail(NotSupported(str(error)))
        waiting: Deferred[None] = Deferred(self._cancelled)
        self._waiting, self._asked = waiting, True
        by = Address(
            SipUri(self._usage.dialog.local.uri.host, user=self._usage.dialog.local.uri.user)
        )
        fields = (("Refer-To", sip_refer.refer_to(uri)), ("Referred-By", str(by)))
        self._usage.send("REFER", self._answered, headers=fields)
        return waiting

    def notified(self, transaction: ServerTransaction) -> None:
        """A NOTIFY of theirs."""
        request, usage = transaction.request, self._usage
        event = request.headers.get("Event").partition(";")[0].strip().lower()
        if event != "refer":
            usage.respond(transaction, 489, headers=(("Allow-Events", "refer"),))
            return
        if not self._asked:
            usage.respond(transaction, 481)
            return
        try:
            status, phrase = sip_refer.progress(request.body)
        except RemoteProtocolError as error:
            if request.body:
                usage.respond(transaction, 400, str(error))
                return
            status, phrase = 100, ""  # it only tells that the subscription is there, or over
        usage.respond(transaction, 200)
        if not self.pending:
            return
        if status < 200:
            self._wait(RINGING_WITHIN if status > 100 else NEWS_WITHIN)
        elif status < 300:
            self._succeed()
        else:
            self._fail(f"the far side could not be connected: {status} {phrase}".strip())

    @property
    def going(self) -> bool:
        """Under way, or they are there: a BYE of theirs is the end of the transfer."""
        return self.pending or self._succeeded

    def stop(self, gone: bool = False) -> None:
        """The call is over; `gone`: because they have gone where we sent them."""
        if gone:
            self._succeed()
        else:
            self._fail("the call is over")

    def _answered(self, response: Response) -> None:
        if not self.pending:
            return
        if response.status >= 300:
            said = f"{response.status} {response.phrase[:100]}".strip()
            self._fail(f"the far side does not transfer the call: {said}")
        elif response.headers.get("Refer-Sub").strip().lower() == "false":
            self._succeed()  # no NOTIFY will come (RFC 4488): more than this is not to be known
        elif self._timer is None:
            self._wait(NEWS_WITHIN)

    def _wait(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self._usage.stack.clock.callLater(seconds, self._no_news)

    def _no_news(self) -> None:
        self._timer = None
        self._fail("the far side has not said whether the transfer worked")

    def _succeed(self) -> None:
        self._stop_timer()
        waiting, self._waiting = self._waiting, None
        self._succeeded = True
        if waiting is not None:
            waiting.callback(None)

    def _fail(self, why: str) -> None:
        self._stop_timer()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.errback(NotSupported(why))

    def _cancelled(self, waiting: Deferred[None]) -> None:
        self._stop_timer()
        self._waiting = None
        waiting.errback(CancelledError())

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
