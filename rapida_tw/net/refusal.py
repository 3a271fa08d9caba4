"""What it means that a vendor was not reached, or refused: a sentence, and whether to try again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from OpenSSL.SSL import Error as TLSError
from service_identity import VerificationError
from twisted.internet.defer import CancelledError, TimeoutError
from twisted.internet.error import (
    ConnectingCancelledError,
    ConnectionClosed,
    ConnectionRefusedError,
    DNSLookupError,
    NoRouteError,
    TCPTimedOutError,
)
from twisted.internet.error import TimeoutError as ConnectTimeoutError
from twisted.python.failure import Failure

from rapida_tw.errors import VendorFailed
from rapida_tw.net.base import Request

LONGEST_REASON = 500  # characters

# 409: a limit of concurrency at some vendors. What is no error at all is a wrong address.
_PASSING = (408, 409, 425, 429)
# Where vendors put their reasons, the most telling first.
_FIELDS = (
    "error_description",
    "error",
    "message",
    "detail",
    "err_msg",
    "reason",
    "error_message",
    "msg",
    "description",
)
_HEADERS = ("dg-error", "x-error-message", "x-dt-error")
_SECRET = 8  # characters; what is shorter is no key, and may be a word of the sentence
_OPEN_HEADERS = ("accept", "content-type", "user-agent", "host")
_SECRET_FIELDS = re.compile("key|token|auth|sign|secret|credential|password", re.IGNORECASE)
_TAG = re.compile(r"<(style|script).*?</\1>|<[^>]*>", re.DOTALL)


def passing(status: int) -> bool:
    """Whether another moment may do, by the HTTP status alone."""
    return status in _PASSING or status >= 500


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the vendor asks for (RFC 9110, section 10.2.3); a date counts from its own."""
    text = headers.get("retry-after", "").strip()
    try:
        if text.replace(".", "", 1).isdigit():
            return float(text)
        then, now = parsedate_to_datetime(text), parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (then - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def reason_in(body: str, headers: Mapping[str, str] | None = None) -> str:
    """The vendor's own words: out of JSON, a header, or what of text or a page can be read."""
    try:
        said = _said(json.loads(body))
    except (ValueError, RecursionError):
        said = ""
    said = said or next((v for name in _HEADERS if (v := (headers or {}).get(name))), "")
    if not said:
        said = _TAG.sub(" ", body)
    return " ".join(said.split())[:LONGEST_REASON]


def _said(value: Any, depth: int = 0) -> str:
    if isinstance(value, str):
        return value
    if depth > 3:
        return ""
    if isinstance(value, list):
        return next((said for one in value[:8] if (said := _said(one, depth + 1))), "")
    if isinstance(value, dict):
        return next((said for f in _FIELDS if (said := _said(value.get(f), depth + 1))), "")
    return ""


def without_secrets(text: str, request: Request) -> str:
    """`text` without the keys that `request` was sent with: some vendors say them back."""
    headers = request.headers.items()
    words = [value for name, value in headers if name.lower() not in _OPEN_HEADERS]
    values = [word for value in (*words, *request.subprotocols) for word in value.split()]
    query = parse_qsl(urlsplit(request.url).query)
    values += [value for name, value in query if _SECRET_FIELDS.search(name)]
    values += [value.rpartition(".")[2] for value in request.subprotocols]
    for secret in sorted(values, key=len, reverse=True):
        if len(secret) >= _SECRET:
            text = text.replace(secret, "***")
    return text


def refused(
    request: Request, host: str, status: int, headers: Mapping[str, str], body: str
) -> VendorFailed:
    """A handshake that was answered with `status`. Names of headers are lower case."""
    reason = without_secrets(reason_in(body, headers), request)
    sentence = f"{host} refused: HTTP {status}"
    if reason:
        sentence += f", {reason}"
    return VendorFailed(sentence, status, passing(status), retry_after(headers))


def unreached(host: str, error: BaseException | None) -> VendorFailed:
    """No connection, or none any more before there was an answer."""
    for why in causes(error):
        if isinstance(why, VerificationError):
            return VendorFailed(f"{host} shows a certificate of another name", retryable=False)
        if isinstance(why, TLSError):
            return VendorFailed(f"{host}: {_tls_reason(why)}", retryable=not _untrusted(why))
    words = next((words for why in causes(error) for kind, words in _WORDS if _is(why, kind)), "")
    unknown = f"was not reached: {type(error).__name__}" if error else "was not reached"
    return VendorFailed(f"{host} {words or unknown}")


_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (DNSLookupError, "was not found: its name is not known to DNS"),
    (ConnectionRefusedError, "was not reached: nothing listens there"),
    (NoRouteError, "was not reached: there is no route to it"),
    (TCPTimedOutError, "was not reached in time"),
    (TimeoutError, "was not reached in time"),
    (ConnectTimeoutError, "was not reached in time"),
    (ConnectingCancelledError, "was not reached in time"),
    (ConnectionClosed, "closed the connection without an answer"),
    (CancelledError, "was not reached in time"),
)


def _is(error: BaseException, kind: type[BaseException]) -> bool:
    return isinstance(error, kind)


def causes(error: BaseException | None) -> list[BaseException]:
    """The error and those in it: Twisted's client packs them into lists of failures."""
    if error is None:
        return []
    reasons = getattr(error, "reasons", ())
    inner = [one.value if isinstance(one, Failure) else one for one in reasons]
    return [error, *(cause for one in inner for cause in causes(one))]


def _tls_reason(error: TLSError) -> str:
    if _untrusted(error):
        return "its certificate is not trusted here"
    words = _tls_words(error)
    return f"TLS failed ({words})" if words else "TLS was cut off"


def _tls_words(error: TLSError) -> str:
    stack = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return ", ".join(entry[-1] for entry in stack if entry)


def _untrusted(error: TLSError) -> bool:
    return "certificate verify failed" in _tls_words(error)
