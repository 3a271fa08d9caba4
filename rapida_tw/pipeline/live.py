"""LiveConversation: the dialogue of one call with a model that hears, thinks and speaks by itself.

It does what Conversation, Listener and Replier do together. The model takes its turns when it
likes; here is decided what of that is heard: a reply ends in the middle when the caller speaks, and
model and journal are told how far it was heard. What the house has to say (greeting, idle prompt,
closing) the model says, word for word: a call has one voice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rapida_tw.audio.format import Samples
from rapida_tw.errors import IDLE_TIMEOUT, MAX_DURATION, PROVIDER_FAILED, End
from rapida_tw.expect import Expectation
from rapida_tw.media.playout import Playout
from rapida_tw.models.base import Message
from rapida_tw.models.live import Briefing, LiveModel
from rapida_tw.pipeline.barge_in import BargeIn
from rapida_tw.pipeline.conversation import FAILURES_IN_A_ROW
from rapida_tw.pipeline.experience import Experience
from rapida_tw.pipeline.idleness import Idleness
from rapida_tw.pipeline.keypad import Keypad
from rapida_tw.pipeline.listen import Turn
from rapida_tw.pipeline.live_ear import EarEvents, LiveEar
from rapida_tw.pipeline.live_hold import put_on_hold
from rapida_tw.pipeline.live_ports import LiveEvents, OtherVoice, Wait
from rapida_tw.pipeline.live_sink import Chair, ModelSink
from rapida_tw.pipeline.live_speaker import Conductor, LiveSpeaker
from rapida_tw.pipeline.live_tools import LiveTools
from rapida_tw.pipeline.live_turns import LiveTurns, pressed
from rapida_tw.pipeline.minutes import Minutes
from rapida_tw.pipeline.reply import TAIL, Answer, Job, Say
from rapida_tw.pipeline.tools import ToolBox


class LiveConversation:
    """One call's dialogue. All methods are plain calls; nothing raises."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        experience: Experience,
        prompt: Sequence[Message],
        model: LiveModel,
        tools: Callable[[Keypad], ToolBox],
        playout: Playout,
        next_sound: Callable[[Callable[[], None] | None], None],
        events: LiveEvents,
        other_voice: OtherVoice | None = None,
        interrupted_by_sound: bool = True,
    ) -> None:
        """`interrupted_by_sound`: our own ear may pause what is said before the vendor has heard
        the caller, who is closer to us."""
        self._clock = clock
        self._experience = experience
        self._model = model
        self._playout = playout
        self._events = events
        self._other_voice = other_voice
        self._instructions = "\n\n".join(one.text for one in prompt if one.role == "system")
        self._minutes = minutes = Minutes(clock)
        for message in prompt:
            if message.role != "system":
                minutes.add(message)
        self._ear = LiveEar(model.hear, self, clock.seconds)
        self._turns = LiveTurns(
            minutes, self._ear, clock.seconds, model.tells_speech, events.user_said
        )
        self._speaker = LiveSpeaker(clock, model, playout, minutes, next_sound, events, self)
        self._barge_in = BargeIn(clock, playout, self._cut_off, self._insists, interrupted_by_sound)
        self._keypad = Keypad(clock, self.digits_entered)
        self._tools = LiveTools(
            tools(self._keypad),
            model,
            self._speaker,
            minutes,
            events,
            lambda: self._turns.speaking,
        )
        self._sink = ModelSink(
            self, self._speaker, self._turns, self._tools, minutes, events.happened
        )
        self._idleness = Idleness(
            clock,
            experience.idle_timeout,
            experience.idle_retries,
            self._prompt,
            lambda: self._end(IDLE_TIMEOUT),
        )
        self._waiting: list[Job] = []  # what is to be said after what is being said
        self._repeated: Job | None = None
        self._longest: IDelayedCall | None = None
        self._tail: IDelayedCall | None = None
        self._failures = 0
        self._started = self._closing = self._failed = self._ended = False
        self._held = False  # on hold

    # -- life -------------------------------------------------------------------------------------

    @property
    def talked(self) -> int:
        """Ticks of the caller's voice in the whole call."""
        return self._ear.talked

    def begin(self, wait: Wait, active: Callable[[], bool]) -> None:
        """Start the model, then greet; what the caller says meanwhile is kept.

        `active` is called when it has started; False: the call is over.
        """
        wait(Deferred.fromCoroutine(self._begin(active)), self.failed)

    async def _begin(self, active: Callable[[], bool]) -> None:
        await self._model.start(Briefing(self._instructions, self._tools.offered), self._sink)
        if active():
            self._start()

    def _start(self) -> None:
        self._started = True
        self._longest = self._clock.callLater(
            self._experience.max_duration, self._end, MAX_DURATION
        )
        greeting = self._experience.greeting
        if greeting and not self._closing:
            interruptible = self._experience.greeting_interruptible
            self._waiting.insert(0, Say(greeting, "greeting", interruptible))
        if not self._waiting or self._waiting[0].interruptible:
            # A "hello?" into the silence before the greeting is answered by the greeting.
            self._ear.release(everything=not self._waiting)
        self._go_on()

    def stop(self) -> None:
        """The call is over, whatever was going on; idempotent."""
        if self._ended:
            return
        self._ended = self._closing = True
        self._waiting.clear()
        self._ear.stop()
        self._barge_in.stop()
        self._speaker.cut()
        self._tools.stop()
        self._keypad.stop()
        self._idleness.stop()
        self._minutes.stop()
        if self._other_voice is not None:
            self._other_voice.stop()
        for timer in (self._longest, self._tail):
            if timer is not None and timer.active():
                timer.cancel()

    def hear(self, frame: Samples) -> None:
        """int16[320] of the caller, in order; on the 20 ms path."""
        self._ear.hear(frame)

    # -- whose turn it is -------------------------------------------------------------------------

    def _speak(self, job: Job) -> None:
        self._idleness.stop()
        self._barge_in.stop()
        self._playout.resume()
        self._barge_in.allowed = job.interruptible
        if not job.interruptible:
            self._ear.hold()
        if isinstance(job, Say):
            self._speaker.begin(job)
            self._model.say(job.text, first=not job.interruptible)
        else:  # pressed keys
            self._speaker.begin(job)
            self._model.text(pressed(job.turn.text))

    def _go_on(self) -> None:
        """Nothing is being said: the next thing, or the caller's turn."""
        if self._waiting:
            self._speak(self._waiting.pop(0))
        else:
            self._listen()

    def _next(self, job: Job) -> None:
        if self._started and self._speaker.job is None:
            self._speak(job)
        else:
            self._waiting.append(job)

    def _cut_off(self) -> None:
        """The caller's voice or key ends the reply."""
        self._barge_in.stop()
        cut = self._speaker.cut()
        self._tools.cut()
        if cut:
            self._events.happened("turn.interrupted")

    def _insists(self) -> bool:
        """Whether a voice is an interruption although the vendor has not said so.

        A vendor that only tells of replies it breaks off says nothing when its own is complete.
        """
        return not self._model.tells_speech and self._speaker.complete and self._ear.insists()

    def hold_changed(self, held: bool) -> None:
        """The far side has put us on hold, or taken us back (pipeline/hold.py)."""
        if self._ended:
            return
        self._held = held
        self._speaker.hold_changed(held)
        self._idleness.stop()
        self._barge_in.stop()
        self._playout.resume()  # if it was in doubt; the session keeps it meanwhile
        if held:
            end = put_on_hold(self._speaker, self._tools, self._waiting)
            if end is not None:
                self._end(end)
                return
        else:
            self._idleness.answered()
        if self._started and self._speaker.job is None:
            self._go_on()

    # -- EarEvents --------------------------------------------------------------------------------

    def voice_started(self) -> None:
        self._idleness.stop()
        if self._speaker.job is not None:
            self._barge_in.speech_started()

    def voice_stopped(self) -> None:
        self._barge_in.turn_ended()
        self._listen()

    # -- Chair ------------------------------------------------------------------------------------

    def caller_cuts_in(self) -> None:
        job = self._speaker.job
        self._idleness.stop()
        self._barge_in.stop()
        if job is None or job.interruptible:
            self._cut_off()
            self._listen()
        elif job is self._repeated:  # again: then it must do as it is
            self._speaker.cut()
            self.reply_heard(job, False)
        else:
            # The voice was on its way when the model was asked to say what nobody may interrupt.
            self._repeated = job
            self._speaker.cut()
            self._speak(job)

    def caller_known(self) -> None:
        self._idleness.answered()

    def reply_began(self) -> None:
        if self._speaker.job is None and not self._ended and self._tail is None:
            self._idleness.stop()
            self._barge_in.allowed = True
            turn = self._turns.answered()
            self._speaker.begin(Answer(turn or Turn("")), turn)

    def failed(self, error: Exception) -> None:
        """The model is lost: say so in another voice, if there is one, and end."""
        if self._ended or self._failed:
            return
        self._failed = True
        self._events.happened("model.error", str(error))
        self._log.warn("the live model failed: {error}", error=error)
        job = self._speaker.job
        end = PROVIDER_FAILED.because(str(error))
        if isinstance(job, Say) and job.then is not None:
            end = job.then
        self._closing = True
        self._idleness.stop()
        self._waiting.clear()
        self._speaker.cut()
        self._barge_in.stop()
        self._tools.stop()
        if self._other_voice is None or end.reason != PROVIDER_FAILED.reason:
            self._end(end)
            return
        apology = Say(self._experience.error_message, "error", False, end)
        self._other_voice.say(apology, lambda: self._end(end))

    # -- Conductor --------------------------------------------------------------------------------

    def reply_goes_on(self) -> bool:
        return self._tools.running

    def sound_coming(self) -> None:
        if self._ear.speaking:  # nobody is talked over
            self._barge_in.speech_started()

    def reply_heard(self, job: Job, failed: bool) -> None:
        self._ear.release()
        if not failed and job.kind != "error":
            self._failures = 0
        end = (job.then if isinstance(job, Say) else None) or self._tools.ending
        if end is not None:
            self._closing = True
            self._tail = self._clock.callLater(TAIL, self._end, end)
        else:
            self._go_on()

    def reply_missing(self) -> None:
        self._model.cancel()
        self.reply_failed("no answer in time")

    def reply_failed(self, why: str) -> None:
        self._events.happened("reply.failed", why)
        self._log.warn("a reply failed: {reason}", reason=why)
        self._failures += 1
        job = self._speaker.job
        if isinstance(job, Say) and job.then is not None:
            self._end(job.then)
        elif self._failures >= FAILURES_IN_A_ROW or (job is not None and job.kind == "error"):
            self._end(PROVIDER_FAILED.because(why))
        else:
            self._waiting.insert(0, Say(self._experience.error_message, "error"))
            if job is None:
                self._go_on()
            self._speaker.said(failed=True)

    # -- keys, operators --------------------------------------------------------------------------

    def digit_received(self, digit: str) -> None:
        """A key: it interrupts what may be interrupted, unless a tool waits for it."""
        self._idleness.stop()
        job = self._speaker.job
        if job is not None and job.interruptible and not self._keypad.collecting:
            self._cut_off()
        self._keypad.pressed(digit)

    def digits_entered(self, digits: str) -> None:
        """The keypad has a complete entry."""
        if not digits:
            self._listen()
            return
        self._idleness.answered()
        turn = self._turns.pressed(digits, pressed(digits))
        if self._closing:
            return
        job = self._speaker.job
        if job is not None and job.interruptible:
            self._cut_off()
        self._tools.turn_taken()
        self._next(Answer(turn))

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
        self._cut_off()
        self._tools.stop()
        if self._held and job.then is not None:
            self._end(job.then)
        elif self._started:
            self._speak(job)
        else:
            self._waiting.append(job)

    def expecting(self, expectation: Expectation) -> None:
        """It understands everything."""

    # -- idleness, ends ---------------------------------------------------------------------------

    def _listen(self) -> None:
        """It is the caller's turn, unless somebody speaks already."""
        busy = self._speaker.job is not None or self._tools.running or self._held
        if busy or self._turns.speaking or self._ear.speaking or self._closing or not self._started:
            return
        self._idleness.wait()

    def _prompt(self, number: int) -> None:
        self._events.happened("idle", f"prompt {number}")
        self._speak(Say(self._experience.idle_message, "idle"))

    def _end(self, end: End) -> None:
        self.stop()
        self._events.over(end)


_conform: tuple[type[Chair], type[EarEvents], type[Conductor]] = (
    LiveConversation,
    LiveConversation,
    LiveConversation,
)
