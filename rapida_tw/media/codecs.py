"""How samples are written on the wire, by the encoding of a leg: bytes to int16 and back.

Most encodings know nothing of what came before, and one codec serves all calls (`CODECS`). G.722
and Opus remember: `codec_for` makes one for each format of each call. Measured, in µs to decode and
to encode a frame of 20 ms: µ-law and A-law 1.0 and 1.2, L16 0.6 and 0.3, G.722 15 and 15, Opus 12
and 70.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from rapida_tw.audio import g722, opus
from rapida_tw.audio.format import Encoding, Samples
from rapida_tw.audio.g711 import ALAW, MULAW

_LITTLE = np.dtype("<i2")
_NETWORK = np.dtype(">i2")
_INT16 = np.dtype(np.int16)


class Codec(NamedTuple):
    """Both directions; nothing raises, whatever the bytes.

    `lost(samples)`: so much was lost; returns what is to be heard instead, by now. None: it knows
    nothing better than audio/concealment.py.
    """

    decode: Callable[[bytes], Samples]
    encode: Callable[[Samples], bytes]
    lost: Callable[[int], Samples] | None = None


def _read_linear(payload: bytes) -> Samples:
    return np.frombuffer(payload, _LITTLE)


def _write_linear(samples: Samples) -> bytes:
    return samples.astype(_LITTLE, copy=False).tobytes()


def _read_network(payload: bytes) -> Samples:
    # Half a sample at the end is none: packets are not ours to check here.
    return np.frombuffer(payload, _NETWORK, len(payload) // 2).astype(_INT16)


def _write_network(samples: Samples) -> bytes:
    return samples.astype(_NETWORK).tobytes()


CODECS: Mapping[Encoding, Codec] = {
    Encoding.LINEAR16: Codec(_read_linear, _write_linear),
    Encoding.MULAW: Codec(MULAW.decode, MULAW.encode),
    Encoding.ALAW: Codec(ALAW.decode, ALAW.encode),
    Encoding.L16: Codec(_read_network, _write_network),
}


def _g722() -> Codec:
    return Codec(g722.Decoder().decode, g722.Encoder().encode)


def _opus() -> Codec:
    decoder = opus.Decoder()
    return Codec(decoder.decode, opus.Encoder().encode, decoder.lost)


_MAKERS: Mapping[Encoding, Callable[[], Codec]] = {Encoding.G722: _g722, Encoding.OPUS: _opus}


def codec_for(encoding: Encoding) -> Codec:
    """The one of all calls, or one of its own; `RuntimeError` unless it is available."""
    codec = CODECS.get(encoding)
    return codec if codec is not None else _MAKERS[encoding]()
