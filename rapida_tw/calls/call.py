"""Call: the only thing that knows everything about one call; it does nothing itself.

It wires a leg, a session and a conversation together, writes down what they tell, and ends: once,
with one reason, whatever the way out. Nothing of a call outlives `end`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.audio.format import TICK, TICKS_PER_SECOND
from rapida_tw.calls.answerer import Answerer, MachinePolicy
from rapida_tw.calls.context import CallContext
from rapida_tw.calls.dialogue import dialogue
from rapida_tw.calls.journal import Notebook
from rapida_tw.calls.own_hold import OwnHold
from rapida_tw.calls.parts import LiveParts, Parts
from rapida_tw.calls.steering import Steering
from rapida_tw.calls.toolset import Makers, toolset
from rapida_tw.carriers.outbound import Line
from rapida_tw.errors import REMOTE_HANGUP, SHUTTING_DOWN, TRANSFERRED, End, VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.media.clock import MediaClock
from rapida_tw.media.leg import Leg, Measured
from rapida_tw.media.playout import Playout
from rapida_tw.media.recorder import Recorder
from rapida_tw.media.session import MediaSession
from rapida_tw.models.base import Message
from rapida_tw.pipeline.experience import Experience
from rapida_tw.pipeline.listen import Turn
from rapida_tw.pipeline.reply import Job, Say
from rapida_tw.pipeline.steering_tools import PutOnHold
from rapida_tw.pipeline.times import Times

_GONE = (REMOTE_HANGUP.reason, TRANSFERRED.reason)
READY_WITHIN = 10.0  # seconds for recogniser and voice to start; the caller hears silence


@dataclass(frozen=True, slots=True)
class Script:
    """What an assistant brings to one call, ready to use: texts are rendered."""

    experience: Experience
    prompt: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...]
    machine: MachinePolicy = field(default_factory=MachinePolicy)


@dataclass(frozen=True, slots=True)
class LiveCall:
    """A running call as the API shows it. `started` in seconds since the epoch."""

    id: int
    assistant_id: int
    project_id: int
    carrier: str
    direction: str
    caller: str
    callee: str
    state: str
    started: float
    duration: float
    turns: int


class Call:
    """One call, from the leg's first moment to the last entry in the journal."""

    _log = Logger()

    def __init__(
        self,
        context: CallContext,
        leg: Leg,
        parts: Parts | LiveParts,
        script: Script,
        clock: IReactorTime,
        beat: MediaClock,
        notebook: Notebook,
        line: Line,
        makers: Makers,
        now: float,
        over: Callable[[Call], None],
    ) -> None:
        """`now` is the wall clock's time; `over` is called once, at the end."""
        self.context = context
        self.state = "connected"
        self.turns = 0
        self.ended: End | None = None
        self._started_at = now
        self._leg = leg
        self._parts = parts
        self._clock = clock
        self._beat = beat
        self._notebook = notebook
        self._over = over
        self._started = clock.seconds()
        self._recorder: Recorder | None = None

        self._answerer = Answerer(script.machine, self)
        self._playout = playout = Playout(parts.leg)
        self._line = Steering(line, playout)
        self._hold = OwnHold(self._hold_dialogue, self._line, notebook)
        self._dialogue = dialogue(
            clock,
            script.experience,
            script.prompt,
            parts,
            lambda keypad: toolset(
                script.tools,
                keypad,
                playout,
                self._line,
                makers,
                lambda longest: PutOnHold(self._hold, longest, clock, playout.drained),
            ),
            playout,
            lambda sounded: self.session.at_next_sound(sounded),
            lambda: self.session.echoes(),
            self,
        )
        self.session = MediaSession(leg, beat, playout, self._dialogue, self)
        self._starting: list[Deferred[None]] = []

    def __str__(self) -> str:
        return f"call {self.context.conversation_id}"

    # -- life -------------------------------------------------------------------------------------

    def start(self, recorder: Recorder | None) -> None:
        """The leg is there: record, get the vendors ready, greet."""
        self._recorder = self.session.recorder = recorder
        self._notebook.status("connected")
        self._notebook.event("call.connected", carrier=self.context.carrier)
        self._log.info(
            "{call} connected: {caller} by {carrier} to assistant {assistant}",
            call=self,
            caller=self.context.caller or "anonymous",
            carrier=self.context.carrier,
            assistant=self.context.assistant_id,
        )
        self._dialogue.begin(self._wait_for, self._active)

    def _active(self) -> bool:
        if self.ended is not None:  # by a voice that starts although it was cancelled
            return False
        self.state = "active"
        self._notebook.status("active")
        return True

    def _wait_for(self, vendor: Deferred[None], failed: Callable[[Exception], None]) -> None:
        """Give a vendor time to start; `failed` unless the call is over by then."""

        def not_started(failure: Failure) -> None:
            if self.ended is None:
                failed(VendorFailed(failure.getErrorMessage() or "did not start in time"))
                self._log.warn(
                    "{call}: a vendor did not start: {reason}",
                    call=self,
                    reason=failure.getErrorMessage(),
                )

        self._starting.append(vendor)
        vendor.addTimeout(READY_WITHIN, self._clock)
        vendor.addErrback(not_started)

    def end(self, end: End) -> None:
        """Every way out; the first reason wins."""
        if self.ended is not None:
            return
        self.ended = end
        for step in (
            *(vendor.cancel for vendor in self._starting),
            self._dialogue.stop,
            self.session.close,
            self._hold.stop,
            self._withdraw_transfer,
            self._write_measures,
            lambda: self._leg.hang_up(end),
            self._hang_up_at_carrier,
            self._stop_recording,
            self._parts.stop,
        ):
            try:
                step()
            except Exception:
                # What is left must be freed all the same, and the call must be over.
                self._log.failure("{call}: at its end", call=self)
        self.state = "failed" if end.status == "failed" else "ended"
        self._write_the_end(end)
        self._over(self)

    def _withdraw_transfer(self) -> None:
        if self.ended is not None and self.ended.reason != TRANSFERRED.reason:
            self._line.withdraw()

    def _hang_up_at_carrier(self) -> None:
        """Not when the caller is gone, or talks with somebody else by now."""
        if self.ended is not None and self.ended.reason not in _GONE:
            self._line.hang_up(self.ended)

    def _write_measures(self) -> None:
        if isinstance(self._leg, Measured):
            for name, (value, data) in self._leg.measures().items():
                self._notebook.metric(name, value, **data)

    def _stop_recording(self) -> None:
        if self._recorder is not None:
            self._recorder.close(self._beat.now)

    def _write_the_end(self, end: End) -> None:
        duration = self._clock.seconds() - self._started
        talked = (self._dialogue.talked + self.session.spoken) * TICK
        note = self._notebook
        note.metric("call.duration", f"{duration:.3f}")
        note.metric(
            "call.talk_duration",
            f"{talked:.2f}",
            user=round(self._dialogue.talked * TICK, 2),
            assistant=round(self.session.spoken * TICK, 2),
        )
        note.metric("call.status", end.status)
        note.metric("call.disconnected_by", end.disconnected_by)
        name = "call.failed" if end.status == "failed" else "call.ended"
        note.event(name, reason=end.reason, detail=end.detail, status=end.status)
        note.status(self.state, end.reason, round(duration, 3))
        self._log.info(
            "{call} ended after {seconds:.1f} s: {end}", call=self, seconds=duration, end=end
        )

    # -- steering ---------------------------------------------------------------------------------

    def view(self) -> LiveCall:
        context = self.context
        return LiveCall(
            context.conversation_id,
            context.assistant_id,
            context.project_id,
            context.carrier,
            context.direction,
            context.caller,
            context.callee,
            self.state,
            self._started_at,
            round(self._clock.seconds() - self._started, 3),
            self.turns,
        )

    def say(self, text: str) -> None:
        """Say it after what is being said now."""
        self._dialogue.say(text)

    def transfer(self, target: str) -> Deferred[None]:
        """Hand the caller over; `NotSupported` when the leg's carrier cannot."""
        return self._line.transfer(target)

    def send_digits(self, digits: str) -> Deferred[None]:
        """Keys for the far side; `BadRequest`."""
        return self._line.send_digits(digits)

    def hold(self, on: bool) -> None:
        """Nobody speaks or listens; or both again. A key of the caller's ends it, too."""
        self._hold.hold(on)

    def say_goodbye(self, text: str) -> None:
        """The server stops: interrupt, say it, end."""
        self._dialogue.close_with(Say(text, "closing", False, SHUTTING_DOWN))

    def machine_detected(self, verdict: str) -> None:
        """The carrier says who has answered: human, machine, beep, silence, fax, unknown."""
        self._answerer.told(verdict)

    def quiet(self, quiet: bool) -> None:
        """Neither speak nor listen; or both again."""
        self._hold.quiet(quiet)

    def _hold_dialogue(self, held: bool) -> None:
        self._dialogue.hold_changed(held)

    def close_with(self, job: Say) -> None:
        """Say it now, and nothing after it."""
        self._dialogue.close_with(job)

    def answered_by(self, verdict: str) -> None:
        self._notebook.event("machine.detected", verdict=verdict)
        self._notebook.metadata("answered_by", verdict)

    # -- SessionEvents ----------------------------------------------------------------------------

    def digit_received(self, digit: str) -> None:
        self._notebook.event("dtmf", digit=digit)
        if not self._hold.key_pressed():
            self._dialogue.digit_received(digit)

    def hold_changed(self, held: bool) -> None:
        self._hold.theirs(held)

    def leg_ended(self, end: End) -> None:
        target = self._line.transferring
        if target and end.reason == REMOTE_HANGUP.reason:
            # The carrier takes the caller from us before its answer to our request is here.
            end = TRANSFERRED.because(f"to {target}")
        self.end(end)

    # -- ConversationEvents and ReplyEvents -------------------------------------------------------

    def user_said(self, turn: Turn) -> None:
        self.turns += 1
        self._notebook.message(
            "user",
            turn.text,
            by="keys" if turn.by_keys else "voice",
            confidence=round(turn.confidence, 3),
            ended=self._media_time(turn.speech_ended),
        )

    def assistant_said(self, text: str, job: Job, interrupted: bool, played: float) -> None:
        data: dict[str, Any] = {"kind": job.kind, "interrupted": interrupted}
        if played:
            data["began"] = self._media_time(played)
        self._notebook.message("assistant", text, **data)

    def reply_over(self, times: Times) -> None:
        latency = {name: round(value, 4) for name, value in times.latency().items()}
        if latency:
            milliseconds = f"{latency['total'] * 1000:.0f}"
            self._notebook.metric(
                "turn.latency", milliseconds, unit="ms", turn=self.turns, **latency
            )
        if times.answered:
            waited = f"{(times.answered - times.asked) * 1000:.0f}"
            self._notebook.metric("agent.ttft_ms", waited, unit="ms", turn=self.turns)
        if times.usage:
            read, written = times.usage.get("input", 0), times.usage.get("output", 0)
            cached = times.usage.get("cached", 0)
            self._notebook.metric("agent.input_token", read, turn=self.turns, cached=cached)
            self._notebook.metric("agent.output_token", written, turn=self.turns)
            self._notebook.metric("agent.total_token", read + written, turn=self.turns)

    def expecting(self, expectation: Expectation) -> None:
        self._dialogue.expecting(expectation)

    def tool_used(self, name: str, result: str) -> None:
        self._notebook.event("tool.call_completed", tool=name, result=result)

    def filled(self, text: str) -> None:
        self._notebook.event("reply.filler", text=text)

    def happened(self, name: str, detail: str = "") -> None:
        self._notebook.event(name, detail=detail)

    def over(self, end: End) -> None:
        self.end(end)

    def _media_time(self, seconds: float) -> float:
        """Seconds since the start of the recording."""
        first = self.session.started / TICKS_PER_SECOND
        return round(seconds - self._beat.origin - first, 3)
