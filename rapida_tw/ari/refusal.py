"""What it means that ARI refused a request, did not answer it, or was not reached."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rapida_tw.carriers.outbound import Outcome, Reach
from rapida_tw.errors import VendorFailed

GONE: Final = 404
TAKEN: Final = 409  # a channel of that name is there, or it is in no Stasis application
_LONGEST: Final = 300  # characters

_STATUS: Final[Mapping[int, tuple[str, bool]]] = MappingProxyType(
    {
        400: ("configuration_failed", False),
        401: ("authentication_failed", False),
        403: ("authentication_failed", False),
        404: ("configuration_failed", False),
        422: ("configuration_failed", False),
        503: ("unreachable", True),  # it is starting or stopping
    }
)
_ALLOCATION: Final = "allocation failed"


class Declined(Exception):
    """An answer above 299; `said` are Asterisk's own words."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"HTTP {status}, {said}" if said else f"HTTP {status}")
        self.status = status
        self.said = said


def words(body: str) -> str:
    """ARI puts them into `message`, into `error` where no channel could be made."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(told, dict):
        return ""
    said = told.get("message") or told.get("error") or ""
    return " ".join(str(said).split())[:_LONGEST]


def not_placed(declined: Declined, endpoint: str) -> Outcome:
    """The answer to POST /channels: nobody's phone rings."""
    status, retryable = _STATUS.get(declined.status, ("failed", declined.status >= 500))
    said = declined.said or f"HTTP {declined.status}"
    if declined.said.lower().startswith(_ALLOCATION):
        # An unknown technology or trunk, a wrong dial string, an endpoint that is not registered.
        status, retryable = "configuration_failed", False
        said = f"{declined.said}: Asterisk cannot dial {endpoint}"
    elif declined.status == GONE:
        said = f"{said}: no ARI there, is its address right and res_ari_channels loaded?"
    return Outcome(status, said, str(declined.status), retryable, Reach.NOBODY)


def not_reached(error: VendorFailed) -> Outcome:
    """Nothing was asked for, because nobody listens there or the login was refused."""
    if error.code in (401, 403):
        return Outcome("authentication_failed", str(error), str(error.code), False, Reach.NOBODY)
    return Outcome("unreachable", str(error), str(error.code or ""), error.retryable, Reach.NOBODY)
