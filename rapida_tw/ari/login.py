"""Where an Asterisk's REST interface is, and with which name and password it is used."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant

_LONGEST = 500  # characters of an address


@dataclass(frozen=True, slots=True)
class Login:
    """`base` is http://host:port/ari, whatever was left out of it in the credential."""

    base: str
    user: str
    password: str = field(repr=False)

    @classmethod
    def of(cls, account: Account) -> Login:
        """`MisconfiguredAssistant` says what the credential lacks."""
        url = account.need("ari_url", "url", "base_url").strip().rstrip("/")
        user = account.need("ari_user", "user", "username")
        password = account.need("ari_password", "password")
        try:
            parts = urlsplit(url)
            found = bool(parts.hostname) and parts.port != 0
        except ValueError:
            found = False
        plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= _LONGEST
        if not found or not plain or parts.scheme not in ("http", "https"):
            raise MisconfiguredAssistant("ari_url must be like http://asterisk.local:8088")
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise MisconfiguredAssistant("ari_url holds neither a password nor a query")
        if ":" in user or not user.isprintable() or not password.isprintable():
            raise MisconfiguredAssistant("ari_user or ari_password holds what ARI cannot take")
        return cls(url if parts.path.endswith("/ari") else f"{url}/ari", user, password)

    @property
    def host(self) -> str:
        """Host and port, as the credential has them."""
        return urlsplit(self.base).netloc

    @property
    def sockets(self) -> str:
        """The same for WebSockets."""
        return "ws" + self.base.removeprefix("http")

    @property
    def authorization(self) -> str:
        """The header: in an address, other machines' logs would show the password."""
        return "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")
