"""How samples are written on the wire, by the encoding of a leg: bytes to int16 and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from rapida_tw.audio.format import Encoding, Samples
from rapida_tw.audio.g711 import ALAW, MULAW

_LITTLE = np.dtype("<i2")


def _read_linear(payload: bytes) -> Samples:
    return np.frombuffer(payload, _LITTLE)


def _write_linear(samples: Samples) -> bytes:
    return samples.astype(_LITTLE, copy=False).tobytes()


CODECS: Mapping[Encoding, tuple[Callable[[bytes], Samples], Callable[[Samples], bytes]]] = {
    Encoding.LINEAR16: (_read_linear, _write_linear),
    Encoding.MULAW: (MULAW.decode, MULAW.encode),
    Encoding.ALAW: (ALAW.decode, ALAW.encode),
}
