"""Cascade: a recogniser, a model and a voice, one behind the other, wired into a dialogue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from rapida_tw.calls.parts import Parts
from rapida_tw.errors import PROVIDER_FAILED
from rapida_tw.expect import Expectation
from rapida_tw.media.playout import Playout
from rapida_tw.models.base import Message
from rapida_tw.pipeline.barge_in import BargeIn
from rapida_tw.pipeline.conversation import Conversation, ConversationEvents
from rapida_tw.pipeline.experience import Experience
from rapida_tw.pipeline.history import History
from rapida_tw.pipeline.keypad import Keypad
from rapida_tw.pipeline.listen import Listener
from rapida_tw.pipeline.reply import Replier, ReplyEvents, Say
from rapida_tw.pipeline.tools import ToolBox

# Gives a vendor time to start, and tells why it did not.
Wait = Callable[[Deferred[None], Callable[[Exception], None]], None]


class CascadeEvents(ConversationEvents, ReplyEvents, Protocol):
    """What a Cascade tells its call."""


class Cascade:
    """One call's dialogue; it does nothing itself."""

    def __init__(
        self,
        clock: IReactorTime,
        experience: Experience,
        prompt: Sequence[Message],
        parts: Parts,
        tools: Callable[[Keypad], ToolBox],
        playout: Playout,
        next_sound: Callable[[Callable[[], None] | None], None],
        echoes: Callable[[], bool],
        events: CascadeEvents,
    ) -> None:
        self._parts = parts
        self._events = events
        self._greets = bool(experience.greeting)
        self._conversation = conversation = Conversation(clock, experience, events)
        self._listener = Listener(
            parts.detector,
            parts.recognizer,
            parts.endpointing,
            conversation,
            clock.seconds,
            parts.microphone.gate,
            echoes,
        )
        self.hear = self._listener.hear  # itself: on the 20 ms path a call less counts
        conversation.keypad = Keypad(clock, conversation.digits_entered)
        conversation.listener = self._listener
        conversation.barge_in = BargeIn(
            clock,
            playout,
            conversation.interrupted,
            self._listener.insists,
            parts.microphone.interrupted_by_sound,
        )
        conversation.replier = Replier(
            clock,
            History(prompt),
            parts.model,
            tools(conversation.keypad),
            parts.voice,
            parts.normaliser,
            playout,
            next_sound,
            events,
            experience.fillers,
        )

    @property
    def talked(self) -> int:
        return self._listener.talked

    def begin(self, wait: Wait, active: Callable[[], bool]) -> None:
        """The greeting waits for the voice alone: what the caller says meanwhile is kept."""
        wait(self._listener.start(), self._conversation.hearing_failed)
        wait(Deferred.fromCoroutine(self._greet(active)), self._no_voice)

    async def _greet(self, active: Callable[[], bool]) -> None:
        replier = self._conversation.replier
        replier.owed(self._greets)
        try:
            await self._parts.voice.start()
        finally:
            replier.owed(False)
        if not active():
            return
        opening = self._parts.model.opening()
        if opening is not None:
            self._conversation.expecting(opening)
        self._conversation.start()

    def _no_voice(self, error: Exception) -> None:
        self._events.over(PROVIDER_FAILED.because(f"the voice: {error}"))

    def digit_received(self, digit: str) -> None:
        self._conversation.digit_received(digit)

    def hold_changed(self, held: bool) -> None:
        self._conversation.hold_changed(held)

    def expecting(self, expectation: Expectation) -> None:
        self._conversation.expecting(expectation)

    def say(self, text: str) -> None:
        self._conversation.say(text)

    def close_with(self, job: Say) -> None:
        self._conversation.close_with(job)

    def stop(self) -> None:
        self._conversation.stop()
        self._listener.stop()
