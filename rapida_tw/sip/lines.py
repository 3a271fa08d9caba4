"""Where a call's media comes from: a pair of ports, what is told of them, the stream over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import cast

from rapida_tw.errors import CapacityExceeded
from rapida_tw.sip.base import Flow
from rapida_tw.sip.media import Offers, Stream
from rapida_tw.sip.settings import SipSettings
from rapida_tw.transports.rtp_ports import PortPool
from rapida_tw.transports.rtp_stream import RtpStream, Streams
from rapida_tw.wire.rtp_source import Learn
from rapida_tw.wire.sdp_negotiation import Capabilities, Negotiator

_SESSION_BITS = 31  # of the number in o=: there are peers that keep it as a signed word


class RtpLines:
    """Media goes over the family that the signalling goes over.

    `pools`: by the version of IP, 4 and 6.
    """

    def __init__(
        self,
        settings: SipSettings,
        pools: Mapping[int, PortPool],
        streams: Streams,
        capabilities: Capabilities,
        random: Random,
    ) -> None:
        self._hosts = {4: settings.host, 6: settings.host6}
        self._pools = pools
        self._streams = streams
        self._capabilities = capabilities
        self._random = random

    def open(self, flow: Flow, learning: str = "") -> tuple[Offers, Stream]:
        """For a call over that way. `CapacityExceeded`: no ports, or none of that family.

        `learning`: one of wire.rtp_source.Learn instead of the usual.
        """
        version = 6 if ":" in flow.peer[0] else 4
        pool = self._pools.get(version)
        if pool is None:
            raise CapacityExceeded(f"there are no RTP ports for IPv{version}")
        host = self._hosts[version] or flow.local[0]
        pair = pool.take(host)
        try:
            negotiator = Negotiator(
                host,
                pair.port,
                self._capabilities,
                self._random.getrandbits(_SESSION_BITS),
                secure=flow.transport == "TLS",
            )
            streams = self._streams
            if learning:
                streams = replace(streams, learn=cast("Learn", learning))
            return negotiator, RtpStream(pair, streams)
        except BaseException:
            pair.close()
            raise
