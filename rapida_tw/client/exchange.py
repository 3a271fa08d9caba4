"""One request and what its answer means, without I/O: both clients carry out the same ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode, urlsplit

from rapida_tw.client.errors import (
    AuthenticationError,
    BadRequestError,
    CallNotStartedError,
    ConflictError,
    ConnectionFailed,
    NotFoundError,
    RapidaError,
    RateLimitError,
    ServerError,
)

T = TypeVar("T")

LONGEST = 64 * 2**20  # bytes of an answer
RETRIES = 2
TIMEOUT = 30.0  # seconds
LONGEST_WAIT = 30.0  # seconds between two attempts; a server that wants more is not waited for
_FIRST_WAIT = 0.5  # seconds
_AGAIN = (429, 502, 503, 504)
_NOT_STARTED = ("1002", "1003")  # the numbers of calls that were not placed begin so
_NO_KEY = ("1002002", "1003002")


@dataclass(frozen=True, slots=True)
class Exchange(Generic[T]):
    """`read` makes the result out of the answer's envelope.

    `repeatable`: to send it a second time does no more than to send it once.
    """

    method: str
    path: str
    read: Callable[[dict[str, Any]], T]
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    repeatable: bool = True

    @property
    def target(self) -> str:
        """Path and query."""
        given = {key: value for key, value in self.query.items() if value not in (None, "")}
        return f"{self.path}?{urlencode(given)}" if given else self.path

    @property
    def payload(self) -> bytes | None:
        return None if self.body is None else json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def result(exchange: Exchange[T], answer: Answer) -> T:
    """What the caller gets; `RapidaError` for an answer that is none."""
    envelope = _envelope(answer)
    if envelope is None:
        raise ServerError(
            f"HTTP {answer.status}, and no JSON: is it a rapida server?", "", answer.status
        )
    if answer.status >= 300 or not envelope.get("success", False):
        raise _error(envelope, answer)
    try:
        return exchange.read(envelope)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise ServerError("the answer has another form than expected", "", answer.status) from None


def wait_before_retry(
    exchange: Exchange[Any], failure: RapidaError, attempt: int, retries: int
) -> float | None:
    """Seconds until the exchange is tried again; None: it is not. `attempt` counts from 0.

    What has not been sent may always be sent again; what may have been done, only if it is
    repeatable.
    """
    if attempt >= retries:
        return None
    wait = _FIRST_WAIT * 2**attempt
    if isinstance(failure, ConnectionFailed):
        return wait if exchange.repeatable or not failure.sent else None
    if isinstance(failure, RateLimitError):
        wait = max(wait, failure.retry_after)  # nothing was done
        return wait if wait <= LONGEST_WAIT else None
    return wait if failure.status in _AGAIN and exchange.repeatable else None


def headers(api_key: str, exchange: Exchange[Any]) -> dict[str, str]:
    """Of every request."""
    given = {"x-api-key": api_key, "Accept": "application/json", "User-Agent": "rapida_tw"}
    if exchange.body is not None:
        given["Content-Type"] = "application/json"
    return given


def checked_url(url: str) -> str:
    """Without a slash at its end; `ValueError` for what is no http(s) URL of a server."""
    if not _is_server(url):
        raise ValueError("url must be one like http://localhost:9007")
    return url.rstrip("/")


def _is_server(url: str) -> bool:
    """A password in it would be told in every error."""
    if not url.isprintable() or any(one in url for one in " @?#"):
        return False
    try:
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, a name that is none
        return False


def checked_key(api_key: str) -> str:
    """`ValueError` for what can be no key."""
    if not api_key or not api_key.isascii() or not api_key.isprintable():
        raise ValueError("api_key is missing, or has characters that no key has")
    return api_key


def _envelope(answer: Answer) -> dict[str, Any] | None:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _error(envelope: Mapping[str, Any], answer: Answer) -> RapidaError:
    told = envelope.get("error")
    told = told if isinstance(told, dict) else {}
    code, status = str(told.get("errorCode", "")), answer.status
    message = str(told.get("errorMessage") or f"the server answered with HTTP {status}")
    if status == 429:
        return RateLimitError(message, code, _seconds(answer.headers.get("retry-after", "")))
    if status == 401 or code in _NO_KEY or (status == 403 and not code.startswith(_NOT_STARTED)):
        return AuthenticationError(message, code, status)
    if code.startswith(_NOT_STARTED) and len(code) == 7:
        data = envelope.get("data")
        known = data.get("id") if isinstance(data, dict) else None
        return CallNotStartedError(message, code, status, known and str(known))
    kinds = {404: NotFoundError, 409: ConflictError}
    usual = ServerError if status >= 500 or status < 400 else BadRequestError
    return kinds.get(status, usual)(message, code, status)


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 8 else 1.0
