"""Codecs of SDP as formats of a leg, and 20 ms of silence in each."""

from __future__ import annotations

from rapida_tw.audio.format import FRAME, TICKS_PER_SECOND, AudioFormat, Encoding
from rapida_tw.wire.sdp import Codec

_ENCODINGS = {
    "pcmu": Encoding.MULAW,
    "pcma": Encoding.ALAW,
    "g722": Encoding.G722,
    "l16": Encoding.L16,
    "opus": Encoding.OPUS,
}
# What RTP calls the rate of these two is not the rate of their samples here.
_WIDEBAND = (Encoding.G722, Encoding.OPUS)

_SILENCE = {
    Encoding.MULAW: b"\xff",
    Encoding.ALAW: b"\xd5",
    # The difference of nothing in both bands: decoders give out zeros, whatever came before.
    Encoding.G722: b"\xfc",
}
# One frame of 20 ms without sound (RFC 6716 3.1, configuration 31).
_OPUS_SILENCE = b"\xf8\xff\xfe"


def format_of(codec: Codec, patience: float) -> AudioFormat:
    """The leg's format; `patience` as AudioFormat has it. `KeyError` for a codec we do not know."""
    encoding = _ENCODINGS[codec.name.lower()]
    rate = FRAME * TICKS_PER_SECOND if encoding in _WIDEBAND else codec.rate
    return AudioFormat(encoding, rate, patience=patience)


def silence_of(format: AudioFormat) -> bytes:
    """One tick of it."""
    if format.encoding is Encoding.OPUS:
        return _OPUS_SILENCE
    octet = _SILENCE.get(format.encoding, b"\0")
    return octet * format.frame_bytes
