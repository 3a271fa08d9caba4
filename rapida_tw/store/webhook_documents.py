"""Assistants' webhooks as JSON documents: read, checked, and kept in one spelling.

Rapida's names of the options are taken too (`http_url`, `max_retry_count`, ...). The secret and the
values of headers are not kept here: `webhook_secrets.py` seals them, and `MASK` stands for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from rapida_tw.store.reading import Check, Reading, flag, number, reference, text, whole
from rapida_tw.store.records import JSON

PROVIDER = "webhook"  # of the credential that a webhook's secrets are in
HEADER = "header."  # how the keys of its headers begin there
MASK = "***"
MOST = 10  # webhooks of an assistant
MOST_HEADERS = 32
MOST_EVENTS = 50
MOST_RETRIES = 20
USUAL_RETRIES = 9  # ten attempts in about ten hours
LONGEST_URL = 2_000  # characters
SHORTEST_SECRET, LONGEST_SECRET = 16, 500  # characters
LONGEST_HEADER = 4_000  # characters of a value

METHODS = ("POST", "PUT", "PATCH", "GET")

# What a receiver may ask for; docs/webhooks.rst says when each comes.
EVENTS = (
    "ping",
    "call.received",
    "call.queued",
    "call.outbound_requested",
    "call.outbound_dispatched",
    "call.outbound_dispatch_failed",
    "call.ringing",
    "call.answered",
    "call.connected",
    "call.transferred",
    "call.ended",
    "call.failed",
    "machine.human",
    "machine.machine",
    "machine.beep",
    "machine.silence",
    "machine.fax",
    "machine.unknown",
    "conversation.completed",
)
# Other names for them: of our history, and of Rapida's webhooks.
ALIASES = {
    "webhook": "call.received",
    "channel_created": "call.outbound_dispatched",
    "call.provider_answered": "call.answered",
    "call.started": "call.connected",
    "conversation.begin": "call.connected",
    "call.hangup": "call.ended",
    "call.cancelled": "call.failed",
    "conversation.error": "call.failed",
}

_SPELLINGS = {
    "http_url": "url",
    "http_method": "method",
    "http_headers": "headers",
    "assistant_events": "events",
    "retry_status_codes": "retryStatusCodes",
    "max_retry_count": "maxRetries",
    "timeout_seconds": "timeoutSeconds",
}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,60}")  # RFC 9110, section 5.6.2
# What the request itself decides, and what the receiver must be able to trust.
_OURS = frozenset(
    "host content-length content-type transfer-encoding connection te trailer upgrade expect "
    "keep-alive user-agent proxy-authorization".split()
)
_OUR_PREFIX = "x-rapida-"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where an assistant's events go.

    `headers`: names only. `timeout`: seconds; None: the server's. `events`: names and
    prefixes such as `call.*`; empty: all.
    """

    url: str
    method: str = "POST"
    headers: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    credential_id: int | None = None
    retry_status_codes: tuple[int, ...] = ()
    max_retries: int = USUAL_RETRIES
    timeout: float | None = None
    enabled: bool = True

    def wants(self, event: str) -> bool:
        """Whether it is to be told; of a ping always."""
        return not self.events or event == "ping" or any(_covers(one, event) for one in self.events)


def webhooks(value: Any) -> tuple[JSON, ...]:
    """Reads the list of an assistant's document: `Check` of `Reading.value`."""
    if not isinstance(value, list) or len(value) > MOST:
        raise ValueError(f"must be a list of at most {MOST} objects")
    mistakes: list[str] = []
    found = tuple(_webhook(one, f"[{at}]", mistakes) for at, one in enumerate(value))
    if mistakes:
        raise ValueError(f"has mistakes: {', '.join(mistakes)}")
    return found


def webhook(stored: JSON) -> Webhook | None:
    """What `webhooks` has read, as it was kept.

    None for what older versions took without a look.
    """
    try:
        (read,) = webhooks([{key: stored[key] for key in stored if key != "secret"}])
    except (ValueError, TypeError):
        return None
    return Webhook(
        read["url"],
        read["method"],
        tuple(read["headers"]),
        tuple(read["events"]),
        reference(read["credentialId"] or ""),
        tuple(read["retryStatusCodes"]),
        read["maxRetries"],
        read["timeoutSeconds"],
        read["enabled"],
    )


def _webhook(document: object, path: str, mistakes: list[str]) -> JSON:
    if isinstance(document, dict):
        document = _respelled(document, path, mistakes)
    reading = Reading(document, path, mistakes)
    reading.skip("secretSet")
    if isinstance(document, dict) and document.get("url") is None:
        reading.skip("url")
        reading.wrong("url", "is required")
    credential = reading.value("credentialId", reference, None, None)
    no_headers: dict[str, str] = {}
    no_events: list[str] = []
    no_codes: list[int] = []
    found: dict[str, Any] = {
        "url": reading.value("url", _url, "", ""),
        "method": reading.value("method", _method, "POST", "POST"),
        "headers": reading.value("headers", _headers, no_headers, no_headers),
        "events": reading.value("events", _events, no_events, no_events),
        "credentialId": None if credential is None else str(credential),
        "retryStatusCodes": reading.value("retryStatusCodes", _codes, no_codes, no_codes),
        "maxRetries": reading.value(
            "maxRetries", whole(0, MOST_RETRIES), USUAL_RETRIES, USUAL_RETRIES
        ),
        "timeoutSeconds": reading.value("timeoutSeconds", number(1, 60), None, None),
        "enabled": reading.value("enabled", flag, True, True),
        "description": reading.value("description", text(500), "", ""),
    }
    disabled = reading.value("disabledReason", text(500), "", "")
    if disabled and not found["enabled"]:
        found["disabledReason"] = disabled
    secret = reading.value("secret", _secret, "", "")
    if secret:
        found["secret"] = secret
    reading.close()
    return found


def _respelled(document: Mapping[str, Any], path: str, mistakes: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in document.items():
        ours = _SPELLINGS.get(key, key)
        if ours in found:
            mistakes.append(f"{path}.{ours} stands there twice, in both spellings")
        found[ours] = value
    return found


def _url(value: Any) -> str:
    wanted = ValueError(
        f"must be an http or https URL of at most {LONGEST_URL} characters, without user name, "
        "password or fragment"
    )
    if not isinstance(value, str) or len(value) > LONGEST_URL:
        raise wanted
    if not value.isascii() or not value.isprintable() or set(value) & set(' \\<>"{}|^`'):
        raise wanted
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise wanted from None
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise wanted
    if "@" in parts.netloc or "#" in value:
        raise wanted
    return value


def _method(value: Any) -> str:
    if isinstance(value, str) and value.upper() in METHODS:
        return value.upper()
    raise ValueError(f"must be one of {', '.join(METHODS)}")


def _headers(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MOST_HEADERS:
        raise ValueError(f"must be an object of at most {MOST_HEADERS} texts")
    seen = set()
    for name, content in value.items():
        lower = name.lower()
        if not _TOKEN.fullmatch(name):
            raise ValueError("has a name that no header can have")
        if lower in _OURS or lower.startswith(_OUR_PREFIX) or lower in seen:
            raise ValueError(f"must not set {name}, or not twice")
        seen.add(lower)
        if not isinstance(content, str) or not 0 < len(content) <= LONGEST_HEADER:
            raise ValueError(f"must have a text of 1 to {LONGEST_HEADER} characters for {name}")
        if not content.isascii() or not content.isprintable():
            raise ValueError(f"has characters for {name} that no header can have")
    return dict(value)


def _events(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > MOST_EVENTS:
        raise ValueError(f"must be a list of at most {MOST_EVENTS} names")
    for one in value:
        if not isinstance(one, str) or not any(_covers(one, known) for known in EVENTS):
            raise ValueError(f"must be names or prefixes (call.*) of {', '.join(EVENTS)}")
    return list(dict.fromkeys(value))


def _covers(wanted: str, event: str) -> bool:
    if wanted.endswith("*"):
        return event.startswith(wanted[:-1])
    return ALIASES.get(wanted, wanted) == event


def _codes(value: Any) -> list[int]:
    status = whole(300, 599)
    if not isinstance(value, list) or len(value) > MOST_EVENTS:
        raise ValueError(f"must be a list of at most {MOST_EVENTS} HTTP status codes")
    # Rapida's are texts.
    digits = (int(one) if isinstance(one, str) and _is_code(one) else one for one in value)
    return sorted({status(one) for one in digits})


def _is_code(word: str) -> bool:
    return len(word) == 3 and word.isascii() and word.isdigit()


def _secret(value: Any) -> str:
    plain = isinstance(value, str) and value.isascii() and value.isprintable()
    if plain and SHORTEST_SECRET <= len(value) <= LONGEST_SECRET:
        return str(value)
    raise ValueError(
        f"must be a text of {SHORTEST_SECRET} to {LONGEST_SECRET} printable ASCII characters"
    )


_conforms: Check[tuple[JSON, ...]] = webhooks
