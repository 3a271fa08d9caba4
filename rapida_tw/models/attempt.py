"""Attempt: one request to a model's vendor, and its answer while it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from rapida_tw.errors import RemoteProtocolError, VendorFailed
from rapida_tw.models.base import Completion, Message, Tool, ToolCall
from rapida_tw.models.dialect import (
    Complaint,
    Dialect,
    Event,
    Finished,
    Reader,
    Text,
    Usage,
    Wanted,
)
from rapida_tw.models.thought import ThoughtFilter, WholeCharacters
from rapida_tw.net.base import Answer, BodyReceiver, Net, Request
from rapida_tw.net.reasons import retry_after, without_secrets

FIRST_TOKEN_WITHIN = 10.0  # seconds since the request
NEXT_TOKEN_WITHIN = 15.0  # seconds
LONGEST = 65_536  # characters of an answer; it would take more than an hour to say them
# The end of a body behind the last event costs a moment, a new connection costs more.
_END_WITHIN = 1.0  # seconds


class Attempt:
    """`said`: words were given away. `late`: they did not come in time.

    `learned`: the vendor did not like the request, and the dialect will write another one.
    """

    said = late = learned = False

    def __init__(
        self,
        net: Net,
        clock: IReactorTime,
        dialect: Dialect,
        vendor: str,
        say: Callable[[str], None],
    ) -> None:
        self._net = net
        self._clock = clock
        self._dialect = dialect
        self._vendor = vendor
        self._say = say
        self._reader: Reader
        self._request: Request
        self._answer: Answer | None = None
        self._over = False  # the answer's body has ended
        self._timer: IDelayedCall | None = None
        self._waited = 0.0  # seconds that the timer is for
        self._may_be_silent = False
        self._running: Deferred[Completion]
        self._done: Deferred[Completion] = Deferred(self._cancelled)
        self._thought = ThoughtFilter()
        self._characters = WholeCharacters()
        self._text: list[str] = []
        self._length = 0
        self._calls: list[ToolCall] = []
        self._usage: dict[str, int] = {}

    def run(self, messages: Sequence[Message], tools: Sequence[Tool]) -> Deferred[Completion]:
        """Once. Errbacks with VendorFailed; cancelling it closes the connection."""
        # What there was to say may have been said before the tools were used.
        self._may_be_silent = bool(messages) and messages[-1].role == "tool"
        self._running = Deferred.fromCoroutine(self._run(messages, tools))
        return self._running

    def abort(self) -> None:
        """Nobody reads any further; idempotent."""
        self._stop_timer()
        if self._answer is not None and not self._over:
            self._over = True
            self._answer.abort()

    @property
    def open(self) -> bool:
        """The connection is not free yet, although all has been said."""
        return self._answer is not None and not self._over

    async def _run(self, messages: Sequence[Message], tools: Sequence[Tool]) -> Completion:
        self._wait(FIRST_TOKEN_WITHIN)
        try:
            self._request = await self._dialect.request(self._net, messages, tools)
            self._answer = answer = await self._net.request(self._request)
            if answer.status != 200:
                raise self._refused(answer, await answer.text())
            self._reader = self._dialect.reader()
            answer.read(self)
            return await self._done
        except CancelledError:
            self.abort()
            if self.late:
                sentence = f"{self._vendor} said nothing for {self._waited:.0f} s"
                raise VendorFailed(sentence) from None
            raise
        except BaseException:
            self.abort()
            raise

    # -- time -------------------------------------------------------------------------------------

    def _wait(self, seconds: float) -> None:
        self._waited = seconds
        if self._timer is not None:
            self._timer.reset(seconds)
        else:
            self._timer = self._clock.callLater(seconds, self._too_late)

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _too_late(self) -> None:
        self._timer = None
        self.late = True
        self._running.cancel()

    def _cancelled(self, _: Deferred[Completion]) -> None:
        self.abort()

    # -- what comes -------------------------------------------------------------------------------

    def _refused(self, answer: Answer, body: str) -> VendorFailed:
        self._over = True  # `text` has read it to its end
        complaint = self._dialect.refused(answer.status, body)
        self.learned = complaint.again
        return self._failed(complaint, answer.status, retry_after(answer.headers))

    def _failed(
        self, complaint: Complaint, code: int = 0, after: float | None = None
    ) -> VendorFailed:
        reason = without_secrets(complaint.reason, self._request)
        after = complaint.retry_after if complaint.retry_after is not None else after
        return VendorFailed(reason, code, complaint.retryable, after)

    def data_received(self, data: bytes) -> None:
        if not self._done.called:
            try:
                self._take(self._reader.feed(data))
            except RemoteProtocolError as error:
                self._fail(VendorFailed(f"{self._vendor} sent garbage: {error}"))
            except Exception:
                self._fail(Failure())

    def ended(self, failure: VendorFailed | None) -> None:
        self._over = True
        self._stop_timer()
        if self._done.called:
            return
        if failure is not None:
            self._fail(VendorFailed(f"{self._vendor} broke off: {failure}"))
            return
        try:
            self._take(self._reader.finish())
        except RemoteProtocolError as error:
            self._fail(VendorFailed(f"{self._vendor} sent garbage: {error}"))
        except Exception:
            self._fail(Failure())

    def _take(self, events: Sequence[Event]) -> None:
        for event in events:
            if self._done.called:  # perhaps by who was told of the event before
                return
            match event:
                case Text(delta):
                    self._hear(self._thought.feed(delta))
                case Wanted(call):
                    self._calls.append(call)
                case Usage(tokens):
                    self._usage.update(tokens)
                    continue
                case Complaint():
                    self._fail(self._failed(event))
                    return
                case Finished(reason):
                    self._hear(self._thought.finish())
                    if not self._done.called:
                        self._complete(reason)
                    return
            if not self._done.called and not self._over:
                self._wait(NEXT_TOKEN_WITHIN)

    def _hear(self, text: str) -> None:
        text = self._characters.feed(text)
        if not text:
            return
        self._length += len(text)
        if self._length > LONGEST:
            sentence = f"{self._vendor} goes on and on: more than {LONGEST} characters"
            self._fail(VendorFailed(sentence, retryable=False))
            return
        self.said = True
        self._text.append(text)
        self._say(text)

    def _complete(self, reason: str) -> None:
        text = "".join(self._text)
        if not (text.strip() or self._calls or self._may_be_silent):
            why = f" ({reason})" if reason else ""
            self._fail(VendorFailed(f"{self._vendor} answered nothing{why}"))
            return
        self._stop_timer()
        if not self._over:
            self._timer = self._clock.callLater(_END_WITHIN, self.abort)
        self._done.callback(Completion(text, tuple(self._calls), usage=self._usage))

    def _fail(self, failure: VendorFailed | Failure) -> None:
        if not self._done.called:
            self.abort()
            self._done.errback(failure)


_conforms: type[BodyReceiver] = Attempt
