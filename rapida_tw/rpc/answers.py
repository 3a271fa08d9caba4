"""Answers of the services: `code`, `success`, `data`, `error`, and for lists `paginated`.

What goes wrong with a request is answered by OK with success=false, so that clients see more than
a status (the contract, section 6.1).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from inspect import getdoc
from typing import Any, TypeVar

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from twisted.logger import Logger

from rapida_tw.errors import CallError
from rapida_tw.rpc.base import Caller
from rapida_tw.rpc.bounds import UNARY_WITHIN
from rapida_tw.rpc.messages.shared_pb2 import Criteria, Error, Ordering, Paginate, Paginated
from rapida_tw.rpc.unary import Unary
from rapida_tw.store.criteria import Criterion, Order, read_order
from rapida_tw.store.documents import LARGEST_PAGE
from rapida_tw.store.records import Page

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)

_log = Logger()

USUAL_PAGE = 20
_LAST_PAGE = 1_000_000
_OK = 200

Refuse = Callable[[CallError], tuple[int, int]]  # HTTP status, and the error's number


def by_status(error: CallError) -> tuple[int, int]:
    """Where the contract has no numbers."""
    return error.status, error.status


def method(
    request: type[Q],
    answer: type[A],
    work: Callable[[Caller, Q], Awaitable[A]],
    scope: str,
    refuse: Refuse = by_status,
    seconds: float = UNARY_WITHIN,
) -> Unary[Q, A]:
    """A method whose `CallError`s are answers."""

    async def answered(caller: Caller, asked: Q) -> A:
        try:
            return await work(caller, asked)
        except CallError as error:
            told(request, error)
            return refusal(answer, error, *refuse(error))

    return Unary(request, answered, scope, seconds)


def told(request: type[Message], error: CallError) -> None:
    """In the log."""
    name = request.DESCRIPTOR.name
    _log.info("gRPC {name} refused: {reason}: {error}", name=name, reason=error.reason, error=error)


def data(answer: type[A], value: Any = None) -> A:
    """With one thing, or none."""
    build: Callable[..., A] = answer
    given = {} if value is None else {"data": value}
    return build(code=_OK, success=True, **given)


def listing(answer: type[A], values: Iterable[Message], page: Page) -> A:
    """With one page of things."""
    build: Callable[..., A] = answer
    paginated = Paginated(currentPage=page.number, totalItem=page.total)
    return build(code=_OK, success=True, data=values, paginated=paginated)


def refusal(answer: type[A], error: CallError, status: int, number: int) -> A:
    """Without anything but the reason."""
    build: Callable[..., A] = answer
    return build(code=status, success=False, error=error_message(error, number))


def error_message(error: CallError, number: int, human: str = "") -> Error:
    """`human`: a sentence that is true of all of its kind."""
    explanation = human or getdoc(type(error)) or error.reason
    return Error(
        errorCode=number,
        errorMessage=str(error) or error.reason,
        humanMessage=" ".join(explanation.split()),
    )


# -- what is asked of lists -----------------------------------------------------------------------


def page_of(paginate: Paginate) -> tuple[int, int]:
    """Number and size: from 1, and 100 at most."""
    number = min(max(paginate.page, 1), _LAST_PAGE)
    return number, min(paginate.pageSize or USUAL_PAGE, LARGEST_PAGE)


def criteria_of(criterias: Iterable[Criteria]) -> list[Criterion]:
    """Names are looked up by the store."""
    return [Criterion(one.key, one.value, one.logic or "=") for one in criterias]


def order_of(order: Ordering) -> Order | None:
    """`BadRequest`; None: as the listing is by itself."""
    return read_order(order.column, order.order)


def part(items: list[Any], paginate: Paginate) -> Page:
    """The page of a list that is here as a whole."""
    number, size = page_of(paginate)
    return Page(items[(number - 1) * size : number * size], number, size, len(items))


def stamp(seconds: float | None) -> Timestamp | None:
    """None for a time that is not known."""
    if not seconds:
        return None
    when = Timestamp()
    when.FromMilliseconds(round(seconds * 1000))
    return when
