"""What Twilio, Plivo and Telnyx read of a server's JSON messages, strictly."""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from rapida_tw.audio.g711 import MULAW

_SHOWN = 40  # characters of a bad value


class BadMessage(Exception):
    """A message that the carrier does not understand; the text is what it would warn of."""


def read(message: str) -> dict[str, Any]:
    """The object of a message, which says its event."""
    try:
        value = json.loads(message)
    except (ValueError, RecursionError):
        raise BadMessage("no JSON") from None
    if not isinstance(value, dict):
        raise BadMessage("JSON, but no object")
    if not isinstance(value.get("event"), str):
        raise BadMessage("no event")
    return value


def part(message: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The object below `name`."""
    value = message.get(name)
    if not isinstance(value, dict):
        raise BadMessage(f"{message['event']} without {name}")
    return value


def name(fields: Mapping[str, Any]) -> str:
    """A mark's name: text, and not empty."""
    value = fields.get("name")
    if not isinstance(value, str) or not value:
        raise BadMessage("a mark without a name")
    return value


def payload(fields: Mapping[str, Any]) -> bytes:
    """Base64 with nothing that does not belong there, and not empty."""
    value = fields.get("payload")
    if not isinstance(value, str):
        raise BadMessage("media without payload")
    try:
        decoded = binascii.a2b_base64(value, strict_mode=True)
    except (binascii.Error, ValueError):
        raise BadMessage("payload that is no base64") from None
    if not decoded:
        raise BadMessage("an empty payload")
    return decoded


def unknown(event: str) -> BadMessage:
    """There is no such event."""
    return BadMessage(f"the event {event[:_SHOWN]!r}")


def to_mulaw(audio: bytes) -> str:
    """int16, little-endian, to base64 of µ-law."""
    law = MULAW.encode(np.frombuffer(audio, "<i2").astype(np.int16, copy=False))
    return binascii.b2a_base64(law, newline=False).decode()


def from_mulaw(law: bytes) -> bytes:
    """µ-law to int16, little-endian."""
    return MULAW.decode(law).astype("<i2", copy=False).tobytes()
