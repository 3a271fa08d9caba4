"""Vonage's Number Insight, as values ("Number Insight API reference").

It answers 200 whatever it is; `status` in the body says what came of it. It ends on 4 February
2027: see vonage_identity.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from rapida_tw.account import Account
from rapida_tw.carriers.insight import Insight, Level, Network, Owner, Question
from rapida_tw.carriers.outbound import CarrierRefused, Outcome, Reach, RestAnswer
from rapida_tw.carriers.rest_answers import good, inner, json_object, refusal, text
from rapida_tw.carriers.rest_requests import JSON, basic
from rapida_tw.net.base import Request

SOURCE: Final = "number-insight"
_API: Final = "https://api.nexmo.com"
_PARTIAL: Final = ("43", "44", "45")  # no answer of the network; all else is there
# What each status means: the outcome's word, and ours for it.
_STATUSES: Final[Mapping[str, tuple[str, str]]] = {
    "1": ("capacity_exceeded", "too many requests a second"),
    "3": ("bad_number", "it is no number, or something of the request is missing"),
    "4": ("authentication_failed", "api_key or api_secret is wrong, or the account is disabled"),
    "5": ("failed", "an error of Vonage's, or the number has a form that it does not know"),
    "9": ("configuration_failed", "the account has not enough credit"),
    "19": ("configuration_failed", "the account may not use this"),
    "999": ("failed", "the request could not be read"),
}
_UNKNOWN: Final = ("failed", "a status that is not documented")
_VALID: Final = {"valid": True, "inferred": True, "not_valid": False, "inferred_not_valid": False}
_REACHABLE: Final = {
    "reachable": True,
    "undeliverable": False,
    "absent": False,
    "bad_number": False,
    "blacklisted": False,
}
_PORTED: Final = {
    "ported": True,
    "assumed_ported": True,
    "not_ported": False,
    "assumed_not_ported": False,
}
_ROAMING: Final = {"roaming": True, "not_roaming": False}


def number_request(account: Account, question: Question) -> Request:
    """The account in a header, never in the address; `Lacking` where it has no key."""
    key, secret = account.need("api_key", "apiKey"), account.need("api_secret", "apiSecret")
    query = {"number": question.digits}
    if question.caller_name and question.level is not Level.BASIC:
        query["cnam"] = "true"
    url = f"{account.base_url(_API)}/ni/{question.level.value}/json?{urlencode(query)}"
    # Sent once, whatever becomes of it: each costs.
    return Request(url, headers={**basic(key, secret), "Accept": JSON}, once=True)


def read_number(answer: RestAnswer, question: Question) -> Insight:
    """`CarrierRefused`, by its status; one without the network's own word is an answer, too."""
    said = json_object(answer)
    status = text(said, "status")
    if not good(answer) or not status:
        raise refusal(answer)
    missing: tuple[str, ...] = ()
    if status in _PARTIAL:
        words = text(said, "lookup_outcome_message", "status_message", "error_text")
        missing = (f"the network was not asked: {words or 'no reason is given'} ({status})",)
    elif status != "0":
        raise _refused(said, status)
    number = text(said, "international_format_number") or question.digits
    roaming = inner(said, "roaming")  # or the word "unknown"
    country = text(roaming, "roaming_country_code")
    reachability = text(said, "reachable")
    return Insight(
        number=f"+{number.removeprefix('+')}",
        level=question.level,
        source=SOURCE,
        national_format=text(said, "national_format_number"),
        country_code=text(said, "country_code"),
        country_name=text(said, "country_name"),
        valid=_VALID.get(text(said, "valid_number")),
        reachable=_REACHABLE.get(reachability),
        reachability="" if reachability == "unknown" else reachability,
        ported=_PORTED.get(text(said, "ported")),
        roaming=_ROAMING.get(text(roaming, "status")),
        roaming_countries=(country,) if country else (),
        current=_network(inner(said, "current_carrier")),
        original=_network(inner(said, "original_carrier")),
        owner=_owner(inner(said, "caller_identity")),
        missing=missing,
        raw=said,
    )


def _refused(said: Mapping[str, Any], status: str) -> CarrierRefused:
    outcome, meaning = _STATUSES.get(status, _UNKNOWN)
    words = text(said, "status_message", "error_text")
    reason = f"{meaning}: {words}" if words else meaning
    busy = outcome == "capacity_exceeded"
    return CarrierRefused.by(Outcome(outcome, reason, status[:10], busy, Reach.NOBODY))


def _network(said: Mapping[str, Any]) -> Network | None:
    kind = text(said, "network_type").lower()
    network = Network(
        text(said, "name"),
        text(said, "network_code"),
        "" if kind == "unknown" else kind,
        text(said, "country"),
    )
    return None if network == Network() else network


def _owner(said: Mapping[str, Any]) -> Owner | None:
    kind = text(said, "caller_type")
    owner = Owner(
        text(said, "caller_name"),
        "" if kind == "unknown" else kind,
        text(said, "first_name"),
        text(said, "last_name"),
    )
    return None if owner == Owner() else owner
