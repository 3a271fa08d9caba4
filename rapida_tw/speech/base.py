"""The ports of speech: recognisers, voices and voice detectors, and how plug-ins are found.

A plug-in is one file and one entry point that names a *provider* class. The server makes one
provider a process (`Provider(host)`) and lets it `open(options)` one worker a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from rapida_tw.audio.format import Samples
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.expect import Expectation

Options = Mapping[str, Any]
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Host:
    """What a provider may use of the process it lives in.

    `reactor` provides IReactorTime, and on a real host IReactorProcess, IReactorThreads and
    IReactorTCP too; `data_dir` is a folder of ours to write caches to.
    """

    reactor: Any
    data_dir: Path

    @property
    def clock(self) -> IReactorTime:
        clock: IReactorTime = self.reactor
        return clock


class RecognizerSink(Protocol):
    """What a recogniser tells. May be called at any time between `start` and `stop`."""

    def partial(self, text: str) -> None:
        """The words so far of what is being said, from its beginning; may still change."""

    def final(self, text: str, confidence: float) -> None:
        """Words that will not change any more; "" when `finish` found nothing understandable.

        `confidence` 0..1. Each `finish()` is answered by at least one `final`.
        """

    def failed(self, error: Exception) -> None:
        """The recogniser is of no use any more for this call."""


class Recognizer(Protocol):
    """Hears one call. Cues and frames are plain calls and never raise."""

    def start(self, sink: RecognizerSink) -> Deferred[None]:
        """Get ready; fires when frames are taken, errbacks with `VendorFailed`."""

    def expect(self, expectation: Expectation) -> None:
        """From the next utterance on, this is what may be said."""

    def hear(self, frame: Samples) -> None:
        """int16[320], 16 kHz: every frame of the call, silence too. Bounded inside."""

    def speech_started(self) -> None:
        """The detector hears a voice (a cue for recognisers that take single utterances).

        The word began up to 300 ms earlier: keep that much of what was heard before.
        """

    def finish(self) -> None:
        """The turn seems over: answer with `final` for all heard since `speech_started`, soon."""

    def stop(self) -> Deferred[None]:
        """The call is over: free everything; no sink call after this."""


class Synthesizer(Protocol):
    """Speaks in one call. One phrase at a time."""

    def start(self) -> Deferred[None]:
        """Get ready; errbacks with `VendorFailed`."""

    def say(self, phrase: str, write: Callable[[Samples], None]) -> Deferred[None]:
        """Give the phrase's audio (int16[n], 16 kHz, any n) to `write` piece by piece.

        Fires when the last piece was given; errbacks with `VendorFailed`. Cancelling tells the
        vendor to stop; nothing is written after it.
        """

    def stop(self) -> Deferred[None]:
        """The call is over: free everything."""


class VoiceDetector(Protocol):
    """Tells speech from everything else, for one call; holds its own state."""

    def hear(self, frame: Samples) -> float:
        """int16[320], 16 kHz; returns how probable it is (0..1) that this frame is speech."""


class RecognizerProvider(Protocol):
    description: str  # one line for people: which engine was chosen and why

    def open(self, options: Options) -> Recognizer:
        """A recogniser for one call; `MisconfiguredAssistant` names a bad option."""

    def stop(self) -> Deferred[None]:
        """The server stops: end processes, close pools."""


class SynthesizerProvider(Protocol):
    description: str

    def open(self, options: Options) -> Synthesizer: ...
    def stop(self) -> Deferred[None]: ...


class DetectorProvider(Protocol):
    description: str

    def open(self, options: Options) -> VoiceDetector: ...
    def stop(self) -> Deferred[None]: ...


class Registry(Generic[P]):
    """The providers of one kind, made when first asked for: at most one of each a process."""

    def __init__(self, group: str, host: Host) -> None:
        self._group = group
        self._host = host
        self._made: dict[str, P] = {}

    def names(self) -> list[str]:
        """Every installed plug-in of the group."""
        return sorted(entry_point.name for entry_point in entry_points(group=self._group))

    def add(self, name: str, provider: P) -> None:
        """Serve `provider` under `name` without an entry point (tests, simulation)."""
        self._made[name] = provider

    def get(self, name: str) -> P:
        """The provider; `MisconfiguredAssistant` when no plug-in has the name."""
        if name not in self._made:
            found = list(entry_points(group=self._group, name=name))
            if not found:
                kind = self._group.removeprefix("rapida_tw.")
                known = ", ".join(self.names())
                raise MisconfiguredAssistant(f"no {kind} named {name!r}; installed: {known}")
            self._made[name] = found[0].load()(self._host)
        return self._made[name]

    def made(self) -> Mapping[str, P]:
        """Those that were asked for so far."""
        return self._made
