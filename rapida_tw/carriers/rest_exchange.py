"""One request to a carrier's REST API, and what came of it: counted, bounded, without secrets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime

from rapida_tw.account import Account
from rapida_tw.carriers.outbound import GONE, CarrierRefused, Reach, RestAnswer
from rapida_tw.errors import VendorFailed
from rapida_tw.metrics import Counter
from rapida_tw.net.base import Net, Request
from rapida_tw.net.reasons import without_secrets

requests = Counter(
    "rapida_carrier_requests_total",
    "Requests to carriers' REST APIs: done, gone (no such call any more), refused, unsure (whether "
    "it was heard), unreached, cancelled.",
    ("carrier", "what", "outcome"),
)

_SECRET = 8  # characters; what is shorter is no key, and may be a word of the sentence
_ADDRESSES = ("base_url", "baseUrl", "endpoint", "url")

T = TypeVar("T")


class Exchange:
    """The way to one carrier's API."""

    def __init__(self, carrier: str, net: Net, clock: IReactorTime) -> None:
        self._carrier = carrier
        self._net = net
        self._clock = clock

    async def ask(
        self,
        what: str,
        request: Request,
        read: Callable[[RestAnswer], T],
        account: Account,
        seconds: float,
    ) -> T:
        """What `read` makes of the answer.

        `CarrierRefused` as it raises, `VendorFailed` without an answer in time: its `sent` tells
        whether the carrier may have heard it all the same.
        """
        try:
            asking = Deferred.fromCoroutine(self._answer(request))
            result = read(await asking.addTimeout(seconds, self._clock))
        except CarrierRefused as error:
            self._count(what, "unsure" if error.outcome.reach is Reach.UNKNOWN else "refused")
            raise _clean(error, request, account) from None
        except VendorFailed as error:
            self._count(what, "unsure" if error.sent else "unreached")
            raise
        except TimeoutError:
            self._count(what, "unsure")
            late = f"{self._carrier} gave no answer within {seconds:g} s"
            raise VendorFailed(late, sent=True) from None
        except CancelledError:
            self._count(what, "cancelled")
            raise
        self._count(what, "gone" if result is GONE else "done")
        return result

    def _count(self, what: str, outcome: str) -> None:
        requests.inc(self._carrier, what, outcome)

    async def _answer(self, request: Request) -> RestAnswer:
        head = await self._net.request(request)
        try:
            body = await head.text()
        except VendorFailed:
            # A refusal is one without its words, too; all else has to be read.
            if not 400 <= head.status < 500:
                raise
            body = ""
        return RestAnswer(head.status, head.headers, body)


def _clean(error: CarrierRefused, request: Request, account: Account) -> CarrierRefused:
    """Without the secrets of the request and of the account: some carriers say them back."""
    reason = without_secrets(error.outcome.reason, request)
    for name, value in account.items():
        if name not in _ADDRESSES and len(value) >= _SECRET:
            reason = reason.replace(value, "***")
    return CarrierRefused.by(replace(error.outcome, reason=reason), error.retry_after)
