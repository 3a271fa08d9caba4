"""The Reason header: why a request ends a call (RFC 3326, Q.850)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire.sip_headers import TOKEN, parameters, quote

LONGEST = 200  # characters of a text that are kept

_CAUSE = re.compile(r"[0-9]{1,3}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Reason:
    """`protocol`: "Q.850" or "SIP", as it came; `cause` None where there was none."""

    protocol: str
    cause: int | None = None
    text: str = ""

    def __str__(self) -> str:
        """As it is sent."""
        cause = "" if self.cause is None else f";cause={self.cause}"
        text = f";text={quote(_printable(self.text))}" if self.text else ""
        return f"{self.protocol}{cause}{text}"

    @property
    def sentence(self) -> str:
        """For people: the text, and what it stands for."""
        code = self.protocol if self.cause is None else f"{self.protocol} {self.cause}"
        return f"{self.text} ({code})" if self.text else code


NORMAL = Reason("Q.850", 16, "Normal call clearing")


def parse(value: str) -> Reason | None:
    """One reason; what is no reason is None: nothing hangs on it."""
    protocol, _, rest = value.partition(";")
    protocol = protocol.strip()
    if len(protocol) > LONGEST or not TOKEN.fullmatch(protocol):
        return None
    try:
        said = parameters(rest)
    except RemoteProtocolError:
        return None
    cause = said.get("cause", "")
    number = int(cause) if _CAUSE.fullmatch(cause) else None
    return Reason(protocol, number, _printable(said.get("text", ""))[:LONGEST])


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub(" ", text)
