"""Silero for many calls: the chunks of all of them in few runs of the model, off the 20 ms path.

A chunk of 32 ms costs 86 µs alone, and 30 in a run of 64. So chunks that are complete go to a
thread, which runs whatever has come since its last run; the model leaves Python's lock alone
meanwhile. Measured with 200 calls on two cores: a call and tick takes 16 µs of the reactor instead
of 98, of which 15 are the way to 8 kHz. An answer is there after 2.7 ms, nearly always within 5;
within 17 where others keep both cores busy.

It is read when the call's next frame is heard, so a probability is one frame late. As long as few
calls are running, each is run at once by itself, and is not late.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from twisted.logger import Logger

from rapida_tw.audio.format import RATE, Samples
from rapida_tw.audio.resample import Resampler
from rapida_tw.audio.vad import EnergyDetector
from rapida_tw.speech.base import VoiceDetector

_RATE = 8_000  # Hz
_CHUNK = 256  # samples, 32 ms
_CONTEXT = 32  # samples of the chunk before, in front of each
_FULL_SCALE = np.float32(32768)
_SAMPLE_RATE = np.array(_RATE, np.int64)

FEW = 4  # calls: with cold caches a chunk takes 0.5 ms then, so all of them 6 % of a core
LARGEST = 64  # chunks a run: more are hardly cheaper, and all wait for the last
LATE = 3  # chunks of a call without an answer, 100 ms: then the thread is too late
IDLE = 0.5  # seconds without a chunk, after which the thread ends

_Floats = NDArray[np.float32]
Start = Callable[[Callable[[], None]], object]


class Session(Protocol):
    """The model, as onnxruntime has it."""

    def run(self, names: None, inputs: dict[str, Any]) -> tuple[_Floats, _Floats]:
        """Probabilities, float32[n, 1], and new states, float32[2, n, 128]; in any thread."""


def in_thread(work: Callable[[], None]) -> None:
    # No daemon: onnxruntime aborts a process that ends while it is running.
    Thread(target=work, name="silero", daemon=False).start()


def at_once(work: Callable[[], None]) -> None:
    """For virtual time, in which there are no threads."""
    work()


class Batch:
    """All calls of a process. `start` runs the worker; there is one at a time, or none."""

    _log = Logger()

    def __init__(self, session: Session, start: Start = in_thread) -> None:
        self._session = session
        self._start = start
        self._idle = IDLE if start is in_thread else 0.0
        self._queue: SimpleQueue[_Chunk] = SimpleQueue()
        self._lock = Lock()
        self._working = False
        self._error: Exception | None = None
        self._told = False
        self.completed = 0  # chunks of all calls, whatever became of them

    # -- the reactor ------------------------------------------------------------------------------

    def ask(self, chunk: _Chunk, alone: bool) -> None:
        """Answer it, `alone` at once, else soon; of one call in the order of asking."""
        if self._error is not None and not self._told:
            self._told = True  # once: the next failure is no news, and may come soon
            self._log.error("the voice detector has failed: {error}", error=self._error)
        if alone:
            self._run([chunk])
            return
        self._queue.put(chunk)
        with self._lock:
            start, self._working = not self._working, True
        if start:
            self._start(self._work)

    # -- the worker -------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            try:
                chunks = [self._queue.get(timeout=self._idle)]
            except Empty:
                with self._lock:
                    if self._queue.empty():
                        self._working = False
                        return
                continue
            while len(chunks) < LARGEST and not self._queue.empty():
                chunks.append(self._queue.get())
            while chunks:
                chunks = self._run_first(chunks)

    def _run_first(self, chunks: list[_Chunk]) -> list[_Chunk]:
        """Run the first one of each call, and answer those that are left."""
        first: dict[SileroDetector, _Chunk] = {}
        left = []
        for chunk in chunks:
            if first.setdefault(chunk.detector, chunk) is not chunk:
                left.append(chunk)
        self._run([*first.values()])
        return left

    def _run(self, chunks: list[_Chunk]) -> None:
        try:
            inputs = {
                "input": np.concatenate([chunk.samples for chunk in chunks]),
                "state": np.concatenate([chunk.detector.state for chunk in chunks], axis=1),
                "sr": _SAMPLE_RATE,
            }
            output, states = self._session.run(None, inputs)
        except Exception as error:
            # Whatever it is, calls go on, and the next run may be a better one.
            self._error = error
            for chunk in chunks:
                chunk.detector.failed()
            return
        for number, chunk in enumerate(chunks):
            # A copy: else one call would keep the states of all.
            state = states[:, number : number + 1].copy()
            chunk.detector.answered(state, float(output[number, 0]))


class SileroDetector:
    """One call: the model's state, and the samples that do not fill a chunk yet.

    While answers are late, the latest one stays; when they are later than 100 ms, chunks are left
    out and the energy of each frame decides, until the thread has caught up. So it does while the
    model fails.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._resampler = Resampler(RATE, _RATE)
        self.state: _Floats = np.zeros((2, 1, 128), np.float32)  # after what was answered
        self._input: _Floats = np.zeros((1, _CONTEXT + _CHUNK), np.float32)
        self._filled = 0  # samples behind the context
        self._seen = batch.completed
        self._asked = 0  # chunks; counted by the reactor
        self._answered = 0  # chunks; counted by whoever runs the model
        self._probability = 0.0
        self._failed = False
        self._energy = EnergyDetector()

    def hear(self, frame: Samples) -> float:
        """See VoiceDetector; a frame that completes no chunk has the probability of the last."""
        samples = self._resampler(frame)
        taken = 0
        while taken < len(samples):
            piece = samples[taken : taken + _CHUNK - self._filled]
            start = _CONTEXT + self._filled
            np.divide(piece, _FULL_SCALE, out=self._input[0, start : start + len(piece)])
            taken += len(piece)
            self._filled += len(piece)
            if self._filled == _CHUNK:
                self._complete()
        if self._failed or self._asked - self._answered >= LATE:
            return self._energy.hear(frame)
        return self._probability

    def answered(self, state: _Floats, probability: float) -> None:
        """Of the oldest chunk that waits; in any thread."""
        self.state = state
        self._probability = probability
        self._failed = False
        self._answered += 1  # the last: from now on another may be run

    def failed(self) -> None:
        """There is no answer to the oldest chunk that waits."""
        self._failed = True
        self._answered += 1

    def _complete(self) -> None:
        batch = self._batch
        samples = self._input
        self._input = np.empty_like(samples)
        self._input[0, :_CONTEXT] = samples[0, -_CONTEXT:]
        self._filled = 0
        # Each call completes a chunk in the time of a chunk: so many are running.
        batch.completed += 1
        calls, self._seen = batch.completed - self._seen, batch.completed
        waiting = self._asked - self._answered
        if waiting >= LATE:
            return
        self._asked += 1
        batch.ask(_Chunk(self, samples), alone=not waiting and calls <= FEW)


class _Chunk:
    """What of one call waits to be run: float32[1, 288]."""

    __slots__ = ("detector", "samples")

    def __init__(self, detector: SileroDetector, samples: _Floats) -> None:
        self.detector = detector
        self.samples = samples


_conforms: type[VoiceDetector] = SileroDetector
