"""What a vendor or a carrier says when it refuses: its words, its wait, and no secret of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

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
