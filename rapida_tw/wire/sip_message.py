"""SIP messages: bytes to requests and responses, and back (RFC 3261 7, 20, 25)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeVar

from rapida_tw.errors import LocalProtocolError, RemoteProtocolError
from rapida_tw.wire import sip_body, sip_head
from rapida_tw.wire.sip_fields import Headers
from rapida_tw.wire.sip_headers import NUMBER, TOKEN, write_parameters
from rapida_tw.wire.sip_reasons import REASONS
from rapida_tw.wire.sip_uri import Address, SipUri
from rapida_tw.wire.sip_via import Via

__all__ = ["Headers", "Malformed", "Message", "Request", "Response", "Via", "parse"]

T = TypeVar("T")

MOST_VIAS: Final = 64
_SINGLE: Final = ("From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Type")
_BLANK = re.compile(r"[\s\x00-\x20\x7f<>]")
# Requests that begin a dialog: their Record-Route is given back (12.1.1).
_BEGINNING: Final = frozenset(("INVITE", "SUBSCRIBE", "REFER"))


class Malformed(RemoteProtocolError):
    """A message against the grammar; the text may be sent as a reason phrase.

    `request`: what could be read of a request that can be answered, with `status`; None: drop it.
    """

    def __init__(self, text: str, status: int = 400, request: Request | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.request = request


class Message:
    """What requests and responses share. The typed views are parsed once, when first asked for.

    `parse` has looked at Via, From, To, Call-ID, CSeq and Contact: of what it gave they do not
    raise. Of other messages they raise `RemoteProtocolError` where there is nothing to see.
    """

    __slots__ = ("body", "headers")

    headers: Headers
    body: bytes

    @property
    def via(self) -> Via:
        """The topmost."""
        return self._view("Via", lambda: Via.parse(self.headers.top("Via")))

    @property
    def call_id(self) -> str:
        return self.headers.get("Call-ID")

    @property
    def cseq(self) -> tuple[int, str]:
        """Number and method."""
        return self._view("CSeq", lambda: _cseq(self.headers.get("CSeq")))

    @property
    def from_(self) -> Address:
        return self._view("From", lambda: Address.parse(self.headers.get("From")))

    @property
    def to(self) -> Address:
        return self._view("To", lambda: Address.parse(self.headers.get("To")))

    @property
    def contact(self) -> Address | None:
        """The first; None where there is none, or "*", or a response's that cannot be read."""
        try:
            return self._view("Contact", self._contact)
        except RemoteProtocolError:
            return None

    def _contact(self) -> Address | None:
        first = self.headers.top("Contact")
        return Address.parse(first) if first and first != "*" else None

    def _view(self, name: str, read: Callable[[], T]) -> T:
        views = self.headers.views
        if name not in views:
            views[name] = read()
        found: T = views[name]
        return found

    @property
    def content_type(self) -> str:
        """In lower case and without parameters; "" where there is none."""
        return sip_body.media_type(self.headers.get("Content-Type"))

    @property
    def sdp(self) -> bytes:
        """The body's application/sdp, also out of a multipart (RFC 5621); b"": there is none."""
        if not self.body:
            return b""
        return sip_body.find(self.headers.get("Content-Type"), self.body, "application/sdp")

    def encode(self) -> bytes:
        """As it is sent, with the Content-Length of the body.

        `LocalProtocolError`: a line's end within a value, or a start line that is none.
        """
        lines = [self._start()]
        lines += [f"{name}: {value}" for name, value in self.headers if name != "Content-Length"]
        lines += (f"Content-Length: {len(self.body)}", "", "")
        text = "\r\n".join(lines)
        breaks = len(lines) - 1
        if text.count("\n") != breaks or text.count("\r") != breaks:
            raise LocalProtocolError("a line's end within a header field")
        try:
            return text.encode("utf-8", "surrogateescape") + self.body
        except UnicodeEncodeError:
            raise LocalProtocolError("a lone surrogate within a header field") from None

    def _start(self) -> str:
        raise NotImplementedError


class Request(Message):
    """`uri` is the Request-URI as it came, byte for byte; surrogates stand for what is no UTF-8."""

    __slots__ = ("method", "uri")

    def __init__(
        self, method: str, uri: str, headers: Headers | None = None, body: bytes = b""
    ) -> None:
        self.method = method
        self.uri = uri
        self.headers = Headers() if headers is None else headers
        self.body = body

    def _start(self) -> str:
        if not TOKEN.fullmatch(self.method) or not self.uri or _BLANK.search(self.uri):
            raise LocalProtocolError("no method, or no Request-URI")
        return f"{self.method} {self.uri} SIP/2.0"

    def stamp(self, host: str, port: int) -> None:
        """Note in the top Via where the packet came from (18.2.1, RFC 3581 4)."""
        first, *others = self.headers.values("Via")
        via = self.via.received(host, port)
        first = first.partition(";")[0].rstrip() + write_parameters(via.parameters)
        self.headers.set("Via", first)
        self.headers.extend("Via", others)

    def answer(self, status: int, phrase: str = "", to_tag: str = "") -> Response:
        """A response with Via, From, To, Call-ID and CSeq copied (8.2.6); the usual phrase.

        `to_tag` is added where To has none, but never to a 100; Record-Route is copied into 1xx
        and 2xx of dialogs, Timestamp into 100. Of a malformed request what is there is copied.
        """
        headers = Headers()
        headers.extend("Via", self.headers.all("Via"))
        for name in ("From", "To", "Call-ID", "CSeq"):
            headers.extend(name, self.headers.all(name)[:1])
        if 100 < status < 300 and self.method in _BEGINNING:
            headers.extend("Record-Route", self.headers.all("Record-Route"))
        if status == 100:
            headers.extend("Timestamp", self.headers.all("Timestamp"))
        elif to_tag and self._tagless():
            headers.set("To", f"{headers.get('To')};tag={to_tag}")
        return Response(status, phrase, headers)

    def _tagless(self) -> bool:
        """There is a To that can be understood, and has no tag."""
        try:
            return not self.to.tag
        except RemoteProtocolError:
            return False

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.call_id}>"


class Response(Message):
    """`phrase` is for people."""

    __slots__ = ("phrase", "status")

    def __init__(
        self, status: int, phrase: str = "", headers: Headers | None = None, body: bytes = b""
    ) -> None:
        self.status = status
        self.phrase = phrase or REASONS.get(status, "")
        self.headers = Headers() if headers is None else headers
        self.body = body

    def _start(self) -> str:
        if not 100 <= self.status <= 699:
            raise LocalProtocolError(f"{self.status} is no status")
        return f"SIP/2.0 {self.status} {self.phrase}"

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.call_id}>"


def parse(data: bytes) -> Request | Response:
    """One whole message (a datagram, or what SipStream has cut out); `Malformed`."""
    try:
        head, body = sip_head.read(data)
    except RemoteProtocolError as error:
        raise Malformed(str(error)) from None
    headers = Headers.of(head.fields)
    message: Request | Response
    if head.method:
        message = request = Request(head.method, head.uri, headers, body)
    else:
        message, request = Response(head.status, "", headers, body), None
        message.phrase = head.phrase  # theirs, also when it is none
    try:
        # Without these two nothing can be answered: to whom, and to which request?
        message.via  # noqa: B018
        call_id = message.call_id
        if not call_id or " " in call_id or "\t" in call_id:
            raise RemoteProtocolError("no Call-ID")
    except RemoteProtocolError as error:
        raise Malformed(str(error)) from None
    fault = head.fault or _fault(message, head.fields)
    if fault is None:
        return message
    status, text = fault
    if request is None or request.method == "ACK":
        raise Malformed(text, status)
    request.body = b""
    raise Malformed(text, status, request)


def _fault(message: Request | Response, fields: dict[str, list[str]]) -> tuple[int, str] | None:
    """What is wrong with it beyond its lines: a status to answer with, and why."""
    for name in _SINGLE:
        if len(fields.get(name, ())) > 1:
            return 400, f"More than one {name}"
    looking = ""
    try:
        for looking in ("From", "To", "CSeq"):
            if looking not in fields:
                return 400, f"No {looking}"
        looking = "From"
        message.from_  # noqa: B018
        looking = "To"
        message.to  # noqa: B018
        looking = "CSeq"
        method = message.cseq[1]
        looking = "Record-Route"
        if looking in fields:
            for route in message.headers.values(looking):
                Address.parse(route)
        if isinstance(message, Request):
            if method != message.method:
                return 400, "CSeq: the method is not the request's"
            looking = "Request-URI"
            SipUri.parse(message.uri)
            looking = "Contact"
            if message._view(looking, message._contact) is None and method == "INVITE":
                return 400, "INVITE without Contact"
    except RemoteProtocolError as error:
        return 400, f"{looking}: {error}"
    if sum(line.count(",") + 1 for line in fields["Via"]) > MOST_VIAS:
        return 400, "Too many Via"
    return _cut(message, fields.get("Content-Length", []))


def _cut(message: Message, lengths: list[str]) -> tuple[int, str] | None:
    """The body is as long as Content-Length says, at most (18.3)."""
    if len(message.body) > sip_head.LONGEST_BODY:
        return 413, "A body beyond all measure"
    if not lengths:
        return None
    if any(length != lengths[0] for length in lengths):
        return 400, "More than one Content-Length"
    if not NUMBER.fullmatch(lengths[0]):
        return 400, "Content-Length is no number"
    length = int(lengths[0])
    if length > len(message.body):
        return 400, "Content-Length is more than there is"
    message.body = message.body[:length]
    return None


def _cseq(text: str) -> tuple[int, str]:
    number, *methods = text.split() or [""]
    if not NUMBER.fullmatch(number) or int(number) >= 2**31:
        raise RemoteProtocolError("no number below 2**31")
    if len(methods) != 1 or not TOKEN.fullmatch(methods[0]):
        raise RemoteProtocolError("no method")
    return int(number), methods[0]
