"""The contract of models, for every vendor that is installed, before its fake."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.defer import CancelledError

from rapida_tw.models.attempt import FIRST_TOKEN_WITHIN, LONGEST, NEXT_TOKEN_WITHIN
from rapida_tw.models.base import Completion, Message
from rapida_tw.sim.vendors.answering import Called, Trouble, Turn
from tests.contracts.models import HELLO, HISTORIES, PROVIDERS, ROWS, TOOLS, Outcome, Stage

TEXT = "Grüße — for 7 € you get 雪, and 👋🏽 too."
BOOK = Called("book", {"day": "monday", "note": 'a "quiet" table, süß', "people": 2})
each = pytest.mark.parametrize("name", sorted(PROVIDERS))


@pytest.fixture
def stages() -> Iterator[Any]:
    """Makes stages, and looks afterwards whether something is left on them."""
    made: list[Stage] = []

    def stage(name: str, *turns: Turn, **options: Any) -> Stage:
        made.append(Stage(name, *turns, **options))
        return made[-1]

    yield stage
    for one in made:
        one.close()


def test_all_are_here() -> None:
    """A vendor that has no row is not proven."""
    assert set(PROVIDERS) == set(ROWS)


# -- an answer ----------------------------------------------------------------------------------


@each
def test_streams(name: str, stages: Any) -> None:
    """Words are said when they come; the completion has them all, and what they cost."""
    stage = stages(name, Turn("One two three.", read=20, cached=8))
    outcome = stage.ask()
    assert outcome.failure is None
    assert outcome.text == "One two three."
    times = [round(at, 2) for at, _ in outcome.said]
    assert times == sorted(set(times)), times
    completion = outcome.completion
    assert completion is not None
    assert completion.text == "One two three."
    assert not completion.tool_calls
    assert completion.usage == {"input": 20, "output": 3, "cached": 8}


@each
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_cut_anywhere(name: str, size: int, stages: Any) -> None:
    """Where the network cuts, also inside a character, makes no difference."""
    stage = stages(name, Turn(TEXT, (BOOK,)))
    stage.fake.manners.size = size
    outcome = stage.ask(tools=TOOLS)
    assert outcome.completion.text == TEXT
    assert [(one.name, one.arguments) for one in outcome.completion.tool_calls] == [
        ("book", BOOK.arguments)
    ]


@each
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_forms(name: str, line_end: str, stages: Any) -> None:
    """Comments, data over several lines, and either end of a line are read alike."""
    stage = stages(name, Turn(TEXT, (BOOK,)))
    manners = stage.fake.manners
    manners.line_end, manners.comments, manners.spread = line_end, True, True
    outcome = stage.ask(tools=TOOLS)
    assert outcome.completion.text == TEXT
    assert outcome.completion.tool_calls[0].arguments == BOOK.arguments


@each
def test_tools(name: str, stages: Any) -> None:
    """What it wants is told with its arguments; it takes the results, and the history after."""
    wanted = (BOOK, Called("look"))
    stage = stages(name, Turn("Let me see.", wanted), Turn(calls=(BOOK,)), Turn("Done."))
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
    assert third.failure is None
    assert third.text == "Done."
    assert "quiet" in str(stage.fake.bodies[-1])


def _answered(completion: Completion) -> list[Message]:
    results = [
        Message("tool", '{"success": true}', tool_call_id=one.id) for one in completion.tool_calls
    ]
    return [Message("assistant", completion.text, completion.tool_calls), *results]


@each
@pytest.mark.parametrize("history", HISTORIES)
def test_histories(name: str, history: str, stages: Any) -> None:
    """Whatever has happened in the call, the vendor takes it."""
    stage = stages(name, Turn("Good."))
    outcome = stage.ask([Message("system", "Be brief."), *HISTORIES[history]], TOOLS)
    assert outcome.failure is None
    assert outcome.text == "Good."
    body = str(stage.fake.bodies[-1])
    for message in HISTORIES[history]:
        assert message.role == "tool" or message.text.strip() in body
    assert ("We are open from—" in body) == (history == "interrupted")
    assert ("interrupted by the caller" in body) == (history == "cut off in a tool")


@each
def test_thoughts(name: str, stages: Any) -> None:
    """What the model thinks is not spoken."""
    stage = stages(name, Turn("Nine.", thoughts="He asks when we open."))
    outcome = stage.ask()
    assert outcome.text == outcome.completion.text == "Nine."


# -- the end of patience ------------------------------------------------------------------------


@each
def test_cancelled(name: str, stages: Any) -> None:
    """Cancelling closes the connection at once: the vendor notices, and nothing more is said."""
    stage = stages(name, Turn("One two three four."))
    outcome = stage.ask(at_once=True)
    stage.run(0.25)
    assert outcome.text.startswith("One")
    outcome.deferred.cancel()
    said = outcome.text
    assert isinstance(outcome.failure, CancelledError)
    stage.clock.advance(0)
    assert stage.fake.replies[-1].gone
    assert not stage.net.leftovers()
    assert stage.net.connections == ROWS[name].kept
    stage.run(2.0)
    assert outcome.text == said


@each
def test_cancelled_by_its_words(name: str, stages: Any) -> None:
    """Who is told a word may cancel there and then."""
    stage = stages(name, Turn("One two three four."))
    outcome = Outcome(stage.clock, stage.model)
    outcome.hear = lambda delta: outcome.deferred.cancel()
    outcome.ask(HELLO, ())
    stage.run(1.0)
    assert isinstance(outcome.failure, CancelledError)
    assert outcome.text == "One"
    assert stage.fake.replies[-1].gone


@each
@pytest.mark.parametrize("trouble", [None, Trouble.UNANSWERED])
def test_cancelled_early(name: str, trouble: Trouble | None, stages: Any) -> None:
    """Nobody has answered yet: it ends all the same."""
    stage = stages(name, Turn("One.", trouble=trouble))
    outcome = stage.ask(at_once=True)
    stage.clock.advance(0.1)
    outcome.deferred.cancel()
    stage.clock.advance(0)
    assert isinstance(outcome.failure, CancelledError)
    assert stage.fake.replies[-1].gone
    assert stage.net.connections == ROWS[name].kept


@each
def test_stopped(name: str, stages: Any) -> None:
    """The end of the call closes what is open."""
    stage = stages(name, Turn("One two three four."))
    stage.ask(at_once=True)
    stage.run(0.25)
    stage.model.stop()
    stage.clock.advance(0)
    assert stage.fake.replies[-1].gone
    assert not stage.net.leftovers()


@each
@pytest.mark.parametrize("trouble", [Trouble.SILENCE, Trouble.UNANSWERED])
def test_no_first_word(name: str, trouble: Trouble, stages: Any) -> None:
    """A vendor that does not begin is given up in time, its keep-alives notwithstanding."""
    stage = stages(name, Turn("One.", trouble=trouble))
    outcome = stage.ask(at_once=True)
    stage.run(FIRST_TOKEN_WITHIN - 0.1)
    assert outcome.failure is None
    stage.run(0.2)
    assert stage.failed(outcome).retryable
    stage.clock.advance(0)
    assert stage.fake.replies[-1].gone
    assert len(stage.fake.replies) == 1


@each
def test_stall(name: str, stages: Any) -> None:
    """One that stops in the middle is given up, too."""
    stage = stages(name, Turn("One two three four.", trouble=Trouble.STALL))
    outcome = stage.ask(at_once=True)
    stage.run(NEXT_TOKEN_WITHIN)
    assert outcome.failure is None
    stage.run(0.5)
    assert stage.failed(outcome).retryable
    assert outcome.text == "One two"
    stage.clock.advance(0)
    assert stage.fake.replies[-1].gone


# -- what goes wrong ----------------------------------------------------------------------------


@each
def test_wrong_key(name: str, stages: Any) -> None:
    """It is said whose key is wrong, but not the key; nobody asks again."""
    row = ROWS[name]
    if not row.key:
        return
    stage = stages(name, Turn("One."))
    stage.model = stage.open(**{row.key: row.wrong})
    failure = stage.failed(outcome := stage.ask())
    assert not failure.retryable
    assert row.wrong not in str(failure)
    assert not outcome.said
    if row.kept:
        assert "refuses the service account" in str(failure)
    else:
        assert str(failure) == f"{stage.provider.vendor} does not take the key"
        assert len(stage.fake.replies) == 1


@each
def test_server_error(name: str, stages: Any) -> None:
    """A server that fails is asked once more, and then believed."""
    stage = stages(name, Turn("One."))
    stage.fake.manners.refusals.append(500)
    assert stage.ask().text == "One."
    stage.fake.manners.refusals.extend((500, 503))
    failure = stage.failed(stage.ask())
    assert failure.retryable
    assert failure.code == 503
    assert "503" in str(failure)
    assert len(stage.fake.replies) == 4


@each
def test_too_much(name: str, stages: Any) -> None:
    """A limit is waited for when that is short; else another vendor is quicker."""
    stage = stages(name, Turn("One."))
    stage.fake.manners.refusals.append(429)
    stage.fake.manners.retry_after = "1.5"
    outcome = stage.ask()
    assert outcome.text == "One."
    assert outcome.said[0][0] >= 1.5
    for retry_after, told in (("30", 30.0), ("", None)):
        stage.fake.manners.refusals.append(429)
        stage.fake.manners.retry_after = retry_after
        failure = stage.failed(stage.ask())
        assert (failure.code, failure.retryable, failure.retry_after) == (429, True, told)
    assert len(stage.fake.replies) == 4


@each
@pytest.mark.parametrize("status", [403, 404])
def test_refused(name: str, status: int, stages: Any) -> None:
    """What another moment does not change is not asked for again."""
    stage = stages(name)
    stage.fake.manners.refusals.append(status)
    failure = stage.failed(stage.ask())
    assert not failure.retryable
    assert failure.code == status
    assert len(stage.fake.replies) == 1


@each
@pytest.mark.parametrize("trouble", [Trouble.ERROR_FIRST, Trouble.GARBAGE, Trouble.EMPTY])
def test_failed_before_the_first_word(name: str, trouble: Trouble, stages: Any) -> None:
    """An error, garbage or nothing with a status of 200: once more, and then it is believed."""
    stage = stages(name, Turn("One.", trouble=trouble), Turn("Two."))
    assert stage.ask().text == "Two."
    stage.fake.turns.extend([Turn("One.", trouble=trouble)] * 2)
    failure = stage.failed(outcome := stage.ask())
    assert failure.retryable
    assert stage.provider.vendor in str(failure)
    assert not outcome.said
    assert len(stage.fake.replies) == 4


@each
@pytest.mark.parametrize("trouble", [Trouble.ERROR, Trouble.CUT, Trouble.HALF])
def test_failed_in_the_middle(name: str, trouble: Trouble, stages: Any) -> None:
    """What was said cannot be said once more."""
    stage = stages(name, Turn("One two three four.", trouble=trouble))
    failure = stage.failed(outcome := stage.ask())
    assert failure.retryable
    assert outcome.text == "One two"
    assert len(stage.fake.replies) == 1


@each
def test_withheld(name: str, stages: Any) -> None:
    """A filter took the answer away: the model's failure, and not to be tried again."""
    stage = stages(name, Turn("One.", trouble=Trouble.WITHHELD))
    assert not stage.failed(stage.ask()).retryable


@each
def test_half_a_tool_call(name: str, stages: Any) -> None:
    """A call whose arguments were cut off is none."""
    if name in ("ollama", "openai-compatible"):
        return  # its calls come whole
    stage = stages(name, Turn(calls=(BOOK,), trouble=Trouble.CUT_SHORT), Turn("I will."))
    outcome = stage.ask(tools=TOOLS)
    assert outcome.failure is not None or outcome.text == "I will."


@each
def test_nobody_there(name: str, stages: Any) -> None:
    """Nothing listens, or nobody answers."""
    stage = stages(name)
    hosts = {host.replace("*", "house") for host in stage.fake.hosts}
    stage.net.down |= hosts
    assert stage.failed(stage.ask()).retryable
    stage.net.down.clear()
    stage.net.unanswering |= hosts
    outcome = stage.ask(at_once=True)
    stage.run(2 * FIRST_TOKEN_WITHIN)
    assert stage.failed(outcome).retryable
    assert not outcome.said


@each
def test_without_end(name: str, stages: Any) -> None:
    """A model that goes on and on is cut off."""
    stage = stages(name, Turn("word" * 15_000 + " word" * 2_000, between=0))
    outcome = stage.ask(at_once=True)
    for _ in range(30):
        stage.clock.advance(0.05)
    failure = stage.failed(outcome)
    assert not failure.retryable
    assert len(outcome.text) <= LONGEST
