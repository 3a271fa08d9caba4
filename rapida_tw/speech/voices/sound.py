"""Sound: a vendor's bytes as 16 kHz samples, however they were cut on the way."""

from __future__ import annotations

from math import ceil, gcd

import numpy as np

from rapida_tw.audio.format import RATE, AudioFormat, Encoding, Samples
from rapida_tw.audio.g711 import ALAW, MULAW
from rapida_tw.audio.resample import Resampler

_LAWS = {Encoding.MULAW: MULAW, Encoding.ALAW: ALAW}


class Sound:
    """Of one phrase; `ValueError` for a rate that is not a handy ratio to 16 kHz.

    Where it is already in the format of `leg`, each piece comes with its bytes as they were, whole
    samples of them, and nothing is added at the end: both stay side by side.
    """

    def __init__(self, encoding: Encoding, rate: int, leg: AudioFormat | None) -> None:
        self._law = _LAWS.get(encoding)
        self._rate = rate
        self._resample = Resampler(rate, RATE)
        self._straight = leg is not None and (leg.encoding, leg.rate) == (encoding, rate)
        self._odd = b""  # half a sample

    def feed(self, payload: bytes) -> tuple[Samples, bytes]:
        """int16[n] at 16 kHz that this completes, and the bytes for the leg or b""."""
        if self._law is not None:
            samples = self._law.decode(payload)
        else:
            if self._odd:
                payload = self._odd + payload
            whole = len(payload) & ~1
            self._odd = payload[whole:]
            payload = payload[:whole]
            samples = np.frombuffer(payload, "<i2").astype(np.int16, copy=False)
        return self._resample(samples), payload if self._straight else b""

    def finish(self) -> Samples:
        """What the resampler still holds of the end, pushed out by silence: int16[n]."""
        if self._straight or self._rate == RATE:
            return np.zeros(0, np.int16)
        block = self._rate // gcd(self._rate, RATE)  # it may wait for a whole one
        return self._resample(np.zeros(ceil(self._resample.delay * self._rate) + block, np.int16))
