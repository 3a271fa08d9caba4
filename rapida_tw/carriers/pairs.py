"""The fields of a query or a form with what is repeated, as signatures cover them."""

from __future__ import annotations

from urllib.parse import parse_qsl

from rapida_tw.carriers.base import WebhookRequest
from rapida_tw.errors import Forged

_FORM = "application/x-www-form-urlencoded"
_MOST = 200  # fields; carriers send some 40

Pairs = list[tuple[str, str]]


def pairs(encoded: str) -> Pairs:
    """Decoded names and values in their order, empty ones too; `Forged` for a flood of them."""
    try:
        return parse_qsl(encoded, keep_blank_values=True, max_num_fields=_MOST)
    except ValueError:
        raise Forged(f"more than {_MOST} fields") from None


def form(request: WebhookRequest) -> Pairs | None:
    """The fields of an urlencoded body; None where the body is of another kind."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return pairs(request.body.decode("utf-8", "replace")) if kind == _FORM else None
