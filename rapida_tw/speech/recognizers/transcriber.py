"""Transcriber: how a server is asked what is said in a recording, and one attempt at it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from rapida_tw.errors import RemoteProtocolError, VendorFailed
from rapida_tw.net.base import Answer, BodyReceiver, Net, Request
from rapida_tw.net.reasons import retry_after, without_secrets
from rapida_tw.speech.recognizers.wire import Complaint, Final, Partial

ANSWERED_WITHIN = 5.0  # seconds; later, the caller has said something else


class TranscriptReader(Protocol):
    """Reads the body of one answer of status 200; RemoteProtocolError for garbage."""

    def feed(self, data: bytes) -> Sequence[Partial | Complaint]:
        """The next bytes, cut anywhere."""

    def finish(self) -> Final:
        """The body is over; RemoteProtocolError when it is not whole."""


class Transcriber(Protocol):
    """One assistant's settings at one server, without I/O; may be shared by its calls."""

    def request(self, recording: bytes) -> Request:
        """A WAV of 16 bits mono at 16 kHz."""

    def reader(self) -> TranscriptReader: ...
    def refused(self, status: int, body: str) -> Complaint:
        """What the server means by a status other than 200."""


class Attempt:
    """Asks, once or again. `late`: the latest answer did not come in time."""

    late = False

    def __init__(
        self, net: Net, clock: IReactorTime, vendor: str, transcriber: Transcriber
    ) -> None:
        self._net = net
        self._clock = clock
        self._vendor = vendor
        self._transcriber = transcriber

    async def run(self, recording: bytes, words: Callable[[str], None]) -> Final:
        """The answer; `words`: those so far, where they come piece by piece. `VendorFailed`."""
        asking = Deferred.fromCoroutine(self._ask(recording, words))
        timer = self._clock.callLater(ANSWERED_WITHIN, self._too_late, asking)
        try:
            return await asking
        except CancelledError:
            if self.late:
                within = f"{ANSWERED_WITHIN:g} s"
                raise VendorFailed(f"{self._vendor} did not answer within {within}") from None
            raise
        finally:
            if timer.active():
                timer.cancel()

    def _too_late(self, asking: Deferred[Final]) -> None:
        self.late = True
        asking.cancel()

    async def _ask(self, recording: bytes, words: Callable[[str], None]) -> Final:
        request = self._transcriber.request(recording)
        try:
            answer = await self._net.request(request)
            if answer.status != 200:
                raise self._refused(answer, await answer.text())
            body = _Body(answer, self._transcriber.reader(), words)
            return await body.done
        except RemoteProtocolError as error:
            raise VendorFailed(f"{self._vendor} said what nobody understands ({error})") from None
        except VendorFailed as error:
            reason = without_secrets(str(error), request)
            after = error.retry_after
            raise VendorFailed(
                f"{self._vendor}: {reason}", error.code, error.retryable, after
            ) from None

    def _refused(self, answer: Answer, body: str) -> VendorFailed:
        meant = self._transcriber.refused(answer.status, body)
        after = retry_after(answer.headers)
        return VendorFailed(meant.reason, answer.status, meant.retryable, after)


class _Body:
    """Reads one answer; cancelling `done` closes its connection."""

    def __init__(
        self, answer: Answer, reader: TranscriptReader, words: Callable[[str], None]
    ) -> None:
        self.done: Deferred[Final] = Deferred(lambda _: answer.abort())
        self._answer = answer
        self._reader = reader
        self._words = words
        answer.read(self)

    def data_received(self, data: bytes) -> None:
        try:
            for event in self._reader.feed(data):
                if isinstance(event, Complaint):
                    raise VendorFailed(event.reason, 0, event.retryable)
                self._words(event.text)
        except (RemoteProtocolError, VendorFailed):
            self._fail(Failure())
            self._answer.abort()

    def ended(self, failure: VendorFailed | None) -> None:
        if failure is not None:
            self._fail(Failure(failure))
            return
        try:
            final = self._reader.finish()
        except RemoteProtocolError:
            self._fail(Failure())
            return
        if not self.done.called:
            self.done.callback(final)

    def _fail(self, failure: Failure) -> None:
        if not self.done.called:
            self.done.errback(failure)


_conforms: type[BodyReceiver] = _Body
