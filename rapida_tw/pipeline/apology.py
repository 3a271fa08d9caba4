"""Apology: a text in another voice than the call's, when that one is lost."""

from __future__ import annotations

from typing import Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from rapida_tw.cancellable import cancellable
from rapida_tw.media.playout import Playout
from rapida_tw.pipeline.normalise import Normaliser
from rapida_tw.pipeline.reply import TAIL, Job, Say
from rapida_tw.speech.base import Synthesizer

BEGUN_WITHIN: Final = 10.0  # seconds for the voice to start, and again for it to speak


class Told(Protocol):
    """What of it was heard."""

    def assistant_said(self, text: str, job: Job, interrupted: bool, played: float) -> None: ...


class Apology:
    """`voice` is started when it is needed, and stopped by its owner."""

    def __init__(
        self,
        clock: IReactorTime,
        voice: Synthesizer,
        normaliser: Normaliser,
        playout: Playout,
        told: Told,
    ) -> None:
        self._clock = clock
        self._voice = voice
        self._normaliser = normaliser
        self._playout = playout
        self._told = told

    def __call__(self, job: Say) -> Deferred[None]:
        """Fires when it was heard; errbacks with VendorFailed. Cancelling it falls silent."""
        return Deferred.fromCoroutine(self._say(job))

    async def _say(self, job: Say) -> None:
        playout = self._playout
        await cancellable(self._voice.start()).addTimeout(BEGUN_WITHIN, self._clock)
        complete = False
        playout.begin(job.text, spoken=self._normaliser.spoken(job.text))
        try:
            saying = cancellable(self._voice.say(self._normaliser.spoken(job.text), playout))
            await saying.addTimeout(BEGUN_WITHIN, self._clock)
            playout.finish()
            await playout.drained()
            await deferLater(self._clock, TAIL)
            complete = True
        finally:
            said = playout.clear().get(0, "")
            if said:
                self._told.assistant_said(said, job, not complete, 0.0)
