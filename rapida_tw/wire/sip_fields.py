"""The header fields of a SIP message, by name (RFC 3261 7.3, 20).

Fields of one name are kept together: only among those does the order mean something (7.3.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from rapida_tw.errors import LocalProtocolError
from rapida_tw.wire.sip_headers import TOKEN, split

_COMPACT: Final = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}
# Spelled otherwise than word by word with a capital.
_IRREGULAR: Final = {
    "call-id": "Call-ID",
    "cseq": "CSeq",
    "mime-version": "MIME-Version",
    "min-se": "Min-SE",
    "p-asserted-identity": "P-Asserted-Identity",
    "rack": "RAck",
    "rseq": "RSeq",
    "sip-etag": "SIP-ETag",
    "sip-if-match": "SIP-If-Match",
    "www-authenticate": "WWW-Authenticate",
}
_USUAL: Final = (
    "Accept Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Authorization Call-ID "
    "Call-Info Contact Content-Disposition Content-Encoding Content-Language Content-Length "
    "Content-Type CSeq Date Diversion Event Expires From History-Info Identity Max-Forwards "
    "MIME-Version Min-Expires Min-SE Organization P-Asserted-Identity P-Preferred-Identity "
    "Privacy Proxy-Authenticate Proxy-Authorization RAck Reason Record-Route Refer-To Referred-By "
    "Remote-Party-ID Replaces Require Retry-After Route RSeq Server Session-Expires Subject "
    "Subscription-State Supported Timestamp To Unsupported User-Agent Via Warning WWW-Authenticate"
).split()
_KNOWN: Final = {**_COMPACT, **_IRREGULAR, **{name.lower(): name for name in _USUAL}}
# The look-up of every line of every message: the usual spellings are found at once.
SPELLINGS: Final = {spelling: name for low, name in _KNOWN.items() for spelling in (name, low)}


def canonical(name: str) -> str:
    """The name as it is written, from any case and compact form; "" when it is no token."""
    found = SPELLINGS.get(name)
    if found is not None:
        return found
    low = name.lower()
    if low in _KNOWN:
        return _KNOWN[low]
    if not TOKEN.fullmatch(name):
        return ""
    return "-".join(word.capitalize() for word in low.split("-"))


def _name(name: str) -> str:
    if found := canonical(name):
        return found
    raise LocalProtocolError(f"{name!r} is no header's name")


class Headers:
    """Header fields; names in any case and in their compact forms.

    Values are text without the line's end. What cannot be sent is refused when the message is
    encoded.
    """

    __slots__ = ("_fields", "views")

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields: dict[str, list[str]] = {}
        # What messages have parsed of these fields; forgotten with the field.
        self.views: dict[str, Any] = {}
        for name, value in fields:
            self.add(name, value)

    @classmethod
    def of(cls, fields: dict[str, list[str]]) -> Headers:
        """Around what has been read already, under canonical names."""
        headers = cls.__new__(cls)
        headers._fields, headers.views = fields, {}
        return headers

    def get(self, name: str, default: str = "") -> str:
        """The first value, as it stands; `default` where there is none."""
        found = self._fields.get(name) or self._fields.get(canonical(name))
        return found[0] if found else default

    def all(self, name: str) -> list[str]:
        """Each line's value, unsplit: for authentication headers."""
        return list(self._fields.get(canonical(name), ()))

    def values(self, name: str) -> list[str]:
        """Split on the commas outside of quotes and <>: Via, Route, Supported and their like."""
        return [part for line in self._fields.get(canonical(name), ()) for part in split(line)]

    def tokens(self, name: str) -> set[str]:
        """`values` in lower case and without parameters: option tags, methods."""
        return {value.partition(";")[0].rstrip().lower() for value in self.values(name)}

    def add(self, name: str, value: str) -> None:
        """Behind those of that name."""
        name = _name(name)
        self.views.pop(name, None)
        self._fields.setdefault(name, []).append(value)

    def first(self, name: str, value: str) -> None:
        """In front of those of that name, or of all: Via, Route, Record-Route."""
        name = _name(name)
        self.views.pop(name, None)
        if name in self._fields:
            self._fields[name].insert(0, value)
        else:
            self._fields = {name: [value], **self._fields}

    def set(self, name: str, value: str) -> None:
        """Instead of all of that name."""
        name = _name(name)
        self.views.pop(name, None)
        self._fields[name] = [value]

    def top(self, name: str) -> str:
        """The first of `values`, "" where there is none."""
        for line in self._fields.get(canonical(name), ()):
            if "," not in line and line:
                return line
            if parts := split(line):
                return parts[0]
        return ""

    def extend(self, name: str, values: Iterable[str]) -> None:
        """Several behind those of that name, as they stand; none at all adds nothing."""
        for value in values:
            self.add(name, value)

    def remove(self, name: str) -> None:
        name = canonical(name)
        self.views.pop(name, None)
        self._fields.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and canonical(name) in self._fields

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Names as they are written, never compact; those of one name beside each other."""
        return ((name, value) for name, values in self._fields.items() for value in values)

    def copy(self) -> Headers:
        return Headers.of({name: list(values) for name, values in self._fields.items()})

    def __repr__(self) -> str:
        return f"<Headers {', '.join(self._fields)}>"
