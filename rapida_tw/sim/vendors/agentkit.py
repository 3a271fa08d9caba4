"""A fake of a user's own agent, as Rapida's AgentKit library serves it; strict about its client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError
from google.protobuf.wrappers_pb2 import StringValue
from twisted.internet.interfaces import IDelayedCall

from rapida_tw.sim.vendors import agentkit_pb2 as pb
from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.rpc import RpcLine, RpcRefusal, RpcSession, RpcVendor

_METHOD = "/talk_api.AgentKit/Talk"
_TEXT = 1  # the stream's mode
_END, _TRANSFER = 1, 2


@dataclass(frozen=True, slots=True)
class AgentTurn:
    """A reply: `pieces`, each after `pause` seconds, and then `last`, with `completed`.

    `last` None: the whole text once more, as the library's example has it. `ending`: "end" or
    "transfer", before the last piece or (`after`) behind it. `trouble`: "error", "drop", "silence",
    "garbage", "close" (in place of the last piece) or "endless" (no last piece).
    """

    pieces: Sequence[str] = ()
    last: str | None = None
    pause: float = 0.02
    ending: str = ""
    args: dict[str, str] = field(default_factory=dict)
    after: bool = False
    trouble: str = ""


class AgentKit:
    """`turns`: its replies, one a message; then it repeats what it is told.

    `token`: what `authorization` must be; "" takes everybody. `streams`: all of them.
    """

    hosts: tuple[str, ...] = ("agent.test",)

    def __init__(self, turns: Sequence[AgentTurn] = (), token: str = "") -> None:
        self.turns = list(turns)
        self.token = token
        self.refusals: list[tuple[int, str]] = []  # the next calls', by gRPC's status
        self.streams: list[AgentStream] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        return Refusal(404, "an agent has no WebSockets")

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(404, "an agent has no HTTP")

    def rpc(self, asked: Asked, line: RpcLine) -> RpcSession | RpcRefusal:
        if self.refusals:
            return RpcRefusal(*self.refusals.pop(0))
        if not asked.path.endswith(_METHOD):
            return RpcRefusal(12, "Method not found!")
        if self.token and asked.headers.get("authorization") != self.token:
            return RpcRefusal(16, "Invalid authorization token")
        self.streams.append(AgentStream(self, asked, line))
        return self.streams[-1]


class _Wrong(Exception):
    """What a client may not do; the text says what."""


class AgentStream:
    """One conversation. `told`: what the caller said; `interrupted`: ids of replies cut off."""

    def __init__(self, agent: AgentKit, asked: Asked, line: RpcLine) -> None:
        self.asked = asked
        self.conversation = 0
        self.args: dict[str, str] = {}
        self.told: list[tuple[str, str]] = []  # id and text
        self.interrupted: list[str] = []
        self.closed_by = ""  # the client: "half" or "cancel"
        self._agent = agent
        self._line = line
        self._timers: list[IDelayedCall] = []

    # -- from the client --------------------------------------------------------------------------

    def received(self, message: bytes) -> None:
        try:
            request = pb.Input.FromString(message)
            if not self.conversation:
                self._begin(request)
            elif request.HasField("message"):
                self._answer(request.message)
            elif request.HasField("interruption"):
                self._interrupt(request.interruption)
            else:
                raise _Wrong("a second initialization, or nothing")
        except DecodeError:
            self._end(13, "Exception deserializing request!")
        except _Wrong as error:
            self._end(3, str(error))

    def half_closed(self) -> None:
        self.closed_by = "half"
        self._end(0, "")

    def closed(self) -> None:
        self.closed_by = "cancel"
        self._stop()

    def _begin(self, request: pb.Input) -> None:
        if not request.HasField("initialization"):
            raise _Wrong("the first message must be the initialization")
        begin = request.initialization
        if not begin.assistantConversationId or begin.streamMode != _TEXT:
            raise _Wrong("the initialization must name a conversation, and text as its mode")
        if not begin.time.seconds:
            raise _Wrong("the initialization must have a time")
        self.conversation = begin.assistantConversationId
        for name, packed in begin.args.items():
            value = StringValue()
            if not packed.Unpack(value):
                raise _Wrong(f"{name} is not a text")
            self.args[name] = value.value
        self._say(pb.Output(initialization=begin))

    def _answer(self, message: pb.Turn) -> None:
        if not message.id or not message.completed or not message.HasField("text"):
            raise _Wrong("a message must have an id and a text, and be completed")
        self.told.append((message.id, message.text))
        turns = self._agent.turns
        turn = turns.pop(0) if turns else AgentTurn([f"You said: {message.text}"])
        if turn.trouble == "silence":
            return
        at = 0.0
        for piece in turn.pieces:
            at += turn.pause
            self._later(at, self._piece, message.id, piece, False)
        self._later(at + turn.pause, self._last, message.id, turn)

    def _interrupt(self, stop: pb.Stop) -> None:
        if not stop.id or stop.type not in (1, 2):
            raise _Wrong("an interruption must have an id and a type")
        self.interrupted.append(stop.id)
        self._stop()

    # -- to the client ----------------------------------------------------------------------------

    def _piece(self, id: str, text: str, completed: bool) -> None:
        self._say(pb.Output(assistant=pb.Turn(id=id, text=text, completed=completed)))

    def _last(self, id: str, turn: AgentTurn) -> None:
        if turn.ending and not turn.after:
            self._act(id, turn)
        if turn.trouble:
            self._trouble(turn.trouble)
        else:
            whole = "".join(turn.pieces)
            self._piece(id, whole if turn.last is None else turn.last, True)
        if turn.ending and turn.after:
            self._later(turn.pause, self._act, id, turn)

    def _act(self, id: str, turn: AgentTurn) -> None:
        action = _END if turn.ending == "end" else _TRANSFER
        self._say(pb.Output(toolCall=pb.Tool(id=id, action=action, args=turn.args)))

    def _trouble(self, trouble: str) -> None:
        if trouble == "error":
            error = pb.Error(errorCode=503, errorMessage="the brain is out")
            self._line.send(pb.Output(code=503, error=error).SerializeToString())
        elif trouble == "garbage":
            self._line.send(b"\xff\xff\xff")
        elif trouble == "close":
            self._end(0, "")
        elif trouble == "drop":
            self._stop()
            self._line.drop()

    def tool(self, name: str) -> None:
        """The agent uses a tool of its own, and says so."""
        self._say(pb.Output(toolCall=pb.Tool(id=self.told[-1][0], toolId="1", name=name)))

    def act(self, ending: str) -> None:
        """The agent ends the call, or hands it over, of its own accord."""
        self._act(self.told[-1][0], AgentTurn(ending=ending))

    def leave(self, status: int = 0, message: str = "") -> None:
        """The agent goes."""
        self._end(status, message)

    def _say(self, output: pb.Output) -> None:
        output.code, output.success = 200, True
        self._line.send(output.SerializeToString())

    def _end(self, status: int, message: str) -> None:
        self._stop()
        self._line.end(status, message)

    def _later(self, seconds: float, function: Callable[..., None], *arguments: object) -> None:
        self._timers.append(self._line.clock.callLater(seconds, function, *arguments))

    def _stop(self) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        self._timers.clear()


_conforms: tuple[type[FakeVendor], type[RpcVendor], type[RpcSession]] = (
    AgentKit,
    AgentKit,
    AgentStream,
)
