"""What Vonage knows of a number: by Number Insight while there is one, else by its successor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from rapida_tw.account import Account, Lacking
from rapida_tw.carriers.insight import (
    IDENTITY_API,
    NUMBER_API,
    CarrierBusy,
    Insight,
    Question,
)
from rapida_tw.carriers.outbound import CarrierRefused, Outcome, Reach, RestAnswer
from rapida_tw.carriers.rest_exchange import Exchange
from rapida_tw.carriers.vonage_identity import identity_request, read_identity
from rapida_tw.carriers.vonage_number import number_request, read_number
from rapida_tw.carriers.vonage_token import Tokens
from rapida_tw.errors import BadRequest, VendorFailed
from rapida_tw.net.base import Net, Request
from rapida_tw.net.reasons import without_secrets

SUNSET: Final = datetime(2027, 2, 4, tzinfo=UTC).timestamp()  # Number Insight is switched off
WITHIN: Final = 25.0  # seconds for all of it; Vonage takes up to 15 for `Level.ADVANCED`
_PAUSE: Final = 1.0  # seconds until a second try, where Vonage names none
_LONGEST_PAUSE: Final = 5.0  # longer ones are for whoever asked
_SHORTEST_SECRET: Final = 8  # characters


class VonageInsights:
    """Asks Vonage. `now`: seconds since the epoch."""

    def __init__(self, net: Net, clock: IReactorTime, now: Callable[[], float]) -> None:
        self._exchange = Exchange("vonage", net, clock)
        self._clock = clock
        self._now = now
        self._tokens = Tokens()

    def look_up(self, account: Account, question: Question) -> Deferred[Insight]:
        """Costs money. `BadRequest`: Vonage does not take the number; `CarrierBusy` after a second
        try; `CarrierRefused`, `MisconfiguredAssistant`.
        """
        return Deferred.fromCoroutine(self._look_up(account, question))

    async def _look_up(self, account: Account, question: Question) -> Insight:
        api = api_of(account, question.api, self._now())
        until = self._clock.seconds() + WITHIN
        try:
            return await self._ask(api, account, question, WITHIN)
        except CarrierRefused as error:
            if error.outcome.status != "capacity_exceeded":
                raise _told(error) from None
            pause = _PAUSE if error.retry_after is None else error.retry_after
            if pause > _LONGEST_PAUSE:
                raise _told(error) from None
        await deferLater(self._clock, pause)
        try:
            return await self._ask(api, account, question, until - self._clock.seconds())
        except CarrierRefused as error:
            raise _told(error) from None

    async def _ask(self, api: str, account: Account, question: Question, seconds: float) -> Insight:
        request = self._request(api, account, question)
        read = read_number if api == NUMBER_API else read_identity

        def reading(answer: RestAnswer) -> Insight:
            return read(_clean(answer, request, account), question)

        what = f"{api}-insight"
        try:
            return await self._exchange.ask(what, request, reading, account, max(seconds, 0.0))
        except VendorFailed as error:
            reach = Reach.UNKNOWN if error.sent else Reach.NOBODY
            reason = f"asking Vonage failed: {error}"
            outcome = Outcome("unreachable", reason, "", not error.sent, reach)
            raise CarrierRefused.by(outcome) from None

    def _request(self, api: str, account: Account, question: Question) -> Request:
        if api == NUMBER_API:
            return number_request(account, question)
        return identity_request(self._tokens, account, question, self._now())


def api_of(account: Account, wanted: str, now: float) -> str:
    """Which API the account is good for; `Lacking` where it is good for none."""
    if wanted:
        return wanted
    has_key = bool(account.first("api_key", "apiKey") and account.first("api_secret", "apiSecret"))
    has_application = bool(
        account.first("application_id", "applicationId")
        and account.first("private_key", "privateKey")
    )
    if has_key and now < SUNSET:
        return NUMBER_API
    if has_application:
        return IDENTITY_API
    if has_key:
        raise Lacking(
            "Number Insight ended on 4 February 2027; what follows it, Identity Insights, needs "
            "application_id and private_key in the credential"
        )
    raise Lacking(
        "looking up numbers needs api_key and api_secret, or application_id and private_key, in "
        "the credential of vonage"
    )


def _told(error: CarrierRefused) -> CarrierRefused | BadRequest:
    """What whoever asked can act on."""
    if error.outcome.status == "bad_number":
        return BadRequest(f"Vonage does not take the number: {error}")
    if error.outcome.status == "capacity_exceeded":
        wait = _PAUSE if error.retry_after is None else error.retry_after
        return CarrierBusy(f"Vonage: {error}", error.outcome, wait)
    return error


def _clean(answer: RestAnswer, request: Request, account: Account) -> RestAnswer:
    """Without the account's keys, should they be said back: the answer is handed on."""
    body = without_secrets(answer.body, request)
    for name in ("api_secret", "apiSecret", "signature_secret", "signatureSecret"):
        secret = account.first(name)
        if len(secret) >= _SHORTEST_SECRET:
            body = body.replace(secret, "***")
    return replace(answer, body=body)
