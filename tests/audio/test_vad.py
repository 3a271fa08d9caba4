from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import FRAME, SILENCE, Samples
from rapida_tw.audio.vad import Edge, EnergyDetector, SpeechGate
from rapida_tw.speech.base import VoiceDetector
from tests.audio.signals import noise

_conforms: type[VoiceDetector] = EnergyDetector


def hiss(level: float, seed: int = 0) -> Samples:
    """A frame of noise at `level` dBFS."""
    return noise(FRAME, 32768 * 10 ** (level / 20), seed)


def hear(detector: EnergyDetector, levels: Iterable[float]) -> list[float]:
    return [detector.hear(hiss(level, seed)) for seed, level in enumerate(levels)]


class Energy(SynchronousTestCase):
    def test_quiet_line(self) -> None:
        """Silence, a line's hiss and an echo at -50 dBFS are not speech; a voice is, at once."""
        detector = EnergyDetector()
        self.assertLess(detector.hear(SILENCE), 0.01)
        self.assertLess(max(hear(detector, [-65.0] * 50)), 0.01)
        self.assertLess(max(hear(detector, [-52.0] * 5)), 0.2)
        self.assertGreater(min(hear(detector, [-35.0, -25.0, -12.0])), 0.9)

    def test_steady_noise(self) -> None:
        """A noise counts as voice for at most 3.5 s; then only what is louder does."""
        detector = EnergyDetector()
        heard = hear(detector, [-35.0] * 300)
        self.assertGreater(heard[0], 0.9)
        self.assertLess(max(heard[175:]), 0.1)
        self.assertGreater(min(hear(detector, [-18.0] * 3)), 0.9)

    def test_noise_ends(self) -> None:
        """When the noise stops, a soft voice is heard again at once."""
        detector = EnergyDetector()
        hear(detector, [-35.0] * 300 + [-60.0])
        self.assertGreater(detector.hear(hiss(-40)), 0.9)

    def test_long_speech(self) -> None:
        """A minute of syllables with short gaps stays voice."""
        detector = EnergyDetector()
        syllable = [-22.0] * 10 + [-58.0] * 2
        heard = hear(detector, syllable * 250)
        voiced = [p for p, level in zip(heard, syllable * 250, strict=True) if level > -30]
        self.assertGreater(min(voiced), 0.9)

    def test_suppressed_silence(self) -> None:
        """Frames of zeros do not make the floor of the room's noise disappear."""
        detector = EnergyDetector()
        hear(detector, [-40.0] * 300)
        for _ in range(300):
            detector.hear(SILENCE)
        self.assertLess(detector.hear(hiss(-40)), 0.1)

    @given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=400))
    def test_any_frame(self, values: list[int]) -> None:
        """Whatever the samples, the answer is a probability."""
        probability = EnergyDetector().hear(np.array(values, np.int16))
        self.assertTrue(0 <= probability <= 1)


def gate_hears(gate: SpeechGate, pattern: str) -> list[tuple[int, Edge]]:
    """Edges with the index at which they fell; `x` is a voiced frame, `.` a silent one."""
    edges = [(at, gate.hear(0.9 if mark == "x" else 0.1)) for at, mark in enumerate(pattern)]
    return [(at, edge) for at, edge in edges if edge is not None]


class Gate(SynchronousTestCase):
    def test_starts(self) -> None:
        """The third voiced frame starts it."""
        self.assertEqual(gate_hears(SpeechGate(), "..xxxxxx"), [(4, Edge.STARTED)])

    def test_click(self) -> None:
        """One or two voiced frames now and then are no voice."""
        self.assertEqual(gate_hears(SpeechGate(), "x...xx....x...xx"), [])

    def test_gap_at_the_start(self) -> None:
        """Two silent frames within the first syllable do not hide it."""
        self.assertEqual(gate_hears(SpeechGate(), "x.x.x"), [(4, Edge.STARTED)])

    def test_stops(self) -> None:
        """Ten silent frames in a row stop it, nine and a voiced one do not."""
        self.assertEqual(
            gate_hears(SpeechGate(), "xxx" + "." * 9 + "x" + "." * 10),
            [(2, Edge.STARTED), (22, Edge.STOPPED)],
        )

    def test_again(self) -> None:
        """After a stop it takes as many frames as at first."""
        gate = SpeechGate(start=2, stop=3)
        self.assertEqual(
            gate_hears(gate, "xx...x.....xx"),
            [(1, Edge.STARTED), (4, Edge.STOPPED), (12, Edge.STARTED)],
        )

    def test_runs(self) -> None:
        """Voiced ticks of this speech are counted across short gaps, silent ones in a row."""
        gate = SpeechGate()
        gate_hears(gate, "xxxx..xx...")
        self.assertEqual((gate.speaking, gate.voiced_run, gate.silent_run), (True, 6, 3))
        gate_hears(gate, "." * 8)
        self.assertEqual((gate.speaking, gate.voiced_run, gate.silent_run), (False, 0, 11))

    def test_hysteresis(self) -> None:
        """Once there, a voice may be a little less certain than it had to be to start."""
        gate = SpeechGate(threshold=0.5)
        self.assertEqual([gate.hear(0.45) for _ in range(5)], [None] * 5)
        gate_hears(gate, "xxx")
        gate.hear(0.45)
        self.assertEqual(gate.silent_run, 0)
        gate.hear(0.3)
        self.assertEqual(gate.silent_run, 1)
