"""Refusals: the numbers of the contract for a call request that failed.

REST and gRPC answer with the same ones (original API, "create phone call" and "create bulk phone
call"): 1002001 to 1002008, and 1003001 to 1003009 for many calls at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rapida_tw.errors import (
    AssistantNotFound,
    BadRequest,
    CallError,
    Forbidden,
    Unauthenticated,
)

_SINGLE, _BULK = 1_002_000, 1_003_000
_START_FAILED = 500
# What a client acts upon by itself keeps its own status; the number says what kind it is.
_TELLING = frozenset({403, 409, 429, 503})


class Part(Enum):
    """What of a request is wrong: the numbers of a single call and of one among many."""

    REQUEST = (1, 1)
    AUTHENTICATION = (2, 2)
    NUMBER = (3, 4)
    ASSISTANT = (4, 5)
    METADATA = (5, 6)
    ARGUMENTS = (6, 7)
    OPTIONS = (7, 8)
    START = (8, 9)
    NO_CALLS = (1, 3)

    def code(self, bulk: bool) -> int:
        """The error's number."""
        single, many = self.value
        return _BULK + many if bulk else _SINGLE + single


_HUMAN = {
    Part.REQUEST: "The request for a call cannot be read.",
    Part.AUTHENTICATION: "The request carries no API key that may place calls.",
    Part.NUMBER: "The number to call is missing or is no number.",
    Part.ASSISTANT: "The assistant that is to call is missing or does not exist.",
    Part.METADATA: "The metadata of the call must be an object of plain JSON.",
    Part.ARGUMENTS: "The arguments of the call must be an object of plain JSON.",
    Part.OPTIONS: "The options of the call must be an object of plain JSON.",
    Part.START: "The call could not be started.",
    Part.NO_CALLS: "The request names no calls.",
}


class WrongPart(BadRequest):
    """One part of a request for a call cannot be used; the text says which and why."""

    def __init__(self, part: Part, message: str) -> None:
        super().__init__(message)
        self.part = part


@dataclass(frozen=True, slots=True)
class Refusal:
    """A failed request as it is answered. `retry_after`: seconds, where waiting helps."""

    status: int
    code: int
    message: str
    human: str
    retry_after: float | None = None


def refusal(error: CallError, bulk: bool = False) -> Refusal:
    """`bulk`: of a request for many calls, or of one of its entries."""
    part = _part(error)
    return Refusal(
        _status(part, error),
        part.code(bulk),
        str(error) or error.reason,
        _HUMAN[part],
        getattr(error, "retry_after", None),
    )


def _part(error: CallError) -> Part:
    if isinstance(error, WrongPart):
        return error.part
    if isinstance(error, AssistantNotFound):
        return Part.ASSISTANT
    if isinstance(error, Unauthenticated | Forbidden):
        return Part.AUTHENTICATION
    return Part.REQUEST if error.status in (400, 413) else Part.START


def _status(part: Part, error: CallError) -> int:
    if part is Part.AUTHENTICATION:
        return Unauthenticated.status
    if part is not Part.START:
        return error.status if error.status == 413 else BadRequest.status
    return error.status if error.status in _TELLING else _START_FAILED
