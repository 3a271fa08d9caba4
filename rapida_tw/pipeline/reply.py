"""Replier: makes one reply, model → phrases → voice → playout, as one cancellable Deferred.

An interruption is `reply.cancel()`: every `finally` below has run when it returns, so the model's
stream is closed, the vendor told, the playout empty and the history cut in the same reactor turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from rapida_tw.audio.tones import waiting
from rapida_tw.cancellable import cancellable
from rapida_tw.errors import End, VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.media.playout import Playout
from rapida_tw.models.base import Completion, Model
from rapida_tw.pipeline.dead_air import DeadAir
from rapida_tw.pipeline.history import History
from rapida_tw.pipeline.listen import Turn
from rapida_tw.pipeline.normalise import Normaliser
from rapida_tw.pipeline.phrases import Phrases
from rapida_tw.pipeline.spoken_phrase import NO_PART, SpokenPhrase, interject
from rapida_tw.pipeline.times import Times
from rapida_tw.pipeline.tools import ToolBox
from rapida_tw.speech.base import Synthesizer

T = TypeVar("T")

ROUNDS = 6  # model runs with tools in one reply; more is a model that runs in circles
PHRASE_WITHIN = 15.0  # seconds for the voice to give a whole phrase
# The goodbye is on its way through the far side's jitter buffer when the last frame was sent.
TAIL = 0.3  # seconds
# These come when a turn was not understood: by then the caller has been silent for about so long.
_SILENT_BEFORE = {"unclear": 1.5, "error": 1.5}  # seconds


@dataclass(frozen=True, slots=True)
class Say:
    """A text of the house: greeting, idle message, error message, what an operator types."""

    text: str
    kind: str = "say"
    interruptible: bool = True
    then: End | None = None  # end the call after it was heard


@dataclass(frozen=True, slots=True)
class Answer:
    """The caller's turn is to be answered by the model."""

    turn: Turn
    kind: str = "answer"
    interruptible: bool = True


Job = Say | Answer


class ReplyEvents(Protocol):
    """What a Replier tells; plain calls."""

    def assistant_said(self, text: str, job: Job, interrupted: bool, played: float) -> None:
        """What the caller heard of one part (a run of the model) of the reply.

        `played`: when its first sample was sent, in seconds on the call's clock; 0 = not known.
        """

    def reply_over(self, times: Times) -> None:
        """The reply is over, heard or cut off; its parts were told before."""

    def expecting(self, expectation: Expectation) -> None:
        """The model told what may be said next."""

    def tool_used(self, name: str, result: str) -> None: ...

    def filled(self, text: str) -> None:
        """Dead air was filled; "" = by a tone."""


@dataclass(slots=True)
class _State:
    """What belongs to the reply that is being made."""

    times: Times
    text: list[str] = field(default_factory=list)  # deltas of the current model run
    recorded: bool = True  # the current run's text is in the history
    thinking: Deferred[None] | None = None
    given_up: bool = False


class Replier:
    """One call's maker of replies; one at a time."""

    def __init__(
        self,
        clock: IReactorTime,
        history: History,
        model: Model,
        tools: ToolBox,
        voice: Synthesizer,
        normaliser: Normaliser,
        playout: Playout,
        next_sound: Callable[[Callable[[], None] | None], None],
        events: ReplyEvents,
        fillers: tuple[str, ...],
    ) -> None:
        self._clock = clock
        self._history = history
        self._model = model
        self._tools = tools
        self._voice = voice
        self._normaliser = normaliser
        self._playout = playout
        self._next_sound = next_sound
        self._events = events
        self._dead_air = DeadAir(
            clock, self._quiet, self._fill, self._sound_tone, self._give_up, fillers
        )
        self._speaking: Deferred[None] | None = None
        self._phrase: SpokenPhrase | None = None  # what is being spoken
        self._state = _State(Times(None))

    def owed(self, owed: bool) -> None:
        """Something will have to be said, and who says it is not ready yet; or is, or never will.

        The caller hears a tone in time.
        """
        if owed:
            self._dead_air.start(answer=False)
        else:
            self._dead_air.stop()

    @property
    def waited_for(self) -> bool:
        """Nothing of the reply itself is being heard, though there may be later."""
        return not (self._playout.busy and self._state.times.played)

    def pause(self) -> None:
        """Nobody is listening: what is made is kept, and nothing is filled in."""
        self._state.times.on_hold = True
        self._playout.pause()

    def resume(self) -> None:
        """Somebody is listening again."""
        self._playout.resume()

    def reply(self, job: Job) -> Deferred[End | None]:
        """Make and speak one reply; fires when it was heard, with the call's End if it ends it.

        Errbacks with VendorFailed; cancelling it is the interruption.
        """
        return Deferred.fromCoroutine(self._reply(job))

    async def _reply(self, job: Job) -> End | None:
        self._state = _State(Times(job.turn if isinstance(job, Answer) else None))
        if isinstance(job, Answer):
            self._history.user_said(job.turn.text)
        self._history.begin_reply()
        complete = False
        self._dead_air.start(_silent_before(job), answer=isinstance(job, Answer))
        try:
            if isinstance(job, Say):
                part = self._history.assistant_said(job.text)
                await self._say(job.text, part)
                end = job.then
            else:
                end = await self._answer()
            await self._playout.drained()
            if end is not None:
                await deferLater(self._clock, TAIL)
            complete = True
            return end
        finally:
            self._dead_air.stop()
            self._next_sound(None)
            if self._speaking is not None:  # a filler that nobody waits for any more
                self._speaking.cancel()
            if not self._state.recorded:
                self._history.assistant_said("".join(self._state.text))
            heard = self._playout.clear()
            said = self._history.end_reply(heard, interrupted=not complete)
            times = self._state.times
            for number, text in enumerate(said, 1):
                cut = number == len(said) and not complete
                self._events.assistant_said(text, job, cut, times.played if number == 1 else 0.0)
            self._events.reply_over(times)

    # -- the model --------------------------------------------------------------------------------

    async def _answer(self) -> End | None:
        spoken = False
        for _ in range(ROUNDS):
            completion = await self._run()
            spoken = spoken or bool(completion.text.strip())
            if not completion.tool_calls:
                if not spoken:
                    raise VendorFailed("the model answered nothing")
                return None
            end = await self._use_tools(completion)
            if end is not None:
                return end
            self._dead_air.handed_on()
        raise VendorFailed(f"the model used tools in {ROUNDS} runs without an answer")

    async def _run(self) -> Completion:
        """One run of the model, spoken while it is still writing."""
        state = self._state
        state.text, state.recorded = [], False
        part = self._history.next_part
        phrases = Phrases()
        done: list[Completion] = []

        def write(delta: str) -> None:
            if not state.text:
                self._dead_air.handed_on()
            state.times.model = state.times.model or self._clock.seconds()
            state.times.answered = state.times.answered or state.times.model
            state.text.append(delta)
            phrases.text_received(delta)

        state.times.asked = state.times.asked or self._clock.seconds()
        thinking = self._model.reply(self._history.messages(), self._tools.offered(), write)
        state.thinking = (
            thinking.addCallback(self._completed, done)
            .addBoth(phrases.ended)
            .addErrback(_raised_by_phrases)
            .addCallback(_nothing)
        )
        try:
            async for phrase in phrases:
                await self._playout.room()
                await self._say(phrase, part)
                self._dead_air.progressed()
        except CancelledError:
            if state.given_up:
                raise VendorFailed("no answer in time") from None
            raise
        finally:
            state.thinking.cancel()
            state.thinking = None
        completion = done[0]
        self._history.assistant_said(completion.text, completion.tool_calls)
        state.recorded = True
        return completion

    def _completed(self, completion: Completion, done: list[Completion]) -> Completion:
        done.append(completion)
        times = self._state.times
        times.answered = times.answered or self._clock.seconds()
        for name, tokens in completion.usage.items():
            times.usage[name] = times.usage.get(name, 0) + tokens
        if completion.expecting is not None:
            # Now, not when it has been spoken: callers who know the menu answer into the prompt.
            self._events.expecting(completion.expecting)
        return completion

    async def _use_tools(self, completion: Completion) -> End | None:
        """Those that need nothing of the call begin at once, the others when it is their turn.

        The results are told in the order of the calls.
        """
        started = {
            number: self._tools.use(call)
            for number, call in enumerate(completion.tool_calls)
            if self._tools.independent(call)
        }
        end = None
        try:
            for number, call in enumerate(completion.tool_calls):
                using = started.get(number)
                result = await (self._tools.use(call) if using is None else using)
                self._history.tool_answered(call, result.text)
                self._events.tool_used(call.name, result.text)
                end = result.end or end
        finally:
            for using in started.values():
                using.addErrback(_not_wanted)
                using.cancel()
        return end

    # -- the voice --------------------------------------------------------------------------------

    async def _say(self, text: str, part: int) -> None:
        if self._speaking is not None:  # a filler; a phrase is never spoken into another
            if self._phrase is not None and self._phrase.begun:
                await _shielded(self._speaking)
            else:
                self._speaking.cancel()  # nobody has heard of it, and there is something better
        self._speaking = self._synthesize(text, part, self._voiced)
        try:
            await self._speaking
        finally:
            self._speaking = None

    def _synthesize(self, text: str, part: int, sounds: Callable[[], None]) -> Deferred[None]:
        spoken = self._normaliser.spoken(text)
        phrase = SpokenPhrase(self._playout, text, part, spoken, sounds)
        self._phrase = phrase
        saying = cancellable(self._voice.say(spoken, phrase)) if spoken else succeed(None)
        saying.addTimeout(PHRASE_WITHIN, self._clock, _too_slow)
        return saying.addBoth(self._phrase_done, phrase)

    def _phrase_done(self, result: T, phrase: SpokenPhrase) -> T:
        phrase.finish(complete=not isinstance(result, Failure))
        self._phrase = None
        return result

    def _voiced(self) -> None:
        times = self._state.times
        if not times.voice:
            times.voice = self._clock.seconds()
            self._next_sound(self._sounded)

    def _sounded(self) -> None:
        self._state.times.played = self._clock.seconds()

    # -- dead air ---------------------------------------------------------------------------------

    def _quiet(self) -> bool:
        return not (self._playout.busy or self._playout.paused or self._tools.waiting_for_caller)

    def _give_up(self) -> None:
        """The model is too slow; a tool has a deadline of its own."""
        state, speaking = self._state, self._speaking
        if state.thinking is not None:
            state.given_up = True
            state.thinking.cancel()
            # The apology may be on its way by now: only what was spoken before is stopped.
            if speaking is not None and self._speaking is speaking:
                speaking.cancel()

    def _fill(self, text: str) -> None:
        if self._speaking is None:
            self._events.filled(text)
            # The model need not know that it was slow.
            filling = self._synthesize(text, NO_PART, _nobody)
            self._speaking = filling.addErrback(self._filler_failed).addCallback(self._filled)
            if filling.called:
                self._speaking = None

    def _filler_failed(self, failure: Failure) -> None:
        """The reply itself will fail by the same voice, and say so."""

    def _filled(self, _: None) -> None:
        self._speaking = None

    def _sound_tone(self) -> None:
        self._events.filled("")
        interject(self._playout, self._phrase, waiting())


def _silent_before(job: Job) -> float:
    """Seconds for which the caller has heard nothing when the job begins, as far as is known."""
    if isinstance(job, Say):
        return _SILENT_BEFORE.get(job.kind, 0.0)
    return max(job.turn.recognized - job.turn.speech_ended, 0.0)


def _nobody() -> None:
    """Nobody measures it."""


def _raised_by_phrases(failure: Failure) -> None:
    """Whoever iterates over the phrases has it; here it ends."""


def _not_wanted(failure: Failure) -> None:
    """A tool whose result nobody waits for any more."""
    failure.trap(CancelledError)


def _nothing(_: object) -> None:
    """What the model answered is kept elsewhere."""


def _too_slow(failure: Failure | object, seconds: float) -> None:
    raise VendorFailed(f"the voice took more than {seconds:.0f} s for a phrase")


async def _shielded(other: Deferred[None]) -> None:
    """Wait for `other` without owning it: cancelling the waiter leaves it alone."""
    waiting: Deferred[None] = Deferred()

    def over(result: T) -> T:
        if not waiting.called:
            waiting.callback(None)
        return result

    other.addBoth(over)
    await waiting
