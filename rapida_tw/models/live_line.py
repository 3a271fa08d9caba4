"""LiveLine: a LiveModel over a vendor's WebSocket, and over another one when that is gone.

A new connection goes on with the vendor's session where that can be; else it is told what was said
by now. What the caller says meanwhile is heard later, faster than it was spoken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.audio.format import AudioFormat, Samples
from rapida_tw.errors import CallError, VendorFailed
from rapida_tw.metrics import Counter
from rapida_tw.models.base import ToolCall
from rapida_tw.models.live import Briefing, LiveModel, LiveSink
from rapida_tw.models.live_audio import CallerAudio
from rapida_tw.models.live_connection import LiveConnection, Owner
from rapida_tw.models.live_wire import Complaint, LiveWire
from rapida_tw.net.base import Frame, Net

SET_UP_WITHIN = 5.0  # seconds from the open socket to a session
PAUSES: Final = (0.0, 0.25, 0.5, 1.0, 2.0)  # seconds before each attempt since the latest session
GIVE_UP_AFTER = 8.0  # seconds without a session: no caller waits for longer
STEADY = 10.0  # seconds: a session that lived that long was a good one
_LEAVE_BEFORE = 1.5  # seconds before the vendor does
_QUIET_FOR = 0.5  # seconds without a voice, in which nobody notices a change of connections
_LOOK_EVERY = 0.25  # seconds

reconnects = Counter(
    "rapida_live_reconnects_total", "Sessions of live models that replaced another.", ("vendor",)
)


@dataclass(frozen=True, slots=True)
class _Command:
    """What is to be said when there is a session. `told`: the dialogue has it already."""

    frames: Callable[[LiveWire], Sequence[Frame]]
    told: bool
    reply: bool


class LiveLine:
    """One call's live model."""

    _log = Logger()

    def __init__(
        self,
        net: Net,
        clock: IReactorTime,
        vendor: str,
        make_wire: Callable[[str], LiveWire],
        tells_speech: bool,
        leg: AudioFormat | None = None,
    ) -> None:
        """`make_wire`: out of the handle of the session before, or "". `leg`: the call's format."""
        self.tells_speech = tells_speech
        self._net = net
        self._clock = clock
        self._vendor = vendor
        self._make_wire = make_wire
        self._leg = leg
        self._audio = CallerAudio(vendor, make_wire(""), clock.seconds)
        self._commands: list[_Command] = []  # until there is a session
        self._briefing = Briefing()
        self._sink: LiveSink | None = None
        self._starting: Deferred[None] | None = None
        self._connecting: Deferred[None] | None = None
        self._connection: LiveConnection | None = None
        self._handle = ""
        self._resumes = False  # the connection goes on with a session that was
        self._lost = False  # the sink was told that the line is lost
        self._since = 0.0  # when there was a session, or when one was wanted
        self._attempts = 0
        self._timer: IDelayedCall | None = None  # of an attempt, a set-up, or of leaving
        self._leave_by = 0.0
        self._stopped = False
        self._closing: set[LiveConnection] = set()
        self._stopping: list[Deferred[None]] = []

    # -- LiveModel --------------------------------------------------------------------------------

    def prepare(self) -> None:
        if self._connection is None and self._connecting is None and not self._stopped:
            self._connect()

    def start(self, briefing: Briefing, sink: LiveSink) -> Deferred[None]:
        if self._stopped:
            return fail(VendorFailed(f"{self._vendor}: the call is over"))
        self._briefing, self._sink = briefing, sink
        self._since = self._clock.seconds()
        starting = self._starting = Deferred(lambda _: self._end())
        if self._connection is not None:
            self._begin(self._connection)
        elif self._connecting is None:
            self._connect()
        return starting

    def hear(self, frame: Samples) -> None:
        if self._audio.hear(frame):
            self.connection_free()

    def text(self, text: str) -> None:
        self._do(lambda wire: wire.text(text), told=True)

    def say(self, text: str, first: bool = False) -> None:
        self._do(lambda wire: wire.say(text, first))

    def go_on(self) -> None:
        self._do(lambda wire: wire.go_on())

    def cancel(self) -> None:
        self._commands.clear()
        connection = self._connection
        if connection is not None and connection.ready:
            connection.replying = False
            connection.send(connection.wire.cancel())

    def truncate(self, item: str, played_ms: int) -> None:
        connection = self._connection
        given = connection.given(item) if connection is not None else None
        if connection is not None and given is not None:  # another one is told the dialogue
            connection.send(connection.wire.truncate(item, min(played_ms, given)))

    def answer_tools(self, answers: Sequence[tuple[ToolCall, str]], reply: bool) -> None:
        self._do(lambda wire: wire.answer_tools(answers, reply), told=True, reply=reply)

    def stop(self) -> Deferred[None]:
        self._end()
        if not self._closing:
            return succeed(None)
        stopped: Deferred[None] = Deferred()
        self._stopping.append(stopped)
        return stopped

    def _end(self) -> None:
        self._stopped = True
        self._sink = self._starting = None
        self._cancel_timer()
        self._commands.clear()
        self._audio.clear()
        if self._connecting is not None:
            self._connecting.cancel()
        self._leave()

    def _do(
        self, frames: Callable[[LiveWire], Sequence[Frame]], told: bool = False, reply: bool = True
    ) -> None:
        connection = self._connection
        if connection is not None and connection.ready:
            connection.send(frames(connection.wire))
        elif not self._stopped:
            self._commands.append(_Command(frames, told, reply))

    # -- connecting -------------------------------------------------------------------------------

    def _connect(self) -> None:
        self._timer = None
        self._attempts += 1
        self._resumes = bool(self._handle)
        connection = LiveConnection(self._vendor, self._make_wire(self._handle), self._leg, self)
        self._connecting = Deferred.fromCoroutine(self._open(connection))
        self._connecting.addErrback(self._not_open)

    async def _open(self, connection: LiveConnection) -> None:
        request = await connection.wire.address(self._net)
        socket = await self._net.connect(request, connection)
        self._connecting = None
        if self._stopped:  # by a net that does not let itself be cancelled
            socket.abort()
            return
        connection.opened(socket)
        self._connection = connection
        if self._sink is not None:
            self._begin(connection)

    def _begin(self, connection: LiveConnection) -> None:
        """There is a socket and a call: set the session up."""
        if self._sink is not None:
            self._timer = self._clock.callLater(SET_UP_WITHIN, self._not_set_up)
            connection.begin(self._sink, self._briefing)

    def _not_set_up(self) -> None:
        self._timer = None
        self.connection_over(Complaint(f"{self._vendor} did not set up a session in time"))

    def _not_open(self, failure: Failure) -> None:
        self._connecting = None
        error = failure.value
        if failure.check(CancelledError):
            return
        if not isinstance(error, VendorFailed):
            if not isinstance(error, CallError):
                self._log.failure("{vendor}: not connected", failure, vendor=self._vendor)
            error = VendorFailed(failure.getErrorMessage(), retryable=False)
        self._try_again(error)

    def _try_again(self, error: VendorFailed) -> None:
        if self._sink is None:  # `start` will try, and tell
            self._attempts = 0
            return
        if self._resumes and not error.retryable:  # a new session may be had, if the old may not
            self._handle, error = "", VendorFailed(str(error), error.code)
        pause = max(PAUSES[min(self._attempts, len(PAUSES) - 1)], error.retry_after or 0.0)
        if not error.retryable or self._clock.seconds() + pause > self._since + GIVE_UP_AFTER:
            self._fail(error)
            return
        self._log.info("{vendor} again, because {error}", vendor=self._vendor, error=error)
        self._cancel_timer()
        self._timer = self._clock.callLater(pause, self._connect)

    def _fail(self, error: VendorFailed) -> None:
        sink, starting = self._sink, self._starting
        self._end()
        if starting is not None:
            starting.errback(error)
        elif sink is not None:
            sink.failed(error)

    # -- Owner of connections ---------------------------------------------------------------------

    def connection_ready(self) -> None:
        self._cancel_timer()
        self._since = self._clock.seconds()
        self._handle = ""
        self._say_what_waits()
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.callback(None)
            return
        reconnects.inc(self._vendor)
        if self._lost and self._sink is not None:
            self._lost = False
            self._sink.line_back()

    def _say_what_waits(self) -> None:
        connection = self._connection
        commands, self._commands = self._commands, []
        if connection is None:
            return
        owed = False
        for command in commands:
            if command.told and not self._resumes:
                owed = owed or command.reply  # the dialogue ends with it, and wants an answer
            else:
                connection.send(command.frames(connection.wire))
        if owed:
            connection.send(connection.wire.go_on())
        self.connection_free()

    def connection_free(self) -> None:
        connection = self._connection
        while connection is not None and connection.takes_audio and self._audio.waits:
            connection.send_audio(self._audio.take())

    def connection_answers(self) -> None:
        self._audio.settled()

    def connection_leaving(self, seconds: float) -> None:
        self._leave_by = self._clock.seconds() + max(seconds - _LEAVE_BEFORE, 0.0)
        self._cancel_timer()
        self._look()

    def _look(self) -> None:
        """Change connections while nobody speaks; or when it must be."""
        self._timer = None
        connection, now = self._connection, self._clock.seconds()
        if connection is None:
            return
        quiet = not connection.replying and now - self._audio.loud_at >= _QUIET_FOR
        if quiet or now >= self._leave_by:
            self._begin_anew()
            self._connect()
        else:
            self._timer = self._clock.callLater(_LOOK_EVERY, self._look)

    def connection_over(self, complaint: Complaint) -> None:
        self._begin_anew()
        self._try_again(VendorFailed(complaint.reason, retryable=complaint.retryable))

    def _begin_anew(self) -> None:
        """The connection is of no use any more."""
        connection, now = self._connection, self._clock.seconds()
        self._cancel_timer()
        if connection is not None and connection.ready:
            if now - self._since >= STEADY:
                self._attempts = 0
            self._since = now
            self._handle = connection.wire.handle
            if not connection.replying:
                self._audio.rewind()
            if self._sink is not None and not self._lost:
                self._lost = True
                self._sink.line_lost()
        self._leave()

    def _leave(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and connection.leave():
            self._closing.add(connection)

    def connection_gone(self, connection: LiveConnection) -> None:
        self._closing.discard(connection)
        if not self._closing:
            stopping, self._stopping = self._stopping, []
            for stopped in stopping:
                stopped.callback(None)

    def _cancel_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None


_conform: tuple[type[LiveModel], type[Owner]] = (LiveLine, LiveLine)
