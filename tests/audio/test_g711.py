from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.g711 import ALAW, MULAW
from tests.audio.signals import decibels, rms, sine

EVERY_CODE = bytes(range(256))
EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)

# ITU-T G.711 tables 2a/2b: the first and last value of each segment, in units of 14 bits.
MULAW_FIRST = (0, 33, 99, 231, 495, 1023, 2079, 4191)
MULAW_LAST = (30, 93, 219, 471, 975, 1983, 3999, 8031)
# Tables 1a/1b: likewise, in units of 13 bits.
ALAW_FIRST = (1, 33, 66, 132, 264, 528, 1056, 2112)
ALAW_LAST = (31, 63, 126, 252, 504, 1008, 2016, 4032)


class Vectors(SynchronousTestCase):
    def test_mulaw(self) -> None:
        """The first and last value of each segment are those of the ITU's table, both signs."""
        for segment, (first, last) in enumerate(zip(MULAW_FIRST, MULAW_LAST, strict=True)):
            codes = bytes([0xFF - 16 * segment, 0xF0 - 16 * segment])
            self.assertEqual(MULAW.decode(codes).tolist(), [first * 4, last * 4])
            negative = bytes(code ^ 0x80 for code in codes)
            self.assertEqual(MULAW.decode(negative).tolist(), [-first * 4, -last * 4])

    def test_alaw(self) -> None:
        """Likewise for A-law, whose even bits are inverted, and which has no zero."""
        for segment, (first, last) in enumerate(zip(ALAW_FIRST, ALAW_LAST, strict=True)):
            codes = bytes(code ^ 0x55 for code in (0x80 + 16 * segment, 0x8F + 16 * segment))
            self.assertEqual(ALAW.decode(codes).tolist(), [first * 8, last * 8])
            negative = bytes(code ^ 0x80 for code in codes)
            self.assertEqual(ALAW.decode(negative).tolist(), [-first * 8, -last * 8])

    def test_silence(self) -> None:
        """Digital silence is the code that telephones send for it."""
        silence = np.zeros(3, np.int16)
        self.assertEqual(MULAW.encode(silence), b"\xff\xff\xff")
        self.assertEqual(ALAW.encode(silence), b"\xd5\xd5\xd5")

    def test_every_code_returns(self) -> None:
        """Decoding and encoding again gives the code, but for µ-law's second zero."""
        self.assertEqual(ALAW.encode(ALAW.decode(EVERY_CODE)), EVERY_CODE)
        again = bytearray(EVERY_CODE)
        again[0x7F] = 0xFF
        self.assertEqual(MULAW.encode(MULAW.decode(EVERY_CODE)), bytes(again))


class Rounding(SynchronousTestCase):
    def test_mulaw(self) -> None:
        """Every sample up to the clip is within half a step of its code's value."""
        codes = np.frombuffer(MULAW.encode(EVERY_SAMPLE), np.uint8)
        half_step = 4 << ((~codes >> 4) & 7).astype(int)
        sample = np.clip(EVERY_SAMPLE.astype(int), -32635, 32635)
        error = abs(MULAW.decode(codes.tobytes()) - sample)
        np.testing.assert_array_less(error, half_step + 1)

    def test_alaw(self) -> None:
        """Likewise for A-law, which clips nothing."""
        codes = np.frombuffer(ALAW.encode(EVERY_SAMPLE), np.uint8)
        segment = (((codes ^ 0x55) >> 4) & 7).astype(int)
        half_step = 8 << np.maximum(segment - 1, 0)
        error = abs(ALAW.decode(codes.tobytes()) - EVERY_SAMPLE.astype(int))
        np.testing.assert_array_less(error, half_step + 1)

    def test_signal_to_noise(self) -> None:
        """A sine survives at 30 dB when faint, at 34 to 41 dB from normal to loud."""
        for law in (MULAW, ALAW):
            for amplitude, least in ((300, 28), (3000, 34), (12_000, 34), (30_000, 34)):
                tone = sine(440, 8_000, 1.0, amplitude)
                error = law.decode(law.encode(tone)).astype(int) - tone
                signal_to_noise = -decibels(rms(error.astype(float)) / rms(tone))
                self.assertTrue(least < signal_to_noise < 42, f"{amplitude}: {signal_to_noise}")

    @given(st.binary(max_size=400))
    def test_length(self, payload: bytes) -> None:
        """A byte a sample, whatever the bytes."""
        self.assertEqual(len(MULAW.decode(payload)), len(payload))
        self.assertEqual(len(ALAW.encode(ALAW.decode(payload))), len(payload))
