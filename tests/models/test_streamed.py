"""StreamedModel: the shell around every dialect, before a server that does as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from rapida_tw.errors import RemoteProtocolError, VendorFailed
from rapida_tw.models.attempt import FIRST_TOKEN_WITHIN, NEXT_TOKEN_WITHIN
from rapida_tw.models.base import Message, Tool, ToolCall
from rapida_tw.models.dialect import (
    Complaint,
    Event,
    Finished,
    Text,
    Usage,
    Wanted,
    Working,
)
from rapida_tw.models.streamed import StreamedModel
from rapida_tw.net.base import Net, Request
from rapida_tw.sim.vendors.base import Asked, Line, Refusal, Reply, Session
from rapida_tw.simulation.vendor_net import FakeVendorNet
from tests.contracts.models import HELLO, Outcome

SECRET = "a-key-of-some-length"


class _Server:
    """Does with each request what comes next in `acts`; the last of them for ever."""

    hosts = ("acme.example",)

    def __init__(self) -> None:
        self.acts: list[Callable[[Reply], None]] = []
        self.replies: list[Reply] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        return Refusal(404)

    def answer(self, asked: Asked, reply: Reply) -> None:
        self.replies.append(reply)
        act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
        act(reply)


EVENTS: dict[str, Event] = {
    "working": Working(),
    "tool": Wanted(ToolCall("c1", "look")),
    "usage": Usage({"input": 1}),
    "sick": Complaint("Acme is sick"),
    "end": Finished("stop"),
}


class _Dialect:
    """A line is a word to say, or the name of one of EVENTS."""

    def __init__(self) -> None:
        self.refusals: list[Complaint] = []
        self._tail = b""

    def request(
        self, net: Net, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> Deferred[Request]:
        headers = {"Authorization": f"Bearer {SECRET}"}
        return succeed(Request("https://acme.example/", "POST", headers, b"{}"))

    def reader(self) -> _Dialect:
        self._tail = b""
        return self

    def feed(self, data: bytes) -> Sequence[Event]:
        *lines, self._tail = (self._tail + data).split(b"\n")
        return [self._event(line.decode()) for line in lines]

    def _event(self, line: str) -> Event:
        if line == "garbage":
            raise RemoteProtocolError("who knows")
        return EVENTS.get(line) or Text(line)

    def finish(self) -> Sequence[Event]:
        return [Complaint("Acme broke off")]

    def refused(self, status: int, body: str) -> Complaint:
        return self.refusals.pop(0)


def tells(*lines: str, ends: bool = True) -> Callable[[Reply], None]:
    def tell(reply: Reply) -> None:
        reply.head(200)
        reply.write("".join(f"{line}\n" for line in lines).encode())
        if ends:
            reply.end()

    return tell


class _Scene:
    def __init__(self) -> None:
        self.clock = Clock()
        self.server, self.dialect = _Server(), _Dialect()
        self.net = FakeVendorNet(self.clock, self.server)
        self.model = StreamedModel(self.net, self.clock, self.dialect, "Acme")

    def ask(self, *acts: Callable[[Reply], None], seconds: float = 2.0) -> Outcome:
        self.server.acts = list(acts)
        outcome = Outcome(self.clock, self.model).ask(HELLO, ())
        self.run(seconds)
        return outcome

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)


@pytest.fixture
def scene() -> Iterator[_Scene]:
    made = _Scene()
    yield made
    made.model.stop()
    made.clock.advance(0)
    assert not made.net.leftovers()
    made.net.stop()
    made.run(3.0)
    assert not made.clock.getDelayedCalls()


def test_events(scene: _Scene) -> None:
    """Everything of a run ends up in its completion; what comes behind its end is nothing."""
    lines = ("working", "Good ", "usage", "day.", "tool", "end", "no more", "sick")
    outcome = scene.ask(tells(*lines))
    assert outcome.completion is not None
    assert outcome.text == outcome.completion.text == "Good day."
    assert outcome.completion.tool_calls == (ToolCall("c1", "look"),)
    assert outcome.completion.usage == {"input": 1}


def test_no_preparation(scene: _Scene) -> None:
    """The announcement of a call costs nothing."""
    scene.model.prepare()
    scene.run(1.0)
    assert scene.model.opening() is None
    assert not scene.net.asked
    assert not scene.net.connections


def test_complete_before_the_body_is(scene: _Scene) -> None:
    """The vendor's word is enough; a body that does not end then is not waited for long."""
    outcome = scene.ask(tells("Hi.", "end", ends=False), seconds=0.1)
    assert outcome.completion is not None
    assert not scene.server.replies[0].gone
    scene.run(1.1)
    assert scene.server.replies[0].gone


def test_body_ends_late(scene: _Scene) -> None:
    """The connection of one that ends a moment later serves again."""
    outcome = scene.ask(tells("Hi.", "end", ends=False), seconds=0.1)
    assert outcome.completion is not None
    scene.server.replies[0].end()
    scene.run(2.0)
    assert not scene.server.replies[0].gone
    assert scene.net.connections == 1


@pytest.mark.parametrize("asked_again", [False, True])
def test_stopped_meanwhile(scene: _Scene, asked_again: bool) -> None:
    """The end of the call does not wait for any of them."""
    scene.ask(tells("Hi.", "end", ends=False), seconds=0.1)
    if asked_again:
        scene.ask(tells("Hi.", "end", ends=False), seconds=0.1)
    scene.model.stop()
    scene.clock.advance(0)
    assert all(reply.gone for reply in scene.server.replies)


def test_signs_of_life(scene: _Scene) -> None:
    """A model that thinks is waited for as long as it thinks, then as between two words."""
    outcome = scene.ask(tells("working", ends=False), seconds=FIRST_TOKEN_WITHIN + 1)
    assert outcome.failure is None
    scene.server.replies[0].write(b"working\n")
    scene.run(NEXT_TOKEN_WITHIN - 1)
    assert outcome.failure is None
    scene.run(1.2)
    assert isinstance(outcome.failure, VendorFailed)
    assert str(outcome.failure) == f"Acme said nothing for {NEXT_TOKEN_WITHIN:.0f} s"
    assert len(scene.server.replies) == 1


def test_usage_is_no_sign_of_life(scene: _Scene) -> None:
    """Vendors tell the tokens they have read before they have thought of anything."""
    outcome = scene.ask(tells("usage", ends=False), seconds=FIRST_TOKEN_WITHIN + 0.2)
    assert isinstance(outcome.failure, VendorFailed)


@pytest.mark.parametrize(
    "act",
    [
        lambda reply: reply.drop(),
        tells("working"),
        tells("usage", "sick"),
        tells("garbage"),
        tells("end"),
        tells("working", "end"),
    ],
)
def test_once_more(scene: _Scene, act: Callable[[Reply], None]) -> None:
    """What fails before the first word is tried once more, at once."""
    outcome = scene.ask(act, tells("Hi.", "end"))
    assert outcome.text == "Hi."
    assert len(scene.server.replies) == 2
    failed = scene.ask(act)
    assert isinstance(failed.failure, VendorFailed)
    assert failed.failure.retryable
    assert len(scene.server.replies) >= 4  # a kept connection that is cut has a way of its own


@pytest.mark.parametrize("line", ["sick", "garbage"])
def test_never_twice(scene: _Scene, line: str) -> None:
    """Not when a word was said."""

    def later(reply: Reply) -> None:
        tells("Hi", ends=False)(reply)
        scene.clock.callLater(0.2, tells(line), reply)

    outcome = scene.ask(later)
    assert outcome.text == "Hi"
    assert isinstance(outcome.failure, VendorFailed)
    assert len(scene.server.replies) == 1


def test_white_space(scene: _Scene) -> None:
    """An answer of nothing but blanks is none; they were said, so nobody asks again."""
    outcome = scene.ask(tells(" ", "end"))
    assert "answered nothing" in str(outcome.failure)


def test_nothing_to_add(scene: _Scene) -> None:
    """Behind a tool's result there may be nothing to say: it was said before."""
    scene.server.acts = [tells("working", "end")]
    told = [*HELLO, Message("assistant", "", (ToolCall("c", "x"),)), Message("tool", "{}")]
    outcome = Outcome(scene.clock, scene.model).ask(told, ())
    scene.run(1.0)
    assert outcome.completion is not None
    assert outcome.completion.text == ""
    assert len(scene.server.replies) == 1


def test_pause(scene: _Scene) -> None:
    """A server that failed is given a moment."""
    scene.dialect.refusals = [Complaint("sick", True)]
    outcome = scene.ask(lambda reply: reply.whole(500, ""), tells("Hi.", "end"), seconds=0.1)
    assert len(scene.server.replies) == 1
    outcome.deferred.cancel()  # in the pause, too
    scene.run(1.0)
    assert len(scene.server.replies) == 1


def test_lessons(scene: _Scene) -> None:
    """What the dialect learns is no failure; but a dialect that never learns is given up."""
    refuse: Any = lambda reply: reply.whole(400, "")  # noqa: E731
    scene.dialect.refusals = [Complaint("no such field", again=True)] * 3
    outcome = scene.ask(*[refuse] * 3, lambda reply: reply.drop(), tells("Hi.", "end"))
    assert outcome.text == "Hi."
    scene.dialect.refusals = [Complaint("no such field", False, again=True)] * 50
    outcome = scene.ask(refuse)
    assert isinstance(outcome.failure, VendorFailed)
    assert len(scene.server.replies) < 20


@pytest.mark.parametrize(
    ("complaint", "seconds", "asked"),
    [
        (Complaint("later", True, retry_after=1.0), 1.5, 2),
        (Complaint("later", True, retry_after=2.5), 5.0, 1),
        (Complaint("never", False, retry_after=1.0), 5.0, 1),
    ],
)
def test_retry_after(scene: _Scene, complaint: Complaint, seconds: float, asked: int) -> None:
    """The body may name the seconds, too."""
    scene.dialect.refusals = [complaint]
    refuse: Any = lambda reply: reply.whole(429, "")  # noqa: E731
    outcome = scene.ask(refuse, tells("Hi.", "end"), seconds=seconds)
    assert len(scene.server.replies) == asked
    if asked == 1:
        assert isinstance(outcome.failure, VendorFailed)
        assert outcome.failure.retry_after == complaint.retry_after


def test_secrets(scene: _Scene) -> None:
    """A vendor that says the key back is not quoted with it."""
    scene.dialect.refusals = [Complaint(f"Acme: no such key: {SECRET}", False)]
    outcome = scene.ask(lambda reply: reply.whole(403, ""))
    assert str(outcome.failure) == "Acme: no such key: ***"


def test_who_listens_fails(scene: _Scene) -> None:
    """A bug of who is told the words is theirs to know; the connection is closed."""
    outcome = Outcome(scene.clock, scene.model)

    def stumble(delta: str) -> None:
        raise ZeroDivisionError

    outcome.hear = stumble
    scene.server.acts = [tells("Hi", ends=False)]
    outcome.ask(HELLO, ())
    scene.run(0.1)
    assert isinstance(outcome.failure, ZeroDivisionError)
    assert scene.server.replies[0].gone
    assert len(scene.server.replies) == 1
