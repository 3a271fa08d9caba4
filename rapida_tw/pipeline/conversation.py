"""Conversation: whose turn it is.

Around a small machine (pipeline/floor.py), the timers of idleness and of the longest call, and the
rules of what to do with a turn, a key, an interruption, a failure and hold.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import (
    IDLE_TIMEOUT,
    INTERNAL_ERROR,
    MAX_DURATION,
    PROVIDER_FAILED,
    CallError,
    End,
)
from rapida_tw.expect import Expectation
from rapida_tw.pipeline.barge_in import BargeIn, agrees, meaningful
from rapida_tw.pipeline.experience import Experience
from rapida_tw.pipeline.floor import Talk, floor
from rapida_tw.pipeline.hold import Fate, end_of, on_hold
from rapida_tw.pipeline.idleness import Idleness
from rapida_tw.pipeline.keypad import Keypad
from rapida_tw.pipeline.listen import Listener, ListenerEvents, Turn
from rapida_tw.pipeline.reply import Answer, Job, Replier, Say

FAILURES_IN_A_ROW = 3  # then the call ends: nobody likes to hear the same apology for ever
_UNCLEAR_IN_A_ROW = 2  # then it is noise, and the idle prompt will do
_LONG_ENOUGH = 25  # voiced ticks without a word that deserve "I didn't catch that"


class ConversationEvents(Protocol):
    """What a Conversation tells its call."""

    def user_said(self, turn: Turn) -> None: ...
    def happened(self, name: str, detail: str = "") -> None:
        """Something for the journal: an interruption, an idle prompt, a failure."""

    def over(self, end: End) -> None:
        """The conversation wants the call ended."""


class Conversation:
    """The dialogue of one call. All methods are plain calls; nothing raises.

    It is the ListenerEvents of its listener, and hears the keys and the ends from the call.
    """

    _log = Logger()
    listener: Listener
    replier: Replier
    barge_in: BargeIn
    keypad: Keypad

    def __init__(
        self, clock: IReactorTime, experience: Experience, events: ConversationEvents
    ) -> None:
        self._clock = clock
        self._experience = experience
        self._events = events
        self._job: Job | None = None  # what is being said
        self._waiting: list[Job] = []  # what is to be said after it
        self._idleness = Idleness(
            clock,
            experience.idle_timeout,
            experience.idle_retries,
            self._prompt,
            lambda: self._end(IDLE_TIMEOUT),
        )
        self._longest: IDelayedCall | None = None
        self._failures = 0
        self._unclear = 0
        self._dropped = False  # a reply was cut off by a voice that has said no word yet
        self._started = False
        self._held = False  # on hold
        self._closing = False  # the last thing is being said, waits for the start, or was said
        self._ended = False
        self._machine = floor(self)

    def start(self) -> None:
        """Greet, or listen at once. The parts (listener, replier, ...) are in place.

        The listener and the keys may have told something before: it is answered after the greeting.
        """
        if self._ended:
            return
        self._started = True
        self._machine.begin()
        self._longest = self._clock.callLater(
            self._experience.max_duration, self._end, MAX_DURATION
        )
        greeting = self._experience.greeting
        if greeting and not self._closing:
            interruptible = self._experience.greeting_interruptible
            self._waiting.insert(0, Say(greeting, "greeting", interruptible))
        self._go_on()

    def stop(self) -> None:
        """The call is over, whatever was going on; idempotent."""
        self._machine.finish()

    @property
    def turn_is_ours(self) -> bool:
        """A reply is owed or under way."""
        return self._job is not None

    # -- ListenerEvents ---------------------------------------------------------------------------

    def speech_started(self) -> None:
        self._idleness.stop()
        if self._job is not None and not self._held:
            self.barge_in.speech_started()

    def words(self, text: str) -> None:
        if self._job is not None:
            self.barge_in.words(text)

    def turn_ended(self, turn: Turn) -> None:
        if self._ended:
            return
        if meaningful(turn.text) or (self._job is None and agrees(turn.text)):
            self._understood(turn)
            return
        self.barge_in.turn_ended()
        if self._job is not None or not self._started or self._held:
            return  # it goes on, or has been going on all the time
        unclear = self._dropped or (turn.voiced >= _LONG_ENOUGH and not turn.text)
        if unclear and self._unclear < _UNCLEAR_IN_A_ROW:
            self._unclear += 1
            self._events.happened("turn.unclear")
            self._speak(Say(self._experience.unclear_message, "unclear"))
        else:
            self._go_on()

    def hearing_failed(self, error: Exception) -> None:
        if self._closing:
            return  # whoever is to hear the last thing need not be heard
        self._events.happened("stt.error", str(error))
        end = PROVIDER_FAILED.because("the recogniser failed")
        self.close_with(Say(self._experience.error_message, "error", False, end))

    # -- keys, operators --------------------------------------------------------------------------

    def digit_received(self, digit: str) -> None:
        """A key: it interrupts what may be interrupted, unless a tool waits for it."""
        self._idleness.stop()
        if self._job is not None and self._job.interruptible and not self.keypad.collecting:
            self.interrupted()
            self._dropped = False  # not by a voice
        self.keypad.pressed(digit)

    def digits_entered(self, digits: str) -> None:
        """The keypad has a complete entry."""
        if digits:
            now = self._clock.seconds()
            self._understood(Turn(digits, speech_ended=now, recognized=now, by_keys=True))
        elif self._job is None:
            self._go_on()

    def say(self, text: str) -> None:
        """Say a text of an operator's, after what is being said now."""
        if not self._closing:
            self._next(Say(text))

    def close_with(self, job: Say) -> None:
        """Say this now, whatever is going on, and nothing after it. The first one counts.

        The call ends as `job.then` says, even if the job fails.
        """
        if self._closing:
            return
        self._closing = True
        self._waiting.clear()
        self._interrupt()
        if self._held and job.then is not None:
            self._end(job.then)
        else:
            self._speak(job)

    # -- hold -------------------------------------------------------------------------------------

    def hold_changed(self, held: bool) -> None:
        """The far side has put us on hold, or taken us back (pipeline/hold.py)."""
        if self._ended:
            return
        self._held = held
        if held:
            self._idleness.stop()
            self.barge_in.stop()
            self.listener.finish_turn()
            if self._job is not None:
                self._hold(self._job)
            self._dropped = False  # not by a voice
        elif self._started:
            self._idleness.answered()
            self.replier.resume()
            if self._job is None:
                self._go_on()

    def _hold(self, job: Job) -> None:
        if (end := end_of(job)) is not None:
            self._end(end)
            return
        fate = on_hold(job, self.replier.waited_for)
        if fate is Fate.KEPT:
            self.replier.pause()
            return
        if fate is Fate.AGAIN:
            self._waiting.insert(0, job)
        self._interrupt()
        self._go_on()

    # -- turns ------------------------------------------------------------------------------------

    def _understood(self, turn: Turn) -> None:
        self._idleness.answered()
        self._unclear = 0
        self._events.user_said(turn)
        if self._closing:
            return
        if not self._started or (self._job is not None and not self._job.interruptible):
            self._answer_later(turn)
            return
        self.interrupted()
        self._speak(Answer(turn))

    def _answer_later(self, turn: Turn) -> None:
        """What is said while nobody may interrupt is one turn, however often the caller pauses."""
        said = [job.turn.text for job in self._waiting if isinstance(job, Answer)]
        self._waiting = [job for job in self._waiting if not isinstance(job, Answer)]
        self._waiting.append(Answer(replace(turn, text=" ".join((*said, turn.text)))))

    def interrupted(self) -> None:
        """The caller's word, key or insistent voice has cut the reply off."""
        if self._job is not None:
            self._events.happened("turn.interrupted")
            self._interrupt()

    def _interrupt(self) -> None:
        self.barge_in.stop()
        self._dropped = self._job is not None
        self._machine.interrupted()

    def _next(self, job: Job) -> None:
        if self._job is None:
            self._speak(job)
        else:
            self._waiting.append(job)

    def _speak(self, job: Job) -> None:
        self._idleness.stop()
        self._dropped = False
        self._machine.speak(job)

    def _go_on(self) -> None:
        """Nothing is being said: the next thing, or the caller's turn."""
        if self._waiting:
            self._speak(self._waiting.pop(0))
        else:
            self._listen()

    # -- Talk -------------------------------------------------------------------------------------

    def begin_reply(self, job: Job) -> Deferred[object]:
        self._job = job
        self.barge_in.stop()  # a doubt of the reply before
        self.barge_in.allowed = job.interruptible
        if self.listener.speaking and not self._held:  # nobody is talked over
            self.barge_in.speech_started()
        made = self.replier.reply(job)
        if self._held:
            self.replier.pause()
        reply: Deferred[object] = made.addCallbacks(
            self._replied, self._failed, callbackArgs=(job,), errbackArgs=(job,)
        )
        return reply.addErrback(lambda failure: self._log.failure("after a reply", failure))

    def reply_over(self) -> None:
        self._job = None

    def later(self, job: Job) -> None:
        self._waiting.append(job)

    def over(self) -> None:
        self._closing = self._ended = True
        self._idleness.stop()
        self.barge_in.stop()
        self.keypad.stop()
        self._waiting.clear()
        if self._longest is not None and self._longest.active():
            self._longest.cancel()

    # -- the reply's outcome ----------------------------------------------------------------------

    def _replied(self, end: End | None, job: Job) -> None:
        if job is not self._job:
            return  # interrupted, but a vendor would not let itself be cancelled
        if not isinstance(job, Say) or job.kind != "error":
            self._failures = 0
        self._machine.replied()
        if end is not None:
            self._end(end)
        else:
            self._go_on()

    def _failed(self, failure: Failure, job: Job) -> None:
        if job is not self._job:
            return  # an interruption, which has said so already
        apology = isinstance(job, Say) and job.kind == "error"
        self._machine.replied()
        self._failures += 1
        end = INTERNAL_ERROR
        if failure.check(CallError):
            end = PROVIDER_FAILED.because(failure.getErrorMessage())
            self._log.warn("a reply failed: {reason}", reason=failure.getErrorMessage())
        else:
            self._log.failure("a reply failed", failure)
        self._events.happened("reply.failed", failure.getErrorMessage())
        if isinstance(job, Say) and job.then is not None:
            self._end(job.then)
        elif apology or self._failures >= FAILURES_IN_A_ROW:
            self._end(end)
        else:
            self._speak(Say(self._experience.error_message, "error"))

    def expecting(self, expectation: Expectation) -> None:
        """The model has told what may be said or pressed next."""
        self.listener.expect(expectation)
        self.keypad.expect(expectation.digits)

    # -- idleness, ends ---------------------------------------------------------------------------

    def _listen(self) -> None:
        self._idleness.stop()
        if not (self.listener.speaking or self._closing or self._held):
            self._idleness.wait()

    def _prompt(self, number: int) -> None:
        self._events.happened("idle", f"prompt {number}")
        self._speak(Say(self._experience.idle_message, "idle"))

    def _end(self, end: End) -> None:
        self.stop()
        self._events.over(end)


_conforms: tuple[type[ListenerEvents], type[Talk]] = (Conversation, Conversation)
