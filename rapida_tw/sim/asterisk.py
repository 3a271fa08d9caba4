"""Asterisk's dialplan for an inbound call: phase 1 by CURL(), phase 2 by AudioSocket().

Set(CTX=${CURL(https://host/v1/talk/asterisk/call/${ASSISTANT_ID}?from=...)})
GotoIf($["${CTX}" = ""]?error)
AudioSocket(${CTX},host:4573)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import UUID

from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.error import ConnectError, DNSLookupError

from rapida_tw.sim.audiosocket import APPLICATION, FakeAsterisk, Manner
from rapida_tw.sim.http import HttpAnswer, HttpRequest, NoAnswer, real_http
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.phone import CallFailed, Phone

HTTP_TIMEOUT = 5.0  # seconds: CURLOPT(httptimeout)
CONNECT_TIMEOUT = 2.0  # seconds: fixed in res_audiosocket
# The one form that Asterisk's parser takes: no braces, no blanks, any case.
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Dialplan:
    """What the dialplan knows: where the server is, and who is called by whom.

    `api_key` goes into the query as in the published dialplan, or with `key_in_header` into
    `x-api-key` (`CURLOPT(httpheader)`), where no proxy logs it.
    """

    url: str  # of the server's HTTP port, without a path
    assistant_id: str
    api_key: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 4_573
    caller: str = "+15550100"
    channel_id: str = ""
    key_in_header: bool = False

    def curl(self) -> HttpRequest:
        """Phase 1."""
        url = (
            f"{self.url.rstrip('/')}/v1/talk/asterisk/call/{quote(self.assistant_id, '')}"
            f"?from={quote(self.caller, '')}&channel_id={quote(self.channel_id, '')}"
        )
        headers = {"User-Agent": "asterisk-libcurl-agent/1.0", "Accept": "*/*"}
        if self.key_in_header:
            headers["x-api-key"] = self.api_key
        else:
            url += f"&x-api-key={quote(self.api_key, '')}"
        return HttpRequest("GET", url, headers)


def read_context(answer: HttpAnswer) -> UUID:
    """The call's context; `CallFailed` says which way the dialplan goes instead."""
    if answer.status >= 400:  # CURLOPT(failurecodes)
        raise CallFailed(f"CURL() got {answer.reason}")
    text = answer.text.rstrip()  # CURL() trims white space at the end only
    if not text:
        raise CallFailed("CURL() gave an empty CTX")
    if not _UUID.fullmatch(text):
        raise CallFailed(f"Failed to parse UUID {text[:60]!r}")
    return UUID(text)


class Asterisk:
    """Makes calls as a real Asterisk with that dialplan does."""

    def __init__(self, reactor: Any, dialplan: Dialplan, http: HTTPClient | None = None) -> None:
        self._reactor = reactor
        self._dialplan = dialplan
        self._http = real_http(reactor, HTTP_TIMEOUT, http)

    def call(
        self, phone: Phone, metronome: Metronome, manner: Manner = APPLICATION
    ) -> Deferred[FakeAsterisk]:
        """Both phases; fires when the line is up, errbacks with `CallFailed`."""
        return Deferred.fromCoroutine(self._call(phone, metronome, manner))

    def context(self) -> Deferred[UUID]:
        """Phase 1 alone; errbacks with `CallFailed`."""
        return Deferred.fromCoroutine(self._context())

    async def _call(self, phone: Phone, metronome: Metronome, manner: Manner) -> FakeAsterisk:
        context = await self._context()
        plan = self._dialplan
        endpoint = HostnameEndpoint(
            self._reactor, plan.host.encode(), plan.port, timeout=CONNECT_TIMEOUT
        )
        try:
            line = FakeAsterisk(phone, context, metronome, manner)
            await connectProtocol(endpoint, line)
        except (ConnectError, DNSLookupError) as error:
            raise CallFailed(f"AudioSocket({plan.host}:{plan.port}): {error}") from error
        return line

    async def _context(self) -> UUID:
        try:
            answer = await self._http(self._dialplan.curl())
        except NoAnswer as error:
            raise CallFailed(f"CURL() of {self._dialplan.url} failed: {error}") from error
        return read_context(answer)
