"""Requests as carriers send them, and invitations as calls are given."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.etree import ElementTree

from rapida_tw.carriers.base import Document, IncomingCall, Invitation, WebhookRequest

DATA = Path(__file__).parents[1] / "data"
HOST = "voice.example.com"
CONTEXT = "7d8f4c0e-2a5b-4b5e-9d3a-0c1d2e3f4a5b"
HOSTILE = (
    '"><Say>injected</Say><Parameter name="',
    "]]></Response><Reject/>",
    "<!-- & &amp; &lt; -->",
    "\0\x0b\x1f\ufffe\ud800x",
    "'\" onload='",
    "line\r\nbreak\ttab",
)


def get(url: str, **headers: str) -> WebhookRequest:
    """A GET of `url`; names of headers with _ for -."""
    return _request("GET", url, {}, b"", headers)


def post(
    url: str, fields: Mapping[str, str] | Iterable[tuple[str, str]], **headers: str
) -> WebhookRequest:
    """A form."""
    pairs = list(fields.items()) if isinstance(fields, Mapping) else list(fields)
    headers = {"content_type": "application/x-www-form-urlencoded; charset=UTF-8"} | headers
    return _request("POST", url, dict(pairs), urlencode(pairs).encode(), headers)


def post_json(url: str, body: bytes, **headers: str) -> WebhookRequest:
    """A JSON object."""
    headers = {"content_type": "application/json"} | headers
    return _request("POST", url, {}, body, headers, json.loads(body))


def _request(
    method: str,
    url: str,
    form: Mapping[str, str],
    body: bytes,
    headers: Mapping[str, str],
    value: Mapping[str, Any] | None = None,
) -> WebhookRequest:
    parts = urlsplit(url)
    return WebhookRequest(
        method,
        parts.path,
        dict(parse_qsl(parts.query, keep_blank_values=True)),
        form,
        {name.replace("_", "-"): text for name, text in headers.items()},
        body,
        value or {},
        url,
    )


def invitation(caller: str = "+15550100001", host: str = HOST, carrier: str = "") -> Invitation:
    path = f"{host}/v1/talk/{carrier}/ctx/{CONTEXT}"
    return Invitation(
        CONTEXT,
        f"wss://{path}",
        f"https://{path}/event",
        123,
        456,
        IncomingCall(carrier, caller),
    )


def parsed(document: Document) -> ElementTree.Element:
    """The root of an XML document."""
    return ElementTree.fromstring(document.body)


def shape(document: Document) -> list[str]:
    """The names of all elements, in their order: what no text may change."""
    return [element.tag for element in parsed(document).iter()]


def stream(carrier: str) -> list[bytes]:
    """The messages of a media socket, one of each kind, as the carrier documents them."""
    return (DATA / carrier / "stream.jsonl").read_bytes().splitlines()
