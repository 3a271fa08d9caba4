"""A fake of a user's own agent behind a WebSocket (docs/agents.rst).

Speaks the messages of Rapida's WebSocket assistants. Says what is written beforehand, a `Turn` for
each message of the caller and for the results of the tools it has asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from twisted.internet.interfaces import IReactorTime

from rapida_tw.sim.vendors.answering import Answer, Called, Manners, Trouble, Turn, turns_of
from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session

_KINDS = ("configuration", "user_message", "tool_result", "interruption", "pong")
_POLICY = 1008


class WebSocketAgent:
    """`turns`: what it will say. `sessions`: all connections, `asked`: their handshakes."""

    hosts: tuple[str, ...] = ("agent.example",)

    def __init__(
        self,
        script: Iterable[Turn | str | Mapping[str, Any]] = (),
        key: str = "a-token-of-the-agent",
        hosts: Iterable[str] = (),
    ) -> None:
        self.turns = turns_of(script)
        self.manners = Manners()
        self.key = key
        self.hosts = tuple(hosts) or self.hosts
        self.sessions: list[AgentSession] = []
        self.asked: list[Asked] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        self.asked.append(asked)
        if self.manners.refusals and (status := self.manners.refusals.popleft()):
            after = self.manners.retry_after
            return Refusal(status, "not now", {"Retry-After": after} if after else {})
        if self.key and asked.headers.get("authorization") != f"Bearer {self.key}":
            return Refusal(401, json.dumps({"error": f"who is {asked.headers}?"}))
        session = AgentSession(self, line)
        self.sessions.append(session)
        return session

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(426, "a WebSocket is wanted here")

    def next_turn(self) -> Turn:
        return self.turns.popleft() if self.turns else Turn("I see.")


class AgentSession:
    """One call. `messages`: all that came, by kind; `complaints`: what was wrong with them."""

    def __init__(self, agent: WebSocketAgent, line: Line) -> None:
        self.line = line
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self.complaints: list[str] = []
        self.gone = False
        self.turn = ""
        self.size = 0  # messages of the answer
        self.pending: set[str] = set()  # tools whose results have not come
        self.answers: list[Answer] = []
        self._agent = agent

    def opened(self) -> None:
        """Speaking first is the deployment's."""

    def closed(self, code: int) -> None:
        self.gone = True
        self.hush()

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The data of all messages of a kind."""
        return [data for one, data in self.messages if one == kind]

    def say(self, kind: str, **data: Any) -> None:
        """A message, whoever's turn it is."""
        self.line.send({"type": kind, "success": True, "data": data})

    # -- from the server --------------------------------------------------------------------------

    def received(self, message: bytes, binary: bool) -> None:
        fields = json.loads(message)
        kind, data = fields.get("type"), fields.get("data", {})
        wrong = self._wrong(kind, data) or (
            "no timestamp" if not isinstance(fields.get("timestamp"), int) else ""
        )
        if binary or wrong:
            self.complaints.append(wrong or "binary")
            self.line.close(_POLICY, wrong)
            return
        self.messages.append((kind, data))
        match kind:
            case "user_message":
                self.turn = data["id"]
                self.pending.clear()
                self._answer()
            case "tool_result":
                self.turn = data["id"]
                self.pending.discard(data["tool_id"])
                if not self.pending:
                    self._answer()
            case "interruption":
                self.hush()

    def _wrong(self, kind: Any, data: dict[str, Any]) -> str:
        if kind not in _KINDS:
            return f"a message of the kind {kind}"
        if (kind == "configuration") == bool(self.messages):
            return "the configuration comes first, and once"
        match kind:
            case "configuration":
                numbers = data.get("assistant_id"), data.get("conversation_id")
                if not all(isinstance(one, int) for one in numbers):
                    return "a configuration without ids"
            case "user_message":
                if not (isinstance(data.get("content"), str) and data.get("id")):
                    return "a user_message without content or id"
            case "tool_result":
                if not (data.get("tool_id") and data.get("name") and "result" in data):
                    return "a tool_result without tool_id, name or result"
            case "interruption":
                if data.get("id") != self.turn:
                    return "an interruption of what is not said"
        return ""

    # -- to the server ----------------------------------------------------------------------------

    def hush(self) -> None:
        """Say no more of what is being said."""
        for answer in self.answers:
            if answer.timer is not None and answer.timer.active():
                answer.timer.cancel()

    def _answer(self) -> None:
        self.hush()
        turn = self._agent.next_turn()
        reply = _Answering(self, self.turn)
        self.answers.append(Answer(self.line.clock, turn, reply, reply))


class _Answering:
    """One answer, in the agent's messages: what answering.py wants of a teller and of a reply."""

    def __init__(self, session: AgentSession, turn: str) -> None:
        self.clock: IReactorTime = session.line.clock
        self._session = session
        self._turn = turn
        self._said: list[str] = []

    @property
    def gone(self) -> bool:
        return self._session.gone

    def begin(self) -> None:
        """Nothing is said of it."""

    def think(self, text: str) -> None:
        """That is its own affair."""

    def say(self, text: str) -> None:
        index = len(self._said)
        self._said.append(text)
        self._session.say("stream", id=self._turn, content=text, index=index)

    def call(self, number: int, called: Called, whole: bool) -> None:
        tool_id = f"{self._turn}/{number}"
        self._session.pending.add(tool_id)
        arguments = dict(called.arguments)
        self._session.say(
            "tool_call", id=self._turn, tool_id=tool_id, name=called.name, params=arguments
        )

    def end(self, trouble: Trouble | None = Trouble.HALF) -> None:
        if trouble is None or trouble is Trouble.EMPTY:
            metrics = [{"name": "output_tokens", "value": len(self._said), "unit": "tokens"}]
            content = "".join(self._said)
            self._session.say("complete", id=self._turn, content=content, metrics=metrics)
        else:
            self._session.line.close(1000)

    def error(self) -> None:
        self._session.say("error", id=self._turn, code=500, message="my database is ill")

    def keep_alive(self) -> None:
        self._session.say("ping")

    def head(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        """There is none."""

    def write(self, data: bytes) -> None:
        self._session.line.send(data.decode())

    def whole(self, status: int, body: bytes | str | Mapping[str, Any] | list[Any]) -> None:
        """There is none."""

    def drop(self) -> None:
        self._session.line.drop()


_conform: tuple[type[FakeVendor], type[Session]] = (WebSocketAgent, AgentSession)
