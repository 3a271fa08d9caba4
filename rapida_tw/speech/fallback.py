"""RecognizerChain: several recognisers as one; when one fails, the next has heard it all too.

The next one is given the sound since the last final words, two seconds at most, and the cues with
it. What was understood before those two seconds is kept and put in front of its words. A hot spare
hears everything from the beginning; its words count from the moment it is needed.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.audio.format import Samples
from rapida_tw.expect import Expectation
from rapida_tw.metrics import Counter
from rapida_tw.roster import Member, Roster, TooSlow
from rapida_tw.sickness import Sickness
from rapida_tw.speech.base import Hasty, Recognizer, RecognizerSink
from rapida_tw.speech.ear import Ear
from rapida_tw.speech.recollection import ANSWERED_WITHIN, Recollection

START_WITHIN = 3.0  # seconds, where there is somebody else
# A turn of this length (with the silence that ended it) has words in it; a cough is shorter.
_WORDS_WITHIN = 75  # frames
WORDLESS = 2  # such turns in a row without a word
_SECOND_HAND = 0.5  # confidence in words that their own recogniser could not finish

wordless = Counter(
    "rapida_recognizer_wordless_total",
    "Recognisers that understood nothing of several turns in a row.",
    ("vendor",),
)


class RecognizerChain:
    """One call's recogniser. `hot_spare`: a second one runs beside the first all the time."""

    _log = Logger()

    def __init__(
        self,
        members: Sequence[Member[Recognizer]],
        sickness: Sickness,
        clock: IReactorTime,
        hot_spare: bool = False,
        start_within: float = START_WITHIN,
    ) -> None:
        self._roster = Roster("stt", members, sickness)
        self._clock = clock
        self._hot_spare = hot_spare
        self._start_within = start_within
        self.turns = False
        self._sink: RecognizerSink | None = None
        self._starting: Deferred[None] | None = None
        self._active: Ear | None = None
        self._spare: Ear | None = None
        self._memory = Recollection()
        self._wordless = 0  # turns in a row
        # An answer with little in it, believed when the reactor's turn is over.
        self._poor: tuple[Ear, str, float] | None = None
        self._soon: IDelayedCall | None = None

    # -- Recognizer -------------------------------------------------------------------------------

    def prepare(self) -> None:
        for ear in self._man():
            ear.recognizer.prepare()

    def start(self, sink: RecognizerSink) -> Deferred[None]:
        """Fires when the first of them is ready; errbacks when none is left."""
        self._sink = sink
        self._man()
        starting = self._starting = Deferred(self._abandoned)
        if self._active is None:
            self._exhausted()
        for ear in (self._active, self._spare):
            if ear is not None and not ear.over:
                self._begin(ear)
        return starting

    def expect(self, expectation: Expectation) -> None:
        self._memory.expectation = expectation
        for ear in self._ready():
            ear.recognizer.expect(expectation)

    def hear(self, frame: Samples) -> None:
        active, spare = self._active, self._spare
        ready = active is not None and active.up
        self._memory.hear(frame, ready)
        if active is not None and ready:
            active.recognizer.hear(frame)
        if spare is not None and spare.up and not spare.over:
            spare.recognizer.hear(frame)

    def speech_started(self) -> None:
        self._believe()
        memory = self._memory
        late = memory.unanswered
        doubtful = late and not memory.had_words and self._doubtful()
        if late or not memory.in_turn:
            memory.turn_began()
            for ear in (self._active, self._spare):
                if ear is not None:
                    ear.turn_began()
        memory.went_on()
        for ear in self._ready():
            ear.recognizer.speech_started()
        if doubtful:
            self._hand_over()

    def finish(self) -> None:
        self._believe()
        self._memory.finish()
        for ear in self._ready():
            ear.owes = True
            ear.recognizer.finish()

    def stop(self) -> Deferred[None]:
        self._forget_poor()
        stopping = [self._dismiss(ear) for ear in (self._active, self._spare) if ear is not None]
        self._active = self._spare = self._sink = None
        self._memory.clear()
        return DeferredList(stopping, consumeErrors=True).addCallback(_nothing)

    def _abandoned(self, _: Deferred[None]) -> None:
        """Nobody waits for the start any more."""
        self.stop()

    # -- who is there -----------------------------------------------------------------------------

    def _man(self) -> list[Ear]:
        """Fill the places that are empty; answers who is new."""
        new = []
        if self._active is None and (ear := self._open(self._spare)) is not None:
            self._activate(ear)
            new.append(ear)
        if self._hot_spare and self._spare is None and self._active is not None:
            self._spare = self._open(self._active)
            if self._spare is not None:
                new.append(self._spare)
        return new

    def _fill(self) -> None:
        """Somebody has left in mid-call."""
        for new in self._man():
            if new is self._active:
                new.inherit(self._memory.partial)
            if not new.over:
                self._begin(new)

    def _open(self, besides: Ear | None) -> Ear | None:
        taken = besides.member if besides is not None else None
        while (member := self._roster.choose(taken)) is not None:
            try:
                return Ear(self, member, member.open(), self._clock.seconds())
            except Exception as error:
                self._roster.failed(member, error)
        return None

    def _activate(self, ear: Ear) -> None:
        self._active = ear
        ear.counts = True
        self._roster.use(ear.member)
        self.turns = ear.recognizer.turns

    def _begin(self, ear: Ear) -> None:
        starting = ear.starting = maybeDeferred(ear.recognizer.start, ear)
        if ear.over:
            starting.addErrback(_nothing)
            starting.cancel()
            return
        if self._roster.others(ear.member):
            if isinstance(ear.recognizer, Hasty):
                ear.recognizer.hurry()
            starting.addTimeout(self._start_within, self._clock, _not_in_time)
        starting.addCallbacks(self._up, self._not_up, callbackArgs=(ear,), errbackArgs=(ear,))
        starting.addErrback(lambda failure: self._log.failure("taking over", failure))

    def _up(self, _: None, ear: Ear) -> None:
        if ear.over:
            return
        ear.up = True
        self._memory.replay(ear)
        if ear is self._active:
            self._started()

    def _started(self) -> None:
        if self._starting is not None and not self._starting.called:
            self._starting.callback(None)

    def _not_up(self, failure: Failure, ear: Ear) -> None:
        if not ear.over and failure.value is not None:
            self.lost(ear, failure.value)

    def _dismiss(self, ear: Ear) -> Deferred[None]:
        ear.over = True
        if ear.starting is not None:
            ear.starting.cancel()
        stopping: Deferred[None] = maybeDeferred(ear.recognizer.stop)
        return stopping.addErrback(
            lambda failure: self._log.failure("stopping a recogniser", failure)
        )

    def _ready(self) -> list[Ear]:
        both = (self._active, self._spare)
        return [ear for ear in both if ear is not None and ear.up]

    # -- failures ---------------------------------------------------------------------------------

    def _exhausted(self) -> None:
        sink, self._sink = self._sink, None
        if sink is None:
            return
        error = self._roster.exhausted()
        if self._starting is not None and not self._starting.called:
            self._starting.errback(error)
        else:
            sink.failed(error)

    def _promote(self) -> None:
        """The spare takes over, with what it has understood of this turn."""
        ear, self._spare = self._spare, None
        if ear is None:
            return
        memory = self._memory
        self._activate(ear)
        ear.inherit(memory.partial)
        if not ear.up or self._sink is None:
            return
        self._started()
        ear.skip(" ".join(memory.told[ear.joined :]))
        if memory.asked and not ear.owes:
            self._final_words(ear, ear.last_final(), ear.confidence)
        elif ear.understood != memory.partial:
            memory.partial = ear.understood
            self._sink.partial(memory.partial)

    def _doubtful(self) -> bool:
        """A turn is over in which nothing was understood: whether to ask somebody else.

        It may be the vendor, and it may be the line: nobody counts as sick for it.
        """
        ear = self._active
        if ear is None or self._memory.length < _WORDS_WITHIN:
            return False
        self._wordless += 1
        if self._wordless < WORDLESS:
            return False
        self._wordless = 0
        wordless.inc(ear.member.name)
        self._log.warn("{name} understands nothing", name=ear.member.name)
        return self._roster.doubt(ear.member)

    def _hand_over(self) -> bool:
        """To another one, which hears the end of what was not understood; answers if there is."""
        former = self._active
        other = self._spare or self._open(former)
        if former is None or other is None:
            return False
        self._dismiss(former)
        self._active = None
        if other is self._spare:
            self._promote()
        else:
            self._activate(other)
            self._begin(other)
        self._fill()
        return True

    # -- what the members tell --------------------------------------------------------------------

    @property
    def heard(self) -> int:
        return self._memory.heard

    def partial_words(self, ear: Ear, text: str) -> None:
        self._believe()
        if self._sink is not None:
            self._memory.partial = ear.rendered(text)
            self._sink.partial(self._memory.partial)

    def final_words(self, ear: Ear, text: str, confidence: float) -> None:
        self._believe()
        if self._memory.asked and confidence <= _SECOND_HAND:
            # Who fails answers with what there is, and fails then: the next one may know better.
            self._poor = ear, text, confidence
            self._soon = self._clock.callLater(0, self._believe)
        else:
            self._final_words(ear, text, confidence)

    def _believe(self) -> None:
        """Whoever gave a poor answer goes on: so it is the answer."""
        poor = self._poor
        self._forget_poor()
        if poor is not None:
            self._final_words(*poor)

    def _forget_poor(self) -> None:
        self._poor = None
        if self._soon is not None and self._soon.active():
            self._soon.cancel()
        self._soon = None

    def _final_words(self, ear: Ear, text: str, confidence: float) -> None:
        memory = self._memory
        asked = memory.asked
        words = ear.rendered(text)
        if text:
            self._roster.worked(ear.member, ear.opened)
            self._wordless = 0
        elif words:
            confidence = _SECOND_HAND
        elif asked and not memory.had_words and self._doubtful() and self._hand_over():
            return
        ear.on_its_own()
        memory.final_words(words)
        if asked:
            self._turn_over()
        if self._sink is not None:
            self._sink.final(words, confidence)

    def _turn_over(self) -> None:
        self._memory.turn_over()
        if self._spare is not None:
            self._spare.turn_over(self.heard + ANSWERED_WITHIN)

    def voice_heard(self) -> None:
        self._believe()
        if self._sink is not None:
            self._sink.speech_started()

    def turn_ended(self) -> None:
        self._believe()
        if self._sink is not None:
            self._turn_over()
            self._sink.turn_ended()

    def lost(self, ear: Ear, error: BaseException) -> None:
        """It is of no use any more."""
        if ear is self._active:
            self._forget_poor()
        self._dismiss(ear)
        self._roster.failed(ear.member, error)
        if ear is self._spare:
            self._spare = None
        else:
            self._active = None
            self._promote()
        self._fill()
        if self._active is None:
            self._exhausted()


def _not_in_time(_: object, seconds: float) -> None:
    raise TooSlow(f"it was not ready within {seconds:g} s")


def _nothing(_: object) -> None:
    """Whatever they answered."""


_conforms: type[Recognizer] = RecognizerChain
