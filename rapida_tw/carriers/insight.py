"""What a carrier knows of a telephone number: question and answer, whichever API is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from rapida_tw.carriers.outbound import CarrierRefused
from rapida_tw.errors import BadRequest

# E.164; at least as long as the shortest numbers of small countries with their prefix.
_NUMBER: Final = re.compile(r"\+?([1-9][0-9]{4,14})")
NUMBER_API: Final = "number"
IDENTITY_API: Final = "identity"
APIS: Final = (NUMBER_API, IDENTITY_API)


class Level(Enum):
    """How much is asked for; each has all that the one before it has, and costs more."""

    BASIC = "basic"  # the number's form and its country
    STANDARD = "standard"  # the networks, then and now
    ADVANCED = "advanced"  # whether the phone is reachable, and where it is


LEVELS: Final = tuple(one.value for one in Level)


@dataclass(frozen=True, slots=True)
class Question:
    """`digits`: the number in E.164, without plus. `api`: "" is whichever the account has.

    `caller_name`: look for the name of its owner, too (USA, from `Level.STANDARD` on).
    """

    digits: str
    level: Level = Level.BASIC
    api: str = ""
    caller_name: bool = False


@dataclass(frozen=True, slots=True)
class Network:
    """Whose number it is. `code`: MCC and MNC; `kind`: mobile, landline, virtual, ..."""

    name: str = ""
    code: str = ""
    kind: str = ""
    country_code: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who is entered for the number. `kind`: business or consumer."""

    name: str = ""
    kind: str = ""
    first_name: str = ""
    last_name: str = ""


@dataclass(frozen=True, slots=True)
class Insight:
    """What is known; None and "": it was not asked, or nobody could tell.

    `number`: E.164 with plus. `reachability`: the carrier's word for `reachable`. `missing`: what
    was asked for and is not here, a sentence each. `raw`: the carrier's own document.
    """

    number: str
    level: Level
    source: str  # number-insight or identity-insights
    national_format: str = ""
    country_code: str = ""  # two letters
    country_name: str = ""
    valid: bool | None = None
    reachable: bool | None = None
    reachability: str = ""
    ported: bool | None = None
    roaming: bool | None = None
    roaming_countries: tuple[str, ...] = ()
    current: Network | None = None
    original: Network | None = None
    owner: Owner | None = None
    time_zones: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)


class CarrierBusy(CarrierRefused):
    """The carrier takes no more requests of this account for the moment."""

    reason, status = "carrier-busy", 503


def read_question(
    number: str, level: str = "", api: str = "", caller_name: bool = False
) -> Question:
    """`BadRequest` for what is no number in E.164, and for words that are none of ours."""
    # A plus that was not escaped arrives as a blank.
    found = _NUMBER.fullmatch(number.strip())
    if found is None:
        raise BadRequest("number is required, in E.164: +15550100001")
    level = level or Level.BASIC.value
    if level not in LEVELS:
        raise BadRequest(f"level is one of {', '.join(LEVELS)}")
    if api and api not in APIS:
        raise BadRequest(f"api is one of {', '.join(APIS)}")
    return Question(found[1], Level(level), api, caller_name)


def insight_document(insight: Insight, raw: bool = False) -> dict[str, Any]:
    """As the API answers it; `raw`: with the carrier's own document."""
    document: dict[str, Any] = {
        "number": insight.number,
        "nationalFormat": insight.national_format or None,
        "countryCode": insight.country_code or None,
        "countryName": insight.country_name or None,
        "valid": insight.valid,
        "reachable": insight.reachable,
        "reachability": insight.reachability or None,
        "ported": insight.ported,
        "roaming": insight.roaming,
        "roamingCountries": list(insight.roaming_countries),
        "currentCarrier": _network(insight.current),
        "originalCarrier": _network(insight.original),
        "callerIdentity": _owner(insight.owner),
        "timeZones": list(insight.time_zones),
        "missing": list(insight.missing),
        "level": insight.level.value,
        "source": insight.source,
    }
    if raw:
        document["raw"] = dict(insight.raw)
    return document


def _network(network: Network | None) -> dict[str, str | None] | None:
    if network is None:
        return None
    return {
        "name": network.name or None,
        "networkCode": network.code or None,
        "networkType": network.kind or None,
        "countryCode": network.country_code or None,
    }


def _owner(owner: Owner | None) -> dict[str, str | None] | None:
    if owner is None:
        return None
    return {
        "name": owner.name or None,
        "type": owner.kind or None,
        "firstName": owner.first_name or None,
        "lastName": owner.last_name or None,
    }
