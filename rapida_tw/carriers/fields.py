"""The fields of a carrier's webhook, wherever they stand: in the query, a form or a JSON object."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from rapida_tw.carriers.base import WebhookRequest
from rapida_tw.errors import BadRequest

LONGEST = 128  # characters of a number, a SIP user or a call's id
_LONGEST_VALUE = 4_000  # characters that are kept of any field
_LONGEST_WORD = 40
_OUR_KEY = "x-api-key"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NO_WORD = re.compile(r"[^a-z0-9_.]+")


def fields(request: WebhookRequest) -> dict[str, str]:
    """All fields as printable text, without our API key; the body's stand before the query's.

    A signature covers the body and not always the query. A JSON null is no field; what is nested
    stays JSON.
    """
    told: dict[str, str] = {}
    sources: tuple[Mapping[str, Any], ...] = (request.query, request.form, request.json)
    for source in sources:
        for name, value in source.items():
            if value is not None and name.lower() != _OUR_KEY:
                told[printable(name[:LONGEST])] = printable(_text(value)[:_LONGEST_VALUE])
    return told


def identity(told: Mapping[str, str], *names: str) -> str | None:
    """The first of `names` that is not empty; "" when one is there, None when none is.

    `BadRequest` where it is too long to be a number or the id of a call.
    """
    found: str | None = None
    for name in names:
        value = told.get(name)
        if value is None:
            continue
        if len(value) > LONGEST:
            raise BadRequest(f"{name} is longer than {LONGEST} characters")
        found = value.strip()
        if found:
            break
    return found


def our_uuid(text: str) -> str:
    """The id of a context, as it was given to a carrier; "" where the text is none."""
    found = _UUID.fullmatch(text.strip())
    return found[0].lower() if found else ""


def word(value: str) -> str:
    """A carrier's word as the part of an event's name: lower case, a-z 0-9 _ . and dashes."""
    return _NO_WORD.sub("-", value.lower()).strip("-.")[:_LONGEST_WORD]


def printable(text: str) -> str:
    """`text` without what cannot be printed: control characters, lone surrogates."""
    if text.isprintable():
        return text
    return "".join(character for character in text if character.isprintable())


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
