"""Talk: the stream to a user's own agent, for one call, and the reply that is under way on it."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rapida_tw.errors import VendorFailed
from rapida_tw.models.agentkit_wire import (
    METHOD,
    Failure,
    HangUp,
    Opening,
    Said,
    Transfer,
    Working,
    initialization,
    interruption,
    read,
    rest_of,
    user_message,
)
from rapida_tw.models.attempt import FIRST_TOKEN_WITHIN, LONGEST, NEXT_TOKEN_WITHIN
from rapida_tw.models.base import Completion, ToolCall
from rapida_tw.net.base import Net, Request, Rpc, RpcReceiver
from rapida_tw.net.reasons import passing
from rapida_tw.wire.grpc import Status, failed

VENDOR = "AgentKit"
# Seconds in which an agent that has said all may still hang up, and one that wants to hang up may
# say goodbye first: both are steps of one program.
_ACTS_WITHIN, _SPEAKS_WITHIN = 0.1, 1.0
_CLOSED_WITHIN = 1.0  # seconds


class Turn:
    """A reply to one message. Cancelling `done` is an interruption."""

    def __init__(
        self,
        id: str,
        say: Callable[[str], None],
        clock: IReactorTime,
        interrupted: Callable[[Turn], None],
    ) -> None:
        self.id = id
        self.text = ""
        self.done: Deferred[Completion] = Deferred(lambda _: self._cancelled())
        self._say = say
        self._clock = clock
        self._interrupted = interrupted
        self._calls: list[ToolCall] = []
        self._complete = False
        self._timer: IDelayedCall | None = None
        self._wait(FIRST_TOKEN_WITHIN, self._too_late, FIRST_TOKEN_WITHIN)

    def alive(self) -> None:
        """The agent does something."""
        if not self._complete and not self._calls:
            self._wait(NEXT_TOKEN_WITHIN, self._too_late, NEXT_TOKEN_WITHIN)

    def said(self, text: str, completed: bool) -> None:
        """The next piece; the last one may be the whole once more."""
        if self._complete:
            return
        delta = rest_of(self.text, text) if completed else text
        if len(self.text) + len(delta) > LONGEST:
            self.fail(VendorFailed(f"{VENDOR}: an endless reply"))
            return
        self.text += delta
        if delta:
            self._say(delta)
        if self.done.called:  # whoever was told has had enough
            return
        if completed:
            self._complete = True
            self._wait(0.0 if self._calls else _ACTS_WITHIN, self.finish)
        else:
            self.alive()

    def wanted(self, call: ToolCall) -> None:
        """The agent wants something done with the call."""
        self._calls.append(call)
        self._wait(0.0 if self._complete else _SPEAKS_WITHIN, self.finish)

    def finish(self) -> None:
        """That was all."""
        if not self.done.called:
            self._stop()
            self.done.callback(Completion(self.text, tuple(self._calls)))

    def over(self, error: VendorFailed, orderly: bool) -> None:
        """The stream is gone: what was complete enough is the reply."""
        if self._complete or self._calls or (orderly and self.text):
            self.finish()
        else:
            self.fail(error)

    def fail(self, error: VendorFailed) -> None:
        if not self.done.called:
            self._stop()
            self.done.errback(error)

    def _too_late(self, seconds: float) -> None:
        self._interrupted(self)
        self.fail(VendorFailed(f"{VENDOR}: the agent said nothing for {seconds:g} s"))

    def _cancelled(self) -> None:
        self._stop()
        self._interrupted(self)

    def _wait(self, seconds: float, then: Callable[..., None], *arguments: float) -> None:
        self._stop()
        self._timer = self._clock.callLater(seconds, then, *arguments)

    def _stop(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()


class Talk:
    """One stream. `alive`: messages can be sent, or soon can."""

    def __init__(
        self, net: Net, clock: IReactorTime, now: Callable[[], float], opening: Opening
    ) -> None:
        self.alive = True
        self.late: list[ToolCall] = []  # wanted when no reply was under way
        self._net = net
        self._clock = clock
        self._now = now
        self._opening = opening
        self._rpc: Rpc | None = None
        self._connecting: Deferred[None] | None = None
        self._turn: Turn | None = None
        self._lost: VendorFailed | None = None  # why it is not alive
        self._ended: Deferred[None] | None = None  # somebody waits for it
        self._cutting: IDelayedCall | None = None
        self._dropped: set[str] = set()  # messages whose replies nobody wants any more
        self._number = 0

    def connect(self, base: str, headers: dict[str, str], trust: str) -> None:
        """Once. A failure is told to the turn."""
        request = Request(base + METHOD, headers=headers, trust=trust)
        connecting = self._net.grpc(request, self)
        self._connecting = connecting.addCallbacks(self._connected, self._not_connected)

    def _connected(self, rpc: Rpc) -> None:
        self._rpc = rpc
        rpc.send(initialization(self._opening, self._now()))
        if self._turn is not None:
            rpc.send(self._message)

    def _not_connected(self, failure: object) -> None:
        error = getattr(failure, "value", None)
        if not isinstance(error, VendorFailed):
            error = VendorFailed("not reached")
        self._over(VendorFailed(f"{VENDOR}: {error}", error.code, error.retryable))

    def ask(self, turn: Turn, text: str) -> None:
        """A turn of the caller's; one at a time."""
        self._turn = turn
        if self._lost is not None:
            turn.fail(self._lost)
            return
        self._message = user_message(turn.id, text, self._now())
        if self._rpc is not None:
            self._rpc.send(self._message)

    def interrupted(self, turn: Turn) -> None:
        """Nobody waits for the reply any more."""
        if self._turn is turn:
            self._turn = None
            self._dropped.add(turn.id)
            if self._rpc is not None:
                self._rpc.send(interruption(turn.id, self._now()))

    def close(self) -> Deferred[None]:
        """The call is over; fires when the stream is, within a second."""
        if self._rpc is None or not self.alive:
            self.alive = False
            if self._connecting is not None:
                self._connecting.cancel()
            return succeed(None)
        if self._ended is None:
            self._ended = Deferred()
            self._cutting = self._clock.callLater(_CLOSED_WITHIN, self._rpc.cancel)
            self._rpc.half_close()
        return self._ended

    # -- RpcReceiver ------------------------------------------------------------------------------

    def message_received(self, message: bytes) -> None:
        told = read(message)
        turn = self._turn
        if isinstance(told, HangUp | Transfer):
            self._number += 1
            call = _call(told, f"call_{self._number}")
            if told.id in self._dropped:
                return
            if turn is None or turn.done.called:
                self.late.append(call)
            else:
                turn.wanted(call)
        elif turn is None:
            return
        elif isinstance(told, Failure):
            retryable = not told.code or passing(told.code)
            turn.fail(VendorFailed(f"{VENDOR}: {told.reason}", told.code, retryable))
        elif isinstance(told, Said) and told.id in (turn.id, ""):
            turn.said(told.text, told.completed)
        elif isinstance(told, Working):
            turn.alive()

    def writable(self, free: bool) -> None:
        """Some words a turn: they may wait."""

    def ended(self, status: int, message: str) -> None:
        if status == Status.OK:
            self._over(VendorFailed(f"{VENDOR}: the agent ended the stream"), orderly=True)
        else:
            self._over(failed(VENDOR, status, message))
        if self._cutting is not None and self._cutting.active():
            self._cutting.cancel()
        if self._ended is not None and not self._ended.called:
            self._ended.callback(None)

    def _over(self, error: VendorFailed, orderly: bool = False) -> None:
        self.alive = False
        self._lost = error
        if self._turn is not None:
            self._turn.over(error, orderly)


def _call(told: HangUp | Transfer, id: str) -> ToolCall:
    if isinstance(told, HangUp):
        return ToolCall(id, "end_call")
    return ToolCall(id, "transfer_call", {"to": told.target} if told.target else {})


_conforms: type[RpcReceiver] = Talk
