"""A call that a carrier was asked to place: it rings, is answered or not, is talked on, and ends.

A call that arrives has the same life from its answer on, and is steered by the same API.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import IDelayedCall

from rapida_tw.sim.call_steps import (
    Dial,
    Fetch,
    HangUp,
    Over,
    Pause,
    Report,
    Side,
    Stage,
    Step,
    Stream,
    Tones,
)
from rapida_tw.sim.habits import Detection, Habit, Reaction, Verdict
from rapida_tw.sim.http import NoAnswer
from rapida_tw.sim.phone import CallFailed, Ending, Phone, Reason
from rapida_tw.sim.websocket_line import WebSocketLine

if TYPE_CHECKING:
    from rapida_tw.sim.switchboard import Switchboard

_DIALS_AFTER = 0.1  # seconds behind the request
_RINGS_AFTER = 0.4  # ... behind that
_MOST_STEPS = 50
_BY_CALLER = frozenset((Reason.CALLER_HUNG_UP, Reason.CUT, Reason.RESET))


_REFUSED = {
    Reaction.BUSY: Over.BUSY,
    Reaction.DECLINES: Over.DECLINED,
    Reaction.FAILED: Over.FAILED,
}


class PlacedCall:
    """One call at its switchboard. `phone`: who has picked up; `line`: of the running stream.

    `noted`: what was done on the call besides streams; `errors`: why a step of it failed.
    """

    def __init__(
        self, board: Switchboard, side: Side, habit: Habit, *, arrives: bool = False
    ) -> None:
        """`arrives`: somebody calls us, and is connected at once."""
        self.side = side
        self.habit = habit
        self.stage = Stage.QUEUED
        self.over: Over | None = None
        self.answered_at: float | None = None  # on the board's clock
        self.ended_at: float | None = None
        self.verdict: Verdict | None = None
        self.phone: Phone | None = None
        self.line: WebSocketLine | None = None
        self.lines: list[WebSocketLine] = []  # of all its streams
        self.noted: list[Step] = []
        self.errors: list[str] = []
        self.by_server = False
        self._board = board
        self._arrives = arrives
        self._hung_up = False
        self._document: deque[Step] | None = None  # which takes the place of the present one
        self._waiting: Deferred[None] | None = None
        self._timers: list[IDelayedCall] = []
        self.done: Deferred[None] = Deferred.fromCoroutine(self._live())

    # -- by REST ----------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        return self.stage is Stage.OVER

    def hang_up(self) -> None:
        """Whoever placed it wants it no more."""
        self._hung_up = self.by_server = True
        self._leave("hung up by REST")

    def redirect(self, steps: Iterable[Step]) -> None:
        """Another document: the stream ends, and this is done."""
        self._document = deque(steps)
        self._leave("redirected by REST")

    def press(self, digits: str) -> None:
        """Tones for the called party, while the stream goes on."""
        self.noted.append(Tones(digits))

    def _leave(self, why: str) -> None:
        line = self.line
        if line is not None and line.ending is None:
            line.dialect.hung_up(line)
            line.end(Ending(Reason.CARRIER_HUNG_UP, why))
        elif self._waiting is not None:
            self._waiting.callback(None)

    # -- its life ---------------------------------------------------------------------------------

    async def _live(self) -> None:
        try:
            over = None if self._arrives else await self._ring()
            if over is None:
                over = Over.COMPLETED
                await self._answered()
            self._end(over)
        finally:
            for timer in self._timers:
                if timer.active():
                    timer.cancel()
            if self.line is not None:
                self.line.reset()

    async def _ring(self) -> Over | None:
        """Until it is answered: None; or why it is not."""
        habit, side = self.habit, self.side
        for wait, stage in ((_DIALS_AFTER, Stage.DIALLED), (_RINGS_AFTER, Stage.RINGING)):
            await self._pass(wait)
            if self._hung_up:
                return Over.CANCELLED
            if stage is Stage.RINGING and habit.reaction is Reaction.FAILED:
                return Over.FAILED
            self._reach(stage)
        longest = side.ring_seconds + self._board.rings_on
        nobody = habit.reaction is Reaction.NOBODY or habit.after >= longest
        await self._pass(longest if nobody else habit.after)
        if self._hung_up:
            return Over.CANCELLED
        return Over.NO_ANSWER if nobody else _REFUSED.get(habit.reaction)

    async def _answered(self) -> None:
        self.answered_at = self._board.seconds()
        self._reach(Stage.ANSWERED)
        side = self.side
        if side.most_seconds:
            self._later(side.most_seconds, self._too_long)
        if side.detection is not None:
            await self._detect(side.detection)
        await self._pass(self._board.connects_after)
        if self._hung_up:
            return
        self.phone = self.habit.picks_up(self._talked(), self._board.tell)
        try:
            self._document = self._document or deque(side.document(self._board.now()))
        except CallFailed as error:
            self.errors.append(str(error))
            return
        await self._follow()

    async def _detect(self, detection: Detection) -> None:
        verdicts = detection.verdicts(self.habit)
        for seconds, verdict in verdicts:
            self._later(seconds, self._found, verdict, seconds, detection.hangs_up)
        if detection.waits and verdicts:
            await self._pass(verdicts[-1][0])

    def _found(self, verdict: Verdict, seconds: float, hangs_up: bool) -> None:
        self.verdict = verdict
        self._board.post(self.side.found(verdict, seconds, self._board.now()))
        if hangs_up and verdict is not Verdict.HUMAN:
            self._hung_up = True
            self._leave("a machine")

    async def _follow(self) -> None:
        """The document, and those that take its place."""
        steps: deque[Step] = deque()
        for _ in range(_MOST_STEPS):
            if self._document is not None:
                steps, self._document = self._document, None
            if not steps or self._hung_up:
                return
            step = steps.popleft()
            if isinstance(step, HangUp):
                return
            try:
                more = await self._do(step)
            except CallFailed as error:
                self.errors.append(str(error))
                return
            if more is not None:
                steps = deque(more)
        self.errors.append("the documents have no end")

    async def _do(self, step: Step) -> Iterable[Step] | None:
        if isinstance(step, Stream):
            await self._stream(step)
            return None
        if isinstance(step, Fetch):
            try:
                answer = await self._board.http(step.request)
            except NoAnswer as error:
                raise CallFailed(f"no document: {error}") from error
            return step.read(answer, self._board.now())
        self.noted.append(step)
        if isinstance(step, Pause):
            await self._pass(step.seconds)
        elif isinstance(step, Dial):
            return await self._dial(step)
        return None

    async def _dial(self, step: Dial) -> Iterable[Step] | None:
        habit = self._board.habit_of(step.number)
        silent = habit.reaction is Reaction.NOBODY or habit.after >= step.timeout
        await self._pass(step.timeout if silent else habit.after)
        if self._hung_up or self._document is not None:
            return None
        over = Over.NO_ANSWER if silent else _REFUSED.get(habit.reaction, Over.COMPLETED)
        if over is Over.COMPLETED:
            await self._pass(habit.lasts)
        seconds = habit.lasts if over is Over.COMPLETED else 0.0
        return None if step.after is None else step.after(over, seconds)

    async def _stream(self, step: Stream) -> None:
        board = self._board
        assert self.phone is not None
        line = WebSocketLine(self.phone, step.media, board.metronome, strict=False)
        try:
            await board.connect(step.media, line)
            ending = await line.up
        except (ConnectError, DNSLookupError) as error:
            self.errors.append(f"no connection for {step.media.url}: {error}")
            return
        except CancelledError:
            line.drop()
            raise
        if ending is not None:
            self.errors.append(f"{step.media.url}: {ending}")
            return
        self.line = line
        self.lines.append(line)
        if self._hung_up or self._document is not None:  # meanwhile
            self._leave("hung up by REST")
        board.post(step.call.started(board.now()))
        ending = await line.closed
        self.line = None
        board.post(step.call.ended(ending, board.now()))
        if ending.reason in _BY_CALLER:
            self._hung_up = True

    # -- inside -----------------------------------------------------------------------------------

    def _reach(self, stage: Stage) -> None:
        self.stage = stage
        self._tell(Report(stage, verdict=self.verdict))

    def _end(self, over: Over) -> None:
        self.stage, self.over = Stage.OVER, over
        self.ended_at = self._board.seconds()
        self._tell(Report(Stage.OVER, over, self._talked(), self.verdict, self.by_server))

    def _tell(self, report: Report) -> None:
        self._board.happened(self, report)
        self._board.post(self.side.tell(report, self._board.now()))

    def _talked(self) -> float:
        """Seconds since the answer."""
        return 0.0 if self.answered_at is None else self._board.seconds() - self.answered_at

    def _too_long(self) -> None:
        self._hung_up = True
        self._leave("the longest time")

    def _later(self, seconds: float, function: Callable[..., None], *arguments: object) -> None:
        self._timers.append(self._board.clock.callLater(seconds, function, *arguments))

    async def _pass(self, seconds: float) -> None:
        """Wait; less if something is wanted of the call."""
        if self._hung_up or not seconds:
            return
        self._waiting = waiting = Deferred[None]()
        timer = self._board.clock.callLater(seconds, waiting.callback, None)
        try:
            await waiting
        finally:
            self._waiting = None
            if timer.active():
                timer.cancel()
