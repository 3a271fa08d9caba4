"""Silero for many calls: the same probabilities as alone, whoever comes, goes or is late."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from rapida_tw.audio.format import FRAME, SILENCE, Samples
from rapida_tw.audio.vad import EnergyDetector
from rapida_tw.speech import silero_batch
from rapida_tw.speech.silero import Silero
from rapida_tw.speech.silero_batch import FEW, LARGEST, LATE, Batch, SileroDetector, at_once
from tests.audio.signals import noise
from tests.speech.spoken import frames, spoken
from tests.speech.test_local_vad import engine


class Model:
    """A small one with a memory; notes how many it was given at once, and may fail."""

    def __init__(self) -> None:
        self.runs: list[int] = []
        self.failing = False

    def run(
        self, names: None, inputs: dict[str, Any]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if self.failing:
            raise RuntimeError("out of memory")
        sound, state = inputs["input"], inputs["state"]
        self.runs.append(len(sound))
        level = np.abs(sound).mean(axis=1)[None, :, None]
        moved = (0.7 * state + level).astype(np.float32)
        return np.tanh(moved[0, :, :1]), moved


class Worker:
    """Works when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def start(self, work: Callable[[], None]) -> None:
        self.waiting.append(work)

    def work(self) -> None:
        while self.waiting:
            self.waiting.pop()()


def voices(count: int, length: int = 60) -> list[list[Samples]]:
    """Frames of so many callers, each another noise that comes and goes."""
    made = []
    for seed in range(count):
        loudness = np.repeat(np.random.default_rng(seed).uniform(0, 1, length), FRAME)
        made.append(list(frames((noise(length * FRAME, seed=seed) * loudness).astype(np.int16))))
    return made


class _Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.model, self.worker = Model(), Worker()
        self.batch = Batch(self.model, self.worker.start)

    def alone(self, voice: list[Samples]) -> list[float]:
        """What one call gets that is the only one."""
        detector = SileroDetector(Batch(self.model, at_once))
        return [detector.hear(frame) for frame in voice]

    def check(self, heard: list[float], voice: list[Samples], late: int = 1) -> None:
        """Each probability is what it would be alone, so many frames late."""
        alone = self.alone(voice)
        self.assertGreater(max(alone) - min(alone), 0.02)
        wanted = [0.0] * late + alone[: len(heard) - late]
        np.testing.assert_allclose(heard, wanted, atol=1e-3)


class SameTests(_Case):
    """Many calls, and each as if it were alone."""

    def test_lockstep(self) -> None:
        """Frames of all at the same time: one run for all, a frame late."""
        self.patch(silero_batch, "FEW", 0)
        calls = voices(20)
        detectors = [SileroDetector(self.batch) for _ in calls]
        heard: list[list[float]] = [[] for _ in calls]
        for number in range(60):
            for call, detector in enumerate(detectors):
                heard[call].append(detector.hear(calls[call][number]))
            self.worker.work()
        self.assertEqual(set(self.model.runs[-10:]), {20})
        for voice, probabilities in zip(calls, heard, strict=True):
            self.check(probabilities, voice)

    def test_out_of_step(self) -> None:
        """Calls that begin at any time, are silent for a while, or send their frames in bursts."""
        calls = voices(12, 90)
        detectors = [SileroDetector(self.batch) for _ in calls]
        heard: list[list[float]] = [[] for _ in calls]
        rng = np.random.default_rng(7)
        for _ in range(300):
            for call, detector in enumerate(detectors):
                for _ in range(rng.choice((0, 0, 1, 2, 3))):
                    if len(heard[call]) < 90:
                        heard[call].append(detector.hear(calls[call][len(heard[call])]))
                        self.worker.work()
        for voice, probabilities in zip(calls, heard, strict=True):
            alone = self.alone(voice)
            # In a burst some are not late at all.
            wanted = list(zip(alone, [0.0, *alone], strict=False))
            for probability, either in zip(probabilities, wanted, strict=True):
                self.assertLess(min(abs(probability - one) for one in either), 1e-3)

    def test_order(self) -> None:
        """Several chunks of one call that wait are run one after the other."""
        (voice,) = voices(1, 4)
        self.patch(silero_batch, "FEW", 0)
        detector = SileroDetector(self.batch)
        for frame in voice:
            detector.hear(frame)
        self.worker.work()
        self.assertEqual(self.model.runs, [1, 1])
        self.assertAlmostEqual(detector.hear(SILENCE), self.alone(voice)[-1], 5)

    def test_burst(self) -> None:
        """Nothing overtakes a chunk of its own call, however few calls there seem to be."""
        (voice,) = voices(1, 5)
        others = [SileroDetector(self.batch) for _ in range(FEW)]
        detector = SileroDetector(self.batch)
        for frame in voice[:2]:
            for one in (*others, detector):
                one.hear(frame)
        before = len(self.model.runs)
        for frame in voice[2:]:
            detector.hear(frame)
        self.assertEqual(len(self.model.runs), before)
        self.worker.work()
        self.assertAlmostEqual(detector.hear(SILENCE), self.alone(voice)[-1], 5)

    def test_one_worker(self) -> None:
        """However much waits, it is one worker's; when that has ended, another one comes."""
        self.patch(silero_batch, "FEW", 0)
        detectors = [SileroDetector(self.batch) for _ in range(9)]
        for _ in range(2):
            for _ in range(2):
                for detector in detectors:
                    detector.hear(SILENCE)
            self.assertEqual(len(self.worker.waiting), 1)
            self.worker.work()

    def test_just_in_time(self) -> None:
        """A chunk that comes when the worker has just found nothing is not left lying."""

        class Sly(SimpleQueue[Any]):
            found = 0

            def get(self, block: bool = True, timeout: float | None = None) -> Any:
                self.found += 1
                if self.found == 1:
                    raise Empty
                return super().get(block, timeout)

        self.patch(silero_batch, "FEW", 0)
        self.patch(self.batch, "_queue", Sly())
        detector = SileroDetector(self.batch)
        for _ in range(2):
            detector.hear(SILENCE)
        self.worker.work()
        self.assertEqual(self.model.runs, [1])

    def test_many(self) -> None:
        """No run is so large that the first have to wait for all."""
        self.patch(silero_batch, "FEW", 0)
        detectors = [SileroDetector(self.batch) for _ in range(2 * LARGEST + 10)]
        for frame in voices(1, 2)[0]:
            for detector in detectors:
                detector.hear(frame)
        self.worker.work()
        self.assertEqual(self.model.runs, [LARGEST, LARGEST, 10])

    def test_silero(self) -> None:
        """The real model: in step, out of step, and next to a voice that has gone."""
        silero = engine(Silero)
        assert isinstance(silero, Silero)
        self.patch(silero_batch, "FEW", 0)
        self.model = silero.session
        self.batch = Batch(silero.session, self.worker.start)
        voice = list(frames(spoken("when are you open tomorrow")))
        calls = [voice[shift:] for shift in (0, 0, 1, 7, 20)] + voices(4, len(voice))
        detectors = [SileroDetector(self.batch) for _ in calls]
        heard: list[list[float]] = [[] for _ in calls]
        for number in range(len(voice) - 20):
            for call, detector in enumerate(detectors):
                if call != 1 or number < 40:
                    heard[call].append(detector.hear(calls[call][number]))
            self.worker.work()
        for call in range(5):
            self.check(heard[call], calls[call])


class FewTests(_Case):
    """As long as there are few."""

    def test_at_once(self) -> None:
        """Each is run by itself, and its probability is not late."""
        calls = voices(FEW)
        detectors = [SileroDetector(self.batch) for _ in calls]
        heard: list[list[float]] = [[] for _ in calls]
        for number in range(60):
            for call, detector in enumerate(detectors):
                heard[call].append(detector.hear(calls[call][number]))
        self.assertEqual((self.worker.waiting, set(self.model.runs)), ([], {1}))
        for voice, probabilities in zip(calls, heard, strict=True):
            self.check(probabilities, voice, late=0)

    def test_one_more(self) -> None:
        """One call more, and the worker has them all; when it goes, they are as before."""
        detectors = [SileroDetector(self.batch) for _ in range(FEW + 1)]
        for _ in range(20):
            for detector in detectors:
                detector.hear(SILENCE)
            self.worker.work()
        self.assertEqual(self.model.runs[-1], FEW + 1)
        del self.model.runs[:]
        for _ in range(20):
            for detector in detectors[1:]:
                detector.hear(SILENCE)
            self.worker.work()
        self.assertEqual(self.model.runs[-FEW:], [1] * FEW)


class LateTests(_Case):
    """A worker that does not come."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(silero_batch, "FEW", 0)
        self.detector = SileroDetector(self.batch)

    def hear(self, frame: Samples, count: int) -> list[float]:
        return [self.detector.hear(frame) for _ in range(count)]

    def test_stays_then_energy(self) -> None:
        """For 100 ms the latest probability stays; then the frame's energy decides."""
        self.hear(SILENCE, 8)
        self.worker.work()
        loud = noise(FRAME, amplitude=3000)
        before = self.hear(loud, LATE * 8 // 5)[:-1]
        self.assertEqual(len(set(before)), 1)
        energy = EnergyDetector()
        heard = self.hear(loud, 3) + self.hear(SILENCE, 3)
        wanted = [energy.hear(frame) for frame in [loud] * 3 + [SILENCE] * 3]
        np.testing.assert_allclose(heard, wanted, atol=0.02)

    def test_bounded(self) -> None:
        """No more than three chunks of a call wait; when they are answered, it goes on."""
        self.hear(noise(FRAME), 500)
        self.worker.work()
        self.assertEqual(len(self.model.runs), LATE)
        self.hear(SILENCE, 50)
        self.worker.work()
        self.assertEqual(len(self.model.runs), 2 * LATE)
        self.assertLess(self.detector.hear(SILENCE), 0.1)

    def test_failing(self) -> None:
        """A run that fails is told, once; energy decides until the next, no other call is hurt."""
        other = SileroDetector(self.batch)
        (voice,) = voices(1)
        loud = noise(FRAME, amplitude=3000)
        told: list[str] = []

        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            told.append(str(event.get("error", "")))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        heard: list[float] = []
        failed: list[float] = []
        well: list[float] = []
        for number, frame in enumerate(voice):
            self.model.failing = 20 <= number < 40
            (failed if 24 <= number < 40 else well).append(self.detector.hear(loud))
            self.worker.work()
            self.model.failing = False
            heard.append(other.hear(frame))
            self.worker.work()
        self.check(heard, voice)
        self.assertGreater(min(failed), 0.99)
        self.assertLess(max(well[-10:]), 0.5)
        self.assertEqual(told, ["out of memory"])

    def test_failing_for_ever(self) -> None:
        """Nothing is raised into a call, whoever runs the model; a voice is still told."""
        self.model.failing = True
        self.hear(SILENCE, 20)
        self.worker.work()
        loud = self.hear(noise(FRAME, amplitude=3000), 5)
        self.assertGreater(min(loud), 0.9)
        self.patch(silero_batch, "FEW", 10)
        detector = SileroDetector(self.batch)
        self.assertLess(max(detector.hear(SILENCE) for _ in range(20)), 0.1)


class EndTests(_Case):
    """Nothing outlives its call."""

    def test_call_ends(self) -> None:
        """A call that ends while its chunk waits is answered to nobody, and is gone."""
        self.patch(silero_batch, "FEW", 0)
        detector = SileroDetector(self.batch)
        gone = weakref.ref(detector)
        for _ in range(3):
            detector.hear(SILENCE)
        del detector
        self.worker.work()
        gc.collect()
        self.assertIsNone(gone())
        self.assertEqual(self.model.runs, [1])

    def test_states_are_apart(self) -> None:
        """A call that goes on keeps nothing of those that were run with it."""
        self.patch(silero_batch, "FEW", 0)
        detectors = [SileroDetector(self.batch) for _ in range(30)]
        for _ in range(2):
            for detector in detectors:
                detector.hear(SILENCE)
        self.worker.work()
        self.assertEqual(detectors[0].state.shape, (2, 1, 128))
        self.assertIsNone(detectors[0].state.base)

    def test_threads(self) -> None:
        """Real threads: one at a time, it ends with the work, the values are the same."""
        threads: list[Thread] = []

        def start(work: Callable[[], None]) -> None:
            self.assertFalse(any(thread.is_alive() for thread in threads[:-1]))
            threads.append(Thread(target=work))
            threads[-1].start()

        batch = Batch(self.model, start)
        calls = voices(FEW + 4)
        detectors = [SileroDetector(batch) for _ in calls]
        heard: list[list[float]] = [[] for _ in calls]
        for number in range(60):
            for call, detector in enumerate(detectors):
                heard[call].append(detector.hear(calls[call][number]))
            for thread in threads:
                thread.join()
            del threads[:]
        for voice, probabilities in zip(calls, heard, strict=True):
            alone = self.alone(voice)
            either = zip([0.0, *alone], alone, probabilities, strict=False)
            self.assertTrue(all(min(abs(p - a), abs(p - b)) < 1e-3 for a, b, p in either))
