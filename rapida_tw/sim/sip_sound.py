"""A phone's codecs: samples to payloads of RTP and back (RFC 3551, RFC 4733)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rapida_tw.audio import g722
from rapida_tw.audio.format import Samples
from rapida_tw.audio.g711 import ALAW, MULAW
from rapida_tw.audio.resample import resample_all


@dataclass(frozen=True, slots=True)
class Codec:
    """`number` is the payload type; `clock` of RTP and `rate` of the samples are in Hz."""

    name: str
    number: int
    clock: int
    rate: int

    @property
    def map(self) -> str:
        """As rtpmap spells it."""
        return f"{self.name}/{self.clock}"


CODECS = {
    "PCMU": Codec("PCMU", 0, 8_000, 8_000),
    "PCMA": Codec("PCMA", 8, 8_000, 8_000),
    "G722": Codec("G722", 9, 8_000, 16_000),  # the clock is a historical error (RFC 3551 4.5.2)
    "L16": Codec("L16", 107, 16_000, 16_000),
}
EVENTS = {8_000: 101, 16_000: 102}  # telephone-event, by its clock


def _swapped(samples: Samples) -> bytes:
    return samples.astype(">i2").tobytes()


def _unswapped(payload: bytes) -> Samples:
    return np.frombuffer(payload, ">i2").astype(np.int16)


class Voice:
    """Both directions of one codec; the line's samples may be at another rate, `line_rate`."""

    def __init__(self, codec: Codec, line_rate: int) -> None:
        self.codec = codec
        self._line_rate = line_rate
        self._encode: Callable[[Samples], bytes]
        self._decode: Callable[[bytes], Samples]
        if codec.name == "G722":
            self._encode, self._decode = g722.Encoder().encode, g722.Decoder().decode
        elif codec.name == "L16":
            self._encode, self._decode = _swapped, _unswapped
        else:
            law = MULAW if codec.name == "PCMU" else ALAW
            self._encode, self._decode = law.encode, law.decode

    def encode(self, audio: bytes) -> bytes:
        """Of int16, little-endian, at the line's rate."""
        samples = np.frombuffer(audio, "<i2").astype(np.int16)
        if self._line_rate != self.codec.rate:
            samples = resample_all(samples, self._line_rate, self.codec.rate)
        return self._encode(samples)

    def decode(self, payload: bytes) -> bytes:
        """int16, little-endian, at the codec's rate."""
        return self._decode(payload).astype("<i2").tobytes()

    def ticks(self, payload: bytes) -> int:
        """How long a payload lasts, on RTP's clock."""
        return len(payload) // 2 if self.codec.name == "L16" else len(payload)
