"""LiveSpeaker: one reply of a live model at a time, and how far it was heard.

A reply is owed from the moment that somebody has asked for it; the model makes it faster than it
can be spoken, perhaps in several runs with tools between them. It ends when all of it was heard, or
in the middle when the caller speaks: then the model is told where.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rapida_tw.audio.format import Samples
from rapida_tw.media.playout import Playout
from rapida_tw.models.base import Message
from rapida_tw.models.live import LiveModel
from rapida_tw.pipeline.listen import Turn
from rapida_tw.pipeline.live_items import HeardItem, LiveItems
from rapida_tw.pipeline.minutes import Minutes, Place
from rapida_tw.pipeline.reply import Job, Say
from rapida_tw.pipeline.times import Times

OWED_WITHIN = 10.0  # seconds for the first sound of a reply, or for its next run
_LAST_WORDS_WITHIN = 2.0  # seconds for a goodbye, once the model wants the call to end


class Told(Protocol):
    """What a LiveSpeaker tells the journal."""

    def assistant_said(self, text: str, job: Job, interrupted: bool, played: float) -> None: ...
    def reply_over(self, times: Times) -> None: ...


class Conductor(Protocol):
    """Who lets it speak."""

    def reply_goes_on(self) -> bool:
        """Something of the reply is still to come, although the model has said all by now."""

    def sound_coming(self) -> None:
        """The reply's first sound, before it is played."""

    def reply_heard(self, job: Job, failed: bool) -> None:
        """The reply is over, and what there was of it was heard."""

    def reply_missing(self) -> None:
        """It was owed and did not come."""


@dataclass(slots=True, eq=False)
class _Reply:
    job: Job
    times: Times
    place: Place | None = None  # in the minutes, from its first sound on
    over: bool = False  # the model has said all of it
    lost: bool = False  # the connection was lost before that
    failed: bool = False


class LiveSpeaker:
    """One call's."""

    def __init__(
        self,
        clock: IReactorTime,
        model: LiveModel,
        playout: Playout,
        minutes: Minutes,
        next_sound: Callable[[Callable[[], None] | None], None],
        told: Told,
        conductor: Conductor,
    ) -> None:
        self._clock = clock
        self._model = model
        self._playout = playout
        self._minutes = minutes
        self._next_sound = next_sound
        self._told = told
        self._conductor = conductor
        self._items = LiveItems(playout)
        self._reply: _Reply | None = None
        self._owed: IDelayedCall | None = None
        self._on_hold = False

    @property
    def job(self) -> Job | None:
        """What is being said, or is owed."""
        return self._reply.job if self._reply is not None else None

    @property
    def complete(self) -> bool:
        """The model has said all of it; it may still be being heard."""
        return self._reply is None or self._reply.over

    @property
    def sounds(self) -> bool:
        """There is something of it to be heard."""
        return bool(self._items)

    @property
    def waited_for(self) -> bool:
        """Nothing of the reply is being heard, though there may be later."""
        return not (self._playout.busy and self._reply is not None and self._reply.times.played)

    def hold_changed(self, held: bool) -> None:
        """Nobody is waiting for what is said now."""
        self._on_hold = held
        if held and self._reply is not None:
            self._reply.times.on_hold = True

    def begin(self, job: Job, turn: Turn | None = None) -> None:
        """A reply is owed from now on; `turn`: of the caller, whose waiting is measured."""
        times = Times(turn, asked=self._clock.seconds(), on_hold=self._on_hold)
        self._reply = _Reply(job, times)
        self.owe()

    def owe(self) -> None:
        """More of it is to come."""
        if self._reply is not None:
            self._reply.over = False
            self._cancel_owed()
            self._owed = self._clock.callLater(OWED_WITHIN, self._missing)

    def settle(self) -> None:
        """Nothing is owed at the moment: the reply ends when it has been heard, if it is over."""
        self._cancel_owed()
        reply = self._reply
        if reply is not None and reply.over and not self._conductor.reply_goes_on():
            self._playout.drained().addCallback(self._drained, reply)

    def end_soon(self) -> None:
        """The model wants the call to end; its last words are on their way."""
        if self._reply is not None and not self._reply.over:
            self._cancel_owed()
            self._owed = self._clock.callLater(_LAST_WORDS_WITHIN, self.said)
        else:
            self.settle()

    # -- what the model says ----------------------------------------------------------------------

    def audio(self, item: str, samples: Samples, payload: bytes) -> None:
        reply = self._reply
        if reply is None:
            return
        self._cancel_owed()
        if reply.place is None:
            now = self._clock.seconds()
            reply.place = self._minutes.take()
            reply.times.answered = reply.times.model = reply.times.voice = now
            self._next_sound(self._sounded)
            self._conductor.sound_coming()
        self._items.audio(item, samples, payload)

    def words(self, item: str, delta: str) -> None:
        self._items.words(item, delta)

    def spoken(self, item: str) -> None:
        self._items.spoken(item)

    def used(self, tokens: Mapping[str, int]) -> None:
        """What a run of the model has cost."""
        if self._reply is not None:
            usage = self._reply.times.usage
            for kind, number in tokens.items():
                usage[kind] = usage.get(kind, 0) + number

    def said(self, failed: bool = False) -> None:
        """The model has said all."""
        self._cancel_owed()
        self._items.finish(complete=not failed)
        if self._reply is not None:
            self._reply.over = True
            self._reply.failed = failed
            self.settle()

    # -- a lost connection ------------------------------------------------------------------------

    def lost(self) -> None:
        """What there is of the reply is all that will come over this connection."""
        reply = self._reply
        if reply is None:
            return
        if reply.place is not None:
            reply.place.message = Message("assistant", self._items.text())
        if not reply.over:
            self._cancel_owed()
            self._items.finish(complete=False)
            reply.lost = True

    def back(self) -> None:
        """Ask the new connection for the rest."""
        reply = self._reply
        if reply is None or not reply.lost:
            return
        reply.lost = False
        if not isinstance(reply.job, Say):
            self._model.go_on()
            self.owe()
        elif self._items:  # better half a prompt than one and a half
            self.said()
        else:
            self._model.say(reply.job.text, first=not reply.job.interruptible)
            self.owe()

    # -- its end ----------------------------------------------------------------------------------

    def cut(self) -> bool:
        """Be silent, now; whether there was something to be heard."""
        reply, self._reply = self._reply, None
        self._cancel_owed()
        self._next_sound(None)
        heard = self._items.take()
        if reply is None:
            return False
        self._model.cancel()
        for one in heard:
            if not one.whole:
                self._model.truncate(one.item, one.ms)
        whole = reply.over and all(one.whole for one in heard)
        self._tell(reply, heard, interrupted=not whole)
        return bool(heard)

    def _drained(self, _: None, reply: _Reply) -> None:
        if reply is not self._reply or not reply.over or self._conductor.reply_goes_on():
            return
        self._reply = None
        self._next_sound(None)
        self._tell(reply, self._items.take(), interrupted=False)
        self._conductor.reply_heard(reply.job, reply.failed)

    def _tell(self, reply: _Reply, heard: list[HeardItem], interrupted: bool) -> None:
        said = [one.text for one in heard if one.text]
        text = " ".join(said)
        message = Message("assistant", text, interrupted=interrupted) if text else None

        def tell() -> None:
            for number, part in enumerate(said, 1):
                cut = interrupted and number == len(said)
                played = reply.times.played if number == 1 else 0.0
                self._told.assistant_said(part, reply.job, cut, played)
            self._told.reply_over(reply.times)

        place = reply.place or self._minutes.take()
        place.settle(message, tell)

    def _missing(self) -> None:
        self._owed = None
        self._conductor.reply_missing()

    def _sounded(self) -> None:
        if self._reply is not None:
            self._reply.times.played = self._clock.seconds()

    def _cancel_owed(self) -> None:
        if self._owed is not None and self._owed.active():
            self._owed.cancel()
        self._owed = None
