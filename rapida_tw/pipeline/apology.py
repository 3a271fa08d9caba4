"""Apology: a text in another voice than the call's, when that one is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

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

    _log = Logger()

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
        self._saying: Deferred[None] | None = None
        self._stopped = False

    def say(self, job: Say, over: Callable[[], None]) -> None:
        """Say it, once; `over` is called when it was heard, or cannot be said either."""
        self._saying = Deferred.fromCoroutine(self._say(job)).addErrback(self._failed)
        self._saying.addCallback(lambda _: None if self._stopped else over())

    def stop(self) -> None:
        """Fall silent: the call is over."""
        self._stopped = True
        if self._saying is not None:
            self._saying.cancel()

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            reason = failure.getErrorMessage() or "no answer in time"
            self._log.warn("the other voice failed: {reason}", reason=reason)

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
