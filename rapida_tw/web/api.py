"""The management API's door: who asks, for what, and in which words.

Handlers of the API see an `Ask`, not a request: the key is checked, ids are numbers, and the body
is JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from rapida_tw.carriers.base import Document
from rapida_tw.errors import BadRequest, NotFound
from rapida_tw.ids import parse_id
from rapida_tw.store.documents import read_page
from rapida_tw.store.records import ApiKey
from rapida_tw.store.scopes import require
from rapida_tw.web.answers import Answer
from rapida_tw.web.auth import Gate
from rapida_tw.web.request import BoundedRequest
from rapida_tw.web.route import Handler


@dataclass(frozen=True, slots=True)
class Ask:
    """A request by somebody who may."""

    key: ApiKey
    request: BoundedRequest

    @property
    def project_id(self) -> int:
        return self.key.project_id

    def page(self) -> tuple[int, int]:
        """Number and size of the page that is asked for; `BadRequest` when out of bounds."""
        return read_page(self.request.query)

    def document(self) -> Any:
        """The body; `BadRequest` when it is not JSON."""
        return read_json(self.request)


ApiHandler = Callable[..., Awaitable[Answer]]


class Api:
    """Makes handlers of routes out of handlers of the API."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def __call__(self, handler: ApiHandler, scope: str | None = None) -> Handler:
        """`handler(ask, **ids)` behind the door, for keys with that scope.

        None: that of the path, `calls:read` to GET /v1/calls and `calls:write` for all else there.
        """

        async def handle(request: BoundedRequest, **parts: str) -> Document:
            ask, ids = await self.enter(request, parts, scope)
            return (await handler(ask, **ids)).document()

        return handle

    async def enter(
        self, request: BoundedRequest, parts: dict[str, str], scope: str | None = None
    ) -> tuple[Ask, dict[str, int]]:
        """`Unauthenticated`, `Forbidden`, `BodyTooLarge`; `NotFound` for a part that is no id."""
        key = await self._gate.authenticate(request)
        require(key, scope_of(request) if scope is None else scope)
        request.check_size()
        return Ask(key, request), {name: read_id(parts[name]) for name in parts}


def scope_of(request: BoundedRequest) -> str:
    """What its path and method need; a path whose noun has no scopes needs a key without limits."""
    _, _, noun, *_ = f"{request.route}//".split("/", 3)
    return f"{noun}:{'read' if request.method in (b'GET', b'HEAD') else 'write'}"


def read_id(text: str) -> int:
    """The id of a path. What is no id cannot be there: `NotFound`."""
    try:
        return parse_id(text)
    except BadRequest as error:
        raise NotFound(str(error)) from None


def read_json(request: BoundedRequest) -> Any:
    """The body as RFC 8259 has it: UTF-8, no NaN; `BadRequest` for everything else."""
    kind = request.header("content-type").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise BadRequest("the body must be JSON, with the header Content-Type: application/json")
    return parse_json(request.body)


_UNUSABLE = "not JSON in UTF-8, or has a NUL, half a surrogate pair or a number that is too large"


def parse_json(body: bytes) -> Any:
    """`BadRequest` for what is not JSON, and for what no database keeps as text."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
        _check_text(value)
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    except ValueError as error:
        # The decoder names line and column, and repeats nothing of the document.
        what = f"not JSON: {error}" if isinstance(error, json.JSONDecodeError) else _UNUSABLE
        raise BadRequest(f"the body is {what}") from None
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _finite(digits: str) -> float:
    """1e400 is JSON, and Python's infinity, which is none."""
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _check_text(value: Any) -> None:
    """`ValueError` for NUL and for half of a surrogate pair: JSON may escape them."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("NUL")
        value.encode("utf-8")
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_text(name)
            _check_text(item)
    elif isinstance(value, list):
        for item in value:
            _check_text(item)
