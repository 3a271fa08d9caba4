"""Session timers: who refreshes a session, how often, and when it has expired (RFC 4028).

Nothing here knows the time. A session with an `interval` lets `refresh_after` seconds pass and then
sends UPDATE or re-INVITE, or says BYE `expires_after` seconds after the last refresh. Every 2xx to
INVITE and UPDATE, given or received, decides anew and starts both from zero.
"""

from __future__ import annotations

from typing import Final

from rapida_tw.wire.sip_headers import NUMBER, split
from rapida_tw.wire.sip_message import Headers, Request, Response

SHORTEST: Final = 90  # seconds, the least that any Min-SE can be (5)
USUAL: Final = 1800  # seconds, recommended (4)
LONGEST: Final = 86_400  # seconds: who asks for more than a day is not asked again
_GRACE: Final = 32  # seconds before the end at which the other side gives up (10)


class SessionTimer:
    """One dialog's timer, in both roles; the old one runs on until a 2xx has replaced it.

    `interval`: seconds until a session without refresh has expired; 0: it never does.
    `refreshing`: the refreshes are ours to send.
    """

    def __init__(self, offered: int = USUAL) -> None:
        self.interval = 0
        self.refreshing = False
        self._offered = offered
        self._minimum = SHORTEST  # what a 422 has taught us
        self._decided = False

    @property
    def refresh_after(self) -> float | None:
        """Seconds from the last 2xx to our refresh; None when it is theirs to send."""
        return _enforced(self.interval) / 2 if self.interval and self.refreshing else None

    @property
    def expires_after(self) -> float | None:
        """Seconds from the last 2xx to our BYE when no refresh has come, or none succeeded."""
        if not self.interval:
            return None
        interval = _enforced(self.interval)
        return interval - min(_GRACE, interval / 3)

    # -- their INVITE or UPDATE -------------------------------------------------------------------

    def refuses(self, request: Request) -> bool:
        """Their interval is too small: answer 422 with what `refuse` adds.

        Never where they have no `timer` in Supported: a proxy has put it in, and they would not
        understand the answer (8.1).
        """
        wanted = _session_expires(request.headers)
        return wanted is not None and wanted[0] < SHORTEST and _supported(request)

    def refuse(self, response: Response) -> None:
        """Complete the 422."""
        response.headers.set("Min-SE", str(SHORTEST))

    def accept(self, request: Request, response: Response) -> None:
        """Complete our 2xx to their request, and go by it from now on (9)."""
        wanted = _session_expires(request.headers)
        self._decided = True
        if wanted is None:
            self.interval, self.refreshing = 0, False
            return
        self.interval, refresher = wanted
        supported = _supported(request)
        self.refreshing = refresher == "uas" or not supported
        refresher = "uas" if self.refreshing else "uac"
        response.headers.set("Session-Expires", f"{self.interval};refresher={refresher}")
        if supported and "timer" not in response.headers.tokens("Require"):
            # With uac a MUST; with uas it tells them that BYE may come from either side.
            response.headers.add("Require", "timer")

    # -- our INVITE or UPDATE ---------------------------------------------------------------------

    def offer(self, request: Request) -> None:
        """Complete our request: ask in the first one, keep the roles in later ones (7.1, 7.4).

        A dialog that was agreed on without a timer is not given one later.
        """
        if self._decided and not self.interval:
            return
        interval = max(self.interval or self._offered, self._minimum)
        refresher = ""
        if self._decided:
            refresher = f";refresher={'uac' if self.refreshing else 'uas'}"
        request.headers.set("Session-Expires", f"{interval}{refresher}")
        request.headers.set("Min-SE", str(self._minimum))
        if "timer" not in request.headers.tokens("Supported"):
            request.headers.add("Supported", "timer")

    def answered(self, response: Response) -> None:
        """Their 2xx to our request: what it says holds, also when we have not asked (7.2).

        Without a refresher we do it: a session that nobody refreshes is cut off.
        """
        self._decided = True
        given = _session_expires(response.headers)
        self.interval = given[0] if given else 0
        self.refreshing = given is not None and given[1] != "uas"

    def raised(self, response: Response) -> bool:
        """Their 422: the next `offer` asks for their Min-SE. False: asking again is no use."""
        minimum = _seconds(response.headers.get("Min-SE").partition(";")[0])
        asked = max(self.interval or self._offered, self._minimum)
        if minimum is None or not asked < minimum <= LONGEST:
            return False
        self._minimum = minimum
        return True


def _enforced(interval: int) -> int:
    """Below 90 s a proxy or a mistake has spoken: it is repeated, but not kept to (5)."""
    return max(interval, SHORTEST)


def _supported(request: Request) -> bool:
    return "timer" in request.headers.tokens("Supported")


def _session_expires(headers: Headers) -> tuple[int, str] | None:
    """Seconds and "uac", "uas" or ""; None when it is not there or makes no sense."""
    number, *parameters = split(headers.get("Session-Expires"), ";") or [""]
    seconds = _seconds(number)
    if not seconds:
        return None
    for parameter in parameters:
        name, _, value = (part.strip().lower() for part in parameter.partition("="))
        if name == "refresher" and value in ("uac", "uas"):
            return seconds, value
    return seconds, ""


def _seconds(text: str) -> int | None:
    text = text.strip()
    return int(text) if NUMBER.fullmatch(text) else None
