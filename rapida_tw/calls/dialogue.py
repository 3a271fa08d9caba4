"""Dialogue: what a call needs of whoever talks with its caller, and who that is.

Either a recogniser, a model and a voice, one behind the other (cascade.py), or a model that does
all of it by itself (pipeline/live.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from rapida_tw.audio.format import Samples
from rapida_tw.calls.cascade import Cascade, CascadeEvents, Wait
from rapida_tw.calls.parts import LiveParts, Parts
from rapida_tw.expect import Expectation
from rapida_tw.media.playout import Playout
from rapida_tw.models.base import Message
from rapida_tw.pipeline.apology import Apology
from rapida_tw.pipeline.experience import Experience
from rapida_tw.pipeline.keypad import Keypad
from rapida_tw.pipeline.live import LiveConversation
from rapida_tw.pipeline.live_ports import LiveEvents
from rapida_tw.pipeline.reply import Say
from rapida_tw.pipeline.tools import ToolBox


class DialogueEvents(CascadeEvents, LiveEvents, Protocol):
    """What a dialogue tells its call."""


class Dialogue(Protocol):
    """One call's. Plain calls; nothing raises."""

    @property
    def talked(self) -> int:
        """Ticks of the caller's voice in the whole call."""

    def begin(self, wait: Wait, active: Callable[[], bool]) -> None:
        """Get the vendors ready.

        `active` is called when the first word can be said; False: the call is over.
        """

    def hear(self, frame: Samples) -> None:
        """int16[320] of the caller, in order; on the 20 ms path."""

    def digit_received(self, digit: str) -> None: ...
    def hold_changed(self, held: bool) -> None:
        """Nobody hears us any more, nor do we hear anybody; or both again."""

    def expecting(self, expectation: Expectation) -> None:
        """What may be said or pressed next."""

    def say(self, text: str) -> None:
        """Say it after what is being said now."""

    def close_with(self, job: Say) -> None:
        """Say this now, and nothing after it; the call ends as `job.then` says."""

    def stop(self) -> None:
        """The call is over; idempotent. The parts are stopped by the call."""


def dialogue(
    clock: IReactorTime,
    experience: Experience,
    prompt: Sequence[Message],
    parts: Parts | LiveParts,
    tools: Callable[[Keypad], ToolBox],
    playout: Playout,
    next_sound: Callable[[Callable[[], None] | None], None],
    echoes: Callable[[], bool],
    events: DialogueEvents,
) -> Dialogue:
    """The one that these parts are for."""
    if isinstance(parts, Parts):
        return Cascade(clock, experience, prompt, parts, tools, playout, next_sound, echoes, events)
    apology = None
    if parts.voice is not None:
        apology = Apology(clock, parts.voice, parts.normaliser, playout, events)
    return LiveConversation(
        clock,
        experience,
        prompt,
        parts.model,
        tools,
        playout,
        next_sound,
        events,
        apology,
        parts.microphone.interrupted_by_sound,
    )
