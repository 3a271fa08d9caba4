"""Messenger: carries messages to Twilio, each at most once."""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from rapida_tw.cancellable import cancellable
from rapida_tw.carriers.outbound import CarrierRefused, Outcome, Reach, RestAnswer
from rapida_tw.carriers.twilio_messages import OutgoingMessage, Sent, read_sent, send
from rapida_tw.errors import VendorFailed
from rapida_tw.metrics import Counter
from rapida_tw.net.base import Net, Request

ANSWERED_WITHIN: Final = 15.0  # seconds
_TRIES: Final = 3
_PAUSE: Final = 1.0  # seconds before the second try; twice as long before the third
_LONGEST_PAUSE: Final = 60.0  # what Twilio asks for beyond that is not waited for
_LARGEST: Final = 65_536  # bytes of an answer

sent = Counter("rapida_messages_sent_total", "Messages that we sent.", ("channel", "outcome"))


class Messenger:
    """One a process. Nothing outlives the Deferreds that it gives."""

    _log = Logger()

    def __init__(self, net: Net, clock: IReactorTime) -> None:
        self._net = net
        self._clock = clock

    def send(self, message: OutgoingMessage) -> Deferred[Sent]:
        """`MisconfiguredAssistant`; `CarrierRefused`, whose outcome says how far it got.

        It is tried again only when it surely did not leave, or was refused for the moment.
        """
        return Deferred.fromCoroutine(self._send(message))

    async def _send(self, message: OutgoingMessage) -> Sent:
        request = send(message)
        for attempt in range(_TRIES):
            pause = _PAUSE * 2**attempt
            try:
                found = read_sent(await self._exchange(request))
            except CarrierRefused as error:
                pause = error.retry_after or pause
                last = attempt == _TRIES - 1 or pause > _LONGEST_PAUSE
                if last or not error.outcome.retryable:
                    sent.inc("whatsapp", error.outcome.status)
                    raise
                self._log.info("a message waits: {reason}", reason=str(error))
            else:
                sent.inc("whatsapp", "accepted")
                return found
            await deferLater(self._clock, pause)
        raise AssertionError("unreachable")

    async def _exchange(self, request: Request) -> RestAnswer:
        whole = cancellable(Deferred.fromCoroutine(self._ask(request)))
        try:
            return await whole.addTimeout(ANSWERED_WITHIN, self._clock)
        except TimeoutError:
            why = f"Twilio gave no answer within {ANSWERED_WITHIN:.0f} s: the message may be sent"
            raise CarrierRefused.by(Outcome("failed", why, reach=Reach.UNKNOWN)) from None
        except VendorFailed as error:
            reach = Reach.UNKNOWN if error.sent else Reach.NOBODY
            outcome = Outcome("unreachable", str(error), "", not error.sent, reach)
            raise CarrierRefused.by(outcome) from None

    async def _ask(self, request: Request) -> RestAnswer:
        answer = await self._net.request(request)
        try:
            body = await answer.text(_LARGEST)
        except VendorFailed:
            if 200 <= answer.status < 300:
                raise
            body = ""  # the status alone says that it was refused
        return RestAnswer(answer.status, answer.headers, body)
