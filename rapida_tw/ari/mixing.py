"""A call's bridge and its media channel to us: how the customer and the assistant meet."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from rapida_tw.ari.client import Client, at
from rapida_tw.ari.plan import Plan


class Mixing:
    """The bridge first: the assistant speaks as soon as its media channel is connected.

    All errback with `Declined` or `VendorFailed`.
    """

    def __init__(self, plan: Plan, client: Client) -> None:
        self.begun = False
        self.media_asked = False  # from then on there may be a media channel
        self.media_gone = False
        self.joined = False  # the assistant is in the bridge
        self._plan = plan
        self._client = client
        self._bridge = f"/bridges/{quote(plan.bridge, safe='')}"

    async def open(self) -> None:
        """The customer is in the bridge, and our media channel asked for.

        Asterisk connects to us before it answers; its StasisStart says that it has.
        """
        self.begun = True
        bridge = {"type": "mixing", "bridgeId": self._plan.bridge}
        await self._client.ask("POST", "/bridges", bridge)
        await self.add(self._plan.channel)
        self.media_asked = True
        query, body = self._plan.external_media()
        await self._client.ask("POST", "/channels/externalMedia", query, body, once=True)

    async def join(self) -> None:
        """Our media channel is in the application: it goes into the bridge."""
        self.joined = True
        await self.add(self._plan.media_channel)

    async def add(self, channel: str) -> None:
        await self._client.ask("POST", f"{self._bridge}/addChannel", {"channel": channel})

    async def take_out_media(self) -> None:
        """The others are among themselves."""
        query = {"channel": self._plan.media_channel}
        await self._client.ask("POST", f"{self._bridge}/removeChannel", query)

    def left(self) -> Iterator[str]:
        """What does not go by itself when the customer has gone."""
        if self.media_asked and not self.media_gone:
            yield at(self._plan.media_channel)
        if self.begun:
            yield self._bridge
