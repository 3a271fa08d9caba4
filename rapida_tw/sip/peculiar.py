"""Peers who cannot take what others can, known by their User-Agent."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapida_tw.wire.sip_message import Request

# libre before 3.12 gives the whole request up when any of several challenges names an algorithm
# that it does not know, and it knows MD5 alone (baresip of Debian 12 is one).
_MD5_ALONE = re.compile(r"baresip v(?:[0-2]\.|3\.(?:[0-9]|1[01])\.)")


def algorithms(request: Request, offered: Sequence[str]) -> Sequence[str]:
    """What its sender is challenged with, of what is offered to all."""
    if "MD5" in offered and _MD5_ALONE.match(request.headers.get("User-Agent")):
        return ("MD5",)
    return offered
