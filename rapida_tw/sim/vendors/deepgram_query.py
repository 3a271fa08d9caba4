"""What Deepgram reads of the query of a handshake, and of a text message; both versions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rapida_tw.sim.vendors.base import Asked

REQUEST_ID = "3f2c9a52-6a0f-4a51-9a0e-7c1e0c2d4b11"
_MOST_TOKENS = 500
_FLAGS = {"": False, "true": True, "false": False}


class BadQuery(Exception):
    """What is answered with 400."""


class Query:
    """The fields of one handshake; each method raises `BadQuery`."""

    def __init__(self, asked: Asked) -> None:
        self.fields = asked.query

    def known(self, *names: str) -> None:
        """There are no others."""
        for name in self.fields:
            if name not in names:
                raise BadQuery(f"Invalid query parameter: {name}")

    def text(self, name: str) -> str:
        """The first value; "" when there is none."""
        return self.fields.get(name, [""])[0]

    def flag(self, name: str) -> bool:
        value = self.text(name)
        if value not in _FLAGS:
            raise BadQuery(f"Invalid value for {name}: {value}")
        return _FLAGS[value]

    def number(self, name: str, low: float, high: float) -> float:
        """In its range; 0.0 when there is none or it is "false"."""
        value = self.text(name)
        if value in ("", "false"):
            return 0.0
        try:
            number = float(value)
        except ValueError:
            raise BadQuery(f"Invalid value for {name}: {value}") from None
        if not low <= number <= high:
            raise BadQuery(f"Invalid value for {name}: {value} is not {low:g} to {high:g}")
        return number

    def audio(self) -> tuple[str, int]:
        """Encoding and rate; streams in containers are not heard here."""
        encoding = self.text("encoding")
        if encoding not in ("linear16", "mulaw", "alaw"):
            raise BadQuery(f"Invalid value for encoding: {encoding!r}")
        if not self.text("sample_rate"):
            raise BadQuery("encoding needs sample_rate")
        return encoding, int(self.number("sample_rate", 8_000, 48_000))


def json_of(message: bytes) -> dict[str, Any]:
    """The object of a message; empty when it is none."""
    try:
        value = json.loads(message)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def all_texts(value: Any) -> bool:
    """A list of texts."""
    return isinstance(value, list) and all(isinstance(one, str) and one for one in value)


def too_many(terms: Sequence[str]) -> bool:
    """More than 500 tokens, of two characters each at least."""
    return sum(-(-len(term) // 2) for term in terms) > _MOST_TOKENS
