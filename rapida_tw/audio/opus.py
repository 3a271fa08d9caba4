"""Opus by the system's libopus (RFC 6716, RFC 7587): voice at 16 kHz, one channel.

Distributions have it (Debian: libopus0); where it is missing, `available` says so and nobody offers
it. Measured with libopus 1.3: 70 µs to encode a frame of 20 ms, 12 µs to decode one.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache

import numpy as np

from rapida_tw.audio.format import FRAME, RATE, Samples

_NAMES = ("libopus.so.0", "libopus.0.dylib")

_BITRATE = 24_000  # bit/s: wideband voice needs no more (RFC 7587 3.1.1)
# Of 10: the default costs three times as much. With less than 2, libopus 1.3 gives up either the
# upper band or the error correction at this bit rate.
_COMPLEXITY = 2
_LOSS = 10  # percent that the encoder is to expect: with 5, it writes no error correction
_LONGEST_PACKET = 1275  # bytes (RFC 6716 3.4)
_LONGEST = 120 * RATE // 1000  # samples a packet may hold
_GRAIN = RATE // 400  # samples: lost audio is made up in pieces of 2.5 ms
_MOST_LOST = 200 * RATE // 1000  # samples: by then the decoder has faded out

# opus_defines.h
_APPLICATION_VOIP = 2048
_SET_BITRATE, _SET_COMPLEXITY, _SET_FEC, _SET_LOSS, _SET_SIGNAL = 4002, 4010, 4012, 4014, 4024
_SIGNAL_VOICE = 3001

_NO_SAMPLES: Samples = np.zeros(0, np.int16)


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | None:
    """Loaded when it is first asked for; None where there is none."""
    for name in _NAMES:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        state, number = ctypes.c_void_p, ctypes.c_int
        library.opus_encoder_init.argtypes = [state, ctypes.c_int32, number, number]
        library.opus_decoder_init.argtypes = [state, ctypes.c_int32, number]
        library.opus_encoder_ctl.argtypes = [state, number]  # and one more, by what it is
        library.opus_encode.argtypes = [state, state, number, state, ctypes.c_int32]
        library.opus_decode.argtypes = [state, state, ctypes.c_int32, state, number, number]
        return library
    return None


def available() -> bool:
    """The library is there."""
    return _library() is not None


def _loaded() -> ctypes.CDLL:
    library = _library()
    if library is None:
        raise RuntimeError("there is no libopus on this machine")
    return library


class Encoder:
    """One stream, with in-band error correction; `RuntimeError` without the library.

    Every buffer is made once: a pointer that ctypes need not make again is half of a call.
    """

    def __init__(self) -> None:
        library = _loaded()
        # Memory of ours, so that nothing has to be freed by name; 43 kB.
        self._memory = ctypes.create_string_buffer(library.opus_encoder_get_size(1))
        self._state = ctypes.cast(self._memory, ctypes.c_void_p)
        if library.opus_encoder_init(self._state, RATE, 1, _APPLICATION_VOIP):
            raise RuntimeError("libopus makes no encoder")
        for request, value in (
            (_SET_BITRATE, _BITRATE),
            (_SET_COMPLEXITY, _COMPLEXITY),
            (_SET_FEC, 1),
            (_SET_LOSS, _LOSS),
            (_SET_SIGNAL, _SIGNAL_VOICE),
        ):
            library.opus_encoder_ctl(self._state, request, ctypes.c_int32(value))
        self._encode = library.opus_encode
        self._frame: Samples = np.zeros(FRAME, np.int16)
        self._samples = ctypes.c_void_p(self._frame.ctypes.data)
        self._output = ctypes.create_string_buffer(_LONGEST_PACKET)
        self._packet = ctypes.cast(self._output, ctypes.c_void_p)

    def encode(self, samples: Samples) -> bytes:
        """int16[320] to one packet."""
        self._frame[:] = samples
        size = self._encode(self._state, self._samples, FRAME, self._packet, _LONGEST_PACKET)
        return ctypes.string_at(self._packet, max(size, 0))


class Decoder:
    """One stream; `RuntimeError` without the library."""

    def __init__(self) -> None:
        library = _loaded()
        self._memory = ctypes.create_string_buffer(library.opus_decoder_get_size(1))  # 18 kB
        self._state = ctypes.cast(self._memory, ctypes.c_void_p)
        if library.opus_decoder_init(self._state, RATE, 1):
            raise RuntimeError("libopus makes no decoder")
        self._decode = library.opus_decode
        self._sound: Samples = np.zeros(max(_LONGEST, _MOST_LOST), np.int16)
        self._output = ctypes.c_void_p(self._sound.ctypes.data)
        self._lost = 0  # samples that the next packet may know something of

    def decode(self, payload: bytes) -> Samples:
        """int16[n]: what was lost before the packet, and the packet; a broken one is a lost one."""
        if not payload:
            return _NO_SAMPLES
        if self._lost:
            lost, self._lost = self._lost, 0
            # The packet's copy of the frame before it, behind what is guessed of those before that.
            before = self._heard(payload, lost, correction=1)
            return np.concatenate((before, self.decode(payload)))
        sound = self._heard(payload, _LONGEST)
        return sound if len(sound) else self._heard(None, FRAME)

    def lost(self, samples: int) -> Samples:
        """So many were lost: they come with the next packet, which may hold a copy of the last."""
        self._lost = min(self._lost + samples // _GRAIN * _GRAIN, _MOST_LOST)
        return _NO_SAMPLES

    def _heard(self, payload: bytes | None, most: int, correction: int = 0) -> Samples:
        size = len(payload) if payload is not None else 0
        count = self._decode(self._state, payload, size, self._output, most, correction)
        return self._sound[: max(count, 0)].copy()
