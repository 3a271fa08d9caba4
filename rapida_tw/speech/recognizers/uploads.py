"""UploadRecognizer: the port Recognizer over servers that are sent a recording of each turn.

Our own detector says when a voice begins, and `finish` when it is over: then what was heard is
uploaded, and the answer is the turn's words. Nothing is open between two turns but what the way
out keeps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.account import CREDENTIAL_FIELDS, NOBODY, Account
from rapida_tw.audio.format import TICKS_PER_SECOND, Samples
from rapida_tw.errors import VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.net.base import Net
from rapida_tw.options import read
from rapida_tw.speech import counters
from rapida_tw.speech.base import (
    Host,
    Options,
    Recognizer,
    RecognizerProvider,
    RecognizerSink,
)
from rapida_tw.speech.recognizers.transcriber import Attempt, Transcriber
from rapida_tw.speech.recognizers.utterance import Utterance
from rapida_tw.speech.recognizers.wire import Final

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

_PRE_ROLL = 3 * TICKS_PER_SECOND // 10  # frames from before the detector's cue
_LONGEST_PAUSE = 2.0  # seconds that a server may ask for; a caller does not wait longer
_PAUSE = 0.25  # seconds, for a server that named none
_ENOUGH = 2  # turns in a row without an answer
_NOTHING = Final("", 0.0)


@dataclass(eq=False, slots=True)
class _Asked:
    """A turn that was uploaded. `answer`: None until there is one."""

    since: float
    answer: Final | None = None
    asking: Deferred[None] | None = None


class UploadRecognizer:
    """One call at one server."""

    turns = False
    _log = Logger()

    def __init__(
        self, net: Net, clock: IReactorTime, vendor: str, transcriber: Transcriber
    ) -> None:
        self._net = net
        self._clock = clock
        self._vendor = vendor
        self._transcriber = transcriber
        self._sink: RecognizerSink | None = None
        self._before: deque[Samples] = deque(maxlen=_PRE_ROLL)
        self._utterance: Utterance | None = None
        self._asked: deque[_Asked] = deque()  # the answers are told in this order
        self._unanswered = 0  # turns in a row
        self._failed = False

    def prepare(self) -> None:
        """There is nothing to be opened beforehand: connections are the process's, and kept."""

    def start(self, sink: RecognizerSink) -> Deferred[None]:
        self._sink = sink
        return succeed(None)

    def expect(self, expectation: Expectation) -> None:
        """They understand everything already."""

    def hear(self, frame: Samples) -> None:
        self._before.append(frame)
        if self._utterance is not None:
            self._utterance.hear(frame)

    def speech_started(self) -> None:
        if self._utterance is None and not self._failed:
            self._utterance = Utterance(self._before)

    def finish(self) -> None:
        if self._sink is None:
            return
        utterance, self._utterance = self._utterance, None
        asked = _Asked(self._clock.seconds())
        self._asked.append(asked)
        recording = b"" if utterance is None else utterance.wav()
        if not recording:
            self._answer(asked, _NOTHING)
            return
        asking = Deferred.fromCoroutine(self._ask(asked, recording))
        asked.asking = asking
        asking.addErrback(self._no_answer, asked)

    def stop(self) -> Deferred[None]:
        self._sink = self._utterance = None
        self._before.clear()
        self._abandon()
        return succeed(None)

    # -- the server -------------------------------------------------------------------------------

    async def _ask(self, asked: _Asked, recording: bytes) -> None:
        attempt = Attempt(self._net, self._clock, self._vendor, self._transcriber)
        words = self._partial_of(asked)
        try:
            answer = await attempt.run(recording, words)
        except VendorFailed as error:
            pause = _PAUSE if error.retry_after is None else error.retry_after
            if not error.retryable or attempt.late or pause >= _LONGEST_PAUSE:
                raise
            self._log.info("{error}; again in {pause:g} s", error=error, pause=pause)
            await deferLater(self._clock, pause)
            answer = await attempt.run(recording, words)
        self._unanswered = 0
        self._answer(asked, answer)

    def _partial_of(self, asked: _Asked) -> Callable[[str], None]:
        def partial(text: str) -> None:
            if self._sink is not None and self._asked and self._asked[0] is asked:
                self._sink.partial(text)

        return partial

    def _no_answer(self, failure: Failure, asked: _Asked) -> None:
        error = failure.value
        if isinstance(error, CancelledError):
            return
        if not isinstance(error, VendorFailed):
            self._log.failure("{vendor}: an upload failed", failure, vendor=self._vendor)
            error = VendorFailed(f"{self._vendor}: an upload failed")
        self._unanswered += 1
        self._answer(asked, _NOTHING)
        if error.retryable and self._unanswered < _ENOUGH:
            self._log.warn("{error}; a turn is lost", error=error)
            return
        if self._sink is not None and not self._failed:
            self._failed = True
            self._abandon()
            self._sink.failed(error)

    # -- answers ----------------------------------------------------------------------------------

    def _answer(self, asked: _Asked, answer: Final) -> None:
        """Tell it, behind those of earlier turns."""
        asked.answer = answer
        while self._asked and (first := self._asked[0]).answer is not None:
            self._asked.popleft()
            if self._sink is not None:
                took = self._clock.seconds() - first.since
                counters.answered.observe(took, self._vendor)
                self._sink.final(first.answer.text, first.answer.confidence)

    def _abandon(self) -> None:
        """Nothing is waited for any more; what is owed to the call is told."""
        waiting = [asked for asked in self._asked if asked.answer is None]
        for asked in waiting:
            if asked.asking is not None:
                asked.asking.cancel()
            self._answer(asked, _NOTHING)


class UploadRecognizerProvider(Generic[T]):
    """As with `SocketRecognizerProvider`, and a `transcriber` in place of the wire."""

    vendor: str
    description: str
    options: type[T]
    credential_fields: Mapping[str, str] = CREDENTIAL_FIELDS

    def __init__(self, host: Host) -> None:
        self._host = host

    def transcriber(self, options: T, account: Account) -> Transcriber:
        """How the server is asked; `MisconfiguredAssistant` says what is missing."""
        raise NotImplementedError

    def open(self, options: Options, account: Account = NOBODY) -> Recognizer:
        chosen = read(self.options, options, "listen.", self.vendor)
        transcriber = self.transcriber(chosen, account)
        return UploadRecognizer(self._host.net, self._host.clock, self.vendor, transcriber)

    def stop(self) -> Deferred[None]:
        return succeed(None)


_conforms: tuple[type[Recognizer], type[RecognizerProvider]] = (
    UploadRecognizer,
    UploadRecognizerProvider,
)
