"""VoiceChain: several voices as one; when one falls silent, the next goes on where it was.

A phrase of which nothing was heard goes whole to the next voice; of one that broke off the next
says the rest, from the first word that was not heard. Whoever has helped out goes on speaking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rapida_tw.audio.format import RATE, Samples
from rapida_tw.cancellable import cancellable
from rapida_tw.errors import VendorFailed
from rapida_tw.roster import Member, Roster, TooSlow
from rapida_tw.sickness import Sickness
from rapida_tw.speech.base import Synthesizer, VoiceSink, Word
from rapida_tw.speech.cached_voice import CachedVoice
from rapida_tw.speech.unspoken import PACE, letters, unspoken

T = TypeVar("T")

# Seconds, where there is somebody else to ask.
START_WITHIN = 2.0
SOUND_WITHIN = 2.0  # for the first sound, and for more when what there was has been heard
_ENOUGH = 1.0  # seconds of a whole phrase that tell how fast a voice speaks
_EPSILON = 0.001  # seconds: timers and sums of floats are not exact


class VoiceChain:
    """One call's voice. Members that are CachedVoices can be warmed, and given what to keep."""

    _log = Logger()

    def __init__(
        self,
        members: Sequence[Member[Synthesizer]],
        sickness: Sickness,
        clock: IReactorTime,
        first_sound_within: float = SOUND_WITHIN,
        start_within: float = START_WITHIN,
    ) -> None:
        self._roster = Roster("tts", members, sickness)
        self._clock = clock
        self._sound_within = first_sound_within
        self._start_within = start_within
        self._member: Member[Synthesizer] | None = None
        self._voice: Synthesizer | None = None  # the member's
        self._opened = 0.0
        self._ready = False  # it has started
        self._keep: set[str] = set()
        self._paces: dict[Member[Synthesizer], tuple[float, float]] = {}  # letters, seconds
        self._begun = False  # the call is there
        self._stopped = False
        self._starting: Deferred[None] | None = None
        self._saying: Deferred[None] | None = None

    # -- beforehand -------------------------------------------------------------------------------

    def keep(self, texts: Iterable[str]) -> None:
        """See CachedVoice."""
        self._keep.update(texts)
        if isinstance(self._voice, CachedVoice):
            self._voice.keep(self._keep)

    def warm(self, text: str) -> Deferred[None]:
        """See CachedVoice; who cannot do it before the call is there is replaced already."""
        return Deferred.fromCoroutine(self._warm(text))

    async def _warm(self, text: str) -> None:
        while not self._stopped and (member := self._roster.choose()) is not None:
            voice = self._open(member)
            if voice is None:
                continue
            if not isinstance(voice, CachedVoice):
                return
            try:
                await voice.fetch(text)
            except CancelledError:
                if self._voice is voice:
                    return
            except Exception as error:
                if self._begun:
                    return  # whoever needs it now finds out
                if self._voice is voice:
                    self._failed(member, error)
            else:
                return

    def prepare(self) -> None:
        while (member := self._roster.choose()) is not None:
            voice = self._open(member)
            if voice is not None:
                voice.prepare()
                return

    # -- Synthesizer ------------------------------------------------------------------------------

    def start(self) -> Deferred[None]:
        """Fires when the first of them is ready; errbacks when none is left."""
        self._begun = True
        self._starting = Deferred.fromCoroutine(self._start())
        return self._starting

    async def _start(self) -> None:
        self._roster.begin()
        while (member := self._roster.choose()) is not None:
            voice = self._open(member)
            if voice is None:
                continue
            try:
                starting = cancellable(voice.start())
                if self._roster.others(member):
                    starting.addTimeout(self._start_within, self._clock, _not_in_time)
                await starting
            except CancelledError:
                raise
            except Exception as error:
                self._failed(member, error)
            else:
                self._ready = True
                return
        raise self._roster.exhausted()

    def say(self, phrase: str, sink: VoiceSink) -> Deferred[None]:
        """See Synthesizer. Payloads end where the voice changes: the sink is to make its own."""
        self._saying = Deferred.fromCoroutine(self._say(phrase, sink))
        return self._saying

    async def _say(self, phrase: str, sink: VoiceSink) -> None:
        self._roster.begin()
        before = 0  # samples that others have given
        while (member := self._roster.choose()) is not None:
            voice = self._open(member)
            if voice is None:
                continue
            part = _Part(sink, before)
            by_vendor = not (isinstance(voice, CachedVoice) and voice.kept(phrase))
            try:
                await self._speak(member, voice, phrase, part)
                if not part.samples and letters(phrase):
                    raise VendorFailed("it answered without any sound")
            except CancelledError:
                raise
            except Exception as error:
                self._failed(member, error)
                phrase = unspoken(phrase, part.words, part.seconds, self._pace(member))
                if not phrase:
                    return
                before += part.samples
            else:
                if by_vendor:
                    self._roster.worked(member, self._opened)
                self._measure(member, phrase, part.seconds)
                return
        raise self._roster.exhausted()

    async def _speak(
        self, member: Member[Synthesizer], voice: Synthesizer, text: str, part: _Part
    ) -> None:
        """One member says `text`, or is found to be too slow."""
        within = self._sound_within if self._roster.others(member) else 0.0
        watch = _Watch(self._clock, within, part)
        try:
            if not self._ready:
                await watch.over(voice.start())
                self._ready = True
            await watch.over(voice.say(text, part))
        except CancelledError:
            if watch.expired:
                what = "fell silent" if part.samples else "gave no sound"
                raise TooSlow(f"it {what} for {within:g} s") from None
            raise
        finally:
            part.close()
            watch.stop()

    def stop(self) -> Deferred[None]:
        self._stopped = True
        for waiting in (self._starting, self._saying):
            if waiting is not None:
                waiting.cancel()
        return self._dismiss()

    # -- who speaks -------------------------------------------------------------------------------

    def _open(self, member: Member[Synthesizer]) -> Synthesizer | None:
        """The voice of who was chosen; None when it cannot be opened: choose again."""
        if self._member is member and self._voice is not None:
            return self._voice
        try:
            voice = member.open()
        except Exception as error:
            self._roster.failed(member, error)
            return None
        if isinstance(voice, CachedVoice):
            voice.keep(self._keep)
        self._member, self._voice = member, voice
        self._opened = self._clock.seconds()
        self._ready = False
        self._roster.use(member)
        return voice

    def _failed(self, member: Member[Synthesizer], error: Exception) -> None:
        self._roster.failed(member, error)
        if self._member is member:
            self._dismiss()

    def _dismiss(self) -> Deferred[None]:
        voice, self._voice, self._member = self._voice, None, None
        if voice is None:
            return succeed(None)
        stopping: Deferred[None] = maybeDeferred(voice.stop)
        return stopping.addErrback(lambda failure: self._log.failure("stopping a voice", failure))

    # -- how fast they speak ----------------------------------------------------------------------

    def _measure(self, member: Member[Synthesizer], phrase: str, seconds: float) -> None:
        if seconds >= _ENOUGH:
            spoken, lasted = self._paces.get(member, (0.0, 0.0))
            self._paces[member] = spoken + letters(phrase), lasted + seconds

    def _pace(self, member: Member[Synthesizer]) -> float:
        """Letters a second."""
        spoken, lasted = self._paces.get(member, (0.0, 0.0))
        return spoken / lasted if lasted else PACE


class _Part:
    """What one member says of a phrase: into the phrase's sink, behind what others have said."""

    def __init__(self, sink: VoiceSink, before: int) -> None:
        self._sink = sink
        self._before = before  # samples
        self._open = True
        self.samples = 0
        self.words: list[Word] = []
        self.sounded: Callable[[], None] = _nobody

    @property
    def seconds(self) -> float:
        return self.samples / RATE

    def close(self) -> None:
        """Somebody else's turn, or nobody's."""
        self._open = False

    def write(self, samples: Samples, payload: bytes = b"") -> None:
        if self._open:
            self.samples += len(samples)
            self.sounded()
            self._sink.write(samples, b"" if self._before else payload)

    def timed(self, words: Sequence[Word]) -> None:
        if self._open:
            self.words += words
            late = self._before / RATE
            self._sink.timed([Word(text, late + start, late + end) for text, start, end in words])


class _Watch:
    """Cancels what is waited for when there is no sound for `within` seconds; 0.0: never.

    Sound lasts: who has given two seconds of it may be silent for two more.
    """

    def __init__(self, clock: IReactorTime, within: float, part: _Part) -> None:
        self._clock = clock
        self._within = within
        self._part = part
        self._first = 0.0  # when there was sound
        self._due = clock.seconds() + within
        self._waiting: Deferred[None] | None = None
        self._timer = clock.callLater(within, self._look) if within else None
        self.expired = False
        part.sounded = self._sounded

    def over(self, waiting: Deferred[T]) -> Deferred[T]:
        """The same, to be waited for."""
        guarded = cancellable(waiting)
        self._waiting = guarded  # type: ignore[assignment]
        return guarded

    def stop(self) -> None:
        self._waiting = None
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _sounded(self) -> None:
        now = self._clock.seconds()
        self._first = self._first or now
        self._due = max(now, self._first + self._part.seconds) + self._within

    def _look(self) -> None:
        left = self._due - self._clock.seconds()
        if left > _EPSILON:
            self._timer = self._clock.callLater(left, self._look)
            return
        self._timer = None
        self.expired = True
        if self._waiting is not None:
            self._waiting.cancel()


def _nobody() -> None:
    """Nobody watches."""


def _not_in_time(_: object, seconds: float) -> None:
    raise TooSlow(f"it was not ready within {seconds:g} s")


_conforms: tuple[type[Synthesizer], type[VoiceSink]] = (VoiceChain, _Part)
