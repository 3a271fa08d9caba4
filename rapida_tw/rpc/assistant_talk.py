"""TalkService.AssistantTalk: a client talks with an assistant over one stream, in text or by sound.

The contract, section 6.3. The first message is the initialization; its answer names the
conversation. In text a message that comes while the assistant writes interrupts it. By sound the
stream is a call like any other, and what was said is told in text as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from uuid import uuid4

from google.protobuf.message import DecodeError
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.calls.journal import Notebook
from rapida_tw.errors import (
    IDLE_TIMEOUT,
    REMOTE_HANGUP,
    BadRequest,
    CallError,
    CapacityExceeded,
    End,
    RemoteProtocolError,
)
from rapida_tw.messaging.overheard import Overheard
from rapida_tw.messaging.text_session import LONGEST, TextListener, TextSession
from rapida_tw.messaging.visits import Visit, Visits
from rapida_tw.models.base import ToolCall
from rapida_tw.rpc.base import Caller, Method, Methods, RpcHandler, RpcStream
from rapida_tw.rpc.messages.shared_pb2 import Metadata, Metric
from rapida_tw.rpc.messages.talk_pb2 import (
    AssistantTalkRequest,
    ConversationInitialization,
    ConversationUserMessage,
    StreamMode,
)
from rapida_tw.rpc.talk_leg import TalkLeg
from rapida_tw.rpc.talk_words import Words, visitor
from rapida_tw.store.records import Entry

PATH: Final = "/talk_api.TalkService/AssistantTalk"
MOST_TALKS: Final = 1_000  # streams of a process
IDLE_WITHIN: Final = 1_800.0  # seconds between two messages in text
GOODBYE_WITHIN: Final = 15.0  # seconds for the answer to a client that sends nothing more
MOST_NOTES: Final = 50  # metrics or metadata of one message
MOST_KEPT: Final = 200  # messages that a change of mode carries over
_LONGEST_NOTE: Final = 2_000  # characters
_DIGITS: Final = frozenset("0123456789*#ABCD")
_MODE_CHANGED: Final = End("mode_changed", "user")
_TEXT, _AUDIO, _BOTH = (
    StreamMode.STREAM_MODE_TEXT,
    StreamMode.STREAM_MODE_AUDIO,
    StreamMode.STREAM_MODE_BOTH,
)
_SOUND: Final = frozenset((_AUDIO, _BOTH))


class AssistantTalk:
    """The method."""

    scope: str | None = "messages:write"
    seconds: float | None = None

    def __init__(
        self,
        clock: IReactorTime,
        visits: Visits,
        overheard: Overheard,
        now: Callable[[], float],
    ) -> None:
        self.clock = clock
        self.visits = visits
        self.overheard = overheard
        self.words = Words(now)
        self.running: set[Talk] = set()

    def methods(self) -> Methods:
        return {PATH: self}

    def open(self, stream: RpcStream, caller: Caller | None) -> RpcHandler:
        assert caller is not None  # there is a scope
        talk = Talk(self, stream, caller)
        self.running.add(talk)
        return talk


class Talk:
    """One stream: the handler of the call, and the listener of its conversation."""

    _log = Logger()

    def __init__(self, method: AssistantTalk, stream: RpcStream, caller: Caller) -> None:
        self._method = method
        self._clock = method.clock
        self._words = method.words
        self._stream = stream
        self._caller = caller
        self._mode = _TEXT
        self._visit: Visit | None = None
        self._opening: Deferred[None] | None = None
        self._session: TextSession | None = None
        self._leg: TalkLeg | None = None
        self._turn = uuid4().hex
        self._said: list[Entry] = []  # by sound
        self._timer: IDelayedCall | None = None
        self._half_closed = False
        self._over = False

    # -- RpcHandler -------------------------------------------------------------------------------

    def message_received(self, message: bytes) -> None:
        try:
            request = AssistantTalkRequest.FromString(message)
        except DecodeError:
            raise RemoteProtocolError("the request cannot be decoded") from None
        kind = request.WhichOneof("request")
        if kind == "initialization":
            if self._visit is not None or self._opening is not None:
                raise RemoteProtocolError("a second initialization")
            self._begin(Deferred.fromCoroutine(self._initialize(request.initialization)))
        elif self._visit is None:
            raise RemoteProtocolError("the first message must be the initialization")
        elif kind == "message":
            self._message(request.message)
        elif kind == "configuration":
            self._configure(request.configuration.streamMode or self._mode)
        elif kind == "disconnection":
            self._hang_up(REMOTE_HANGUP)
        elif kind == "metadata":
            self._note_metadata(request.metadata.metadata)
        elif kind == "metric":
            self._note_metrics(request.metric.metrics)

    def half_closed(self) -> None:
        """What was asked before is still answered."""
        self._half_closed = True
        if self._visit is None and self._opening is None:
            raise RemoteProtocolError("no initialization came")
        self._finish_when_answered()

    def cancelled(self) -> None:
        self._hang_up(REMOTE_HANGUP)
        self._close()

    def writable(self, free: bool) -> None:
        if self._leg is not None:
            self._leg.full(not free)

    # -- the beginning ----------------------------------------------------------------------------

    def _begin(self, opening: Deferred[None]) -> None:
        """Nothing more is read until it is done."""
        self._opening = opening
        self._stream.pause()
        opening.addErrback(self._not_opened)
        opening.addBoth(self._opened)

    def _opened(self, _: None) -> None:
        self._opening = None
        self._stream.resume()

    def _not_opened(self, failure: Failure) -> None:
        error = failure.value if isinstance(failure.value, CallError) else CallError()
        if self._visit is not None:
            self._method.visits.failed(self._visit, error)
        if failure.check(CancelledError):
            return
        if not failure.check(CallError):
            self._log.failure("a talk did not begin", failure)
            error = CallError("something went wrong on the server")
        if not self._over:
            self._stream.send(self._words.error(error, self._id))
            self._close()

    async def _initialize(self, told: ConversationInitialization) -> None:
        if len(self._method.running) > MOST_TALKS:
            raise CapacityExceeded(f"{MOST_TALKS} conversations are held by streams now")
        self._mode = told.streamMode or _TEXT
        self._visit = await self._method.visits.begin(visitor(told, self._caller))
        self._stream.send(self._words.began(told, self._id, self._mode))
        await self._start(greet=not self._visit.before)

    async def _start(self, greet: bool) -> None:
        visits, visit = self._method.visits, self._visit
        assert visit is not None
        if self._mode in _SOUND:
            self._method.overheard.listen(self._id, self._overheard)
            leg = TalkLeg(self._send_audio, self._hung_up, self._clock.seconds)
            leg.attached(await visits.speak(visit, leg))
            self._leg = leg
        else:
            self._session = await visits.write(visit, self)
            self._note.status("active")
            self._wait(IDLE_WITHIN, IDLE_TIMEOUT)
            if greet:
                self._session.greet(uuid4().hex)

    @property
    def _id(self) -> int:
        return 0 if self._visit is None else self._visit.context.conversation_id

    # -- what the client says ---------------------------------------------------------------------

    def _message(self, message: ConversationUserMessage) -> None:
        if message.WhichOneof("message") == "audio":
            if self._leg is not None:
                self._leg.audio_received(message.audio)
            elif message.audio:
                self._complain("audio is not taken in text mode")
        elif self._session is not None:
            turn = (message.id or uuid4().hex)[:200]
            self._wait(IDLE_WITHIN, IDLE_TIMEOUT)
            self._session.interrupt()
            self._session.received(message.text[:LONGEST], turn)
        elif self._leg is not None and message.text:
            if _DIGITS.issuperset(message.text) and len(message.text) <= 64:
                self._leg.digits_received(message.text)
            else:
                self._complain("by sound no text is taken but digits: change to text first")

    def _complain(self, text: str) -> None:
        self._stream.send(self._words.error(BadRequest(text), self._id))

    def _configure(self, mode: StreamMode) -> None:
        """Between AUDIO and BOTH there is no difference here."""
        if (mode in _SOUND) != (self._mode in _SOUND):
            self._begin(Deferred.fromCoroutine(self._change(mode)))
        else:
            self._mode = mode
            self._stream.send(self._words.configured(mode))

    async def _change(self, mode: StreamMode) -> None:
        """Go on in the other mode, with all that was said."""
        visit = self._visit
        assert visit is not None
        said = self._said
        self._mode = mode
        self._forget_timer()
        if self._session is not None:
            dialogue = self._session.dialogue
            said = [Entry(self._id, "message", one.role, one.text) for one in dialogue]
            session, self._session = self._session, None
            session.stop()
        if self._leg is not None:
            self._method.overheard.stop(self._id)
            leg, self._leg = self._leg, None
            leg.lost(_MODE_CHANGED)
            said = [*visit.before, *said]
        self._visit = Visit(visit.context, tuple(said[-MOST_KEPT:]))
        self._said = []
        self._stream.send(self._words.configured(mode))
        await self._start(greet=False)

    def _note_metadata(self, told: Sequence[Metadata]) -> None:
        for pair in told[:MOST_NOTES]:
            if pair.key:
                self._note.metadata(pair.key[:200], pair.value[:_LONGEST_NOTE])

    def _note_metrics(self, told: Sequence[Metric]) -> None:
        for one in told[:MOST_NOTES]:
            if one.name:
                described = {"description": one.description[:_LONGEST_NOTE]}
                name = f"custom.{one.name[:200]}"
                self._note.metric(name, one.value[:_LONGEST_NOTE], **described)

    # -- TextListener -----------------------------------------------------------------------------

    def reply_started(self, turn: str) -> None:
        """Its first words tell."""

    def chunk(self, turn: str, text: str) -> None:
        self._stream.send(self._words.assistant_text(turn, text, False))

    def tool_called(self, turn: str, call: ToolCall) -> None:
        self._stream.send(self._words.tool_called(turn, call))

    def tool_answered(self, turn: str, call: ToolCall, result: str) -> None:
        self._stream.send(self._words.tool_answered(turn, call.id, call.name, result))

    def reply_failed(self, turn: str, error: CallError) -> None:
        self._stream.send(self._words.error(error, self._id))

    def reply_completed(self, turn: str, text: str, interrupted: bool) -> None:
        if interrupted:
            self._stream.send(self._words.interrupted(turn, by_voice=False))
        else:
            self._stream.send(self._words.assistant_text(turn, text, True))
        self._wait(0.0 if self._half_closed else IDLE_WITHIN, IDLE_TIMEOUT)

    def ended(self, end: End) -> None:
        self._stream.send(self._words.disconnected(end))
        self._close()

    # -- by sound ---------------------------------------------------------------------------------

    def _send_audio(self, frame: bytes) -> None:
        self._stream.send(self._words.assistant_audio(self._turn, frame))

    def _hung_up(self, end: End) -> None:
        """The call is over, by our side."""
        self._stream.send(self._words.disconnected(end))
        self._close()

    def _overheard(self, entry: Entry) -> None:
        if entry.kind == "message":
            self._said.append(entry)
            del self._said[:-MOST_KEPT]
        if entry.kind == "message" and entry.name == "user":
            self._turn = uuid4().hex
            self._stream.send(self._words.user_text(self._turn, entry.value))
        elif entry.kind == "message" and entry.name == "assistant":
            self._stream.send(self._words.assistant_text(self._turn, entry.value, True))
        elif entry.name == "turn.interrupted":
            self._stream.send(self._words.interrupted(self._turn, by_voice=True))
        elif entry.name == "tool.call_completed":
            name, result = str(entry.data.get("tool", "")), str(entry.data.get("result", ""))
            self._stream.send(self._words.tool_answered(self._turn, "", name, result))

    # -- the end ----------------------------------------------------------------------------------

    @property
    def _note(self) -> Notebook:
        assert self._visit is not None
        return self._method.visits.note(self._visit.context)

    def _finish_when_answered(self) -> None:
        """The client sends nothing more: what it asked is answered, and then it is over."""
        if not self._half_closed or self._opening is not None:
            return
        if self._leg is not None:
            self._wait(GOODBYE_WITHIN, REMOTE_HANGUP)
        elif self._session is not None and not self._session.replying:
            self._hang_up(REMOTE_HANGUP)

    def _wait(self, seconds: float, end: End) -> None:
        self._forget_timer()
        if not self._over:
            self._timer = self._clock.callLater(seconds, self._waited, end)

    def _waited(self, end: End) -> None:
        self._timer = None
        if not self._half_closed:
            self._hang_up(end)
        elif self._session is None or not self._session.replying:
            self._hang_up(REMOTE_HANGUP)

    def _hang_up(self, end: End) -> None:
        """The client's goodbye, or a time-out: tell everybody of whom there is one."""
        if self._opening is not None:
            self._opening.cancel()
        if self._leg is not None:
            leg, self._leg = self._leg, None
            leg.lost(end)
            self._stream.send(self._words.disconnected(end))
            self._close()
        elif self._session is not None:
            self._session.end(end)  # tells by `ended`

    def _close(self) -> None:
        if self._over:
            return
        self._over = True
        self._forget_timer()
        self._method.running.discard(self)
        self._method.overheard.stop(self._id)
        self._stream.end()

    def _forget_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()


_conforms: tuple[type[Method], type[RpcHandler], type[TextListener]] = (AssistantTalk, Talk, Talk)
