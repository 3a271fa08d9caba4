"""What the tests of live conversations share: a model that does what it is told, and a call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import FRAME, RATE, TICK, Samples
from rapida_tw.errors import End
from rapida_tw.media.playout import Playout
from rapida_tw.models.base import Message, ToolCall
from rapida_tw.models.live import Briefing, LiveModel, LiveSink
from rapida_tw.pipeline.experience import Experience
from rapida_tw.pipeline.keypad import Keypad
from rapida_tw.pipeline.listen import Turn
from rapida_tw.pipeline.live import LiveConversation
from rapida_tw.pipeline.live_ports import LiveEvents
from rapida_tw.pipeline.reply import Job, Say
from rapida_tw.pipeline.times import Times
from rapida_tw.pipeline.tools import EndCall, Result, ToolBox

VOICE: Samples = (8000 * np.sin(2 * np.pi * 200 * np.arange(FRAME) / RATE)).astype(np.int16)
QUIET: Samples = np.zeros(FRAME, np.int16)
SOUND: Samples = np.full(FRAME, 1000, np.int16)


class HeldLive:
    """A LiveModel that writes down what it is asked; tests speak through its `sink`."""

    def __init__(self, tells_speech: bool = True) -> None:
        self.tells_speech = tells_speech
        self.asked: list[tuple[Any, ...]] = []
        self.heard = 0  # frames
        self.starting: Deferred[None] = Deferred()
        self.briefing = Briefing()
        self.sink: LiveSink

    def prepare(self) -> None:
        """Nothing to prepare."""

    def start(self, briefing: Briefing, sink: LiveSink) -> Deferred[None]:
        self.briefing, self.sink = briefing, sink
        return self.starting

    def hear(self, frame: Samples) -> None:
        self.heard += 1

    def text(self, text: str) -> None:
        self.asked.append(("text", text))

    def say(self, text: str, first: bool = False) -> None:
        self.asked.append(("say", text, "first") if first else ("say", text))

    def go_on(self) -> None:
        self.asked.append(("go on",))

    def cancel(self) -> None:
        self.asked.append(("cancel",))

    def truncate(self, item: str, played_ms: int) -> None:
        self.asked.append(("truncate", item, played_ms))

    def answer_tools(self, answers: Sequence[tuple[ToolCall, str]], reply: bool) -> None:
        self.asked.append(("answer", *(f"{call.id}: {text}" for call, text in answers), reply))

    def stop(self) -> Deferred[None]:
        return succeed(None)


class HeldTool:
    """A runner whose uses are answered by the test."""

    def __init__(self, name: str) -> None:
        self.tool = type(EndCall.tool)(name, "A tool of a test.")
        self.using: list[Deferred[Result]] = []
        self.cancelled = 0

    def use(self, arguments: Any) -> Deferred[Result]:
        self.using.append(Deferred(self._cancel))
        return self.using[-1]

    def _cancel(self, _: Deferred[Result]) -> None:
        self.cancelled += 1


class Told:
    """A LiveEvents that writes down."""

    def __init__(self) -> None:
        self.dialogue: list[tuple[str, str]] = []
        self.turns: list[Turn] = []
        self.cut: list[str] = []
        self.kinds: list[str] = []
        self.times: list[Times] = []
        self.tools: list[tuple[str, str]] = []
        self.happenings: list[str] = []
        self.ends: list[End] = []

    def user_said(self, turn: Turn) -> None:
        self.turns.append(turn)
        self.dialogue.append(("user", turn.text))

    def assistant_said(self, text: str, job: Job, interrupted: bool, played: float) -> None:
        self.dialogue.append(("assistant", text))
        self.kinds.append(job.kind)
        if interrupted:
            self.cut.append(text)

    def reply_over(self, times: Times) -> None:
        self.times.append(times)

    def tool_used(self, name: str, result: str) -> None:
        self.tools.append((name, result))

    def happened(self, name: str, detail: str = "") -> None:
        self.happenings.append(name)

    def over(self, end: End) -> None:
        self.ends.append(end)


class LiveCase(SynchronousTestCase):
    """A live conversation whose model is ready, and has been asked for the greeting."""

    experience = Experience(greeting="Hello.", error_message="Sorry.", idle_timeout=30.0)
    tells_speech = True
    prompt: tuple[Message, ...] = (Message("system", "Be kind."), Message("user", "Before."))
    starts = True
    lead = 0
    by_sound = True

    def setUp(self) -> None:
        self.clock = Clock()
        self.told = Told()
        self.model = HeldLive(self.tells_speech)
        self.playout = Playout()
        self.playout.set_lead(self.lead)
        self.held = HeldTool("look_up")
        self.other = HeldTool("book")
        self.keypads: list[Keypad] = []
        self.apologies: list[Say] = []
        self.apologised: Callable[[], None] = self.fail
        self.apology_stopped = 0
        self.sounded: Any = None
        self.talk = LiveConversation(
            self.clock,
            self.experience,
            self.prompt,
            self.model,
            self._tools,
            self.playout,
            self._next_sound,
            self.told,
            self if self.has_voice() else None,
            self.by_sound,
        )
        self.active = 0
        self.starting: list[Deferred[None]] = []
        self.talk.begin(self._wait, self._active)
        if self.starts:
            self.begin()

    def has_voice(self) -> bool:
        return True

    def begin(self) -> None:
        self.model.starting.callback(None)
        self.assertEqual(self.active, 1)

    def _active(self) -> bool:
        self.active += 1
        return True

    def _wait(self, starting: Deferred[None], failed: Callable[[Exception], None]) -> None:
        self.starting.append(starting.addErrback(lambda failure: failed(failure.value)))

    def tearDown(self) -> None:
        """A stopped conversation leaves no timer and asks for nothing."""
        self.talk.stop()
        self.talk.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def _tools(self, keypad: Keypad) -> ToolBox:
        self.keypads.append(keypad)
        return ToolBox([EndCall(), self.held, self.other])

    def _next_sound(self, sounded: Any) -> None:
        self.sounded = sounded

    def say(self, job: Say, over: Callable[[], None]) -> None:
        """The other voice."""
        self.apologies.append(job)
        self.apologised = over

    def stop(self) -> None:
        self.apology_stopped += 1

    # -- what happens -----------------------------------------------------------------------------

    @property
    def sink(self) -> LiveSink:
        return self.model.sink

    def asked(self) -> list[tuple[Any, ...]]:
        """What the model was asked since the last time."""
        asked, self.model.asked = self.model.asked, []
        return asked

    def speaks(
        self, item: str = "item", text: str = "", frames: int = 50, over: bool = True
    ) -> None:
        """The model gives a reply, at once, as it does."""
        self.sink.reply_began()
        self.sink.words(item, text)
        self.sink.audio(item, np.tile(SOUND, frames))
        self.sink.item_spoken(item)
        if over:
            self.sink.reply_over()

    def play(self, seconds: float) -> None:
        """So much time passes, and is played."""
        for _ in range(round(seconds / TICK)):
            self.playout.played()
            while self.playout.take() is not None:
                if self.sounded is not None:
                    sounded, self.sounded = self.sounded, None
                    sounded()
                if not self.lead or not self.playout.behind(self.lead):
                    break
            self.clock.advance(TICK)

    def hear(self, seconds: float, frame: Samples = QUIET) -> None:
        """So much of the caller's sound; time passes and is played."""
        for _ in range(round(seconds / TICK)):
            self.talk.hear(frame)
            self.play(TICK)

    def caller_says(self, text: str, turn: str = "turn", seconds: float = 1.0) -> None:
        """A whole turn, with the vendor's events, and its words."""
        self.sink.speech_started()
        self.hear(seconds, VOICE)
        self.hear(0.5)
        self.sink.speech_stopped()
        self.sink.turn_taken(turn)
        self.sink.turn_heard(turn, text)

    def greeted(self) -> None:
        """The greeting was heard."""
        self.speaks("greeting", "Hello.")
        self.play(1.5)
        self.asked()


_conform: tuple[type[LiveModel], type[LiveEvents]] = (HeldLive, Told)
