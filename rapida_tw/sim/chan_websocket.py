"""Asterisk's dialplan for a call over chan_websocket: phase 1 by CURL(), phase 2 by Dial().

Set(_RAPIDA_CONTEXT_ID=${CURL(https://host/v1/talk/asterisk/call/${ASSISTANT_ID}?from=...)})
Dial(WebSocket/rapida/c(ulaw)f(json)v(contextId=${RAPIDA_CONTEXT_ID}))

`rapida` is an object of websocket_client.conf; its one URI is the same for all calls.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from secrets import randbelow
from urllib.parse import quote
from uuid import UUID

from rapida_tw.sim.asterisk import Dialplan, read_context
from rapida_tw.sim.carrier import FakeCarrier, Media
from rapida_tw.sim.chan_websocket_media import ChanWebSocketMedia
from rapida_tw.sim.http import HttpAnswer, HttpRequest, form
from rapida_tw.sim.phone import Ending


class Way(Enum):
    """How the server learns whose call the socket is."""

    QUERY = "query"  # v(contextId=...) in the dial string
    VARIABLE = "variable"  # an inherited variable, in JSON's MEDIA_START
    PATH = "path"  # a client object made for this call by ARI


@dataclass(frozen=True, slots=True)
class DialString:
    """`Dial(WebSocket/rapida/...)`, and the client object that it names.

    `user`: "name:password" for HTTP Basic. `early`: frames that overtake MEDIA_START. With `tells`
    the dialplan posts how Dial() ended (it runs on, with the option g).
    """

    codec: str = "ulaw"
    plain: bool = False  # f(plain-text), not f(json)
    way: Way = Way.QUERY
    subprotocols: tuple[str, ...] = ("media",)
    user: str = field(default="", repr=False)
    early: int = 0
    tells: bool = False


class ChanWebSocketCall:
    """A caller of that dialplan."""

    def __init__(self, dialplan: Dialplan, dial: DialString = DialString()) -> None:
        if not dialplan.channel_id:
            # Two callers with one channel would be one call, announced twice.
            dialplan = replace(dialplan, channel_id=f"1795196486.{randbelow(10**9)}")
        self.context: UUID | None = None  # once CURL() gave it
        self._plan = dialplan
        self._dial = dial

    def webhook(self, now: float) -> HttpRequest:
        return self._plan.curl()

    def invited(self, answer: HttpAnswer, now: float) -> Media:
        context = self.context = read_context(answer)
        dial = self._dial
        url = f"ws{self._address.removeprefix('http')}"
        variables = {"DIALEDPEERNUMBER": f"rapida/c({dial.codec})"}
        if dial.way is Way.QUERY:
            url += f"?contextId={quote(str(context), '')}"
        elif dial.way is Way.PATH:
            url += f"/{context}"
        else:
            variables["RAPIDA_CONTEXT_ID"] = str(context)
        headers: tuple[tuple[str, str], ...] = ()
        if dial.user:
            headers = (("Authorization", f"Basic {b64encode(dial.user.encode()).decode()}"),)
        channel = ChanWebSocketMedia(
            dial.codec, plain=dial.plain, variables=variables, early=dial.early
        )
        return Media(url, channel, headers, dial.subprotocols)

    def started(self, now: float) -> Sequence[HttpRequest]:
        """Nobody is told."""
        return ()

    def ended(self, ending: Ending, now: float) -> Sequence[HttpRequest]:
        if not self._dial.tells:
            return ()
        fields = {"dialstatus": "ANSWER", "cause": "16", "channel_id": self._plan.channel_id}
        return (form("POST", f"{self._address}/{self.context}/event", fields, {}),)

    @property
    def _address(self) -> str:
        return f"{self._plan.url.rstrip('/')}/v1/talk/asterisk/ctx"


_conforms: type[FakeCarrier] = ChanWebSocketCall
