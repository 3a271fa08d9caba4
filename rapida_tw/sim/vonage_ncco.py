"""Vonage's reading of an NCCO, as far as a call to a WebSocket needs it ("NCCO reference").

A document that Vonage would not take ends the call: it is not mended here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from rapida_tw.sim.phone import CallFailed

LONGEST_HEADERS = 512  # bytes of an endpoint's custom headers, as JSON
RATES = {f"audio/l16;rate={rate}": rate for rate in (8_000, 16_000, 24_000)}  # Hz
_ACTIONS = frozenset("connect conversation input notify record stream talk transfer wait".split())
_METHODS = ("GET", "POST")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The WebSocket that an NCCO asks for. `headers` come back in its first message."""

    uri: str
    rate: int  # Hz
    headers: Mapping[str, Any] = field(default_factory=dict)
    event_url: str = ""
    event_method: str = "POST"
    authorization: Mapping[str, str] = field(default_factory=dict, repr=False)


def read_ncco(actions: Any) -> Endpoint:
    """The endpoint of its one `connect`; `CallFailed` for an apology, and for what is invalid."""
    if not isinstance(actions, list) or not actions:
        raise CallFailed("the NCCO is no list of actions")
    connects = []
    for action in actions:
        if not isinstance(action, dict) or action.get("action") not in _ACTIONS:
            raise CallFailed(f"no action of an NCCO: {str(action)[:80]}")
        if action["action"] == "connect":
            connects.append(action)
    if not connects:
        said = [str(action.get("text")) for action in actions if action["action"] == "talk"]
        raise CallFailed(f"the caller hears: {' '.join(said)}" if said else "no connect action")
    if len(connects) > 1:
        raise CallFailed("two connect actions")
    return read_connect(connects[0])


def read_connect(connect: Mapping[str, Any]) -> Endpoint:
    """The WebSocket of a `connect`; `CallFailed` says why it is none."""
    endpoints = connect.get("endpoint")
    if not isinstance(endpoints, list) or len(endpoints) != 1:
        raise CallFailed("connect needs a list of exactly one endpoint")
    endpoint = endpoints[0]
    if not isinstance(endpoint, dict) or endpoint.get("type") != "websocket":
        raise CallFailed("the endpoint is no WebSocket")
    uri = endpoint.get("uri")
    if not isinstance(uri, str) or not _is_url(uri, "wss", "ws"):
        raise CallFailed(f"no WebSocket's address: {uri!r}")
    rate = RATES.get(str(endpoint.get("content-type")).replace(" ", "").lower())
    if rate is None:
        raise CallFailed(f"no content-type of a WebSocket: {endpoint.get('content-type')!r}")
    headers = endpoint.get("headers", {})
    if not isinstance(headers, dict):
        raise CallFailed("headers are no object")
    size = len(json.dumps(headers, separators=(",", ":")).encode())
    if size > LONGEST_HEADERS:
        raise CallFailed(f"{size} bytes of headers")
    method = connect.get("eventMethod", "POST")
    if method not in _METHODS:
        raise CallFailed(f"no eventMethod: {method!r}")
    return Endpoint(
        uri,
        rate,
        headers,
        _event_url(connect.get("eventUrl")),
        method,
        _authorization(endpoint.get("authorization")),
    )


def _event_url(urls: Any) -> str:
    if urls is None:
        return ""
    if not isinstance(urls, list) or len(urls) != 1 or not _is_url(urls[0], "https", "http"):
        raise CallFailed(f"eventUrl is no list of one address: {urls!r}")
    return str(urls[0])


def _authorization(given: Any) -> Mapping[str, str]:
    if given is None:
        return {}
    kind = given.get("type") if isinstance(given, dict) else None
    if kind == "vonage" or (kind == "custom" and isinstance(given.get("value"), str)):
        found: Mapping[str, str] = given
        return found
    raise CallFailed("no authorization of a WebSocket")


def _is_url(url: Any, *schemes: str) -> bool:
    return isinstance(url, str) and urlsplit(url).scheme in schemes and bool(urlsplit(url).netloc)
