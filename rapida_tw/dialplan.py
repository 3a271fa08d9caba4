"""Asterisk configuration that works: what `rapida dialplan` prints and conf/asterisk holds.

The pieces are in rapida_tw/asterisk; here is which of them make which file, and what is filled in.
The tests of tests/interop run these very files in a real Asterisk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Final

AUDIOSOCKET: Final = "audiosocket"
WEBSOCKET: Final = "websocket"
SIP: Final = "sip"

# Each of Asterisk's files, and the pieces it may have, in their order.
_FILES: Final[Mapping[str, tuple[str, ...]]] = {
    "extensions.conf": (
        "globals",
        "curl",
        "register",
        "inbound",
        "failover",
        "wideband",
        "inbound-websocket",
        "inbound-sip",
        "outbound",
        "outbound-websocket",
        "next",
        "transfer",
    ),
    "modules.conf": (
        "modules",
        "modules-audiosocket",
        "modules-http",
        "modules-websocket",
        "modules-sip",
        "modules-ari",
    ),
    "pjsip.conf": ("pjsip",),
    "websocket_client.conf": ("websocket_client",),
    "http.conf": ("http",),
    "ari.conf": ("ari",),
}
_COMMON: Final = frozenset({"transfer", "modules"})
# What asks the server over HTTP.
_ASKING: Final = frozenset({"globals", "curl", "next"})
_TRANSPORT: Final[Mapping[str, frozenset[str]]] = {
    AUDIOSOCKET: _ASKING | {"modules-audiosocket"},
    WEBSOCKET: _ASKING | {"modules-http", "modules-websocket", "websocket_client"},
    SIP: frozenset({"modules-sip", "pjsip"}),
}
_INBOUND: Final[Mapping[str, frozenset[str]]] = {
    AUDIOSOCKET: frozenset({"register", "inbound", "failover", "wideband"}),
    WEBSOCKET: frozenset({"register", "inbound-websocket"}),
    SIP: frozenset({"inbound-sip"}),
}
# In Stasis mode Asterisk needs nothing more; the context is for dialplan mode.
_ARI: Final = frozenset({"modules-http", "modules-ari", "http", "ari"})
_OUTBOUND: Final[Mapping[str, frozenset[str]]] = {
    AUDIOSOCKET: _ARI | {"outbound"},
    WEBSOCKET: _ARI | {"outbound-websocket"},
    SIP: frozenset(),  # the server's calls enter where transfers do
}
TRANSPORTS: Final = tuple(_TRANSPORT)

# Anything else would end a line, begin a comment or be expanded by Asterisk.
_VALUE: Final = re.compile(r"[A-Za-z0-9._~:/@+\[\]-]+")


@dataclass(frozen=True, slots=True)
class Settings:
    """What is filled in. `ValueError` for a value that Asterisk's files cannot hold."""

    url: str = "https://voice.example.com"  # of the server's HTTP side, without a path
    audiosocket_host: str = "voice.example.com"
    audiosocket_port: int = 4573
    url_spare: str = "https://voice2.example.com"  # of a second server
    audiosocket_spare: str = "voice2.example.com:4573"
    assistant_id: str = "1234567890"
    api_key: str = "rpd-your-api-key"
    sip_host: str = "voice.example.com"
    sip_port: int = 5090
    pjsip_port: int = 5060  # where Asterisk listens
    trunk_password: str = "choose-a-password"
    ari_port: int = 8088
    ari_password: str = "choose-a-password"

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not _VALUE.fullmatch(str(value)):
                raise ValueError(f"{name}: {value!r} cannot stand in Asterisk's configuration")
        for url in (self.url, self.url_spare):
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"{url!r} is neither http:// nor https://")

    def values(self) -> dict[str, str]:
        """The text of each placeholder, `@name@` in the pieces."""
        values = {name: str(value) for name, value in asdict(self).items()}
        values["url"] = self.url.rstrip("/")
        values["url_spare"] = self.url_spare.rstrip("/")
        values["websocket_url"] = "ws" + values["url"].removeprefix("http")
        values["tls"] = "yes" if self.url.startswith("https:") else "no"
        return values


def every_file(settings: Settings) -> dict[str, str]:
    """All files with all their pieces, as conf/asterisk holds them: text by name."""
    return {name: _fill(pieces, settings) for name, pieces in _FILES.items()}


def some_files(settings: Settings, transport: str, *, outbound: bool = False) -> dict[str, str]:
    """The files for calls of one transport in one direction; `ValueError` if there is none such."""
    if transport not in TRANSPORTS:
        raise ValueError(f"transport: {transport!r} is none of {', '.join(TRANSPORTS)}")
    direction = _OUTBOUND if outbound else _INBOUND
    wanted = _COMMON | _TRANSPORT[transport] | direction[transport]
    chosen = {
        name: tuple(piece for piece in pieces if piece in wanted) for name, pieces in _FILES.items()
    }
    return {name: _fill(pieces, settings) for name, pieces in chosen.items() if pieces}


def dialplan(settings: Settings, transport: str = AUDIOSOCKET, *, outbound: bool = False) -> str:
    """What `rapida dialplan` prints: each file below a line that names it."""
    parts = some_files(settings, transport, outbound=outbound)
    return "\n".join(f"; ---- /etc/asterisk/{name} ----\n\n{text}" for name, text in parts.items())


def _fill(pieces: tuple[str, ...], settings: Settings) -> str:
    folder = files("rapida_tw") / "asterisk"
    text = "\n".join((folder / f"{piece}.conf").read_text("utf-8") for piece in pieces)
    values = settings.values()
    return re.sub(r"@([a-z_]+)@", lambda found: values[found[1]], text)
