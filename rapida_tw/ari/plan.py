"""How one call is placed: what its deployment, its credential and the order say, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from math import ceil
from typing import Any, Final

from rapida_tw.ari.endpoint import Way, formats, name_in
from rapida_tw.carriers.options import one_of
from rapida_tw.carriers.outbound import Order
from rapida_tw.errors import BadRequest, MisconfiguredAssistant

AUDIOSOCKET: Final = "audiosocket"
WEBSOCKET: Final = "websocket"
VARIABLE: Final = "RAPIDA_CONTEXT_ID"  # that a dialplan gives to AudioSocket()

_FORMATS: Final[Mapping[str, tuple[str, ...]]] = {
    AUDIOSOCKET: ("slin", "slin16"),
    WEBSOCKET: ("ulaw", "alaw", "slin", "slin16"),
}
_EXTENSION: Final = re.compile(r"[+0-9A-Za-z*#._-]{1,80}")
_SERVER: Final = re.compile(r"[0-9A-Za-z._\[\]:-]{1,200}:[0-9]{1,5}")
_NUMBER: Final = re.compile(r"[+0-9A-Za-z*#._@-]{0,80}")
_LONGEST_NAME: Final = 120  # characters of a caller id


@dataclass(frozen=True, slots=True)
class Plan:
    """`context`: dialplan mode, it takes the call when it is answered; "": Stasis mode."""

    channel: str  # our name for it: events are known by it, and it can be asked for
    endpoint: str
    way: Way
    app: str
    context: str
    extension: str
    caller: str
    timeout: int  # seconds
    context_id: str
    audiosocket: str
    media: str
    media_format: str
    client: str  # in websocket_client.conf

    @classmethod
    def of(cls, order: Order, node: str) -> Plan:
        """`node`: goes into the app's name where several servers use one Asterisk.

        `BadRequest` for a number that is none, `MisconfiguredAssistant` for wrong options.
        """
        options = order.options
        way = Way.of(order.account, options)
        context = name_in(options, "context")
        media = one_of(options, "media", tuple(_FORMATS), AUDIOSOCKET)
        if not context and media == AUDIOSOCKET and not _SERVER.fullmatch(order.audiosocket):
            raise MisconfiguredAssistant(
                "Asterisk must be told where AudioSocket is reached: host and port"
            )
        return cls(
            channel=channel_id(order),
            endpoint=way.endpoint(order.callee),
            way=way,
            app=app_name(options, node),
            context=context,
            extension=_extension(options),
            caller=_caller(options, order.caller),
            timeout=max(1, ceil(order.ring_seconds)),
            context_id=order.context_id,
            audiosocket=order.audiosocket,
            media=media,
            media_format=one_of(options, "media_format", _FORMATS[media], _FORMATS[media][0]),
            client=name_in(options, "websocket_client", "rapida"),
        )

    @property
    def stasis(self) -> bool:
        return not self.context

    @property
    def source(self) -> str:
        """Of the events of all calls through the trunk; "" where there is none such."""
        way = self.way
        named = way.trunk and way.technology in ("PJSIP", "SIP", "IAX2")
        return f"endpoint:{way.technology}/{way.trunk}" if named else ""

    @property
    def media_channel(self) -> str:
        return f"{self.channel}-media"

    @property
    def bridge(self) -> str:
        return f"{self.channel}-bridge"

    def originate(self) -> tuple[dict[str, str], dict[str, Any]]:
        """Query and body of POST /channels."""
        query = {"endpoint": self.endpoint, "channelId": self.channel}
        if self.stasis:
            query["app"] = self.app
        else:
            query |= {"context": self.context, "extension": self.extension, "priority": "1"}
        if self.caller:
            query["callerId"] = self.caller
        query |= {"timeout": str(self.timeout), **formats(self.endpoint)}
        # Only so it reaches the far half of a Local channel.
        inherited = "__" if self.endpoint.startswith("Local/") else ""
        return query, {"variables": {inherited + VARIABLE: self.context_id}}

    def external_media(self) -> tuple[dict[str, str], dict[str, Any]]:
        """Query and body of POST /channels/externalMedia."""
        query = {"app": self.app, "channelId": self.media_channel, "format": self.media_format}
        if self.media == AUDIOSOCKET:
            query |= {
                "external_host": self.audiosocket,
                "encapsulation": "audiosocket",
                "transport": "tcp",
                "data": self.context_id,
            }
        else:
            query |= {
                "external_host": self.client,
                "encapsulation": "none",
                "transport": "websocket",
                "transport_data": f"f(json)v(contextId={self.context_id})",
            }
        return query, {"variables": {VARIABLE: self.context_id}}


def channel_id(order: Order) -> str:
    """The same for the same call, however often it is asked for: Asterisk takes it once.

    Of the context no more than a hash: who knows a context can have its call.
    """
    digest = sha256(order.context_id.encode()).hexdigest()[:12]
    return f"rapida-{order.conversation_id}-{digest}"


def app_name(options: Mapping[str, Any], node: str) -> str:
    """Events of an app go to one socket alone: each node has an app of its own."""
    app = name_in(options, "app", "rapida")
    return f"{app}-{re.sub('[^0-9A-Za-z._-]', '-', node)}" if node else app


def _extension(options: Mapping[str, Any]) -> str:
    value = str(options.get("extension") or "s").strip()
    if not _EXTENSION.fullmatch(value):
        raise MisconfiguredAssistant("extension may have letters, digits and + * # . _ -")
    return value


def _caller(options: Mapping[str, Any], number: str) -> str:
    """`"Name" <number>` or a number."""
    told = str(options.get("caller_id") or "").strip()
    if told:
        if len(told) > _LONGEST_NAME or not told.isprintable():
            raise MisconfiguredAssistant('caller_id must be like "Name" <+15551234567>')
        return told
    bare = re.sub(r"^sips?:", "", number)
    if not _NUMBER.fullmatch(bare):
        raise BadRequest("the caller is no number that Asterisk can show")
    return bare
