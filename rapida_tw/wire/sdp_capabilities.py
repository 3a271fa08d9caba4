"""What we can do, and the audio line that says it: in an answer, in an offer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rapida_tw.wire.sdp import Codec, Media
from rapida_tw.wire.sdp_agreement import mirrored
from rapida_tw.wire.sdp_codecs import (
    AUDIO,
    COMFORT_NOISE,
    EVENTS,
    NOISE,
    attributes,
    event_for,
    events_taken,
    formats,
    key,
)
from rapida_tw.wire.sdp_crypto import Crypto

# RFC 5761 4: with the marker these would be read as RTCP.
_NOT_MUXED = range(64, 96)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What we can do. `ValueError` when that is a contradiction.

    `codecs`: names of wire.sdp_codecs.AUDIO, best first. `srtp`: "off", "optional": where they
    offer it, "required": nothing else. `srtp_available`: its library is there.
    """

    codecs: tuple[str, ...]
    srtp: str = "off"
    srtp_available: bool = False

    def __post_init__(self) -> None:
        if not self.codecs or not AUDIO.keys() >= set(self.codecs):
            raise ValueError(f"codecs are some of {', '.join(AUDIO)}, not {self.codecs}")
        if self.srtp not in ("off", "optional", "required"):
            raise ValueError(f"srtp is off, optional or required, not {self.srtp!r}")
        if self.srtp == "required" and not self.srtp_available:
            raise ValueError("srtp is required, and its library is not there")

    @property
    def audio(self) -> list[Codec]:
        """Every codec with the number that it has in an offer, best first."""
        return [codec for name in dict.fromkeys(self.codecs) for codec in AUDIO[name]]

    @property
    def profiles(self) -> tuple[bool, ...]:
        """Whether to use SRTP, best first."""
        if self.srtp == "required":
            return (True,)
        return (True, False) if self.srtp == "optional" and self.srtp_available else (False,)

    def offered(self, comfort_noise: bool) -> list[Codec]:
        """All payload types of an offer; comfort noise where it is in use already."""
        events = [one for one in EVENTS if one.rate == 8_000 or "opus" in self.codecs]
        return [*self.audio, *([COMFORT_NOISE] if comfort_noise else ()), *events]

    def chosen(self, theirs: Media) -> list[Codec]:
        """Of their offer one codec, its telephone-event and its comfort noise, by their numbers.

        None at all when no codec of ours is among them.
        """
        offered = list(formats(theirs).values())
        for ours in self.audio:
            for one in offered:
                if key(one) == key(ours):
                    codecs = [replace(ours, payload_type=one.payload_type)]
                    return codecs + _beside(ours, offered)
        return []


def _beside(codec: Codec, offered: Sequence[Codec]) -> list[Codec]:
    noise = [one for one in offered if one.name == NOISE and one.rate == codec.rate]
    event = event_for(codec, offered)
    events = [replace(event, fmtp=events_taken(event.fmtp))] if event is not None else []
    return [replace(one, fmtp="") for one in noise[:1]] + events


def answering(
    theirs: Media, codecs: Sequence[Codec], host: str, port: int, crypto: Iterable[Crypto]
) -> Media:
    """Our line to theirs."""
    mux = theirs.value("rtcp-mux") is not None
    mux = mux and not any(one.payload_type in _NOT_MUXED for one in codecs)
    return audio_line(theirs.transport, codecs, host, port, mirrored(theirs), mux, crypto)


def audio_line(
    transport: str,
    codecs: Sequence[Codec],
    host: str,
    port: int,
    direction: str,
    mux: bool,
    crypto: Iterable[Crypto],
) -> Media:
    """An audio line of ours; packets of 20 ms are what we like."""
    said = [*attributes(codecs), *(("crypto", one.value) for one in crypto)]
    if mux:
        said.append(("rtcp-mux", ""))
    said += [("ptime", "20"), (direction, "")]
    numbers = tuple(str(one.payload_type) for one in codecs)
    return Media("audio", port, transport, numbers, host, tuple(said))
