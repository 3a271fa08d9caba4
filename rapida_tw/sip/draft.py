"""What the INVITEs of one call of ours have in common (RFC 3261 8.1.1, 13.2.1)."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from rapida_tw.sip.settings import EXTENSIONS, Stack
from rapida_tw.sip.trunk import Trunk
from rapida_tw.sip.usage import ALLOW, SDP
from rapida_tw.wire.sip_message import Headers, Request, Response
from rapida_tw.wire.sip_timer import SessionTimer
from rapida_tw.wire.sip_uri import Address, SipUri

MOST_RAISES = 3  # 422s that are believed
ANONYMOUS = "anonymous"

Fields = Iterable[tuple[str, str]]


class Draft:
    """One Call-ID and one From tag; the CSeq counts on with every try (8.1.3.5).

    `number` is as sip/numbers.py gives it; `uri` is the Request-URI, byte for byte.
    """

    def __init__(self, trunk: Trunk, number: str, random: Random) -> None:
        self.call_id = f"{random.getrandbits(128):032x}"
        self.uri = str(trunk.uri(trunk.prefix + number))
        self._trunk = trunk
        self._to = trunk.address(trunk.prefix + number)
        shown = trunk.address(trunk.caller_id or trunk.user or ANONYMOUS)
        self._from = Address(shown.uri, "", {"tag": f"{random.getrandbits(64):016x}"})
        self._cseq = 0
        self._timer = SessionTimer()
        self._raises = 0

    def request(self, stack: Stack, contact: str, offer: bytes, credentials: Fields) -> Request:
        """The next INVITE."""
        trunk = self._trunk
        self._cseq += 1
        fields = [
            ("Max-Forwards", "70"),
            ("From", str(self._from)),
            ("To", str(self._to)),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self._cseq} INVITE"),
            ("Contact", contact),
            ("Allow", ALLOW),
            ("Supported", ", ".join(EXTENSIONS)),
            ("User-Agent", stack.settings.user_agent),
        ]
        if trunk.caller_id:
            # What a trunk goes by that takes the account's name in From alone (RFC 3325 9.1).
            fields.append(("P-Asserted-Identity", str(trunk.address(trunk.caller_id))))
        request = Request("INVITE", self.uri, Headers((*fields, *credentials)))
        for name, value in trunk.headers:
            request.headers.set(name, value)
        self._timer.offer(request)
        request.headers.set("Content-Type", SDP)
        request.body = offer
        return request

    def redirected(self, uri: SipUri) -> None:
        """The To stays (8.1.3.4)."""
        self.uri = str(uri)

    def raised(self, response: Response) -> bool:
        """A 422 that asks for longer sessions (RFC 4028 7.3): trying again is worth it."""
        self._raises += 1
        return self._raises <= MOST_RAISES and self._timer.raised(response)
