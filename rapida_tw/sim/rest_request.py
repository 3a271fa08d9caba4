"""What a carrier's REST API reads of a request: who asks, and the fields of a form, strictly."""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Mapping
from email.message import Message
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from rapida_tw.sim.vendors.base import Asked

_URLENCODED = "application/x-www-form-urlencoded"
_DIGITS = re.compile(r"[1-9][0-9]{6,14}")


class BadRequest(Exception):
    """What the carrier does not take: its status, its own code, its words."""

    def __init__(self, status: int, code: int | str, why: str) -> None:
        super().__init__(why)
        self.status, self.code, self.why = status, code, why


def user_of(asked: Asked) -> tuple[str, str]:
    """The user and password of HTTP Basic; two empty ones where there are none."""
    kind, _, coded = asked.headers.get("authorization", "").partition(" ")
    try:
        text = b64decode(coded.strip(), validate=True).decode() if kind == "Basic" else ""
    except (binascii.Error, ValueError):
        return "", ""
    user, _, password = text.partition(":")
    return user, password


def bearer_of(asked: Asked) -> str:
    """The token of `Authorization: Bearer`; "" where there is none."""
    kind, _, token = asked.headers.get("authorization", "").partition(" ")
    return token.strip() if kind == "Bearer" else ""


def media_type(asked: Asked) -> str:
    """Of the body, without parameters, lower case."""
    return asked.headers.get("content-type", "").partition(";")[0].strip().lower()


def form_of(asked: Asked) -> list[tuple[str, str]]:
    """The fields in their order, repeated ones too; nothing of a body that is no form."""
    if media_type(asked) == _URLENCODED:
        try:
            return parse_qsl(asked.body.decode("ascii"), keep_blank_values=True)
        except ValueError:
            return []
    if media_type(asked) == "multipart/form-data":
        return _parts(asked)
    return []


def _parts(asked: Asked) -> list[tuple[str, str]]:
    """RFC 7578."""
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode("latin-1")
    whole = BytesParser().parsebytes(head + asked.body)
    fields = []
    for part in whole.get_payload() if whole.is_multipart() else ():
        if not isinstance(part, Message):
            continue
        name = part.get_param("name", header="content-disposition")
        body = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(body, bytes):
            fields.append((name, body.decode("utf-8", "replace")))
    return fields


def json_of(asked: Asked) -> Any:
    """The JSON of the body; None for what is none, or is not called so."""
    if media_type(asked) != "application/json":
        return None
    try:
        return json.loads(asked.body)
    except (ValueError, RecursionError):
        return None


def is_url(text: Any, *schemes: str) -> bool:
    """An absolute address, with a host name that has no underscore."""
    if not isinstance(text, str):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    host = parts.hostname or ""
    return parts.scheme in (schemes or ("http", "https")) and bool(host) and "_" not in host


def is_e164(text: Any) -> bool:
    """With its plus."""
    return isinstance(text, str) and text[:1] == "+" and bool(_DIGITS.fullmatch(text[1:]))


def is_digits(text: Any) -> bool:
    """E.164 without its plus."""
    return isinstance(text, str) and bool(_DIGITS.fullmatch(text))


def whole_number(fields: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    """A field that is a number of that range; None where it is not given; `ValueError`."""
    text = fields.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise ValueError(f"{name} must be from {least} to {most}")
    return int(text)
