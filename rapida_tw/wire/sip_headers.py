"""What header values are made of: lists, quoted strings and parameters (RFC 3261 7.3.1, 25.1).

Everything here takes time in proportion to the text, whatever the text is: groups are possessive,
and what is never closed ends with the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from rapida_tw.errors import RemoteProtocolError

TOKEN: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
# 1*DIGIT of ASCII only: int() also takes "1_0", " 7" and digits of other scripts.
NUMBER: Final = re.compile(r"[0-9]{1,10}")

_QUOTED = re.compile(r'"((?:[^"\\]+|\\.)*+)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NOT_PLAIN = re.compile(r'[\s\x00-\x1f\x7f;,"<>\\]')


def _pieces(separator: str) -> re.Pattern[str]:
    """What reaches to the next separator; quotes and <> hide those inside."""
    quoted = r'"(?:[^"\\]+|\\.)*+(?:"|\\?\Z)'
    return re.compile(rf'(?:[^"<{separator}]+|{quoted}|<[^>]*+(?:>|\Z))*+', re.DOTALL)


_PIECES = {separator: _pieces(separator) for separator in ",;"}


def split(text: str, separator: str = ",") -> list[str]:
    """The parts between the separators that are outside of quotes and <>, trimmed; none is empty.

    What is opened and never closed goes to the end of the text.
    """
    if '"' not in text and "<" not in text:
        return [part for piece in text.split(separator) if (part := piece.strip())]
    parts = []
    match, position, end = _PIECES[separator].match, 0, len(text)
    while position < end:
        found = match(text, position)
        assert found is not None  # the pattern matches the empty string
        if part := found[0].strip():
            parts.append(part)
        position = found.end() + 1
    return parts


def unquote(text: str) -> tuple[str, str]:
    """What a text that begins with a quote says, and what follows; `RemoteProtocolError`."""
    found = _QUOTED.match(text)
    if found is None:
        raise RemoteProtocolError("a quote is not closed")
    inside = found[1]
    return _ESCAPED.sub(r"\1", inside) if "\\" in inside else inside, text[found.end() :]


def quote(text: str) -> str:
    """A quoted-string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parameters(text: str, separator: str = ";") -> dict[str, str]:
    """Names in lower case, values as they came, unquoted; "" for a name alone.

    Of a name that comes twice the first counts. `RemoteProtocolError` for a quote that is not
    closed, or is followed by more, and for a bracket within a name.
    """
    found: dict[str, str] = {}
    for part in split(text, separator):
        name, _, value = part.partition("=")
        value = value.strip()
        if value[:1] == '"':
            value, rest = unquote(value)
            if rest:
                raise RemoteProtocolError("something follows a parameter's quote")
        elif '"' in part:
            raise RemoteProtocolError("a quote within a parameter")
        if "<" in name or ">" in name:  # it could not be written so that it is read the same
            raise RemoteProtocolError("a bracket within a parameter's name")
        found.setdefault(name.strip().lower(), value)
    return found


def write_parameters(values: Mapping[str, str]) -> str:
    """`;name=value` for each, quoted where it must be."""
    return "".join(
        f";{name}={quote(value) if _NOT_PLAIN.search(value) else value}" if value else f";{name}"
        for name, value in values.items()
    )
