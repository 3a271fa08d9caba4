"""Trunk: an upstream SIP service that calls go out through, as a stored credential describes it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from rapida_tw.errors import LocalProtocolError, MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.sip.login import Login
from rapida_tw.sip.numbers import sip_user
from rapida_tw.wire.sdp_address import read as literal
from rapida_tw.wire.sip_fields import canonical
from rapida_tw.wire.sip_uri import Address, SipUri, host_port

T = TypeVar("T")

PROVIDER: Final = "sip"
TRANSPORTS: Final = ("UDP", "TCP", "TLS")
LEARNING: Final = ("announced", "signalling", "any")

LONGEST = 128  # characters of a name or a number
LONGEST_HEADER = 400
MOST_HEADERS = 10

# By field: what it is, and how else it is written.
_FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "sip_server": (
        "The trunk's server: a name, name:port or a sip: URI.",
        "server host host_port sip_uri uri",
    ),
    "sip_port": ("Optional: its port; without one DNS is asked for it.", "port"),
    "sip_username": ("Optional: the account's user name.", "sip_user username user"),
    "sip_password": ("Optional: its password.", "password"),
    "sip_auth_user": ("Optional: the name to log in with, where it is another one.", "auth_user"),
    "sip_caller_id": (
        "Optional: the number that those who are called see.",
        "caller_id from_number",
    ),
    "sip_transport": ("Optional: udp, tcp or tls.", "transport"),
    "sip_domain": (
        "Optional: the domain in its addresses, where it is not the server's.",
        "domain",
    ),
    "sip_realm": ("Optional: the only realm that the password is for.", "realm"),
    "sip_register": ("Optional: true to register, so that its calls come to us.", "register"),
    "sip_learning": (
        "Optional: whose sound is taken besides the announced address: announced, signalling, any.",
        "rtp_learning learning",
    ),
    "sip_prefix": ("Optional: what is dialled before each number.", "prefix"),
    "sip_headers": ("Optional: further headers of each INVITE, as a JSON object.", "headers"),
}

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PRINTABLE = re.compile(rf"[ -~]{{0,{LONGEST_HEADER}}}")
_PREFIX = re.compile(r"[0-9A-Za-z*#+]{0,32}")
_PORT = re.compile(r"[0-9]{1,5}")
_YES = {"true": True, "yes": True, "on": True, "1": True}
_NO = {"false": False, "no": False, "off": False, "0": False}
# What else an INVITE may carry: nothing that the protocol itself lives on.
_OURS = frozenset(
    "Accept Allow Authorization Call-ID Contact Content-Encoding Content-Length Content-Type CSeq "
    "From Max-Forwards Min-SE Proxy-Authorization RAck Record-Route Replaces Require Route RSeq "
    "Session-Expires Supported To Via".split()
)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def _spellings(name: str) -> tuple[str, ...]:
    """In order of choice."""
    written = (name, *_FIELDS[name][1].split())
    return tuple(dict.fromkeys(one for each in written for one in (each, _camel(each))))


def _sentences() -> Iterator[tuple[str, str]]:
    for name, (sentence, _) in _FIELDS.items():
        yield name, sentence
        for other in _spellings(name)[1:]:
            yield other, f"The same as {name}."


# Of the stored credential: name → sentence, with every spelling that is taken.
CREDENTIAL_FIELDS: Final[Mapping[str, str]] = dict(_sentences())


@dataclass(frozen=True, slots=True)
class Trunk:
    """One credential of the provider `sip`. All of it has been checked.

    `host` is a name or an address without brackets, `port` None where DNS decides; `domain` is what
    its addresses say. `project_id`: whose numbers its calls may reach; None: nobody's.
    """

    host: str
    port: int | None = None
    user: str = ""
    password: str = field(default="", repr=False)
    auth_user: str = ""
    caller_id: str = ""
    transport: str = "UDP"
    domain: str = ""
    realm: str = ""
    register: bool = False
    learning: str = ""  # "": as the server's own setting
    prefix: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    project_id: int | None = None

    @classmethod
    def read(cls, fields: Mapping[str, str], project_id: int | None = None) -> Trunk:
        """`MisconfiguredAssistant` tells all mistakes, and no value."""
        return _Reading(fields).trunk(project_id)

    @property
    def login(self) -> Login | None:
        """None: challenges cannot be answered."""
        user = self.auth_user or self.user
        return Login(user, self.password, self.realm) if user and self.password else None

    @property
    def hosts(self) -> frozenset[str]:
        """What it may call itself."""
        return frozenset(filter(None, (self.host, self.domain)))

    def uri(self, user: str = "") -> SipUri:
        """Somebody's address there; without a user its own."""
        parameters = {} if self.transport == "UDP" else {"transport": self.transport.lower()}
        # A domain of its own is found by the server that we have been told, not by its port.
        port = None if self.domain and self.domain != self.host else self.port
        return SipUri(self.domain or self.host, port, user, parameters=parameters)

    def address(self, user: str) -> Address:
        """For From and To: the host alone tells whose it is."""
        return Address(SipUri(self.domain or self.host, None, user))


class _Reading:
    """The fields of one credential; mistakes are gathered."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields
        self._mistakes: list[str] = []

    def trunk(self, project_id: int | None) -> Trunk:
        server = self._take("sip_server", _server, SipUri(""))
        transport = self._take("sip_transport", _transport, "") or _transport_of(server)
        user = self._take("sip_username", _name, "") or server.user
        trunk = Trunk(
            host=server.host,
            port=self._take("sip_port", _port, None) or server.port,
            user=user,
            password=self._take("sip_password", _password, "") or server.password or "",
            auth_user=self._take("sip_auth_user", _name, ""),
            caller_id=self._take("sip_caller_id", sip_user, ""),
            transport=transport,
            domain=self._take("sip_domain", _domain, ""),
            realm=self._take("sip_realm", _name, ""),
            register=self._take("sip_register", _flag, False),
            learning=self._take("sip_learning", _learning, ""),
            prefix=self._take("sip_prefix", _prefix, ""),
            headers=self._take("sip_headers", _headers, ()),
            project_id=project_id,
        )
        if not any(name in self._fields for name in _spellings("sip_server")):
            self._mistakes.append("sip_server is missing")
        if trunk.register and not (trunk.user and trunk.password):
            self._mistakes.append("sip_register needs sip_username and sip_password")
        if self._mistakes:
            raise MisconfiguredAssistant(f"the SIP trunk: {'; '.join(self._mistakes)}")
        return trunk

    def _take(self, name: str, check: Callable[[str], T], default: T) -> T:
        for spelling in _spellings(name):
            text = self._fields.get(spelling, "").strip()
            if not text:
                continue
            try:
                return check(text)
            except ValueError as error:
                self._mistakes.append(f"{spelling} {error}")
            return default
        return default


def _server(text: str) -> SipUri:
    address = literal(text.removeprefix("[").removesuffix("]"))
    if address is not None:
        return SipUri(str(address))
    uri = text if text[:4].lower() in ("sip:", "sips") else f"sip:{text}"
    try:
        found = SipUri.parse(uri)
    except RemoteProtocolError:
        raise ValueError("must be a host, host:port or a sip: URI") from None
    if found.scheme not in ("sip", "sips") or found.host.strip(".") == "" or found.port == 0:
        raise ValueError("must be a host, host:port or a sip: URI")
    return found


def _transport_of(server: SipUri) -> str:
    asked = server.parameters.get("transport", "").upper()
    if server.scheme == "sips":
        return "TLS"
    return asked if asked in TRANSPORTS else "UDP"


def _transport(text: str) -> str:
    if text.upper() not in TRANSPORTS:
        raise ValueError("must be udp, tcp or tls")
    return text.upper()


def _port(text: str) -> int | None:
    if not _PORT.fullmatch(text) or not 0 < int(text) < 65_536:
        raise ValueError("must be a port from 1 to 65535")
    return int(text)


def _name(text: str) -> str:
    if len(text) > LONGEST or _CONTROL.search(text) or not _encodes(text):
        raise ValueError(f"must have at most {LONGEST} characters that can be printed")
    return text


def _password(text: str) -> str:
    if not _encodes(text):
        raise ValueError("must be text")
    return text


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _domain(text: str) -> str:
    try:
        host, port = host_port(text)
    except RemoteProtocolError:
        raise ValueError("must be a domain") from None
    if port is not None:
        raise ValueError("must be a domain without a port")
    return host


def _flag(text: str) -> bool:
    found = {**_YES, **_NO}.get(text.lower())
    if found is None:
        raise ValueError("must be true or false")
    return found


def _learning(text: str) -> str:
    if text.lower() not in LEARNING:
        raise ValueError(f"must be one of {', '.join(LEARNING)}")
    return text.lower()


def _prefix(text: str) -> str:
    if not _PREFIX.fullmatch(text):
        raise ValueError("must be at most 32 digits, letters, *, # or +")
    return text


def _headers(text: str) -> tuple[tuple[str, str], ...]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("must be a JSON object") from None
    if not isinstance(given, dict) or len(given) > MOST_HEADERS:
        raise ValueError(f"must be a JSON object of at most {MOST_HEADERS} texts")
    return tuple(_header(name, value) for name, value in given.items())


def _header(name: str, value: object) -> tuple[str, str]:
    try:
        name = canonical(name)
    except LocalProtocolError:
        name = ""
    if not name or name in _OURS:
        raise ValueError("must name headers that are not the protocol's own")
    if not isinstance(value, str) or not _PRINTABLE.fullmatch(value):
        raise ValueError(f"must have texts of at most {LONGEST_HEADER} printable characters")
    return name, value
