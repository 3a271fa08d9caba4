"""What an agent behind a WebSocket is told, when, and what of its answers counts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rapida_tw.models.agent_line import out_of_turn
from rapida_tw.models.base import Completion, Message, Tool
from rapida_tw.models.websocket_agent import VENDOR
from rapida_tw.sim.vendors.answering import Called, Trouble, Turn
from tests.contracts.agent_stage import AgentStage
from tests.contracts.models import HELLO, TOOLS

GREETED = [Message("system", "Be brief."), Message("assistant", "Welcome!")]
MORE = Message("user", "And on Sunday?")


@pytest.fixture
def stage() -> Iterator[AgentStage]:
    one = AgentStage(metadata='{"shop": 7}', assistant_id="12")
    yield one
    one.close()


def _said(completion: Completion | None) -> Message:
    assert completion is not None
    return Message("assistant", completion.text, completion.tool_calls)


def test_configuration(stage: AgentStage) -> None:
    """It comes first: who is called, the prompt, the tools, and what was said before."""
    stage.ask([*GREETED, Message("user", "Hello.")], TOOLS[:1])
    (kind, data), (second, question) = stage.session.messages
    assert (kind, second) == ("configuration", "user_message")
    assert 0 <= data.pop("conversation_id") < 2**53
    assert data == {
        "assistant_id": 12,
        "metadata": {"shop": 7},
        "prompt": "Be brief.",
        "tools": [
            {
                "name": "book",
                "description": "Book a table.",
                "parameters": dict(TOOLS[0].parameters),
            }
        ],
        "history": [{"role": "assistant", "content": "Welcome!"}],
    }
    assert question == {"id": "turn-1", "content": "Hello."}


def test_prepared(stage: AgentStage) -> None:
    """A call that was announced has its connection before the first turn."""
    stage.model.prepare()
    stage.model.prepare()
    stage.run(0.1)
    assert not stage.session.messages
    stage.ask()
    assert len(stage.fake.asked) == 1


def test_prepared_in_vain(stage: AgentStage) -> None:
    """That nobody was there when the call was announced is no failure yet."""
    stage.net.down.add("agent.example")
    stage.model.prepare()
    stage.run(0.1)
    stage.net.down.clear()
    assert stage.ask().text == "I see."


def test_told_once(stage: AgentStage) -> None:
    """The second turn is only what is new; the agent remembers the rest."""
    first = stage.ask(HELLO, TOOLS)
    history = [*HELLO, _said(first.completion), MORE]
    stage.ask(history, TOOLS)
    assert len(stage.session.told("configuration")) == 1
    assert stage.session.told("user_message")[1] == {"id": "turn-2", "content": MORE.text}


def test_what_the_house_said(stage: AgentStage) -> None:
    """Idle messages, further instructions and keys between two turns come with the next one."""
    first = stage.ask()
    between = [
        Message("assistant", "Are you there?"),
        Message("system", "He is a friend."),
        Message("user", "12"),
    ]
    stage.ask([*HELLO, _said(first.completion), MORE, *between])
    assert stage.session.told("user_message")[1] == {
        "id": "turn-2",
        "content": f"{MORE.text}\n12",
        "said": ["Are you there?"],
        "instructions": "He is a friend.",
    }


def test_new_tools(stage: AgentStage) -> None:
    """Tools that became known meanwhile are told with the next turn."""
    first = stage.ask(HELLO, TOOLS[:1])
    stage.ask([*HELLO, _said(first.completion), MORE], TOOLS[1:])
    (told,) = [one["tools"] for one in stage.session.told("user_message") if "tools" in one]
    assert [one["name"] for one in told] == ["end_call", "look"]


@pytest.mark.parametrize(
    ("heard", "told"),
    [("One two", "One two"), ("", ""), (None, None)],
    ids=["a part", "nothing", "all"],
)
def test_heard(stage: AgentStage, heard: str | None, told: str | None) -> None:
    """Of an answer that was whole, but interrupted while it was spoken."""
    stage.fake.turns.append(Turn("One two three."))
    completion = stage.ask().completion
    own = [_said(completion)] if heard is None else []
    if heard:
        own = [Message("assistant", heard, interrupted=True)]
    stage.ask([*HELLO, *own, MORE])
    assert stage.session.told("user_message")[1].get("heard") == told


def test_heard_of_half_an_answer(stage: AgentStage) -> None:
    """The agent stops at once, and is told later how much of it was heard."""
    stage.fake.turns.append(Turn("One two three four.", between=0.2))
    outcome = stage.ask(at_once=True)
    stage.run(0.5)
    outcome.deferred.cancel()
    stage.ask([*HELLO, Message("assistant", "One", interrupted=True), MORE])
    assert [kind for kind, _ in stage.session.messages][1:] == [
        *("user_message", "interruption", "user_message")
    ]
    assert stage.session.messages[-1][1]["heard"] == "One"


def test_late_words(stage: AgentStage) -> None:
    """What belongs to an answer that was interrupted is not heard in the next one."""
    stage.fake.turns.extend((Turn("One two three four.", between=0.2), Turn("Five.")))
    outcome = stage.ask(at_once=True)
    stage.run(0.3)
    outcome.deferred.cancel()
    before = out_of_turn.value(VENDOR)
    second = stage.ask([*HELLO, MORE], at_once=True)
    stage.run(0.1)
    stage.session.say("stream", id="turn-1", content="six")
    stage.session.say("complete", id="turn-1", content="six")
    stage.run(0.5)
    assert second.completion == Completion("Five.", usage={"output": 1})
    assert out_of_turn.value(VENDOR) == before + 2


@pytest.mark.parametrize("kind", ["stream", "complete", "error"])
def test_out_of_turn(stage: AgentStage, kind: str) -> None:
    """An agent cannot speak unasked: it is counted, and nothing else comes of it."""
    stage.ask()
    before = out_of_turn.value(VENDOR)
    stage.session.say(kind, content="Buy now!", message="Buy now!")
    stage.run(0.1)
    assert out_of_turn.value(VENDOR) == before + 1
    assert not stage.session.gone
    assert stage.ask().text == "I see."


def test_without_id(stage: AgentStage) -> None:
    """A simple agent need not repeat the id."""
    stage.fake.turns.append(Turn("One.", trouble=Trouble.UNANSWERED))
    outcome = stage.ask(at_once=True)
    stage.run(0.1)
    stage.session.say("stream", content="Two")
    stage.session.say("complete", content="Two")
    stage.run(0.1)
    assert outcome.completion == Completion("Two")


def test_only_complete(stage: AgentStage) -> None:
    """An agent that does not stream is heard all the same."""
    stage.fake.turns.append(Turn(trouble=Trouble.UNANSWERED))
    outcome = stage.ask(at_once=True)
    stage.run(0.1)
    stage.session.say("complete", id="turn-1", content="Two.")
    stage.run(0.1)
    assert outcome.text == "Two."


@pytest.mark.parametrize(
    ("wanted", "used"),
    [("disconnect", "end_call"), ("hangup", "end_call"), ("end_call", "end_call")],
)
def test_rapida_names(stage: AgentStage, wanted: str, used: str) -> None:
    """Rapida's names of actions mean our tools."""
    stage.fake.turns.append(Turn("Bye.", (Called(wanted),)))
    (call,) = stage.ask(tools=TOOLS).completion.tool_calls  # type: ignore[union-attr]
    assert call.name == used


def test_tools_alone(stage: AgentStage) -> None:
    """An agent that waits for a result without saying that it does gets it."""
    stage.fake.turns.append(Turn(trouble=Trouble.UNANSWERED))
    outcome = stage.ask(tools=TOOLS, at_once=True)
    stage.run(0.1)
    stage.session.say("tool_call", id="turn-1", name="look")
    stage.run(0.2)
    assert outcome.completion is None
    stage.run(0.2)
    assert outcome.completion is not None
    assert [one.name for one in outcome.completion.tool_calls] == ["look"]


def test_interrupted_tool(stage: AgentStage) -> None:
    """The result of a tool that the caller did not wait for comes with his words."""
    stage.fake.turns.append(Turn("A moment.", (Called("look"),)))
    completion = stage.ask(tools=TOOLS).completion
    assert completion is not None
    result = Message("tool", "not JSON", tool_call_id=completion.tool_calls[0].id)
    stage.ask([*HELLO, _said(completion), result, MORE], TOOLS)
    assert not stage.session.told("tool_result")
    assert stage.session.told("user_message")[1]["results"] == [
        {"tool_id": completion.tool_calls[0].id, "name": "look", "result": "not JSON"}
    ]


def test_reconnected(stage: AgentStage) -> None:
    """An agent whose connection was lost between two turns is told everything again."""
    completion = stage.ask().completion
    stage.session.line.close(1001, "restarting")
    stage.run(0.1)
    stage.ask([*HELLO, _said(completion), MORE])
    old, new = stage.fake.sessions
    told = [one.told("configuration")[0] for one in (old, new)]
    assert told[0]["conversation_id"] == told[1]["conversation_id"]
    assert [one["content"] for one in told[1]["history"]] == ["Good day.", "I see."]
    assert new.told("user_message") == [{"id": "turn-2", "content": MORE.text}]


def test_lost_in_a_tool(stage: AgentStage) -> None:
    """The result of a tool is told to another connection, too."""
    stage.fake.turns.extend((Turn("A moment.", (Called("look"),)), Turn("Done.")))
    completion = stage.ask(tools=TOOLS).completion
    assert completion is not None
    stage.session.line.drop()
    stage.run(0.1)
    result = Message("tool", "{}", tool_call_id=completion.tool_calls[0].id)
    assert stage.ask([*HELLO, _said(completion), result], TOOLS).text == "Done."
    assert stage.session.told("configuration")[0]["history"][-1]["tool_calls"]
    (result_told,) = stage.session.told("tool_result")
    assert (result_told["name"], result_told["id"]) == ("look", "turn-1")


@pytest.mark.parametrize("code", [1008, 4401])
def test_shown_the_door(stage: AgentStage, code: int) -> None:
    """A close code that says "never" is believed."""
    stage.fake.turns.append(Turn(trouble=Trouble.UNANSWERED))
    outcome = stage.ask(at_once=True)
    stage.run(0.1)
    stage.session.line.close(code, "no such shop")
    stage.run(0.1)
    failure = stage.failed(outcome)
    assert not failure.retryable
    assert "no such shop" in str(failure)
    assert len(stage.fake.asked) == 1


def test_ping(stage: AgentStage) -> None:
    """A ping is answered, also between turns."""
    stage.ask()
    stage.session.say("ping")
    stage.run(0.1)
    assert stage.session.messages[-1][0] == "pong"


def test_garbage_between_turns(stage: AgentStage) -> None:
    """The connection is of no use any more; the next turn has another one."""
    stage.ask()
    stage.session.line.send("hello?")
    stage.run(0.1)
    assert stage.session.gone
    assert stage.ask().text == "I see."
    assert len(stage.fake.sessions) == 2


@pytest.mark.parametrize("kind", ["close", "tool_call"])
def test_leaves_between_turns(stage: AgentStage, kind: str) -> None:
    """Who hangs up when nothing is being said ends the call at the caller's next words."""
    stage.ask(tools=TOOLS)
    stage.session.say(kind, name="disconnect", reason="done")
    stage.run(0.1)
    completion = stage.ask([*HELLO, MORE], TOOLS).completion
    assert completion is not None
    assert [one.name for one in completion.tool_calls] == ["end_call"]
    assert len(stage.session.told("user_message")) == 1


def test_leaves(stage: AgentStage) -> None:
    """Who closes the conversation behind his last word ends the call."""
    stage.fake.turns.append(Turn(trouble=Trouble.UNANSWERED))
    outcome = stage.ask(tools=TOOLS, at_once=True)
    stage.run(0.1)
    stage.session.say("stream", id="turn-1", content="Bye.")
    stage.session.say("close", reason="done")
    stage.run(0.5)
    assert outcome.completion is not None
    assert [one.name for one in outcome.completion.tool_calls] == ["end_call"]


def test_leaves_where_it_may_not(stage: AgentStage) -> None:
    """An assistant without that tool has failed instead."""
    stage.ask()
    stage.session.say("close")
    stage.run(0.1)
    failure = stage.failed(stage.ask([*HELLO, MORE], [Tool("look", "Look.")]))
    assert not failure.retryable


def test_first_word_within() -> None:
    """Who knows that his agent is quick, or slow, says so."""
    stage = AgentStage(Turn("One.", first_after=3.0), first_word_within=2)
    outcome = stage.ask(at_once=True)
    stage.run(2.1)
    assert "said nothing for 2 s" in str(stage.failed(outcome))
    stage.close()
