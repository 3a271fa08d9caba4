"""3xx to an INVITE of ours (RFC 3261 8.1.3.4): followed on the trunk's own host, and not for long.

Elsewhere it would be somebody else's telephone bill: whoever answers for the trunk could have its
password shown to any host.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import replace

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.sip.base import Flow
from rapida_tw.sip.trunk import Trunk
from rapida_tw.wire.sip_message import Response
from rapida_tw.wire.sip_uri import Address, SipUri

MOST = 3  # contacts that are tried
MOST_READ = 16  # of one response

_Q = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


class Redirects:
    """Those of one call: the contacts that are still to be tried."""

    def __init__(self, trunk: Trunk) -> None:
        self._trunk = trunk
        self._left = MOST
        self._waiting: deque[SipUri] = deque()
        self._seen: set[str] = set()

    def received(self, response: Response, flow: Flow) -> None:
        """Their contacts come before those that are waiting, the best first."""
        hosts = {*self._trunk.hosts, flow.peer[0]}
        found: list[tuple[float, SipUri]] = []
        for value in response.headers.values("Contact")[:MOST_READ]:
            try:
                contact = Address.parse(value)
            except RemoteProtocolError:
                continue
            if contact.uri.scheme in ("sip", "sips") and contact.uri.host in hosts:
                found.append((_quality(contact), contact.uri))
        found.sort(key=lambda each: -each[0])
        self._waiting.extendleft(uri for _, uri in reversed(found))

    def next(self) -> SipUri | None:
        """Each only once; None: there is none, or it has been enough."""
        while self._waiting and self._left:
            uri = self._waiting.popleft()
            parameters = {name: text for name, text in uri.parameters.items() if name != "method"}
            uri = replace(uri, password=None, headers=(), parameters=parameters)
            if str(uri) not in self._seen:
                self._seen.add(str(uri))
                self._left -= 1
                return uri
        return None


def _quality(contact: Address) -> float:
    text = contact.parameters.get("q", "1")
    return float(text) if _Q.fullmatch(text) else 0.0
