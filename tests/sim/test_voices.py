from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import VendorFailed
from rapida_tw.sim.voices import hum, read_wav, speak
from rapida_tw.speech.base import VoiceSink


class FakeVoice:
    """A synthesiser and its provider in one: gives two pieces and then `end`."""

    description = "a fake"

    def __init__(self, end: Deferred[None]) -> None:
        self.end = end
        self.calls: list[str] = []

    def open(self, options: object, *account: object) -> FakeVoice:
        return self

    def prepare(self) -> None: ...
    def start(self) -> Deferred[None]:
        self.calls.append("start")
        return succeed(None)

    def say(self, phrase: str, sink: VoiceSink) -> Deferred[None]:
        self.calls.append(phrase)
        sink.write(np.ones(3, np.int16))
        sink.write(np.full(2, 7, np.int16))
        return self.end

    def stop(self) -> Deferred[None]:
        self.calls.append("stop")
        return succeed(None)


class SpeakTests(SynchronousTestCase):
    def test_pieces(self) -> None:
        """All pieces that the voice gave, in one; then the voice is stopped."""
        voice = FakeVoice(succeed(None))
        samples = self.successResultOf(speak(voice, "hello"))
        self.assertEqual(samples.tolist(), [1, 1, 1, 7, 7])
        self.assertEqual(voice.calls, ["start", "hello", "stop"])

    def test_failure(self) -> None:
        """A voice that fails is stopped too, and its error comes through."""
        voice = FakeVoice(fail(VendorFailed("no voice")))
        self.failureResultOf(speak(voice, "hello"), VendorFailed)
        self.assertEqual(voice.calls[-1], "stop")

    def test_cancelled(self) -> None:
        """Cancelling stops the voice at once."""
        voice = FakeVoice(Deferred())
        speaking = speak(voice, "hello")
        speaking.cancel()
        self.failureResultOf(speaking, CancelledError)
        self.assertEqual(voice.calls[-1], "stop")


class WavTests(SynchronousTestCase):
    def write(self, data: bytes, channels: int = 1, width: int = 2, rate: int = 16_000) -> Path:
        path = Path(self.mktemp())
        with wave.open(str(path), "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(width)
            file.setframerate(rate)
            file.writeframes(data)
        return path

    def read(self, *of: Any) -> list[int]:
        return read_wav(self.write(*of)).tolist()

    def test_mono(self) -> None:
        """Samples come as they are."""
        self.assertEqual(self.read(np.array([1, -2, 3], "<i2").tobytes()), [1, -2, 3])

    def test_stereo(self) -> None:
        """Channels are mixed."""
        self.assertEqual(self.read(np.array([10, 20, -4, -6], "<i2").tobytes(), 2), [15, -5])

    def test_other_rate(self) -> None:
        """Other rates are converted; the duration stays."""
        self.assertEqual(len(self.read(bytes(2 * 4_410), 1, 2, 44_100)), 1_600)

    def test_other_width(self) -> None:
        """Eight-bit files are refused with a reason."""
        with self.assertRaisesRegex(ValueError, "8-bit samples; 16-bit ones are needed"):
            read_wav(self.write(b"abc", 1, 1))

    def test_no_wav(self) -> None:
        """What is no WAV file is refused with a reason."""
        path = Path(self.mktemp())
        path.write_bytes(b"certainly no audio")
        with self.assertRaisesRegex(ValueError, "not a WAV file"):
            read_wav(path)


class HumTests(SynchronousTestCase):
    def test_length_and_level(self) -> None:
        """As long and as loud as asked for."""
        samples = hum(0.5, level=-20.0)
        self.assertEqual(len(samples), 8_000)
        self.assertAlmostEqual(int(np.abs(samples).max()) / 32767, 0.1, places=3)
