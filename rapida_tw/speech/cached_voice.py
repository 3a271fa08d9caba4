"""CachedVoice: a voice whose greeting, fillers and apologies are there before they are asked for.

What is said in every call is spoken once by the vendor and kept for all. The greeting is spoken
while the phone still rings, and is heard although the vendor cannot be reached at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from twisted.internet.defer import CancelledError, Deferred, DeferredLock, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.audio.format import AudioFormat, Samples
from rapida_tw.cancellable import cancellable
from rapida_tw.errors import CallError, VendorFailed
from rapida_tw.metrics import Counter
from rapida_tw.speech.base import Pieces, Synthesizer, VoiceSink, Word
from rapida_tw.speech.phrase_cache import PhraseCache

_WORD_BYTES = 150  # about what a word with its times takes

cached = Counter(
    "rapida_voice_cached_total", "Phrases that were kept, and not spoken anew.", ("vendor",)
)


class Speaker(NamedTuple):
    """Whose voice it is: phrases are kept for each of these apart.

    `account`: the credential's id. `settings`: all options, however written. `leg`: the format in
    which the sound will leave.
    """

    vendor: str
    account: str = ""
    settings: str = ""
    leg: AudioFormat | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """A whole phrase: what came with bytes of the vendor's, and what came without, in order."""

    sound: tuple[tuple[Samples, bytes], ...]
    words: tuple[Word, ...]

    @classmethod
    def of(cls, pieces: Pieces) -> Spoken:
        """The pieces of one phrase, read-only, as few as possible."""
        sound: list[tuple[list[Samples], list[bytes]]] = []
        for samples, payload in zip(pieces.samples, pieces.payloads, strict=True):
            if not sound or bool(payload) != bool(sound[-1][1][-1]):
                sound.append(([], []))
            sound[-1][0].append(samples)
            sound[-1][1].append(payload)
        joined = [(np.concatenate(samples), b"".join(payloads)) for samples, payloads in sound]
        for samples, _ in joined:
            samples.flags.writeable = False
        return cls(tuple(joined), tuple(pieces.words))

    @property
    def nbytes(self) -> int:
        sound = sum(samples.nbytes + len(payload) for samples, payload in self.sound)
        return sound + len(self.words) * _WORD_BYTES

    def give(self, sink: VoiceSink) -> None:
        if self.words:
            sink.timed(self.words)
        for samples, payload in self.sound:
            sink.write(samples, payload)


class VoiceCache:
    """The kept phrases of a process; `most` bytes."""

    def __init__(self, most: int = 32 << 20) -> None:
        self.phrases = PhraseCache[tuple[Speaker, str], Spoken](most)
        self.making: dict[tuple[Speaker, str], Making] = {}


@dataclass(eq=False, slots=True)
class Making:
    """A phrase that is being spoken beforehand, and who waits for it: a VoiceSink."""

    text: str
    pieces: Pieces = field(default_factory=Pieces)
    sinks: list[VoiceSink] = field(default_factory=list)
    waiting: list[Deferred[None]] = field(default_factory=list)

    def write(self, samples: Samples, payload: bytes = b"") -> None:
        self.pieces.write(samples, payload)
        for sink in tuple(self.sinks):
            sink.write(samples, payload)

    def timed(self, words: Sequence[Word]) -> None:
        self.pieces.timed(words)
        for sink in tuple(self.sinks):
            sink.timed(words)

    def join(self, sink: VoiceSink) -> Deferred[None]:
        """Give `sink` what there is and what will come; fires when that is all."""
        if self.pieces.words:
            sink.timed(self.pieces.words)
        for samples, payload in zip(self.pieces.samples, self.pieces.payloads, strict=True):
            sink.write(samples, payload)
        self.sinks.append(sink)
        waiting = self.over()
        return waiting.addBoth(self._left, sink)

    def over(self) -> Deferred[None]:
        """Fires when it is complete; errbacks with VendorFailed when it will never be."""
        waiting: Deferred[None] = Deferred(self.waiting.remove)
        self.waiting.append(waiting)
        return waiting

    def done(self, error: VendorFailed | None) -> None:
        waiting, self.waiting = self.waiting, []
        for deferred in waiting:
            if error is None:
                deferred.callback(None)
            else:
                deferred.errback(error)

    def _left(self, result: Failure | None, sink: VoiceSink) -> Failure | None:
        self.sinks.remove(sink)
        return result


class CachedVoice:
    """One call's. `keep` says which phrases are worth it; the others are the vendor's at once."""

    _log = Logger()

    def __init__(
        self, voice: Synthesizer, speaker: Speaker, cache: VoiceCache, keep: Iterable[str] = ()
    ) -> None:
        self._voice = voice
        self._speaker = speaker
        self._cache = cache
        self._keep = set(keep)
        self._start: Deferred[None] | None = None
        self._outcome: list[Failure | None] = []  # of the start, when it is known
        self._waiting: list[Deferred[None]] = []  # for the start
        self._busy = DeferredLock()  # the vendor is asked for one phrase at a time
        self._making: Making | None = None
        self._fetching: list[Deferred[None]] = []

    def keep(self, texts: Iterable[str]) -> None:
        """These phrases are said in every call: as the voice is given them, not as written."""
        self._keep.update(texts)

    def kept(self, phrase: str) -> bool:
        """The phrase is there: the vendor need not be asked."""
        return (self._speaker, phrase) in self._cache.phrases

    # -- beforehand -------------------------------------------------------------------------------

    def warm(self, text: str) -> Deferred[None]:
        """As `fetch`; what goes wrong is logged, and then it is not there."""
        return self.fetch(text).addErrback(self._not_warmed)

    def fetch(self, text: str) -> Deferred[None]:
        """Have a phrase spoken and kept; fires when it is there, errbacks with VendorFailed.

        Who wants the same phrase in another call at this moment waits for this one.
        """
        self.keep((text,))
        fetching = Deferred.fromCoroutine(self._fetch(text))
        if not fetching.called:
            self._fetching.append(fetching)
            fetching.addBoth(self._fetched, fetching)
        return fetching

    async def _fetch(self, text: str) -> None:
        key = self._speaker, text
        while (other := self._cache.making.get(key)) is not None and not self.kept(text):
            try:
                await other.over()
            except VendorFailed:
                continue  # of another call: this one tries itself
        if self.kept(text):
            return
        making = self._cache.making[key] = Making(text)
        error: VendorFailed | None = VendorFailed(f"{self._speaker.vendor} was interrupted")
        try:
            await self._busy.acquire()
            try:
                self._making = making
                await self._ready()
                await cancellable(self._voice.say(text, making))
                self._cache.phrases.put(key, Spoken.of(making.pieces))
                error = None
            finally:
                self._making = None
                self._busy.release()
        except VendorFailed as failure:
            error = failure
            raise
        finally:
            del self._cache.making[key]
            making.done(error)

    def _fetched(self, result: Failure | None, fetching: Deferred[None]) -> Failure | None:
        self._fetching.remove(fetching)
        return result

    def _give_up(self) -> None:
        for fetching in self._fetching[
            ::-1
        ]:  # the first is under way, and would let the next begin
            fetching.cancel()

    def _not_warmed(self, failure: Failure) -> None:
        vendor = self._speaker.vendor
        if failure.check(CallError):
            reason = failure.getErrorMessage()
            self._log.warn("{vendor}: not spoken beforehand: {why}", vendor=vendor, why=reason)
        elif not failure.check(CancelledError):
            self._log.failure("{vendor}: not spoken beforehand", failure, vendor=vendor)

    # -- Synthesizer ------------------------------------------------------------------------------

    def prepare(self) -> None:
        self._voice.prepare()

    def start(self) -> Deferred[None]:
        """Fires at once when something can be said without the vendor, who is reached meanwhile.

        That this failed is told by the first phrase that needs it.
        """
        ready = self._ready()
        if not any(map(self.kept, self._keep)):
            return ready
        ready.addErrback(_later)
        return succeed(None)

    def say(self, phrase: str, sink: VoiceSink) -> Deferred[None]:
        spoken = self._cache.phrases.get((self._speaker, phrase))
        if spoken is not None:
            cached.inc(self._speaker.vendor)
            spoken.give(sink)
            return succeed(None)
        if self._making is not None and self._making.text == phrase:
            return self._making.join(sink)
        return Deferred.fromCoroutine(self._say(phrase, sink))

    async def _say(self, phrase: str, sink: VoiceSink) -> None:
        self._give_up()  # nobody waits for what may be said later
        await self._busy.acquire()
        try:
            await self._ready()
            if phrase not in self._keep:
                await cancellable(self._voice.say(phrase, sink))
                return
            both = Making(phrase, sinks=[sink])
            await cancellable(self._voice.say(phrase, both))
            self._cache.phrases.put((self._speaker, phrase), Spoken.of(both.pieces))
        finally:
            self._busy.release()

    def stop(self) -> Deferred[None]:
        self._give_up()
        if self._start is not None:
            self._start.cancel()
        return self._voice.stop()

    # -- the start --------------------------------------------------------------------------------

    def _ready(self) -> Deferred[None]:
        """Fires when the vendor can be asked; cancelling it leaves the start alone."""
        if self._start is None:
            self._start = self._voice.start()
            self._start.addBoth(self._started)
        waiting: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        if self._outcome:
            self._tell()
        return waiting

    def _started(self, result: Failure | None) -> None:
        self._outcome.append(result)
        self._tell()

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            deferred.callback(self._outcome[0])


def _later(failure: Failure) -> None:
    """Whoever needs the vendor is told."""


_conforms: tuple[type[Synthesizer], type[VoiceSink]] = (CachedVoice, Making)
