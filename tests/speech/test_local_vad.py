"""The local detector: the engine chosen, thresholds, and what each engine takes for a voice."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from twisted.internet.interfaces import IReactorThreads
from twisted.internet.task import Clock
from twisted.trial.unittest import SkipTest, SynchronousTestCase
from zope.interface import alsoProvides

from rapida_tw.audio.format import FRAME, RATE, SILENCE, Samples
from rapida_tw.audio.g711 import MULAW
from rapida_tw.audio.resample import Resampler, resample_all
from rapida_tw.audio.tones import digits
from rapida_tw.audio.vad import Edge, SpeechGate
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.speech import silero as silero_module
from rapida_tw.speech import webrtc as webrtc_module
from rapida_tw.speech.base import Host, VoiceDetector
from rapida_tw.speech.engine import EngineMissing
from rapida_tw.speech.local_vad import (
    Detectors,
    Energy,
    LocalDetectorProvider,
    Threshold,
    engines,
)
from rapida_tw.speech.silero import Silero
from rapida_tw.speech.silero_batch import at_once, in_thread
from rapida_tw.speech.webrtc import WebRtc, only_tones
from tests.audio.signals import noise, sine
from tests.speech.spoken import frames, spoken


class Guesses:
    """A detector that says what it is told to."""

    def __init__(self, *probabilities: float) -> None:
        self._probabilities = iter(probabilities)

    def open(self) -> VoiceDetector:
        return self

    def hear(self, frame: Samples) -> float:
        return next(self._probabilities)


def missing() -> Detectors:
    raise EngineMissing("it is not installed")


class ProviderTests(SynchronousTestCase):
    def setUp(self) -> None:
        known = {"first": missing, "second": lambda: Guesses(0.2, 0.8, 0.9), "energy": Energy}
        self.provider = LocalDetectorProvider(Host(Clock(), Path()), known)

    def hear(self, **options: object) -> list[float]:
        detector = self.provider.open(options)
        return [round(detector.hear(SILENCE), 3) for _ in range(3)]

    def test_choice(self) -> None:
        """The first that is installed, and why not the others."""
        self.assertEqual(self.provider.description, "second; it is not installed")
        self.assertEqual(self.hear(), [0.2, 0.8, 0.9])

    def test_named(self) -> None:
        """A deployment can name another engine; not one that is missing or unknown."""
        self.assertEqual(self.hear(engine="energy"), [0.0, 0.0, 0.0])
        for name in ("first", "third"):
            with self.assertRaises(MisconfiguredAssistant):
                self.provider.open({"engine": name})

    def test_threshold(self) -> None:
        """Another threshold comes to lie at 0.5, with order and bounds kept."""
        self.assertEqual(self.hear(**{"microphone.vad.threshold": "0.8"}), [0.125, 0.5, 0.75])
        ends = Threshold(Guesses(0, 1), 0.3)
        self.assertEqual([ends.hear(SILENCE), ends.hear(SILENCE)], [0, 1])

    def test_threads(self) -> None:
        """Silero has a thread where there are threads; in virtual time it works at once."""
        threaded = Clock()
        alsoProvides(threaded, IReactorThreads)
        for reactor, start in ((Clock(), at_once), (threaded, in_thread)):
            made = engines(Host(reactor, Path()))["silero"]
            assert isinstance(made, partial)
            self.assertEqual(made.args, (start,))

    def test_bad_threshold(self) -> None:
        """A threshold that nothing or everything passes is none."""
        with self.assertRaises(MisconfiguredAssistant):
            self.provider.open({"threshold": 0})


class DetectorTests(SynchronousTestCase):
    """On the sounds of a telephone."""

    def share(self, detector: VoiceDetector, samples: Samples) -> float:
        """How much of it was taken for a voice."""
        probabilities = [detector.hear(frame) for frame in frames(samples)]
        self.assertGreaterEqual(min(probabilities), 0.0)
        self.assertLessEqual(max(probabilities), 1.0)
        return float(np.mean(np.array(probabilities) >= 0.5))

    def starts(self, detector: VoiceDetector, samples: Samples) -> int:
        """How often a caller would seem to begin."""
        gate = SpeechGate()
        edges = [gate.hear(detector.hear(frame)) for frame in frames(samples)]
        return edges.count(Edge.STARTED)

    def check(self, detectors: Detectors, found: float) -> None:
        voice = spoken("when are you open tomorrow")
        inside = voice[RATE * 3 // 10 : -RATE * 6 // 10]
        self.assertGreater(self.share(detectors.open(), inside), found)
        self.assertIn(self.starts(detectors.open(), voice), (1, 2))  # 2: a pause between words
        line = np.concatenate((voice[:3200],) * 5)
        for other in (line, telephone(digits("0123456789*#")), telephone(ringing())):
            self.assertEqual(self.starts(detectors.open(), other), 0)

    def test_silero(self) -> None:
        """Silero finds voices, and neither digits nor ringing nor the line."""
        self.check(engine(Silero), 0.75)

    def test_webrtc(self) -> None:
        """So does WebRTC's with the guard, less of a voice."""
        self.check(engine(WebRtc), 0.6)

    def test_silero_chunks(self) -> None:
        """The model is run as its authors do: 256 samples at 8 kHz behind the last 32."""
        silero = engine(Silero)
        assert isinstance(silero, Silero)
        voice = spoken("when are you open tomorrow")
        narrow = Resampler(RATE, 8_000)(voice).astype(np.float32) / 32768
        padded = np.concatenate((np.zeros(32, np.float32), narrow))
        state, expected = np.zeros((2, 1, 128), np.float32), [0.0]
        for start in range(0, len(narrow) - 255, 256):
            chunk = padded[None, start : start + 288]
            inputs = {"input": chunk, "state": state, "sr": np.array(8000, np.int64)}
            output, state = silero.session.run(None, inputs)
            expected.append(float(output[0, 0]))
        detector = silero.open()
        heard = [detector.hear(frame) for frame in frames(voice)]
        of_frames = [expected[(number + 1) * 160 // 256] for number in range(len(heard))]
        np.testing.assert_allclose(heard, of_frames, atol=1e-4)

    def test_silero_calls(self) -> None:
        """Calls share the model and nothing else."""
        silero = engine(Silero)
        voice = frames(spoken("when are you open tomorrow"))
        alone = [silero.open().hear(voice[0])]
        one = silero.open()
        alone = [one.hear(frame) for frame in voice]
        first, second = silero.open(), silero.open()
        together = []
        for frame in voice:
            together.append(first.hear(frame))
            second.hear(SILENCE)
        self.assertEqual(together, alone)

    def test_only_tones(self) -> None:
        """One or two sines are tones; noise, a voice's vowel, and silence are not speech's end."""
        for tone in (sine(440, RATE, 1), digits("5")[:1600], ringing()):
            self.assertTrue(all(map(only_tones, frames(tone[: len(tone) // FRAME * FRAME]))))
        vowel = sum(sine(120 * n, RATE, 1, 6000 / n) for n in range(1, 12))
        for other in (noise(RATE), vowel):
            self.assertFalse(any(map(only_tones, frames(np.asarray(other, np.int16)))))

    def test_missing(self) -> None:
        """What is not installed says so."""
        self.patch(silero_module, "find_spec", lambda name: None)
        self.patch(webrtc_module, "find_spec", lambda name: None)
        self.assertRaises(EngineMissing, Silero)
        self.assertRaises(EngineMissing, WebRtc)


def engine(make: type[Silero] | type[WebRtc]) -> Silero | WebRtc:
    try:
        return make()
    except EngineMissing as error:
        raise SkipTest(str(error)) from None


def telephone(samples: Samples) -> Samples:
    """Through the band, the noise and the law of a line."""
    narrow = resample_all(samples, RATE, 8_000)
    narrow = narrow + noise(len(narrow), amplitude=8)
    return resample_all(MULAW.decode(MULAW.encode(narrow)), 8_000, RATE)


def ringing() -> Samples:
    """The North American ringback: 440 and 480 Hz together."""
    both = sine(440, RATE, 2, 5000) + sine(480, RATE, 2, 5000)
    return both.astype(np.int16)
