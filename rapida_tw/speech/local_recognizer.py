"""The recogniser without an account: pocketsphinx in worker processes, one grammar at a time.

It understands what a grammar allows, in English, and nothing else: commands, yes and no, numbers,
short answers. An `Expectation` without a grammar means the built-in commands (speech/jsgf.py),
for dictation is beyond it. Where pocketsphinx is not installed, nothing is understood and the
dialogue goes on by pressed digits.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass
from importlib.util import find_spec
from math import exp

import numpy as np
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from rapida_tw.account import NOBODY, Account
from rapida_tw.audio.format import RATE, TICKS_PER_SECOND, Samples
from rapida_tw.audio.resample import Resampler
from rapida_tw.expect import ANYTHING, Expectation
from rapida_tw.metrics import Counter
from rapida_tw.options import read, within
from rapida_tw.speech.base import Host, Options, Recognizer, RecognizerProvider, RecognizerSink
from rapida_tw.speech.recognition_pool import Caller, Line, Pool
from rapida_tw.speech.worker_wire import Kind, Message

_WORKER_RATE = 8_000  # Hz
_PRE_ROLL = 3 * TICKS_PER_SECOND // 10  # frames kept from before the detector's cue
_GATHERED = 2 * _WORKER_RATE // 10  # bytes of an AUDIO message: 100 ms
_IN_FLIGHT = 10  # AUDIO messages (1 s) at the worker; the rest waits here
_WAITING = 50  # AUDIO messages (5 s) that may wait; then the oldest is dropped

# Scores of speech that fits the grammar and of speech that does not overlap around here: 95 % of
# right answers are above, 84 % of sentences outside the grammar below (telephone band, quiet line).
_MIDDLE = -0.0047
_WIDTH = 0.0004  # of score, for a factor e of the odds

dropped = Counter("rapida_recognition_audio_dropped_total", "100 ms pieces a late worker missed.")


@dataclass(frozen=True, slots=True)
class RecognizerOptions:
    """`threshold`: the least confidence (0..1) with which words count as understood.

    `language`: English is all there is; "en" or one of its regions.
    """

    threshold: float = 0.5
    language: str = "en-US"

    def __post_init__(self) -> None:
        within("threshold", self.threshold, 0, 1)
        if self.language.lower().replace("_", "-").split("-")[0] != "en":
            raise ValueError(f"language {self.language!r}: it understands English only")


class LocalRecognizerProvider:
    """Opens recognisers; `workers` processes at most, by default one a core."""

    _log = Logger()

    def __init__(self, host: Host, workers: int = 0) -> None:
        most = workers or len(os.sched_getaffinity(0))
        self._pool = Pool(host.reactor, most)
        self._deaf = find_spec("pocketsphinx") is None
        if self._deaf:
            self.description = "none: pocketsphinx is not installed, callers press digits"
            self._log.warn("callers are not understood: pocketsphinx is not installed")
        else:
            self.description = f"pocketsphinx with grammars, English, up to {most} processes"

    def open(self, options: Options, account: Account = NOBODY) -> Recognizer:
        chosen = read(RecognizerOptions, options, "listen.", "the local recogniser")
        return DeafRecognizer() if self._deaf else LocalRecognizer(self._pool, chosen)

    def stop(self) -> Deferred[None]:
        return self._pool.stop()


class LocalRecognizer:
    """One call: sends speech to its worker, and the words to the sink."""

    turns = False

    def __init__(self, pool: Pool, options: RecognizerOptions) -> None:
        self._pool = pool
        self._threshold = options.threshold
        self._sink: RecognizerSink | None = None
        self._line: Line | None = None
        self._expectation = ANYTHING
        self._before: deque[Samples] = deque(maxlen=_PRE_ROLL)
        self._resampler: Resampler | None = None  # while there is an utterance
        self._lost = False  # the utterance under way has no worker that knows its beginning
        self._gathered = bytearray()
        self._queue: deque[tuple[Kind, bytes]] = deque()
        self._in_flight = 0  # AUDIO messages
        self._waiting = 0  # AUDIO messages in the queue
        self._finishing = 0  # utterances whose FINAL has not come

    def prepare(self) -> None:
        """It needs no time to start."""

    def start(self, sink: RecognizerSink) -> Deferred[None]:
        """Has fired: a worker that is still loading its models finds all in its pipe."""
        self._sink = sink
        self._line = self._pool.enter(self)
        self._introduce()
        return succeed(None)

    def expect(self, expectation: Expectation) -> None:
        if expectation.grammar != self._expectation.grammar:
            self._expectation = expectation
            self._introduce()

    def hear(self, frame: Samples) -> None:
        self._before.append(frame)
        if self._resampler is not None:
            self._gather(frame)

    def speech_started(self) -> None:
        if self._line is None or self._resampler is not None:
            return
        self._resampler = Resampler(RATE, _WORKER_RATE)
        self._lost = not self._line.up
        self._gathered.clear()
        self._put(Kind.START)
        if self._before:
            self._gather(np.concatenate(self._before))

    def finish(self) -> None:
        if self._resampler is None or self._lost:
            self._resampler = None
            self._tell("", 0.0)
            return
        if self._gathered:
            self._put(Kind.AUDIO, bytes(self._gathered))
            self._gathered.clear()
        self._resampler = None
        self._finishing += 1
        self._put(Kind.END)

    def stop(self) -> Deferred[None]:
        if self._line is not None:
            self._line.leave()
        self._line = self._sink = self._resampler = None
        self._queue.clear()
        self._before.clear()
        return succeed(None)

    # -- to the worker -------------------------------------------------------------------------

    def _introduce(self) -> None:
        if self._line is not None:
            self._put(Kind.GRAMMAR, self._expectation.grammar.encode())

    def _gather(self, samples: Samples) -> None:
        if self._resampler is None:
            return
        self._gathered += self._resampler(samples).astype("<i2", copy=False).tobytes()
        while len(self._gathered) >= _GATHERED:
            self._put(Kind.AUDIO, bytes(self._gathered[:_GATHERED]))
            del self._gathered[:_GATHERED]

    def _put(self, kind: Kind, payload: bytes = b"") -> None:
        if self._lost and kind is not Kind.GRAMMAR:
            return
        self._queue.append((kind, payload))
        if kind is Kind.AUDIO:
            self._waiting += 1
            if self._waiting > _WAITING:
                self._drop_oldest()
        self._send()

    def _drop_oldest(self) -> None:
        oldest = next(i for i, (kind, _) in enumerate(self._queue) if kind is Kind.AUDIO)
        del self._queue[oldest]
        self._waiting -= 1
        dropped.inc()

    def _send(self) -> None:
        while self._queue and self._line is not None:
            kind, payload = self._queue[0]
            if kind is Kind.AUDIO:
                if self._in_flight >= _IN_FLIGHT:
                    return
                self._in_flight += 1
                self._waiting -= 1
            self._queue.popleft()
            self._line.send(kind, payload)

    # -- from the worker -----------------------------------------------------------------------

    def answered(self, message: Message) -> None:
        if message.kind is Kind.FINAL:
            self._finishing -= 1
            text, score = message.words
            confidence = confidence_of(score)
            self._tell(text if confidence >= self._threshold else "", confidence)
            return
        self._in_flight -= 1
        # Words of an utterance that is being finished come with its final in a moment.
        if message.kind is Kind.PARTIAL and self._sink is not None and not self._finishing:
            self._sink.partial(message.text)
        self._send()

    def worker_lost(self) -> None:
        unanswered, self._finishing = self._finishing, 0
        self._queue.clear()
        self._gathered.clear()
        self._in_flight = self._waiting = 0
        self._lost = self._resampler is not None
        for _ in range(unanswered):
            self._tell("", 0.0)

    def worker_ready(self) -> None:
        self._introduce()

    def _tell(self, text: str, confidence: float) -> None:
        if self._sink is not None:
            self._sink.final(text, confidence)


def confidence_of(score: float) -> float:
    """0..1 from how well the words fit: 0.5 where right and wrong answers meet."""
    return 1 / (1 + exp(min((_MIDDLE - score) / _WIDTH, 700.0)))


class DeafRecognizer:
    """Understands nothing."""

    turns = False

    def __init__(self) -> None:
        self._sink: RecognizerSink | None = None

    def prepare(self) -> None:
        """It needs no time to start."""

    def start(self, sink: RecognizerSink) -> Deferred[None]:
        self._sink = sink
        return succeed(None)

    def expect(self, expectation: Expectation) -> None:
        """Nothing is expected of it."""

    def hear(self, frame: Samples) -> None:
        """In vain."""

    def speech_started(self) -> None:
        """In vain."""

    def finish(self) -> None:
        if self._sink is not None:
            self._sink.final("", 0.0)

    def stop(self) -> Deferred[None]:
        self._sink = None
        return succeed(None)


_conforms: tuple[type[RecognizerProvider], type[Recognizer], type[Recognizer], type[Caller]] = (
    LocalRecognizerProvider,
    LocalRecognizer,
    DeafRecognizer,
    LocalRecognizer,
)
