"""SIP URIs and the addresses around them (RFC 3261 19.1, 20.10; RFC 3966 for tel)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NO_PARAMETERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class SipUri:
    """A sip, sips or tel URI, percent-decoded.

    `host` is in lower case, an IPv6 address canonical and without brackets; of tel it is "" and
    `user` is the number. A parameter without a value has "". `str` writes it with all escapes
    that are needed, and never with the password.
    """

    host: str
    port: int | None = None
    user: str = ""
    password: str | None = field(default=None, repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()
    scheme: str = "sip"

    def __str__(self) -> str:
        raise NotImplementedError

    @classmethod
    def parse(cls, text: str) -> SipUri:
        """`RemoteProtocolError` says what is wrong, without repeating a password."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Address:
    """A name-addr with its header parameters: From, To, Contact, Route, Refer-To.

    Names of parameters are in lower case, values as they came, unquoted.
    """

    uri: SipUri
    display: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        return self.parameters.get("tag", "")

    def __str__(self) -> str:
        raise NotImplementedError

    @classmethod
    def parse(cls, text: str) -> Address:
        """`RemoteProtocolError`. Without <> what follows ; belongs to the header (20.10)."""
        raise NotImplementedError
