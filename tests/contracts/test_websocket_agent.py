"""The contract of models, kept by an agent behind a WebSocket: the points of test_models.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.defer import CancelledError

from rapida_tw.models.attempt import LONGEST
from rapida_tw.models.base import Completion, Message
from rapida_tw.models.websocket_agent import VENDOR
from rapida_tw.sim.vendors.answering import Called, Trouble, Turn
from tests.contracts.agent_stage import AgentStage
from tests.contracts.models import HELLO, HISTORIES, TOOLS, Outcome

TEXT = "Grüße — for 7 € you get 雪, and 👋🏽 too."
BOOK = Called("book", {"day": "monday", "note": 'a "quiet" table, süß', "people": 2})


@pytest.fixture
def stages() -> Iterator[Any]:
    """Makes stages, and looks afterwards whether something is left on them."""
    made: list[AgentStage] = []

    def stage(*turns: Turn, **options: Any) -> AgentStage:
        made.append(AgentStage(*turns, **options))
        return made[-1]

    yield stage
    for one in made:
        one.close()


def _answered(completion: Completion) -> list[Message]:
    results = [
        Message("tool", '{"success": true}', tool_call_id=one.id) for one in completion.tool_calls
    ]
    return [Message("assistant", completion.text, completion.tool_calls), *results]


# -- an answer ----------------------------------------------------------------------------------


def test_streams(stages: Any) -> None:
    """Words are said when they come; the completion has them all, and what was counted."""
    outcome = stages(Turn("One two three.")).ask()
    assert outcome.failure is None
    assert outcome.text == "One two three."
    times = [round(at, 2) for at, _ in outcome.said]
    assert times == sorted(set(times)), times
    completion = outcome.completion
    assert completion.text == "One two three."
    assert not completion.tool_calls
    assert completion.usage == {"output": 3}


def test_tools(stages: Any) -> None:
    """What it wants is told with its arguments; it gets the results, and goes on."""
    wanted = (BOOK, Called("look"))
    stage = stages(Turn("Let me see.", wanted), Turn(calls=(BOOK,)), Turn("Done."))
    first = stage.ask(tools=TOOLS).completion
    assert first.text == "Let me see."
    assert [(one.name, dict(one.arguments)) for one in first.tool_calls] == [
        ("book", dict(BOOK.arguments)),
        ("look", {}),
    ]
    assert len({one.id for one in first.tool_calls}) == 2
    history = [*HELLO, *_answered(first)]
    second = stage.ask(history, TOOLS).completion
    assert second.text == ""
    history += _answered(second)
    third = stage.ask(history, TOOLS)
    assert third.text == "Done."
    results = stage.session.told("tool_result")
    assert [one["name"] for one in results] == ["book", "look", "book"]
    assert results[0]["result"] == {"success": True}


@pytest.mark.parametrize("history", HISTORIES)
def test_histories(history: str, stages: Any) -> None:
    """Whatever has happened in the call, an agent that comes to it is told all of it, once."""
    stage = stages(Turn("Good."))
    outcome = stage.ask([Message("system", "Be brief."), *HISTORIES[history]], TOOLS)
    assert outcome.failure is None
    assert outcome.text == "Good."
    told = str(stage.session.messages)
    for message in HISTORIES[history]:
        assert message.role == "tool" or message.text.strip() in told
    assert ("'interrupted': True" in told) == (history in ("interrupted", "cut off in a tool"))


# -- the end of patience ------------------------------------------------------------------------


def test_cancelled(stages: Any) -> None:
    """The agent is told at once, and nothing more is said; the connection stays."""
    stage = stages(Turn("One two three four."))
    outcome = stage.ask(at_once=True)
    stage.run(0.25)
    assert outcome.text.startswith("One")
    outcome.deferred.cancel()
    said = outcome.text
    assert isinstance(outcome.failure, CancelledError)
    stage.clock.advance(0)
    assert stage.session.told("interruption") == [{"id": "turn-1", "source": "word"}]
    stage.run(2.0)
    assert outcome.text == said
    assert not stage.session.gone


def test_cancelled_by_its_words(stages: Any) -> None:
    """Who is told a word may cancel there and then."""
    stage = stages(Turn("One two three four."))
    outcome = Outcome(stage.clock, stage.model)
    outcome.hear = lambda delta: outcome.deferred.cancel()
    outcome.ask(HELLO, ())
    stage.run(1.0)
    assert isinstance(outcome.failure, CancelledError)
    assert outcome.text == "One"
    assert len(stage.session.told("interruption")) == 1


@pytest.mark.parametrize("unanswering", [True, False])
def test_cancelled_early(unanswering: bool, stages: Any) -> None:
    """Nobody has answered yet: it ends all the same, and the next turn connects anew."""
    stage = stages(Turn("One."))
    if unanswering:
        stage.net.unanswering.add("agent.example")
    outcome = stage.ask(at_once=True)
    outcome.deferred.cancel()
    stage.clock.advance(0)
    assert isinstance(outcome.failure, CancelledError)
    stage.net.unanswering.clear()
    stage.run(0.1)
    assert not stage.net.leftovers()
    assert stage.ask().text == "One."


def test_stopped(stages: Any) -> None:
    """The end of the call closes what is open, and says nothing more."""
    stage = stages(Turn("One two three four."))
    outcome = stage.ask(at_once=True)
    stage.run(0.25)
    said = outcome.text
    stage.model.stop()
    stage.run(0.1)
    assert stage.session.gone
    assert not stage.net.leftovers()
    assert outcome.text == said
    assert isinstance(outcome.failure, CancelledError)


@pytest.mark.parametrize("trouble", [Trouble.SILENCE, Trouble.UNANSWERED])
def test_no_first_word(trouble: Trouble, stages: Any) -> None:
    """An agent that does not begin is given up in time, its pings notwithstanding."""
    stage = stages(Turn("One.", trouble=trouble), Turn("Two."))
    outcome = stage.ask(at_once=True)
    stage.run(9.9)
    assert outcome.failure is None
    stage.run(0.2)
    failure = stage.failed(outcome)
    assert failure.retryable
    assert str(failure) == f"{VENDOR} said nothing for 10 s"
    stage.clock.advance(0)
    assert len(stage.fake.sessions) == 1
    assert stage.session.gone
    assert stage.ask().text == "Two."


def test_stall(stages: Any) -> None:
    """One that stops in the middle is given up, too."""
    stage = stages(Turn("One two three four.", trouble=Trouble.STALL))
    outcome = stage.ask(at_once=True)
    stage.run(10.0)
    assert outcome.failure is None
    stage.run(0.5)
    assert "stopped in the middle" in str(stage.failed(outcome))
    assert outcome.text == "One two"


# -- what goes wrong ----------------------------------------------------------------------------


def test_wrong_key(stages: Any) -> None:
    """It is said whose key is wrong, but not the key; nobody asks again."""
    stage = stages(Turn("One."))
    stage.model = stage.open(key="a-wrong-key-that-is-secret")
    failure = stage.failed(outcome := stage.ask())
    assert (failure.code, failure.retryable) == (401, False)
    assert str(failure) == f"{VENDOR} does not take the key"
    assert not outcome.said
    assert len(stage.fake.asked) == 1


def test_server_error(stages: Any) -> None:
    """A server that fails is asked once more, and then believed."""
    stage = stages(Turn("One."))
    stage.fake.manners.refusals.append(500)
    assert stage.ask().text == "One."
    stage.session.line.drop()
    stage.run(0.1)
    stage.fake.manners.refusals.extend((500, 503))
    failure = stage.failed(stage.ask())
    assert (failure.code, failure.retryable) == (503, True)
    assert len(stage.fake.asked) == 4


@pytest.mark.parametrize("status", [403, 404, 429])
def test_refused(status: int, stages: Any) -> None:
    """What another moment does not change is not asked for again."""
    stage = stages()
    stage.fake.manners.refusals.append(status)
    failure = stage.failed(stage.ask())
    assert (failure.code, failure.retryable) == (status, status == 429)
    assert len(stage.fake.asked) == 1


@pytest.mark.parametrize(
    "trouble", [Trouble.ERROR_FIRST, Trouble.GARBAGE, Trouble.EMPTY], ids=lambda one: one.value
)
def test_failed_before_the_first_word(trouble: Trouble, stages: Any) -> None:
    """An error, garbage or nothing: once more, and then it is believed."""
    stage = stages(Turn("One.", trouble=trouble), Turn("Two."))
    assert stage.ask().text == "Two."
    stage.fake.turns.extend([Turn("One.", trouble=trouble)] * 2)
    failure = stage.failed(outcome := stage.ask())
    assert failure.retryable
    assert not outcome.said
    assert not stage.fake.turns


@pytest.mark.parametrize(
    "trouble", [Trouble.ERROR, Trouble.CUT, Trouble.HALF], ids=lambda one: one.value
)
def test_failed_in_the_middle(trouble: Trouble, stages: Any) -> None:
    """What was said cannot be said once more; the next turn is answered."""
    stage = stages(Turn("One two three four.", trouble=trouble), Turn("Five."))
    failure = stage.failed(outcome := stage.ask())
    assert failure.retryable
    assert outcome.text == "One two"
    assert len(stage.fake.turns) == 1
    assert stage.ask([*HELLO, Message("user", "And?")]).text == "Five."


def test_dropped_before_the_first_word(stages: Any) -> None:
    """A connection that was lost is made anew, and the agent is asked again."""
    stage = stages(Turn("One."), Turn("Two."))
    outcome = stage.ask(at_once=True)
    stage.run(0.1)
    stage.session.line.drop()
    stage.run(1.0)
    assert outcome.text == "Two."
    assert len(stage.fake.sessions) == 2


def test_nobody_there(stages: Any) -> None:
    """Nothing listens, or nobody answers."""
    stage = stages()
    stage.net.down.add("agent.example")
    assert stage.failed(stage.ask()).retryable
    stage.net.down.clear()
    stage.net.unanswering.add("agent.example")
    outcome = stage.ask(at_once=True)
    stage.run(11.0)
    assert stage.failed(outcome).retryable
    assert not outcome.said


def test_without_end(stages: Any) -> None:
    """An agent that goes on and on is cut off."""
    stage = stages(Turn("word" * 15_000 + " word" * 2_000, between=0))
    outcome = stage.ask(at_once=True)
    stage.run(1.5)
    failure = stage.failed(outcome)
    assert not failure.retryable
    assert len(outcome.text) <= LONGEST
    stage.session.hush()
