"""SocketAgent: the user's own program as the model, over one WebSocket a call.

It remembers the call, so it is told each thing once; a connection that is lost is made anew for
the next turn, and the agent is then told what was said by now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from secrets import randbits
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import RemoteProtocolError, VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.metrics import Counter
from rapida_tw.models.agent_news import News, Update
from rapida_tw.models.agent_run import Run
from rapida_tw.models.agent_wire import (
    Closing,
    Complaint,
    Complete,
    Event,
    Ping,
    Wanted,
    Words,
    history,
    message,
    result_of,
    tool_name,
    tools_offered,
    understood,
)
from rapida_tw.models.base import Completion, Message, Model, Tool, ToolCall
from rapida_tw.models.streamed import failures
from rapida_tw.net.base import Net, Request, Socket, SocketReceiver

_PAUSE = 0.25  # seconds, for a server that refused the handshake for a moment
_TOO_MUCH = 429
_FORBIDDEN = (1008, 4401, 4403)  # close codes that another connection would meet again
_END_CALL = "end_call"

out_of_turn = Counter(
    "rapida_agent_out_of_turn_total",
    "Messages of agents that nobody had asked for, or not any more; they are not heard.",
    ("vendor",),
)


@dataclass(frozen=True, slots=True)
class Greeting:
    """What an agent is told of the call at first, besides the dialogue."""

    assistant_id: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)


class SocketAgent:
    """One call's agent. `within`: seconds for its first word; `now`: since the epoch."""

    _log = Logger()

    def __init__(
        self,
        net: Net,
        clock: IReactorTime,
        now: Callable[[], float],
        vendor: str,
        request: Request,
        greeting: Greeting,
        within: float,
    ) -> None:
        self._net = net
        self._clock = clock
        self._now = now
        self._vendor = vendor
        self._request = request
        self._greeting = greeting
        self._within = within
        # Whole numbers beyond 53 bits are not the same in every language.
        self._conversation = randbits(53)
        self._socket: Socket | None = None
        self._opening: Deferred[Any] | None = None
        self._not_open: Failure | None = None  # why, the latest time
        self._news: News | None = None  # from the configuration on
        self._tools: Sequence[Tool] = ()  # that the agent knows
        self._turns = 0
        self._run: Run | None = None
        self._latest = ""  # the id of the turn that was answered to its end
        self._replying: Deferred[Completion] | None = None
        self._leaving = False  # the agent has ended the conversation
        self._stopping: Deferred[None] | None = None

    # -- Model ------------------------------------------------------------------------------------

    def prepare(self) -> None:
        if self._socket is None and self._opening is None:
            self._connect()

    def opening(self) -> Expectation | None:
        return None

    def reply(
        self, messages: Sequence[Message], tools: Sequence[Tool], say: Callable[[str], None]
    ) -> Deferred[Completion]:
        self._replying = Deferred.fromCoroutine(self._reply(messages, tools, say))
        return self._replying

    def stop(self) -> Deferred[None]:
        if self._replying is not None:
            self._replying.cancel()
        if self._opening is not None:
            self._opening.cancel()
        if self._socket is None:
            return succeed(None)
        self._stopping = Deferred()
        self._socket.close()
        return self._stopping

    async def _reply(
        self, messages: Sequence[Message], tools: Sequence[Tool], say: Callable[[str], None]
    ) -> Completion:
        retries = 1
        while True:
            if self._leaving:
                return self._goodbye(tools)
            silent = bool(messages) and messages[-1].role == "tool"
            run = Run(self._clock, self._vendor, self._turn(messages), say, silent)
            try:
                running = Deferred.fromCoroutine(self._answer(run, messages, tools))
                if not running.called:
                    run.within(self._within, running)
                return await running
            except VendorFailed as failure:
                again = retries and _worth_it(failure, run)
                failures.inc(self._vendor, "asked again" if again else "given up")
                if not again:
                    raise
                retries = 0
                self._log.warn("{reason}; asking again", reason=str(failure))
                pause = _PAUSE if failure.code >= 400 else 0.0
            await deferLater(self._clock, pause)

    def _turn(self, messages: Sequence[Message]) -> str:
        """The id of what is to be answered; what follows a tool's result belongs to the same."""
        if not messages or messages[-1].role != "tool" or not self._turns:
            self._turns += 1
        return f"turn-{self._turns}"

    async def _answer(
        self, run: Run, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> Completion:
        try:
            if self._socket is None:
                await self._connected()
            self._run = run
            self._tell(run.turn, messages, tools)
            run.told = True
            completion = await run.done
            self._latest = run.turn
            return completion
        except CancelledError:
            if run.late:
                self._drop()  # perhaps it is the connection that is dead
                sentence = f"{self._vendor} said nothing for {self._within:g} s"
                if run.said:
                    sentence = f"{self._vendor} stopped in the middle of its answer"
                raise VendorFailed(sentence) from None
            if run.told:
                self._send("interruption", {"id": run.turn, "source": "word"})
            raise
        finally:
            run.close()
            self._run = None
            if self._news is not None:
                self._news.answered(run.text, cut_off=not _is_complete(run))

    def _goodbye(self, tools: Sequence[Tool]) -> Completion:
        if not any(tool.name == _END_CALL for tool in tools):
            sentence = f"{self._vendor} has ended the conversation"
            raise VendorFailed(sentence, retryable=False)
        return Completion("", (ToolCall("close", _END_CALL),))

    # -- the connection ---------------------------------------------------------------------------

    def _connect(self) -> None:
        self._not_open = None
        opening = self._opening = self._net.connect(self._request, self)
        opening.addCallbacks(self._opened, self._unopened)

    def _opened(self, socket: Socket) -> None:
        self._opening, self._socket, self._news = None, socket, None

    def _unopened(self, failure: Failure) -> None:
        """Whoever needs the connection finds out why there is none."""
        self._opening, self._not_open = None, failure

    async def _connected(self) -> None:
        if self._opening is None:
            self._connect()
        if self._opening is not None:
            await self._opening
        if self._not_open is not None:
            error = self._not_open.value
            if isinstance(error, VendorFailed) and error.code == 401:
                raise VendorFailed(f"{self._vendor} does not take the key", 401, retryable=False)
            self._not_open.raiseException()

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.abort()

    # -- to the agent -----------------------------------------------------------------------------

    def _send(self, kind: str, data: Mapping[str, Any] | None = None) -> None:
        if self._socket is not None:
            self._socket.send(*message(kind, self._now(), data))

    def _tell(self, turn: str, messages: Sequence[Message], tools: Sequence[Tool]) -> None:
        """What the agent needs to know by now, and whose turn it is."""
        start = next((n for n, one in enumerate(messages) if one.role != "system"), len(messages))
        dialogue = messages[start:]
        if self._news is None:
            self._news = News()
            before, update = self._news.begin(dialogue)
            prompt = "\n\n".join(one.text for one in messages[:start])
            self._configure(prompt, tools, before)
        else:
            update = self._news.since(dialogue)
        changed = tools_offered(tools) if list(tools) != list(self._tools) else None
        self._tools = tuple(tools)
        self._update(turn, update, changed)

    def _configure(self, prompt: str, tools: Sequence[Tool], before: Sequence[Message]) -> None:
        self._tools = tuple(tools)
        configuration = {
            "assistant_id": self._greeting.assistant_id,
            "conversation_id": self._conversation,
            "metadata": dict(self._greeting.metadata),
            "prompt": prompt,
            "tools": tools_offered(tools),
            "history": history(before),
        }
        self._send("configuration", configuration)

    def _update(self, turn: str, update: Update, tools: Sequence[Mapping[str, Any]] | None) -> None:
        results = [
            {"tool_id": one.tool_call_id, "name": name, "result": result_of(one.text)}
            for name, one in update.results
        ]
        if not update.asked:
            for result in results:
                self._send("tool_result", {"id": turn, **result})
            return
        question = {
            "id": turn,
            "content": update.text,
            "heard": update.heard,
            "said": list(update.said) or None,
            "results": results or None,
            "instructions": update.instructions or None,
            "tools": tools,
        }
        self._send("user_message", question)

    # -- SocketReceiver ---------------------------------------------------------------------------

    def message_received(self, payload: bytes, binary: bool) -> None:
        try:
            event = understood(payload, binary)
        except RemoteProtocolError as error:
            self._fail(VendorFailed(f"{self._vendor} sent garbage: {error}"))
            self._drop()
            return
        if event is not None:
            self._told(event)

    def _told(self, event: Event) -> None:
        match event:
            case Ping():
                self._send("pong")
            case Closing():
                self._leaving = True
                if self._run is not None:
                    self._wanted(self._run, Wanted("", "close", _END_CALL, {}))
            case _ if self._run is None or event.turn not in ("", self._run.turn):
                self._out_of_turn(event)
            case Words():
                self._run.words(event)
            case Complete():
                self._run.complete(event)
            case Wanted():
                self._wanted(self._run, event)
            case Complaint():
                self._run.complained(event)

    def _wanted(self, run: Run, event: Wanted) -> None:
        run.wanted(event, self._named(event))

    def _named(self, event: Wanted) -> str:
        return tool_name(event.name, [tool.name for tool in self._tools])

    def _out_of_turn(self, event: Words | Complete | Wanted | Complaint) -> None:
        out_of_turn.inc(self._vendor)
        if isinstance(event, Wanted) and self._named(event) == _END_CALL:
            self._leaving = event.turn in ("", self._latest)

    def writable(self, free: bool) -> None:
        """What is said to an agent is short."""

    def closed(self, code: int, reason: str) -> None:
        self._socket = self._news = None
        why = f"{reason} ({code})" if reason else f"close code {code}"
        self._fail(VendorFailed(f"{self._vendor} broke off: {why}", 0, code not in _FORBIDDEN))
        if self._stopping is not None:
            self._stopping.callback(None)

    def _fail(self, failure: VendorFailed) -> None:
        if self._run is not None:
            self._run.fail(failure)
        elif self._stopping is None:
            self._log.info("{reason}", reason=str(failure))


def _is_complete(run: Run) -> bool:
    return run.done.called and not isinstance(run.done.result, Failure)


def _worth_it(failure: VendorFailed, run: Run) -> bool:
    """Whether another attempt, at once, may do."""
    if run.said or run.late or not failure.retryable:
        return False
    return failure.code != _TOO_MUCH and failure.retry_after is None


_conforms: tuple[type[Model], type[SocketReceiver]] = (SocketAgent, SocketAgent)
