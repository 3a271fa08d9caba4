"""SIP messages: bytes to requests and responses, and back (RFC 3261 7, 20, 25)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire.sip_uri import Address


class Malformed(RemoteProtocolError):
    """A message against the grammar.

    `request`: what could be read of a request that can be answered, with `status`; None: drop it.
    """

    def __init__(self, text: str, status: int = 400, request: Request | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.request = request


@dataclass(frozen=True, slots=True)
class Via:
    """The top of the way back (20.42). `parameters`: lower-case names; `port` None: the default."""

    transport: str  # upper case
    host: str
    port: int | None = None
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def branch(self) -> str:
        return self.parameters.get("branch", "")

    def __str__(self) -> str:
        raise NotImplementedError

    @classmethod
    def parse(cls, text: str) -> Via:
        raise NotImplementedError


class Headers:
    """Header fields in their order; names in any case and in their compact forms."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        raise NotImplementedError

    def get(self, name: str, default: str = "") -> str:
        """The first value, as it stands; `default` where there is none."""
        raise NotImplementedError

    def all(self, name: str) -> list[str]:
        """Each line's value, unsplit: for authentication headers."""
        raise NotImplementedError

    def values(self, name: str) -> list[str]:
        """Split on the commas outside of quotes and <>: Via, Route, Supported and their like."""
        raise NotImplementedError

    def tokens(self, name: str) -> set[str]:
        """`values` in lower case and without parameters: option tags, methods."""
        raise NotImplementedError

    def add(self, name: str, value: str) -> None:
        """Behind those of that name."""
        raise NotImplementedError

    def first(self, name: str, value: str) -> None:
        """In front of those of that name: Via, Route, Record-Route."""
        raise NotImplementedError

    def set(self, name: str, value: str) -> None:
        """Instead of all of that name."""
        raise NotImplementedError

    def remove(self, name: str) -> None:
        raise NotImplementedError

    def __contains__(self, name: object) -> bool:
        raise NotImplementedError

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Names as they are written, never compact."""
        raise NotImplementedError

    def copy(self) -> Headers:
        raise NotImplementedError


class Message:
    """What requests and responses share. The typed views are parsed once, when first asked for.

    `parse` has looked at Via, From, To, Call-ID, CSeq and Contact: of what it gave they do not
    raise.
    """

    headers: Headers
    body: bytes

    @property
    def via(self) -> Via:
        """The topmost."""
        raise NotImplementedError

    @property
    def call_id(self) -> str:
        raise NotImplementedError

    @property
    def cseq(self) -> tuple[int, str]:
        """Number and method."""
        raise NotImplementedError

    @property
    def from_(self) -> Address:
        raise NotImplementedError

    @property
    def to(self) -> Address:
        raise NotImplementedError

    @property
    def contact(self) -> Address | None:
        """The first; None where there is none, or "*"."""
        raise NotImplementedError

    @property
    def sdp(self) -> bytes:
        """The body's application/sdp, also out of a multipart (RFC 5621); b"": there is none."""
        raise NotImplementedError

    def encode(self) -> bytes:
        """As it is sent, with the Content-Length of the body."""
        raise NotImplementedError


class Request(Message):
    """`uri` is the Request-URI as it came, byte for byte; surrogates stand for what is no UTF-8."""

    def __init__(
        self, method: str, uri: str, headers: Headers | None = None, body: bytes = b""
    ) -> None:
        raise NotImplementedError
        self.method = method
        self.uri = uri

    def answer(self, status: int, phrase: str = "", to_tag: str = "") -> Response:
        """A response with Via, From, To, Call-ID and CSeq copied (8.2.6); the usual phrase.

        `to_tag` is added where To has none; Record-Route is copied into 1xx and 2xx of dialogs.
        """
        raise NotImplementedError


class Response(Message):
    """`phrase` is for people."""

    def __init__(
        self, status: int, phrase: str = "", headers: Headers | None = None, body: bytes = b""
    ) -> None:
        raise NotImplementedError
        self.status = status
        self.phrase = phrase


def parse(data: bytes) -> Request | Response:
    """One whole message (a datagram, or what SipStream has cut out); `Malformed`."""
    raise NotImplementedError
