"""Codecs of SDP as formats of a leg, and 20 ms of silence in each."""

from __future__ import annotations

from dataclasses import replace

from rapida_tw.audio import rtp_formats
from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.wire.sdp import Codec

_SILENCE = {
    Encoding.MULAW: b"\xff",
    Encoding.ALAW: b"\xd5",
    # The difference of nothing in both bands: decoders give out zeros, whatever came before.
    Encoding.G722: b"\xfc",
}
# One frame of 20 ms without sound (RFC 6716 3.1, configuration 31).
_OPUS_SILENCE = b"\xf8\xff\xfe"


def format_of(codec: Codec, patience: float) -> AudioFormat:
    """The leg's format; `patience` as AudioFormat has it. `ValueError` for one we do not know."""
    return replace(rtp_formats.format_of(codec.name, codec.rate), patience=patience)


def silence_of(format: AudioFormat) -> bytes:
    """One tick of it."""
    if format.encoding is Encoding.OPUS:
        return _OPUS_SILENCE
    octet = _SILENCE.get(format.encoding, b"\0")
    return octet * format.frame_bytes
