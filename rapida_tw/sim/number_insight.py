"""Vonage's Number Insight, and Identity Insights that follows it ("Number Insight API")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from rapida_tw.sim.rest_request import is_digits

_ASKED = frozenset(
    "format original_carrier current_carrier sim_swap subscriber_match roaming reachability "
    "location_verification".split()
)
_STATUSES = {
    0: "Success",
    1: "Throttled",
    3: "Invalid request :: Not valid number format detected",
    4: "Invalid credentials",
    9: "Partner quota exceeded",
    43: "Live mobile lookup not returned",
}


@dataclass(frozen=True, slots=True)
class Insight:
    """What is known of a number. `status`: of the answer, 0 = all of it."""

    country: str = "US"
    country3: str = "USA"
    country_name: str = "United States of America"
    prefix: str = "1"
    carrier: str = "Example Mobile"
    carrier_code: str = "310000"
    network_type: str = "mobile"
    ported: str = "not_ported"
    reachable: str = "reachable"
    valid: str = "valid"
    roaming: str = "not_roaming"
    status: int = 0


class Insights:
    """`numbers`: what is known, by digits; of others the usual things."""

    def __init__(self) -> None:
        self.numbers: dict[str, Insight] = {}
        self.asked: list[tuple[str, str]] = []  # level and number

    def look_up(self, level: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """The answer of `/ni/{level}/json`; errors are statuses in it."""
        number = fields.get("number", "").removeprefix("+")
        if not is_digits(number):
            return refused(3)
        self.asked.append((level, number))
        known = self.numbers.get(number, Insight())
        if known.status not in (0, 43, 44, 45):
            return refused(known.status)
        answer = self._basic(known, number)
        if level != "basic":
            answer |= self._standard(known)
        if level == "advanced":
            answer |= self._advanced(known)
        return answer

    def identify(self, document: Any) -> tuple[int, dict[str, Any]]:
        """The answer of POST /identity-insights/v1/requests, with its status."""
        if not isinstance(document, dict):
            return 400, _problem("Bad Request", "The body is no JSON object")
        number, wanted = document.get("phone_number"), document.get("insights")
        unknown = set(document) - {"phone_number", "purpose", "insights"}
        if unknown or not isinstance(wanted, dict) or not wanted or set(wanted) - _ASKED:
            return 422, _problem("Unprocessable Entity", "insights: is missing or not known")
        if not isinstance(number, str) or not is_digits(number.removeprefix("+")):
            return 422, _problem("Unprocessable Entity", "phone_number: is invalid")
        number = number.removeprefix("+")
        self.asked.append(("identity", number))
        known = self.numbers.get(number, Insight())
        return 200, {
            "request_id": str(uuid4()),
            "insights": {name: self._insight(name, known, number) for name in wanted},
        }

    # -- inside -----------------------------------------------------------------------------------

    def _basic(self, known: Insight, number: str) -> dict[str, Any]:
        return {
            "status": known.status,
            "status_message": _STATUSES.get(known.status, "Live mobile lookup not returned"),
            "request_id": str(uuid4()),
            "international_format_number": number,
            "national_format_number": number.removeprefix(known.prefix),
            "country_code": known.country,
            "country_code_iso3": known.country3,
            "country_name": known.country_name,
            "country_prefix": known.prefix,
        }

    def _standard(self, known: Insight) -> dict[str, Any]:
        carrier = {
            "network_code": known.carrier_code,
            "name": known.carrier,
            "country": known.country,
            "network_type": known.network_type,
        }
        return {
            "request_price": "0.00500000",
            "refund_price": None,
            "remaining_balance": "10.00000000",
            "current_carrier": carrier,
            "original_carrier": carrier,
            "ported": known.ported,
            "caller_identity": None,
        }

    def _advanced(self, known: Insight) -> dict[str, Any]:
        live = known.status == 0
        roaming: Any = {"status": known.roaming}
        return {
            "lookup_outcome": 0 if live else 1,
            "lookup_outcome_message": "Success" if live else "Partial success - some fields",
            "valid_number": known.valid,
            "reachable": known.reachable if live else "unknown",
            "roaming": roaming if live else "unknown",
        }

    def _insight(self, name: str, known: Insight, number: str) -> dict[str, Any]:
        status = {"code": "OK", "message": "Success"}
        if name == "format":
            return {
                "country_code": known.country,
                "country_name": known.country_name,
                "country_prefix": known.prefix,
                "offline_location": "",
                "time_zones": ["America/New_York"],
                "number_international": f"+{number}",
                "number_national": number.removeprefix(known.prefix),
                "is_format_valid": known.valid != "not_valid",
                "status": status,
            }
        if name in ("current_carrier", "original_carrier"):
            return {
                "name": known.carrier,
                "network_type": known.network_type.upper(),
                "country_code": known.country,
                "network_code": known.carrier_code,
                "status": status,
            }
        return {"status": {"code": "NO_COVERAGE", "message": "Not here"}}


def refused(status: int) -> dict[str, Any]:
    """The answer that tells nothing but its status."""
    return {"status": status, "status_message": _STATUSES.get(status, "Internal error")}


def _problem(title: str, detail: str) -> dict[str, Any]:
    return {"type": "https://developer.vonage.com/api-errors", "title": title, "detail": detail}
