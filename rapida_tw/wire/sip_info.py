"""Digits in INFO: application/dtmf-relay and application/dtmf, which no RFC has written down.

    Signal=5
    Duration=160

is the one, a bare `5` the other; gateways mix them, count `*` and `#` as 10 and 11, and put spaces
around the sign.
"""

from __future__ import annotations

import re

from rapida_tw.errors import RemoteProtocolError

RELAY = "application/dtmf-relay"
BARE = "application/dtmf"
TYPES = (RELAY, BARE)
DURATION_MS = 160
KEYS = frozenset("0123456789ABCD*#")

_SIGNAL = re.compile(rb"^[ \t]*Signal[ \t]*=[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_LONGEST = 1024  # bytes that are looked at
_DIGITS = {
    **{digit: digit for digit in KEYS},
    **{digit.lower(): digit for digit in "ABCD"},
    **{"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"},
}
_FLASH = ("16", "!", "HF", "FLASH")


def digit(body: bytes) -> str:
    """The key; "" for a hook flash, which is none. `RemoteProtocolError` for anything else."""
    signal = _SIGNAL.search(body[:_LONGEST])
    said = (signal[1] if signal is not None else body[:_LONGEST]).strip().decode("latin-1")
    if said.upper() in _FLASH:
        return ""
    try:
        return _DIGITS[said]
    except KeyError:
        raise RemoteProtocolError("no digit in it") from None


def write(content_type: str, digit: str) -> bytes:
    """The body that says one of 0-9 A-D * #."""
    if content_type == BARE:
        return digit.encode("ascii")
    return f"Signal={digit}\r\nDuration={DURATION_MS}\r\n".encode("ascii")
