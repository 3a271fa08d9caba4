"""The model "websocket": an agent of the user's own, as Rapida's WebSocket assistants have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import NOBODY, Account
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.models.agent_line import Greeting, SocketAgent
from rapida_tw.models.base import Model, ModelProvider
from rapida_tw.models.exchange import extra_headers
from rapida_tw.models.provider import KEYS
from rapida_tw.net.base import Request
from rapida_tw.options import read, within
from rapida_tw.speech.base import Host

VENDOR = "The WebSocket agent"
_PREFIX = "websocket."
_SOCKETS = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


@dataclass(frozen=True)
class WebSocketAgentOptions:
    """`params` go into the query; `metadata` to the agent as they are."""

    url: str = ""  # unless the credential has one
    headers: dict[str, str] = field(default_factory=dict)  # those of the credential come first
    params: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    assistant_id: int = 0
    first_word_within: float = 10.0  # seconds

    def __post_init__(self) -> None:
        within("first_word_within", self.first_word_within, 0.5, 60.0)


class WebSocketAgentProvider:
    """Credential, at will: `url`, `headers` as JSON, `key` (sent as a bearer token)."""

    vendor = VENDOR
    description = "Your own agent: a program that speaks JSON over a WebSocket, one a call"
    options = WebSocketAgentOptions

    def __init__(self, host: Host) -> None:
        self._host = host

    def open(self, options: Mapping[str, Any], account: Account = NOBODY) -> Model:
        given = {
            key.removeprefix(_PREFIX): value
            for key, value in options.items()
            if not key.endswith("credential_id")  # who pays is the vault's matter
        }
        chosen = read(self.options, given, "model.", self.vendor)
        host = self._host
        return SocketAgent(
            host.net,
            host.clock,
            host.now,
            self.vendor,
            Request(_address(chosen, account), headers=_headers(chosen, account)),
            Greeting(chosen.assistant_id, chosen.metadata),
            chosen.first_word_within,
        )

    def stop(self) -> Deferred[None]:
        return succeed(None)


def _address(options: WebSocketAgentOptions, account: Account) -> str:
    # Not `base_url`: a slash at the end is another path.
    url = account.first("url", "base_url", "baseUrl", "endpoint") or options.url
    if not url:
        raise MisconfiguredAssistant("a websocket agent needs a url, in its credential or options")
    try:
        parts = urlsplit(url)
        named = parts.scheme in _SOCKETS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    if not named:
        raise MisconfiguredAssistant("the url of a websocket agent must begin with wss:// or ws://")
    # Not every server reads a plus as a space.
    query = urlencode({name: str(value) for name, value in options.params.items()}, quote_via=quote)
    query = "&".join(filter(None, (parts.query, query)))
    return urlunsplit((_SOCKETS[parts.scheme], parts.netloc, parts.path, query, ""))


def _headers(options: WebSocketAgentOptions, account: Account) -> Mapping[str, str]:
    headers = {str(name): str(value) for name, value in options.headers.items()}
    headers |= extra_headers(account)
    key = account.first(*KEYS)
    if key and not any(name.lower() == "authorization" for name in headers):
        headers["Authorization"] = f"Bearer {key}"
    return headers


_conforms: type[ModelProvider] = WebSocketAgentProvider
