"""What the declarative recogniser and the declarative voice have in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from rapida_tw.account import Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.net.base import Request

T = TypeVar("T")

_ENCODINGS: Mapping[str, Encoding] = {
    "linear16": Encoding.LINEAR16,
    "mulaw8": Encoding.MULAW,
    "mulaw": Encoding.MULAW,
    "alaw": Encoding.ALAW,
}
WEBSOCKET, HTTP = "websocket_v1", "http_v1"
# What a base URL may begin with, and what it becomes.
_SCHEMES = {
    WEBSOCKET: {"wss": "wss", "ws": "ws", "https": "wss", "http": "ws"},
    HTTP: {"https": "https", "http": "http"},
}


def encoding_named(name: str) -> Encoding:
    """ValueError for one that is not known."""
    found = _ENCODINGS.get(name.lower())
    if found is None:
        raise ValueError("audio.encoding must be LINEAR16 or MuLaw8")
    return found


def rules(make: Callable[[], T], of: str) -> T:
    """What `make` makes; its ValueError becomes `MisconfiguredAssistant`."""
    try:
        return make()
    except ValueError as error:
        raise MisconfiguredAssistant(f"{of}: {error}") from None


def compatibility(account: Account) -> str:
    """How its credential says that it is spoken to."""
    return account.first("apiCompatibility", "api_compatibility") or WEBSOCKET


def address(
    account: Account,
    query: Mapping[str, Any] | None,
    of: str,
    known: Sequence[str] = (WEBSOCKET,),
) -> Request:
    """Where its credential says that it is; `MisconfiguredAssistant` names what is wrong.

    `known`: the compatibilities that are supported.
    """
    kind = compatibility(account)
    if kind not in known:
        raise MisconfiguredAssistant(
            f"{of}: apiCompatibility must be {' or '.join(known)}; {kind} is not supported"
        )
    schemes = _SCHEMES[kind]
    scheme, _, rest = account.base_url("").partition("://")
    url = f"{schemes.get(scheme)}://{rest}"
    if scheme not in schemes or not urlsplit(url).hostname:
        first = next(iter(schemes))
        raise MisconfiguredAssistant(f"{of} needs a baseUrl that begins with {first}://")
    if query:
        url += ("&" if urlsplit(url).query else "?") + urlencode(query, doseq=True)
    return Request(url, headers=_headers(account, of))


def _headers(account: Account, of: str) -> dict[str, str]:
    given = account.first("headers")
    try:
        headers = json.loads(given) if given else {}
    except ValueError:
        headers = None
    if not isinstance(headers, dict):
        raise MisconfiguredAssistant(f"{of}: headers must be a JSON object of texts")
    return {str(name): str(value) for name, value in headers.items()}
