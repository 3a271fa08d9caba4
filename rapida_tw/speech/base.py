"""The ports of speech: recognisers, voices and voice detectors, and how plug-ins are found.

A plug-in is one file and one entry point that names a *provider* class. The server makes one
provider a process (`Provider(host)`) and lets it `open(options)` one worker a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from rapida_tw.account import NOBODY, Account
from rapida_tw.audio.format import AudioFormat, Samples
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.expect import Expectation
from rapida_tw.net.base import Net, Nowhere

Options = Mapping[str, Any]
P = TypeVar("P")


def _beginning() -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class Host:
    """What a provider may use of the process it lives in.

    `reactor` provides IReactorTime, and on a real host IReactorProcess, IReactorThreads and
    IReactorTCP too; `data_dir` is a folder of ours to write caches to; `net` is the way out.
    `now`: seconds since the epoch, for vendors who want to be told (signatures, stamps).
    """

    reactor: Any
    data_dir: Path
    net: Net = field(default_factory=Nowhere)
    now: Callable[[], float] = _beginning

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

    def speech_started(self) -> None:
        """The recogniser itself hears a voice, and is worth believing."""

    def turn_ended(self) -> None:
        """By the recogniser's own model the caller has finished: only where `turns` is true."""

    def failed(self, error: Exception) -> None:
        """The recogniser is of no use any more for this call."""


@runtime_checkable
class Hasty(Protocol):
    """A recogniser that can be told not to try for long to be reached again."""

    def hurry(self) -> None:
        """Somebody else can be asked: what takes more than a moment is a failure."""


class Recognizer(Protocol):
    """Hears one call. Cues and frames are plain calls and never raise.

    `turns`: it tells the ends of turns better than silence does. Silence is then only a last
    resort, for when it says nothing.
    """

    turns: bool

    def prepare(self) -> None:
        """The call has been announced, and will begin in a moment or never: connect now.

        Optional; `start` follows, or only `stop`.
        """

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


class Word(NamedTuple):
    """One spoken word, in seconds from the beginning of its phrase."""

    text: str
    start: float
    end: float


class VoiceSink(Protocol):
    """Takes the sound of one phrase."""

    def write(self, samples: Samples, payload: bytes = b"") -> None:
        """The next piece: int16[n], 16 kHz, any n.

        `payload`: the same sound as the vendor sent it, when that is in the format that `open`
        was told of, and then with all pieces of the phrase.
        """

    def timed(self, words: Sequence[Word]) -> None:
        """When the phrase's next words are spoken; from voices that know."""


class Pieces:
    """A VoiceSink that keeps all it is given."""

    def __init__(self) -> None:
        self.samples: list[Samples] = []
        self.payloads: list[bytes] = []
        self.words: list[Word] = []

    def write(self, samples: Samples, payload: bytes = b"") -> None:
        self.samples.append(samples)
        self.payloads.append(payload)

    def timed(self, words: Sequence[Word]) -> None:
        self.words += words


class Synthesizer(Protocol):
    """Speaks in one call. One phrase at a time."""

    def prepare(self) -> None:
        """The call has been announced: connect now. As with a recogniser."""

    def start(self) -> Deferred[None]:
        """Get ready; errbacks with `VendorFailed`."""

    def say(self, phrase: str, sink: VoiceSink) -> Deferred[None]:
        """Give the phrase's sound to `sink` piece by piece.

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

    def open(self, options: Options, account: Account = NOBODY) -> Recognizer:
        """A recogniser for one call; `MisconfiguredAssistant` names a bad option or field."""

    def stop(self) -> Deferred[None]:
        """The server stops: end processes, close pools."""


class SynthesizerProvider(Protocol):
    """`remote`: each phrase costs time and money, so that what every call says is kept."""

    description: str
    remote: bool

    def open(
        self, options: Options, account: Account = NOBODY, leg: AudioFormat | None = None
    ) -> Synthesizer:
        """A voice for one call. `leg`: the format in which its sound will leave, if known."""

    def stop(self) -> Deferred[None]: ...


class DetectorProvider(Protocol):
    description: str

    def open(self, options: Options) -> VoiceDetector: ...
    def stop(self) -> Deferred[None]: ...


# Vendors that assistants may still name, although there is nobody any more who would answer.
_PLAY: Final = "PlayHT (PlayAI) was shut down on 31 December 2025"
_GONE: Final = {
    **dict.fromkeys(("playht", "play-ht", "play.ht", "playai", "play-ai"), _PLAY),
    "lmnt": "LMNT was shut down in 2026",
}


class Registry(Generic[P]):
    """The providers of one kind, made when first asked for: at most one of each a process."""

    def __init__(self, group: str, host: Host) -> None:
        self._group = group
        self._host = host
        self._made: dict[str, P] = {}

    def names(self) -> list[str]:
        """Every installed plug-in of the group."""
        return sorted(entry_point.name for entry_point in entry_points(group=self._group))

    def declared(self) -> Mapping[str, Any]:
        """The providers' classes, loaded and not made: imports files, so not on the reactor.

        A plug-in that cannot be imported is left out; who asks for it will be told why.
        """
        found: dict[str, Any] = {}
        for entry_point in entry_points(group=self._group):
            with suppress(ImportError):
                found[entry_point.name] = entry_point.load()
        return found

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
                if (gone := _GONE.get(name.lower())) is not None:
                    raise MisconfiguredAssistant(f"{gone}; {kind} installed: {known}")
                raise MisconfiguredAssistant(f"no {kind} named {name!r}; installed: {known}")
            self._made[name] = found[0].load()(self._host)
        return self._made[name]

    def made(self) -> Mapping[str, P]:
        """Those that were asked for so far."""
        return self._made
