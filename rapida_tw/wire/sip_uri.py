"""SIP URIs and the addresses around them (RFC 3261 19.1, 20.10; RFC 3966 for tel)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import quote as _percent
from urllib.parse import unquote_to_bytes

from rapida_tw.errors import LocalProtocolError, RemoteProtocolError
from rapida_tw.wire.sip_headers import parameters, quote, unquote, write_parameters

NO_PARAMETERS: Mapping[str, str] = {}

# Either an IPv6 address in brackets, or a name or IPv4 address; underscores are common.
_HOST_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9_.-]{1,255}))(?::([0-9]{1,5}))?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_FORBIDDEN = re.compile(r'[\x00-\x20\x7f<>"]')  # in any URI
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

# What may stand unescaped, beside letters, digits and -_.~ (25.1).
_IN_USER = "!*'()&=+$,;?/"
_IN_PARAMETER = "!*'()[]/:&+$"
_IN_HEADER = "!*'()[]/?:+$"
_IN_NUMBER = "!*'()+#"

# Where the next SIP URI begins, or where none can go on.
_BORDER = re.compile(r"(?<![\w:%])(?=sips?:)|(?=[>\r\n])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SipUri:
    """A sip, sips or tel URI, percent-decoded.

    `host` is in lower case, an IPv6 address canonical and without brackets; of tel it is "" and
    `user` is the number. Of any other scheme `user` is all that follows the colon, as it came. A
    parameter without a value has "". `str` writes it with all escapes that are needed, and never
    with the password.
    """

    host: str
    port: int | None = None
    user: str = ""
    password: str | None = field(default=None, repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()
    scheme: str = "sip"

    def __str__(self) -> str:
        if self.scheme not in ("sip", "sips"):
            user = _escape(self.user, _IN_NUMBER) if self.scheme == "tel" else self.user
            return f"{self.scheme}:{user}{_write_parameters(self.parameters)}"
        user = f"{_escape(self.user, _IN_USER)}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        headers = "&".join(
            f"{_escape(name, _IN_HEADER)}={_escape(value, _IN_HEADER)}"
            for name, value in self.headers
        )
        return (
            f"{self.scheme}:{user}{host}{port}{_write_parameters(self.parameters)}"
            f"{'?' if headers else ''}{headers}"
        )

    @classmethod
    def parse(cls, text: str) -> SipUri:
        """`RemoteProtocolError` says what is wrong, without repeating a password.

        Controls in user or password are refused, %00 too; other escapes are decoded after the
        parts have been told apart.
        """
        if _FORBIDDEN.search(text):
            raise RemoteProtocolError("a space, quote, bracket or control within a URI")
        scheme, colon, rest = text.partition(":")
        scheme = scheme.lower()
        if not colon or not rest or not _SCHEME.fullmatch(scheme):
            raise RemoteProtocolError("a URI without scheme")
        if scheme == "tel":
            number, _, tail = rest.partition(";")
            return cls("", None, _part(number), None, _parameters(tail), (), scheme)
        if scheme not in ("sip", "sips"):
            return cls("", None, rest, None, NO_PARAMETERS, (), scheme)
        userinfo, at, rest = rest.rpartition("@")
        user, colon, secret = userinfo.partition(":")
        rest, mark, tail = rest.partition("?")
        headers = _headers(tail) if mark else ()
        rest, mark, tail = rest.partition(";")
        host, port = host_port(rest)
        return cls(
            host,
            port,
            _part(user) if at else "",
            _part(secret) if colon else None,
            _parameters(tail) if mark else NO_PARAMETERS,
            headers,
            scheme,
        )


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
        display = f"{quote(self.display)} " if self.display else ""
        return f"{display}<{self.uri}>{write_parameters(self.parameters)}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """`RemoteProtocolError`. Without <> what follows ; belongs to the header (20.10)."""
        text = text.strip()
        if text[:1] == '"':
            display, rest = unquote(text)
            rest = rest.lstrip()
            if rest[:1] != "<":
                raise RemoteProtocolError("no < behind the display name")
        else:
            before, bracket, _ = text.partition("<")
            if not bracket or ";" in before:
                return cls._bare(text)
            if '"' in before or "," in before:
                raise RemoteProtocolError("a quote or comma within a display name without quotes")
            display, rest = before.rstrip(), text[len(before) :]
        uri, bracket, tail = rest[1:].partition(">")
        if not bracket:
            raise RemoteProtocolError("a < is not closed")
        tail = tail.lstrip()
        if tail and tail[0] != ";":
            raise RemoteProtocolError("neither ; nor the end behind an address")
        return cls(SipUri.parse(uri.strip()), display, parameters(tail) if tail else NO_PARAMETERS)

    @classmethod
    def _bare(cls, text: str) -> Address:
        """An addr-spec: no ?, comma or semicolon can belong to its URI (20)."""
        uri, mark, tail = text.partition(";")
        if "?" in uri or "," in uri:
            raise RemoteProtocolError("a URI with ? or comma must stand in <>")
        return cls(SipUri.parse(uri.rstrip()), "", parameters(tail) if mark else NO_PARAMETERS)


def host_port(text: str) -> tuple[str, int | None]:
    """Host in lower case, an IPv6 address canonical and without brackets; `RemoteProtocolError`."""
    found = _HOST_PORT.fullmatch(text)
    if found is None:
        raise RemoteProtocolError("no host, or no port from 0 to 65535 behind it")
    address, name, digits = found.groups()
    port = None if digits is None else int(digits)
    if port is not None and port > 0xFFFF:
        raise RemoteProtocolError("a port above 65535")
    if address is None:
        return name.lower(), port
    try:
        return str(IPv6Address(address)), port
    except AddressValueError:
        raise RemoteProtocolError("brackets without an IPv6 address") from None


def redacted(text: str) -> str:
    """The text with the password of every SIP URI masked, broken ones included.

    What could be a password is masked: rather too much of a line than too little.
    """
    if "@" not in text:
        return text
    return "".join(map(_masked, _BORDER.split(text)))


def _masked(chunk: str) -> str:
    """One URI and what follows it up to the next border."""
    if chunk[:3].lower() != "sip":
        return chunk
    colon, at = chunk.find(":", chunk.index(":") + 1), chunk.rfind("@")
    return f"{chunk[: colon + 1]}***{chunk[at:]}" if 0 < colon < at else chunk


def _part(text: str) -> str:
    """User or password, decoded."""
    text = _decode(text)
    if _CONTROL.search(text):
        raise RemoteProtocolError("a control character within user or password")
    return text


def _parameters(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name:
            found.setdefault(_decode(name).lower(), _decode(value))
    return found


def _headers(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (part.partition("=") for part in text.split("&") if part)
    return tuple((_decode(name), _decode(value)) for name, _, value in pairs)


def _write_parameters(values: Mapping[str, str]) -> str:
    return "".join(
        f";{_escape(name, _IN_PARAMETER)}{'=' if value else ''}{_escape(value, _IN_PARAMETER)}"
        for name, value in values.items()
    )


def _decode(text: str) -> str:
    """Percent-decoded; what is no escape stays as it is, bytes that are no UTF-8 as surrogates."""
    if "%" not in text:
        return text
    return unquote_to_bytes(text.encode("utf-8", "surrogateescape")).decode(
        "utf-8", "surrogateescape"
    )


def _escape(text: str, safe: str) -> str:
    try:
        return _percent(text, safe, "utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise LocalProtocolError("a lone surrogate within a URI") from None
