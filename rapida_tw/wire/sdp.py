"""SDP for one audio stream (RFC 8866): what a description says, and what two of them agree on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Codec:
    """One way of writing audio on RTP: a payload type with its rtpmap (RFC 3551, RFC 8866 6.6).

    `rate` is the clock of its timestamps in Hz; of G.722 that is 8000 although it has 16000
    samples a second.
    """

    name: str  # PCMU, PCMA, G722, L16, opus: as the registry spells it
    rate: int
    payload_type: int
    channels: int = 1
    fmtp: str = ""


@dataclass(frozen=True, slots=True)
class Keys:
    """SRTP by SDES (RFC 4568): the suite, and key with salt of each direction."""

    suite: str  # AES_CM_128_HMAC_SHA1_80 and so on
    ours: bytes = field(repr=False)
    theirs: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What an offer and its answer have agreed on, seen from our side.

    `host` is theirs, an IP literal, or "" when they gave none that can be sent to. `receive` holds
    every payload type of audio that may come; `codec` is what we send.
    """

    codec: Codec
    receive: Mapping[int, Codec]
    host: str
    port: int
    rtcp_host: str
    rtcp_port: int
    event: Codec | None = None  # telephone-event (RFC 4733)
    comfort_noise: int | None = None  # payload type (RFC 3389)
    rtcp_mux: bool = False  # RFC 5761
    sends: bool = True  # we may send audio
    hears: bool = True  # they will send audio
    ptime: int = 20  # ms a packet, as they like it
    keys: Keys | None = None

    @property
    def held(self) -> bool:
        """They do not want to hear us."""
        return not self.sends
