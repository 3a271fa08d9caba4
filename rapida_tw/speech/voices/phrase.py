"""Phrase: one phrase on its way from a vendor to whoever listens, with its time-outs.

What line.py (WebSocket) and upload.py (HTTP) have in common: sound is decoded and given on in the
turn in which it came, and a phrase of which nothing was heard yet may be asked for once more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.audio.format import RATE, AudioFormat, Encoding, Samples
from rapida_tw.errors import CallError, RemoteProtocolError, VendorFailed
from rapida_tw.speech import counters
from rapida_tw.speech.base import VoiceSink, Word
from rapida_tw.speech.voices.sound import Sound

FIRST_WITHIN = 4.0  # seconds until there is sound
SILENT_WITHIN = 5.0  # seconds without sound before its end
LONGEST = 120.0  # seconds of sound: no phrase of ours lasts that long
# Characters a second that nobody speaks: a phrase that sounded shorter than that is not complete.
_FASTEST = 25.0
# Refused with 429 without a word about when: another call's phrase may be over by then.
_SOON = 0.5  # seconds
_PATIENCE = 2.0  # seconds: the longest `retry_after` that a caller can be kept waiting for

# HTTP statuses that another attempt does not change.
_FINAL = frozenset((400, 401, 402, 403, 404, 405, 422))

_log = Logger()


class Format(Protocol):
    """In what form the sound comes; read when its first bytes are there."""

    encoding: Encoding
    rate: int


class Phrase:
    """One phrase; each attempt at it begins with `begin`. Nothing raises."""

    def __init__(
        self, clock: IReactorTime, vendor: str, text: str, sink: VoiceSink, leg: AudioFormat | None
    ) -> None:
        self.vendor = vendor
        self.text = text
        self.began = False  # the sink has some of its sound
        self._clock = clock
        self._sink = sink
        self._leg = leg
        self._format: Format | None = None
        self._sound: Sound | None = None
        self._samples = 0
        self._latest = 0.0  # when there was sound, or it was asked for
        self._timer: IDelayedCall | None = None
        self._over: Deferred[None] | None = None

    def begin(self, format: Format) -> Deferred[None]:
        """The vendor has been asked: fires when all was given to the sink.

        Errbacks with VendorFailed, and with whatever the sink raises; cancelling it drops the rest.
        """
        self._format, self._sound = format, None
        self._latest = self._clock.seconds()
        self._timer = self._clock.callLater(FIRST_WITHIN, self._look)
        over: Deferred[None] = Deferred()
        self._over = over
        return over.addBoth(self._ended)

    def sound_received(self, payload: bytes) -> None:
        """The next bytes, cut anywhere."""
        if self._over is None or self._format is None:
            return
        if self._sound is None:
            try:
                self._sound = Sound(self._format.encoding, self._format.rate, self._leg)
            except ValueError as error:
                self.failed(VendorFailed(f"{self.vendor}: {error}", retryable=False))
                return
        samples, straight = self._sound.feed(payload)
        if len(samples):
            self._latest = self._clock.seconds()
            self._give(samples, straight)
        if self._samples > LONGEST * RATE:
            self.failed(VendorFailed(f"{self.vendor} speaks without end"))

    def words_received(self, words: Sequence[Word]) -> None:
        if self._over is not None:
            try:
                self._sink.timed(words)
            except Exception:
                self._fail(Failure())

    def completed(self) -> None:
        """The vendor says that this was all."""
        if self._over is None:
            return
        if not self.began:
            self.failed(VendorFailed(f"{self.vendor} answered without any sound"))
            return
        if self._sound is not None:
            self._give(self._sound.finish(), b"")
        if self._over is not None:  # the sink may have had enough
            self._over.callback(None)

    def failed(self, error: Exception) -> None:
        self._fail(Failure(error))

    def _give(self, samples: Samples, straight: bytes) -> None:
        if not len(samples):
            return
        self.began = True
        self._samples += len(samples)
        try:
            self._sink.write(samples, straight)
        except Exception:
            self._fail(Failure())

    def _fail(self, failure: Failure) -> None:
        if self._over is not None:
            self._over.errback(failure)

    def _ended(self, result: object) -> object:
        self._over = None
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        return result

    def _look(self) -> None:
        """Has anything come?"""
        limit = SILENT_WITHIN if self.began else FIRST_WITHIN
        left = self._latest + limit - self._clock.seconds()
        if left > 0.001:
            self._timer = self._clock.callLater(left, self._look)
        elif not self.began:
            self.failed(VendorFailed(f"{self.vendor} gave no sound within {limit:.0f} s"))
        elif self._samples / RATE >= len(self.text) / _FASTEST:
            # Vendors forget to say so: the caller has heard a phrase of a plausible length, and an
            # apology now would be worse than a syllable that may be missing.
            _log.warn("{vendor} did not end a phrase", vendor=self.vendor)
            self.completed()
        else:
            self.failed(VendorFailed(f"{self.vendor} fell silent in the middle of a phrase"))


async def spoken(
    clock: IReactorTime, phrase: Phrase, attempt: Callable[[Phrase], Awaitable[None]]
) -> None:
    """Make one attempt at it, and one more where that may help and nothing was heard yet."""

    async def once() -> None:
        await attempt(phrase)

    if any(map(str.isalnum, phrase.text)):  # a dash alone is nothing that could sound
        await twice(clock, phrase.vendor, once, lambda: phrase.began)


async def twice(
    clock: IReactorTime,
    vendor: str,
    attempt: Callable[[], Awaitable[None]],
    too_late: Callable[[], bool] = lambda: False,
) -> None:
    """Try it once more if the vendor failed, where that may help and it is not `too_late`."""
    try:
        await attempt()
        return
    except VendorFailed as failure:
        wait = _before_retry(failure)
        if wait is None or too_late():
            raise
        _log.info("once more: {failure}", failure=str(failure))
    counters.retries.inc(vendor)
    if wait:
        await deferLater(clock, wait)
    await attempt()


def _before_retry(failure: VendorFailed) -> float | None:
    """Seconds to wait; None: there is no use."""
    if not failure.retryable:
        return None
    if failure.retry_after is not None:
        return failure.retry_after if failure.retry_after <= _PATIENCE else None
    return _SOON if failure.code == 429 else 0.0


def named(vendor: str, failure: Failure) -> VendorFailed:
    """Why a vendor was not reached, with its name; what is not its failing is logged."""
    error = failure.value
    if isinstance(error, VendorFailed):
        retryable = error.retryable and error.code not in _FINAL
        return VendorFailed(f"{vendor}: {error}", error.code, retryable, error.retry_after)
    if not failure.check(CancelledError, CallError):
        _log.failure("{vendor} cannot be asked", failure, vendor=vendor)
    return VendorFailed(f"{vendor}: {failure.getErrorMessage()}", retryable=False)


def misunderstood(vendor: str, error: RemoteProtocolError) -> VendorFailed:
    """The vendor sent garbage: counted, logged, and a failure."""
    counters.garbage.inc(vendor)
    _log.warn("{vendor} is not understood: {error}", vendor=vendor, error=error)
    return VendorFailed(f"{vendor} is not understood: {error}")
