"""Which encoding an Exotel stream has: its documents name two and its messages say it badly.

The order of trust: the deployment's option, the announced encoding, the announced bit rate, the
number of bytes that come for each millisecond, and PCM16.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rapida_tw.audio.format import Encoding

ENOUGH = 10  # media messages, a second of them as a rule; then what there is must do

_SPAN = 200  # ms of the stream that make a clear measure: three messages, as a rule
# Parts of names that were seen, in this order: "pcm" is in "pcmu". "base64" tells nothing.
_NAMES = (
    *((part, Encoding.MULAW) for part in ("ulaw", "pcmu")),
    *((part, Encoding.LINEAR16) for part in ("slin", "l16", "linear", "pcm", "raw")),
)
# (kbit/s, Hz); rate 0: bits of a sample, whatever the rate. 128 at 16 kHz means nothing: a constant
# that somebody forgot.
_BIT_RATES = {
    (128, 8_000): Encoding.LINEAR16,
    (256, 16_000): Encoding.LINEAR16,
    (384, 24_000): Encoding.LINEAR16,
    (16, 0): Encoding.LINEAR16,
    (64, 8_000): Encoding.MULAW,
    (8, 0): Encoding.MULAW,
}
_NUMBER = re.compile(r"[0-9]{1,18}")


class Decision(NamedTuple):
    """The encoding, and why."""

    encoding: Encoding
    reason: str


DEFAULT = Decision(Encoding.LINEAR16, "by default")


def announced(encoding: str, bit_rate: str, rate: int) -> Decision | None:
    """What the start of a stream of `rate` Hz says about it; None: nothing of use."""
    name = encoding.lower()
    for part, meant in _NAMES:
        if part in name:
            return Decision(meant, f"by its encoding {encoding[:40]!r}")
    number = whole(bit_rate)
    if number is not None:
        for at in (rate, 0):
            if (number, at) in _BIT_RATES:
                return Decision(_BIT_RATES[number, at], f"by its bit rate {bit_rate[:40]!r}")
    return None


def whole(text: str) -> int | None:
    """The first number in `text`: 8000 of "8000Hz"; None: there is none."""
    match = _NUMBER.search(text)
    return int(match[0]) if match else None


class Measurement:
    """Counts the bytes that come for each millisecond of a stream of `rate` Hz."""

    def __init__(self, rate: int) -> None:
        self._samples_a_ms = rate / 1000
        self._begin: int | None = None  # timestamp, ms
        self._bytes = 0  # from there to the latest message, that one without
        self._latest = 0  # bytes of it
        self._messages = 0

    def add(self, timestamp: int | None, size: int) -> Decision | None:
        """One media message; None until it is clear, or until there were `ENOUGH`."""
        self._messages += 1
        if timestamp is not None and self._begin is None:
            self._begin, self._bytes = timestamp, 0
        else:
            self._bytes += self._latest
        self._latest = size
        last = self._messages >= ENOUGH
        if timestamp is not None and self._begin is not None:
            elapsed = timestamp - self._begin
            if elapsed >= (1 if last else _SPAN):
                decision = self._measured(self._bytes / elapsed)
                if decision is not None:
                    return decision
        return DEFAULT if last else None

    def _measured(self, bytes_a_ms: float) -> Decision | None:
        sample_bytes = bytes_a_ms / self._samples_a_ms
        reason = f"by {bytes_a_ms:.1f} bytes a ms"
        if 0.8 <= sample_bytes <= 1.25:
            return Decision(Encoding.MULAW, reason)
        if 1.6 <= sample_bytes <= 2.5:
            return Decision(Encoding.LINEAR16, reason)
        return None
