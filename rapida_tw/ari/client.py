"""Requests to ARI, each with a time-out of its own; none waits for another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IReactorTime

from rapida_tw.ari.login import Login
from rapida_tw.ari.refusal import GONE, Declined, words
from rapida_tw.errors import VendorFailed
from rapida_tw.metrics import Counter
from rapida_tw.net.base import Net, Request

WITHIN = 10.0  # seconds for an answer, whole
_LARGEST = 8_388_608  # bytes of one; a list of some thousand channels

requests = Counter("rapida_ari_requests_total", "Requests to ARI, by what came of them.", ("is",))


class Client:
    """One Asterisk's REST interface, by one login."""

    def __init__(self, net: Net, clock: IReactorTime, login: Login) -> None:
        self.login = login
        self._net = net
        self._clock = clock

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        once: bool = False,
    ) -> Deferred[Any]:
        """The answer's JSON, None where it has none. `path` is percent-encoded already.

        `Declined` for an answer above 299; `VendorFailed` where there was none within `WITHIN`.
        """
        url = f"{self.login.base}{path}"
        if query:
            # quote: a blank as "+" is one to some servers only.
            url += "?" + urlencode(query, quote_via=quote, safe="")
        headers = {"Authorization": self.login.authorization, "Accept": "application/json"}
        content = b""
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode("ascii")
        request = Request(url, method, headers, content, once=once)
        asking = Deferred.fromCoroutine(self._ask(request))
        return asking.addTimeout(WITHIN, self._clock).addErrback(self._unanswered)

    async def _ask(self, request: Request) -> Any:
        try:
            answer = await self._net.request(request)
            text = await answer.text(_LARGEST)
        except VendorFailed:
            requests.inc("failed")
            raise
        if not 200 <= answer.status < 300:
            requests.inc("gone" if answer.status == GONE else "refused")
            raise Declined(answer.status, words(text))
        requests.inc("done")
        try:
            return json.loads(text) if text else None
        except (ValueError, RecursionError):
            raise VendorFailed(f"{self.login.host} answered with what is no JSON") from None

    def _unanswered(self, failure: Any) -> Any:
        if not failure.check(DeferredTimeout):
            return failure
        requests.inc("failed")
        raise VendorFailed(f"{self.login.host} did not answer within {WITHIN:.0f} s")

    async def remove(self, path: str) -> None:
        """DELETE; what is gone already is no error."""
        try:
            await self.ask("DELETE", path)
        except Declined as declined:
            if declined.status != GONE:
                raise

    async def find(self, channel: str) -> Mapping[str, Any] | None:
        """The channel, None when there is none of that id."""
        try:
            found = await self.ask("GET", at(channel))
        except Declined as declined:
            if declined.status == GONE:
                return None
            raise
        return found if isinstance(found, dict) else {}


def at(channel: str, action: str = "") -> str:
    """The path of a channel, or of what is done to it."""
    return f"/channels/{quote(channel, safe='')}{action}"
