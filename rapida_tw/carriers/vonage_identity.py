"""Vonage's Identity Insights, as values ("Identity Insights API reference"): after Number Insight.

Each part of the answer succeeds or fails by itself. Roaming and reachability need an application
that is registered with the networks ("Network Registry"), and a purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rapida_tw.account import Account
from rapida_tw.carriers.insight import Insight, Level, Network, Question
from rapida_tw.carriers.outbound import CarrierRefused, RestAnswer
from rapida_tw.carriers.rest_answers import good, inner, json_object, refusal, text
from rapida_tw.carriers.rest_requests import JSON, document
from rapida_tw.carriers.vonage_token import Tokens
from rapida_tw.net.base import Request

SOURCE: Final = "identity-insights"
_API: Final = "https://api-eu.vonage.com"  # it is regional: api.nexmo.com does not have it
_PURPOSE: Final = "FraudPreventionAndDetection"
_ASKED: Final[Mapping[Level, tuple[str, ...]]] = {
    Level.BASIC: ("format",),
    Level.STANDARD: ("format", "original_carrier", "current_carrier"),
    Level.ADVANCED: ("format", "original_carrier", "current_carrier", "reachability", "roaming"),
}
_DONE: Final = ("OK", "PARTIAL_SUCCESS")
_MOST: Final = 20  # items of a list that are kept


def identity_request(tokens: Tokens, account: Account, question: Question, now: float) -> Request:
    """`MisconfiguredAssistant` where the account has no application with its key."""
    body: dict[str, Any] = {
        "phone_number": question.digits,
        "insights": {name: {} for name in _ASKED[question.level]},
    }
    if question.level is Level.ADVANCED:
        body["purpose"] = _PURPOSE
    headers = {
        "Authorization": f"Bearer {tokens.token(account, now)}",
        "Accept": JSON,
        "Content-Type": JSON,
    }
    url = f"{account.base_url(_API)}/identity-insights/v1/requests"
    # Sent once, whatever becomes of it: each costs.
    return Request(url, "POST", headers, document(body), once=True)


def read_identity(answer: RestAnswer, question: Question) -> Insight:
    """`CarrierRefused` where nothing was found out; parts that failed are `missing`."""
    said = json_object(answer)
    insights = said.get("insights")
    if not good(answer) or not isinstance(insights, dict):
        raise _refused(answer, said)
    form, reach = inner(insights, "format"), inner(insights, "reachability")
    roaming = inner(insights, "roaming")
    current = _network(inner(insights, "current_carrier"))
    original = _network(inner(insights, "original_carrier"))
    number = text(form, "number_international") or question.digits
    return Insight(
        number=f"+{number.removeprefix('+')}",
        level=question.level,
        source=SOURCE,
        national_format=text(form, "number_national"),
        country_code=text(form, "country_code"),
        country_name=text(form, "country_name"),
        valid=_truth(form, "is_format_valid"),
        reachable=_truth(reach, "is_reachable"),
        reachability=", ".join(_texts(reach, "connectivity")).lower(),
        ported=_ported(current, original),
        roaming=_truth(roaming, "is_roaming"),
        roaming_countries=_texts(roaming, "country_codes"),
        current=current,
        original=original,
        time_zones=_texts(form, "time_zones"),
        missing=_missing(insights, question),
        raw=said,
    )


def _missing(insights: Mapping[str, Any], question: Question) -> tuple[str, ...]:
    found = []
    for name in _ASKED[question.level]:
        status = inner(inner(insights, name), "status")
        code = text(status, "code") or "NO_ANSWER"
        if code not in _DONE:
            words = text(status, "message")
            found.append(f"{name}: {words} ({code})" if words else f"{name}: {code}")
    if question.caller_name:
        found.append("caller_name: Identity Insights does not know it")
    return tuple(found)


def _ported(current: Network | None, original: Network | None) -> bool | None:
    """It is not told any more: a number in another network than its first has been ported."""
    if current is None or original is None or not current.code or not original.code:
        return None
    return current.code != original.code


def _refused(answer: RestAnswer, said: Mapping[str, Any]) -> CarrierRefused:
    """Problem details (RFC 9457), or the older form."""
    words = [text(said, "title", "error_title"), text(said, "detail", "error")]
    reason = ": ".join(word for word in words if word)
    wrong_number = answer.status in (400, 422) and "phone_number" in answer.body
    return refusal(answer, "", reason, "bad_number" if wrong_number else "")


def _network(said: Mapping[str, Any]) -> Network | None:
    kind = text(said, "network_type").lower()
    network = Network(
        text(said, "name"),
        text(said, "network_code"),
        "" if kind == "unknown" else kind,
        text(said, "country_code"),
    )
    return None if network == Network() else network


def _truth(said: Mapping[str, Any], name: str) -> bool | None:
    value = said.get(name)
    return value if isinstance(value, bool) else None


def _texts(said: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = said.get(name)
    values = values[:_MOST] if isinstance(values, list) else []
    return tuple(value for one in values if (value := text({name: one}, name)))
