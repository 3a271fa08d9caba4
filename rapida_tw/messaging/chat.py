"""Chat: one person's conversation with one assistant by WhatsApp, as long as this worker has it.

Replies leave one after the other, cut into pieces that WhatsApp takes. Where there is no account to
send them with, they are handed to who waits for them, the webhook that brought the message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from twisted.internet.defer import CancelledError, Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.calls.journal import Notebook
from rapida_tw.carriers.outbound import CarrierRefused
from rapida_tw.carriers.twilio_messages import LONGEST, Sent
from rapida_tw.errors import CallError, End
from rapida_tw.messaging.pieces import pieces
from rapida_tw.messaging.text_session import TextListener, TextSession
from rapida_tw.models.base import ToolCall

INLINE_WITHIN: Final = 10.0  # seconds; Twilio itself waits for 15
MOST_UNSENT: Final = 40  # pieces

Texts = tuple[str, ...]
Post = Callable[[str], Deferred[Sent]]  # sends a text


class Chat:
    """`sent` is told each message that Twilio has taken; `over` once, when nothing is left here."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        conversation_id: int,
        note: Notebook,
        sent: Callable[[int, Sent], None],
        over: Callable[[Chat], None],
    ) -> None:
        self.conversation_id = conversation_id
        self.lock = DeferredLock()  # whoever changes `session`
        self.session: TextSession | None = None
        self.post: Post | None = None  # None: replies are handed to the webhook
        self.error_message = ""
        self.known = 0  # messages of either side that the session knows of
        self.used = clock.seconds()
        self._clock = clock
        self._note = note
        self._sent = sent
        self._over = over
        self._unsent: list[str] = []
        self._sending: Deferred[None] | None = None
        self._waiting: list[Deferred[Texts]] = []  # webhooks whose message waits
        self._answering: list[Deferred[Texts]] = []  # those that the current reply is for

    @property
    def busy(self) -> bool:
        """Something is being answered or sent."""
        replying = self.session is not None and self.session.replying
        return replying or self._sending is not None or self.lock.locked

    def begin(self, session: TextSession, known: int) -> None:
        """Go on with this session, which knows so many messages of the store's."""
        self.session = session
        self.known = known

    def received(self, text: str, turn: str, **data: object) -> Deferred[Texts]:
        """What the webhook is to answer: nothing where the reply is sent by itself, in its time."""
        answer: Deferred[Texts] = Deferred()
        self.used = self._clock.seconds()
        if self.post is None:
            self._waiting.append(answer)
            answer.addTimeout(INLINE_WITHIN, self._clock, self._too_late)
            answer.addBoth(self._forget, answer)
        else:
            answer.callback(())
        if self.session is not None and text.strip():
            self.known += 1
            self.session.received(text, turn, **data)
        else:
            self._resolve([answer], ())
        return answer

    def stop(self) -> None:
        """Let go of it: what was not sent is not sent. The conversation may go on elsewhere."""
        if self.session is not None:
            self.session.stop()
        self._resolve([*self._answering, *self._waiting], ())
        self._unsent.clear()
        if self._sending is not None:
            self._sending.cancel()

    # -- TextListener -----------------------------------------------------------------------------

    def reply_started(self, turn: str) -> None:
        self._answering, self._waiting = self._waiting, []

    def chunk(self, turn: str, text: str) -> None:
        """Nothing is sent in pieces of a sentence."""

    def tool_called(self, turn: str, call: ToolCall) -> None: ...
    def tool_answered(self, turn: str, call: ToolCall, result: str) -> None: ...
    def reply_failed(self, turn: str, error: CallError) -> None:
        """The error message is the reply."""

    def reply_completed(self, turn: str, text: str, interrupted: bool) -> None:
        self.used = self._clock.seconds()
        answering, self._answering = self._answering, []
        self.known += bool(text and not interrupted)
        texts = () if interrupted else tuple(pieces(text, LONGEST))
        if self.post is None:
            self._resolve(answering[:1], texts)
            self._resolve(answering[1:], ())
        else:
            self._resolve(answering, ())
            self._unsent += texts
            del self._unsent[MOST_UNSENT:]
            self._send_next()

    def ended(self, end: End) -> None:
        self._close_when_sent()

    # -- by the webhook ---------------------------------------------------------------------------

    def _too_late(self, failure: object, seconds: float) -> Texts:
        """Twilio would not wait: the reply that is being made has no way to go any more."""
        self._note.event("reply.failed", reason="timeout", detail=f"no reply in {seconds:.0f} s")
        if self.session is not None:
            self.session.interrupt()
        return tuple(pieces(self.error_message, LONGEST))

    def _forget(self, result: Texts, answer: Deferred[Texts]) -> Texts:
        for waiting in (self._waiting, self._answering):
            if answer in waiting:
                waiting.remove(answer)
        return result

    def _resolve(self, answers: Sequence[Deferred[Texts]], texts: Texts) -> None:
        for answer in answers:
            if not answer.called:
                answer.callback(texts)

    # -- by the API -------------------------------------------------------------------------------

    def _send_next(self) -> None:
        if self._sending is not None:
            return
        if not self._unsent or self.post is None:
            self._close_when_sent()
            return
        text = self._unsent.pop(0)
        posting = self.post(text)
        done: Deferred[None] = posting.addCallbacks(self._posted, self._not_posted)
        self._sending = None if done.called else done
        done.addErrback(lambda failure: self._log.failure("after a message was sent", failure))
        done.addCallback(self._posted_or_not)

    def _posted(self, sent: Sent) -> None:
        self._sent(self.conversation_id, sent)

    def _not_posted(self, failure: Failure) -> None:
        """What follows would make no sense without it."""
        self._unsent.clear()
        if failure.check(CancelledError):
            return  # it was let go of, and Twilio may have it
        note_failure(self._note, failure)
        if not failure.check(CallError):
            failure.raiseException()
        self._log.warn("a message was not sent: {reason}", reason=failure.getErrorMessage())

    def _posted_or_not(self, _: object) -> None:
        self._sending = None
        self._send_next()

    def _close_when_sent(self) -> None:
        over = self.session is not None and self.session.over
        if over and self._sending is None and not self._unsent:
            self._over(self)


def note_failure(note: Notebook, failure: Failure, **data: str) -> None:
    """A message that Twilio did not take, for the history; `data` tells which."""
    error = failure.value
    if isinstance(error, CarrierRefused):
        outcome = error.outcome
        note.event(
            "message.failed",
            carrier="twilio",
            reason=outcome.reason,
            code=outcome.code,
            reach=outcome.reach.value,
            **data,
        )
    else:
        reason = str(error) if isinstance(error, CallError) else type(error).__name__
        note.event("message.failed", carrier="twilio", reason=reason, **data)


_conforms: type[TextListener] = Chat
