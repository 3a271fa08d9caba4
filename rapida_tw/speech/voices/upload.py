"""HttpVoice: speaks in one call by one HTTP request a phrase, whichever vendor that is.

The body is read as it comes, so the first word sounds while the vendor still makes the last one.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from rapida_tw.audio.format import AudioFormat
from rapida_tw.errors import RemoteProtocolError, VendorFailed
from rapida_tw.net.base import Answer, BodyReceiver, Net
from rapida_tw.speech.base import Synthesizer, VoiceSink
from rapida_tw.speech.voices.phrase import Phrase, misunderstood, named, spoken
from rapida_tw.speech.voices.wire import BodyReader, VoiceRequest


class HttpVoice:
    """One call's. See Synthesizer."""

    def __init__(
        self,
        net: Net,
        clock: IReactorTime,
        vendor: str,
        request: VoiceRequest,
        leg: AudioFormat | None = None,
    ) -> None:
        self._net = net
        self._clock = clock
        self._vendor = vendor
        self._request = request
        self._leg = leg
        self._saying: Deferred[None] | None = None  # the latest

    def prepare(self) -> None:
        """There is nothing to be opened: connections are the process's, and kept."""

    def start(self) -> Deferred[None]:
        return succeed(None)

    def say(self, phrase: str, sink: VoiceSink) -> Deferred[None]:
        """See Synthesizer. A phrase without a letter or a digit is silence, and said at once."""
        whole = Phrase(self._clock, self._vendor, phrase, sink, self._leg)
        saying = Deferred.fromCoroutine(spoken(self._clock, whole, self._attempt))
        self._saying = saying
        return saying

    def stop(self) -> Deferred[None]:
        saying, self._saying = self._saying, None
        if saying is not None:
            saying.cancel()
        return succeed(None)

    async def _attempt(self, phrase: Phrase) -> None:
        """One request; whatever is left of it is closed when the phrase is over."""
        body = _Body(phrase, self._request.reader())
        finished = phrase.begin(body.reader)
        asking = Deferred.fromCoroutine(self._ask(phrase.text, body))
        asking.addCallback(body.read).addErrback(self._not_asked, phrase)
        try:
            await finished
        finally:
            asking.cancel()
            body.abort()

    async def _ask(self, text: str, body: _Body) -> None:
        """Fires when there is a body of sound."""
        answer = await self._net.request(await self._request.request(self._net, text))
        body.answer = answer
        if answer.status == 200:
            return
        complaint = self._request.refused(answer.status, await answer.text())
        body.answer = None  # read to its end: the connection can be used again
        raise VendorFailed(
            complaint.reason,
            answer.status,
            complaint.retryable,
            _seconds(answer.headers.get("retry-after", "")),
        )

    def _not_asked(self, failure: Failure, phrase: Phrase) -> None:
        phrase.failed(named(self._vendor, failure))


class _Body:
    """Reads one answer into a phrase."""

    def __init__(self, phrase: Phrase, reader: BodyReader) -> None:
        self.reader = reader
        self.answer: Answer | None = None  # until its end
        self._phrase = phrase

    def read(self, _: None) -> None:
        if self.answer is not None:
            self.answer.read(self)

    def data_received(self, data: bytes) -> None:
        try:
            sound = self.reader.feed(data)
        except RemoteProtocolError as error:
            self._phrase.failed(misunderstood(self._phrase.vendor, error))
            return
        self._phrase.sound_received(sound)

    def ended(self, failure: VendorFailed | None) -> None:
        self.answer = None
        if failure is not None:
            self._phrase.failed(named(self._phrase.vendor, Failure(failure)))
            return
        try:
            rest = self.reader.finish()
        except RemoteProtocolError as error:
            self._phrase.failed(misunderstood(self._phrase.vendor, error))
            return
        self._phrase.sound_received(rest)
        self._phrase.completed()

    def abort(self) -> None:
        """Nobody listens any more; nothing, when it has been read to its end."""
        answer, self.answer = self.answer, None
        if answer is not None:
            answer.abort()


def _seconds(retry_after: str) -> float | None:
    """None also for a date: whoever sends one means minutes, and 429 has a wait of its own."""
    try:
        return max(float(retry_after), 0.0)
    except ValueError:
        return None


_conforms: tuple[type[Synthesizer], type[BodyReceiver]] = (HttpVoice, _Body)
