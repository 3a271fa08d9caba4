"""Everywhere: live calls are seen and steered from any node, whichever has them.

Nobody keeps a map of who has which call, which would be wrong after each crash: all nodes are
asked, and how many of them have heard the question is known. The one that has the call says so at
once, and what came of it when it is done.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Protocol
from uuid import uuid4

from twisted.internet.defer import Deferred, TimeoutError, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rapida_tw.calls.call import LiveCall
from rapida_tw.errors import (
    BadRequest,
    CallError,
    DiallingForbidden,
    NotFound,
    NotSupported,
    TooManyCalls,
    Unavailable,
)
from rapida_tw.metrics import Counter
from rapida_tw.store.records import NamedCall

QUESTIONS = "rapida:calls"  # the channel that all nodes hear
ANSWERS = "rapida:calls:"  # and each node's own, with its name
SEEN_WITHIN = 1.0  # seconds for all nodes to say whether a call is theirs
DONE_WITHIN = 75.0  # seconds for what was asked: a transfer waits for a phone to be picked up
LONGEST = 64 * 1024  # bytes of a message

_KNOWN: Final = {
    kind.reason: kind for kind in (BadRequest, NotFound, NotSupported, DiallingForbidden)
} | {TooManyCalls.reason: TooManyCalls, Unavailable.reason: Unavailable}
_VERBS: Final = ("hang_up", "say", "transfer", "send_digits", "hold", "give_up", "machine_detected")

asked = Counter("rapida_calls_asked_total", "Questions of other nodes about calls.", ("what",))


class Bus(Protocol):
    """Messages between the nodes of one installation (`store.redis_bus.RedisBus`)."""

    def publish(self, channel: str, text: str) -> Deferred[int]:
        """How many have heard it; `Unavailable`."""

    def subscribe(self, channel: str, received: Callable[[str], None]) -> None:
        """From now on, and again after each loss of the connection."""


class OwnCalls(Protocol):
    """Those of this process (`calls.Calls`). `NotFound` for those of others."""

    def live(self, project_id: int) -> Sequence[LiveCall]: ...
    def find(self, conversation_id: int, project_id: int) -> LiveCall: ...
    def hang_up(self, conversation_id: int, project_id: int) -> None: ...
    def say(self, conversation_id: int, project_id: int, text: str) -> None: ...
    def transfer(self, conversation_id: int, project_id: int, to: str) -> Deferred[None]: ...
    def send_digits(self, conversation_id: int, project_id: int, digits: str) -> Deferred[None]: ...
    def hold(self, conversation_id: int, project_id: int, on: bool) -> None: ...
    def machine_detected(self, conversation_id: int, project_id: int, verdict: str) -> None: ...


class GivingUp(Protocol):
    """Who places calls."""

    def give_up(self, conversation_id: int, project_id: int | None = None) -> bool: ...


@dataclass(slots=True)
class _Question:
    """One that this node has asked."""

    expected: int  # answers
    seen: Deferred[None] = field(default_factory=Deferred)  # all have answered, or one has it
    done: Deferred[Any] = field(default_factory=Deferred)
    found: list[Any] = field(default_factory=list)
    answers: int = 0
    owned: bool = False


class Everywhere:
    """Without a bus: the calls of this process."""

    _log = Logger()

    def __init__(
        self,
        calls: OwnCalls,
        placing: GivingUp | None = None,
        bus: Bus | None = None,
        clock: IReactorTime | None = None,
        node: str = "",
    ) -> None:
        """`clock` is needed with a `bus`."""
        self._calls = calls
        self._placing = placing
        self._bus = bus
        self._clock = clock
        self._node = node
        self._questions: dict[str, _Question] = {}
        if bus is not None:
            bus.subscribe(QUESTIONS, self._question_received)
            bus.subscribe(ANSWERS + node, self._answer_received)

    # -- what can be asked ------------------------------------------------------------------------

    def live(self, project_id: int) -> Deferred[list[LiveCall]]:
        """Of all nodes that answer in time."""
        return Deferred.fromCoroutine(self._live(project_id))

    async def _live(self, project_id: int) -> list[LiveCall]:
        found = {call.id: call for call in self._calls.live(project_id)}
        if self._bus is not None:
            question = await self._ask("live", 0, project_id, [])
            found |= {call.id: call for call in map(_read_live, question.found)}
        return list(found.values())

    def find(self, conversation_id: int, project_id: int) -> Deferred[LiveCall]:
        """`NotFound`."""
        return Deferred.fromCoroutine(self._find(conversation_id, project_id))

    async def _find(self, conversation_id: int, project_id: int) -> LiveCall:
        try:
            return self._calls.find(conversation_id, project_id)
        except NotFound:
            if self._bus is None:
                raise
        question = await self._ask("find", conversation_id, project_id, [])
        if not question.found:
            raise NotFound(f"no call {conversation_id} is on the phone")
        return _read_live(question.found[0])

    def hang_up(self, conversation_id: int, project_id: int) -> Deferred[None]:
        return self._steer("hang_up", conversation_id, project_id)

    def say(self, conversation_id: int, project_id: int, text: str) -> Deferred[None]:
        return self._steer("say", conversation_id, project_id, text)

    def transfer(self, conversation_id: int, project_id: int, to: str) -> Deferred[None]:
        return self._steer("transfer", conversation_id, project_id, to)

    def send_digits(self, conversation_id: int, project_id: int, digits: str) -> Deferred[None]:
        return self._steer("send_digits", conversation_id, project_id, digits)

    def hold(self, conversation_id: int, project_id: int, on: bool) -> Deferred[None]:
        return self._steer("hold", conversation_id, project_id, on)

    def give_up(self, conversation_id: int, project_id: int) -> Deferred[None]:
        """Stop ringing; `NotFound` when it does not."""
        return self._steer("give_up", conversation_id, project_id)

    def verdict(self, call: NamedCall, verdict: str) -> None:
        """Who has answered, for the node that has the call; there may be none any more."""
        if self._bus is not None:
            arguments = (call.conversation_id, call.project_id, verdict)
            telling = self._steer("machine_detected", *arguments)
            telling.addErrback(lambda failure: failure.trap(NotFound, Unavailable))
            telling.addErrback(lambda f: self._log.failure("a verdict was not told", f))

    def _steer(
        self, what: str, conversation_id: int, project_id: int, *arguments: Any
    ) -> Deferred[None]:
        work = self._steered(what, conversation_id, project_id, arguments)
        return Deferred.fromCoroutine(work)

    async def _steered(
        self, what: str, conversation_id: int, project_id: int, arguments: Sequence[Any]
    ) -> None:
        try:
            await self._here(what, conversation_id, project_id, arguments)
            return
        except NotFound:
            if self._bus is None:
                raise
        question = await self._ask(what, conversation_id, project_id, list(arguments))
        if not question.owned:
            raise NotFound(f"no call {conversation_id} is on the phone")
        await question.done

    def _here(
        self, what: str, conversation_id: int, project_id: int, arguments: Iterable[Any]
    ) -> Awaitable[Any]:
        """`NotFound`: it is not here."""
        if what == "give_up":
            if self._placing is None or not self._placing.give_up(conversation_id, project_id):
                raise NotFound(f"no call {conversation_id} rings")
            return succeed(None)
        verb: Callable[..., Any] = getattr(self._calls, what)
        return maybeDeferred(verb, conversation_id, project_id, *arguments)

    # -- between the nodes ------------------------------------------------------------------------

    async def _ask(
        self, what: str, conversation_id: int, project_id: int, arguments: list[Any]
    ) -> _Question:
        assert self._bus is not None
        assert self._clock is not None
        name, question = uuid4().hex, _Question(1 << 30)
        self._questions[name] = question
        asked.inc(what)
        message = {
            "id": name,
            "node": self._node,
            "what": what,
            "call": conversation_id,
            "project": project_id,
            "arguments": arguments,
        }
        try:
            question.expected = await self._bus.publish(QUESTIONS, json.dumps(message)) - 1
            self._look(question)
            question.seen.addTimeout(SEEN_WITHIN, self._clock)
            try:
                await question.seen
            except TimeoutError:
                self._log.info("some nodes did not say whether a call is theirs")
        except BaseException:
            self._forget(name)
            raise
        if question.owned:
            question.done.addTimeout(DONE_WITHIN, self._clock, _too_late)
            question.done.addBoth(self._over, name)
        else:
            self._forget(name)
        return question

    def _over(self, result: Any, name: str) -> Any:
        self._questions.pop(name, None)
        return result

    def _forget(self, name: str) -> None:
        question = self._questions.pop(name, None)
        if question is not None:
            question.done.addErrback(lambda _: None)

    def _look(self, question: _Question) -> None:
        if (question.owned or question.answers >= question.expected) and not question.seen.called:
            question.seen.callback(None)

    def _question_received(self, text: str) -> None:
        message = _read(text)
        node = message.get("node")
        if isinstance(node, str) and node != self._node:
            answering = Deferred.fromCoroutine(self._answer(message, node))
            answering.addErrback(lambda f: self._log.failure("a node was not answered", f))

    async def _answer(self, message: Mapping[str, Any], node: str) -> None:
        what, name = message.get("what"), message.get("id")
        call, project = message.get("call"), message.get("project")
        arguments = message.get("arguments")
        if not (isinstance(call, int) and isinstance(project, int) and isinstance(arguments, list)):
            return
        reply: dict[str, Any] = {"id": name, "found": []}
        if what == "live":
            reply["found"] = [asdict(one) for one in self._calls.live(project)]
        elif what == "find":
            reply["found"] = self._found(call, project)
        elif what in _VERBS:
            working = self._begin(str(what), call, project, arguments)
            reply["owned"] = working is not None
            if working is not None:
                await self._tell(node, reply)
                reply = {"id": name, "done": True} | await _outcome(working)
        await self._tell(node, reply)

    def _found(self, call: int, project: int) -> list[Mapping[str, Any]]:
        try:
            return [asdict(self._calls.find(call, project))]
        except NotFound:
            return []

    def _begin(
        self, what: str, call: int, project: int, arguments: list[Any]
    ) -> Deferred[Any] | None:
        """None: it is not here."""
        try:
            if what != "give_up":
                self._calls.find(call, project)
            return Deferred.fromCoroutine(_awaited(self._here(what, call, project, arguments)))
        except NotFound:
            return None

    def _tell(self, node: str, reply: Mapping[str, Any]) -> Deferred[int]:
        assert self._bus is not None
        return self._bus.publish(ANSWERS + node, json.dumps(reply))

    def _answer_received(self, text: str) -> None:
        message = _read(text)
        question = self._questions.get(str(message.get("id")))
        if question is None:
            return
        if message.get("done"):
            if not question.done.called:
                _settle(question.done, message)
            return
        question.answers += 1
        found = message.get("found")
        question.found += found if isinstance(found, list) else []
        question.owned = question.owned or message.get("owned") is True
        self._look(question)


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work


async def _outcome(working: Deferred[Any]) -> dict[str, str]:
    try:
        await working
    except CallError as error:
        return {"error": error.reason, "text": str(error)}
    except Exception:
        Everywhere._log.failure("a call was not steered for another node")
        return {"error": CallError.reason, "text": "something went wrong on the call's node"}
    return {}


def _settle(done: Deferred[Any], message: Mapping[str, Any]) -> None:
    reason = message.get("error")
    if reason is None:
        done.callback(None)
    else:
        kind = _KNOWN.get(str(reason), NotSupported)
        done.errback(kind(str(message.get("text"))))


def _too_late(result: Any, seconds: float) -> Any:
    raise Unavailable(f"the call's node did not answer within {seconds:g} s")


def _read(text: str) -> Mapping[str, Any]:
    """Another version of ours may speak otherwise: what makes no sense is nothing."""
    try:
        message = json.loads(text) if len(text) <= LONGEST else {}
    except ValueError:
        message = {}
    return message if isinstance(message, dict) else {}


def _read_live(found: Any) -> LiveCall:
    try:
        return LiveCall(**found)
    except TypeError as error:
        raise Unavailable(f"another node speaks another version: {error}") from None
