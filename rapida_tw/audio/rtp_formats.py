"""What the codecs of RTP are as formats of a leg (RFC 3551, RFC 7587)."""

from __future__ import annotations

from rapida_tw.audio.format import RATE, AudioFormat, Encoding

_OF_ITS_CLOCK = {"pcmu": Encoding.MULAW, "pcma": Encoding.ALAW, "l16": Encoding.L16}
# Their clocks say nothing of their samples: G.722's is 8000 by an old mistake (RFC 3551 4.5.2),
# Opus' 48000 whatever is inside (RFC 7587 4.1), and a decoder gives the rate that it is asked for.
_OF_OTHER_CLOCKS = {("g722", 8_000): Encoding.G722, ("opus", 48_000): Encoding.OPUS}
_RATES = (8_000, 16_000, 24_000, 32_000, 44_100, 48_000)


def format_of(name: str, rate: int) -> AudioFormat:
    """The format of a codec by its rtpmap: name in any case, clock rate in Hz; one channel.

    `ValueError` for one that we cannot read, whatever libraries there are.
    """
    encoding = _OF_OTHER_CLOCKS.get((name.lower(), rate))
    if encoding is not None:
        return AudioFormat(encoding, RATE)
    if name.lower() not in _OF_ITS_CLOCK or rate not in _RATES:
        raise ValueError(f"no codec {name}/{rate}")
    return AudioFormat(_OF_ITS_CLOCK[name.lower()], rate)
