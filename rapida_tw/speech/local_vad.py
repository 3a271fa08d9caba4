"""The voice detector without an account: the best that this machine has.

Silero tells voices from everything else; WebRTC takes music for one; energy, any sound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorThreads

from rapida_tw.audio.format import Samples
from rapida_tw.audio.vad import EnergyDetector
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.options import read, within
from rapida_tw.speech.base import DetectorProvider, Host, Options, VoiceDetector
from rapida_tw.speech.engine import EngineMissing
from rapida_tw.speech.silero import Silero
from rapida_tw.speech.silero_batch import at_once, in_thread
from rapida_tw.speech.webrtc import WebRtc


class Detectors(Protocol):
    """What is loaded once a process."""

    def open(self) -> VoiceDetector: ...


class Energy:
    """Needs nothing."""

    def open(self) -> VoiceDetector:
        return EnergyDetector()


def engines(host: Host) -> Mapping[str, Callable[[], Detectors]]:
    """The best first."""
    threads = IReactorThreads.providedBy(host.reactor)
    return {
        "silero": partial(Silero, in_thread if threads else at_once),
        "webrtc": WebRtc,
        "energy": Energy,
    }


@dataclass(frozen=True, slots=True)
class DetectorOptions:
    """`threshold`: the engine's probability from which a frame counts as speech.

    `engine`: "" for the best that is installed.
    """

    threshold: float = 0.5
    engine: str = ""

    def __post_init__(self) -> None:
        within("threshold", self.threshold, 0.05, 0.95)


class LocalDetectorProvider:
    """Opens detectors of the best engine, or of the one that a deployment names."""

    def __init__(
        self, host: Host, known: Mapping[str, Callable[[], Detectors]] | None = None
    ) -> None:
        self._engines = engines(host) if known is None else known
        self._loaded: dict[str, Detectors] = {}
        why_not: list[str] = []
        for name in self._engines:
            try:
                self._load(name)
            except EngineMissing as error:
                why_not.append(str(error))
            else:
                self._best = name
                break
        self.description = "; ".join((self._best, *why_not))

    def open(self, options: Options) -> VoiceDetector:
        chosen = read(DetectorOptions, options, "microphone.vad.", "the local detector")
        name = chosen.engine or self._best
        if name not in self._engines:
            known = ", ".join(self._engines)
            raise MisconfiguredAssistant(f"the local detector has no engine {name!r}: {known}")
        try:
            detector = self._load(name).open()
        except EngineMissing as error:
            raise MisconfiguredAssistant(f"the local detector: {error}") from None
        return detector if chosen.threshold == 0.5 else Threshold(detector, chosen.threshold)

    def stop(self) -> Deferred[None]:
        return succeed(None)

    def _load(self, name: str) -> Detectors:
        if name not in self._loaded:
            self._loaded[name] = self._engines[name]()
        return self._loaded[name]


class Threshold:
    """Moves an engine's threshold to 0.5, which is where listeners expect it."""

    def __init__(self, detector: VoiceDetector, threshold: float) -> None:
        self._detector = detector
        self._threshold = threshold

    def hear(self, frame: Samples) -> float:
        probability = self._detector.hear(frame)
        if probability < self._threshold:
            return 0.5 * probability / self._threshold
        return 1 - 0.5 * (1 - probability) / (1 - self._threshold)


_conforms: tuple[type[DetectorProvider], type[VoiceDetector]] = (LocalDetectorProvider, Threshold)
