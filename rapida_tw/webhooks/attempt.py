"""One attempt of a delivery: its request, and what its answer means. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from rapida_tw.errors import VendorFailed
from rapida_tw.net.base import Request
from rapida_tw.net.reasons import retry_after
from rapida_tw.store.deliveries import DELIVERED, FAILED, WAITING, Delivery
from rapida_tw.store.webhook_documents import HEADER as SEALED_HEADER
from rapida_tw.store.webhook_documents import Webhook
from rapida_tw.webhooks.signature import HEADER, signature

USER_AGENT = "rapida_tw-webhooks/1"
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 6 * 3600.0  # seconds
_GROWTH = 2.85  # so that nine pauses lead from one to the other
_JITTER = 0.2  # of a pause, more or less: receivers that come back are not overrun at once

_PASSING = (408, 425, 429)
_GONE = 410


def request(
    delivery: Delivery, webhook: Webhook, value: Mapping[str, str], secrets: Sequence[str], now: int
) -> Request:
    """Signed now; the body is the same in all attempts."""
    headers = {name: value.get(f"{SEALED_HEADER}{name}", "") for name in webhook.headers}
    payload = json.dumps(delivery.body, separators=(",", ":")).encode()
    url, signed = webhook.url, payload
    if webhook.method == "GET":
        # A GET's body is read by few: what it is about is in the query.
        query = urlencode(
            {
                "event": delivery.event,
                "eventId": delivery.event_id,
                "assistantId": delivery.assistant_id,
                "conversationId": delivery.conversation_id or "",
            }
        )
        url, payload, signed = f"{url}{'&' if '?' in url else '?'}{query}", b"", query.encode()
    else:
        headers["Content-Type"] = "application/json"
    headers |= {
        "User-Agent": USER_AGENT,
        "X-Rapida-Event": delivery.event,
        "X-Rapida-Delivery": delivery.event_id,
        HEADER: signature(secrets, now, signed),
    }
    return Request(url, webhook.method, headers, payload, once=True)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`pause`: seconds until the next attempt, of one that is to be made. `gone`: for good."""

    state: str
    error: str = ""
    pause: float = 0.0
    gone: bool = False


def judged(
    webhook: Webhook, attempts: int, status: int, headers: Mapping[str, str], spread: float
) -> Verdict:
    """An answer, to the attempt with that number (from 1); `spread`: random, 0 to 1."""
    if 200 <= status < 300:
        return Verdict(DELIVERED)
    if status == _GONE and status not in webhook.retry_status_codes:
        return Verdict(FAILED, "the receiver is gone: its webhook was switched off", gone=True)
    error = f"HTTP {status}"
    if 300 <= status < 400:
        error += ": redirects are not followed"
    if status < 500 and status not in _PASSING and status not in webhook.retry_status_codes:
        return Verdict(FAILED, error)
    return _again(webhook, attempts, error, spread, retry_after(headers) or 0.0)


def unanswered(webhook: Webhook, attempts: int, failure: VendorFailed, spread: float) -> Verdict:
    """There was no answer."""
    if not failure.retryable:
        return Verdict(FAILED, str(failure))
    return _again(webhook, attempts, str(failure), spread)


def _again(
    webhook: Webhook, attempts: int, error: str, spread: float, asked: float = 0.0
) -> Verdict:
    if attempts > webhook.max_retries:
        return Verdict(FAILED, error)
    return Verdict(WAITING, error, max(pause(attempts, spread), min(asked, LONGEST_PAUSE)))


def pause(attempts: int, spread: float) -> float:
    """Seconds after so many attempts (from 1): from 5 s to 6 h, a fifth more or less."""
    usual = min(LONGEST_PAUSE, FIRST_PAUSE * _GROWTH ** min(attempts - 1, 20))
    return usual * (1 - _JITTER + 2 * _JITTER * spread)
