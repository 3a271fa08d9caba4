"""The end of a dialog: BYE as soon as it may be sent, and the dialog kept until it is answered."""

from __future__ import annotations

from twisted.internet.interfaces import IDelayedCall

from rapida_tw.errors import MEDIA_TIMEOUT, NETWORK_FAILED, PROTOCOL_ERROR, End
from rapida_tw.sip.base import DialogUser, ServerTransaction
from rapida_tw.sip.usage import Usage
from rapida_tw.wire.sip_cause import NORMAL, Reason
from rapida_tw.wire.sip_message import Request, Response

# 64*T1 (RFC 3261 13.3.1.4, 15): for so long an ACK may be on its way.
ACK_WITHIN = 32.0


# Q.850: recovery on timer expiry, protocol error, unspecified.
_CAUSES = {MEDIA_TIMEOUT.reason: 102, NETWORK_FAILED.reason: 102, PROTOCOL_ERROR.reason: 111}
_UNSPECIFIED = 31
_SAID = {MEDIA_TIMEOUT.reason: "RTP timeout"}


def reason_of(end: End) -> Reason:
    """What our BYE tells of a call that could not go on."""
    cause = _CAUSES.get(end.reason, _UNSPECIFIED)
    return Reason("Q.850", cause, _SAID.get(end.reason, end.detail))


def reason_for_them(end: End | None) -> Reason:
    """What our BYE tells of a call that the house has ended; of what went wrong there, nothing."""
    if end is None or end.status != "failed":
        return NORMAL
    return reason_of(end.because(""))


class Farewell:
    """What is left of a call that is over for us: the user of its dialog until the BYE is answered.

    `unacknowledged`: our 2xx to the first INVITE whose ACK has not come. Until it comes or cannot
    come any more we must not say BYE (15). Any answer to the BYE is the end, none is too.
    """

    def __init__(
        self, usage: Usage, reason: Reason, unacknowledged: ServerTransaction | None = None
    ) -> None:
        self._usage = usage
        self._reason = reason
        self._unacknowledged = unacknowledged
        self._waiting: IDelayedCall | None = None
        self._left = False
        usage.gone = lambda why: None
        # In place of whoever was told of the dialog's requests.
        usage.stack.dialogs.add(usage.dialog, self)
        if unacknowledged is None:
            self._say()
        else:
            self._waiting = usage.stack.clock.callLater(ACK_WITHIN, self._not_acknowledged)

    def ack_received(self, ack: Request) -> None:
        transaction = self._unacknowledged
        if transaction is not None and ack.cseq[0] == transaction.request.cseq[0]:
            self._unacknowledged = None
            transaction.acknowledged()
            self._say()

    def not_acknowledged(self) -> None:
        """The transaction says so; our own timer does where nobody passes it on."""
        if self._unacknowledged is not None:
            self._not_acknowledged()

    def request_received(self, transaction: ServerTransaction) -> None:
        usage, method = self._usage, transaction.request.method
        # Of a transfer that led to this end the last NOTIFY may still come.
        usage.respond(transaction, 200 if method in ("BYE", "NOTIFY") else 481)
        if method == "BYE":
            if self._unacknowledged is not None:
                self._unacknowledged.acknowledged()
            self._leave()

    def _not_acknowledged(self) -> None:
        if self._unacknowledged is not None:
            self._unacknowledged.acknowledged()
            self._unacknowledged = None
        self._say()

    def _say(self) -> None:
        self._stop_waiting()
        if not self._left:
            self._usage.send("BYE", self._answered, headers=(("Reason", str(self._reason)),))

    def _answered(self, response: Response) -> None:
        self._leave()

    def _leave(self) -> None:
        self._stop_waiting()
        if not self._left:
            self._left = True
            self._usage.stack.dialogs.remove(self._usage.dialog)

    def _stop_waiting(self) -> None:
        if self._waiting is not None and self._waiting.active():
            self._waiting.cancel()
        self._waiting = None


_conforms: type[DialogUser] = Farewell
