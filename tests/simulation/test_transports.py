"""The same stories over every transport: the caller hears the same, whoever carries it."""

from __future__ import annotations

import json

import pytest

from rapida_tw.simulation import Simulation
from rapida_tw.simulation.transports import SIP
from tests.simulation.conftest import Story
from tests.simulation.models import Step, StepModel
from tests.simulation.transports import BEAT, EVERY, SOCKETS, Slack

pytestmark = pytest.mark.parametrize("transport", EVERY)

A_LETTER = 0.06  # seconds: how long the scripted voice hums for each
GREETING = "Hello. How can I help you today?"
ANSWER = "We open at nine and close at ten."
SENTENCES = ("One two three four five.", "Six seven eight nine ten.", "Eleven twelve thirteen.")
LONG = " ".join(SENTENCES)
# Of a call that the caller ended, by carrier or transport; the others tell nothing.
REPORTED = {
    "twilio": ["stream.started", "stream.stopped"],
    "vonage": ["stream.answered", "status.answered", "stream.completed", "status.completed"],
    "exotel": ["stream.cancelled", "status.completed"],
    "plivo": ["stream.started", "stream.stopped"],
    "telnyx": ["stream.started", "stream.stopped"],
    "asterisk-ulaw": ["status.answer"],
}
REPLIES = [["hours", ANSWER], ["count", LONG], ["bye", "Goodbye."]]


def lasting(*sentences: str) -> float:
    """Seconds of sound; an answer is said sentence by sentence, a fixed text in one go."""
    return sum(map(len, sentences)) * A_LETTER


def near(seconds: float, expected: float, by: float = 0.03) -> bool:
    return abs(seconds - expected) < by


def ended(sim: Simulation) -> tuple[str, str]:
    return sim.metrics["call.status"], sim.metrics["call.disconnected_by"]


def test_greeting(story: Story, slack: Slack) -> None:
    """The caller hears the greeting at once, all of it."""
    sim = story(greeting=GREETING)
    sim.run(until=4.0)
    (sound,) = sim.caller.heard
    assert sound.start < 0.05 + slack.plays + slack.starts
    assert near(sound.lasting, lasting(GREETING))
    assert sim.dialogue == [("assistant", GREETING)]


def test_question_and_answer(story: Story, slack: Slack) -> None:
    """A question is answered, once, and the latency is what the caller's ear measures."""
    sim = story(greeting=GREETING, replies=REPLIES)
    sim.says("what are your hours", at=3.0, lasting=1.2)
    sim.run(until=9.0)
    assert sim.dialogue[1:] == [("user", "what are your hours"), ("assistant", ANSWER)]
    _, answer = sim.caller.heard
    assert near(answer.lasting, lasting(ANSWER))
    measured = sim.caller.turns[0].latency
    assert measured is not None
    assert near(measured, sim.latencies[0]["total"], 0.04 + slack.hears + slack.plays)


def test_word(story: Story, slack: Slack) -> None:
    """A word cuts the reply off; history keeps what was heard of it, and the answer follows."""
    sim = story(greeting=GREETING, replies=REPLIES)
    sim.says("count please", at=3.0, lasting=0.8)
    sim.says("hours", at=6.0, lasting=0.9)
    sim.run(until=12.0)
    reply = sim.caller.heard[1]
    assert reply.end < 6.0 + 0.15 + slack.hears + slack.clears
    cut = sim.dialogue[2][1]
    assert LONG.startswith(cut)
    # The words that were heard to their end, and no others.
    assert 0 <= reply.lasting - lasting(cut) < lasting(" three ") + slack.clears
    assert "turn.interrupted" in sim.events
    assert sim.dialogue[-1] == ("assistant", ANSWER)
    assert near(sim.caller.heard[2].lasting, lasting(ANSWER))


def test_cough(story: Story, slack: Slack) -> None:
    """A cough pauses the reply for a moment; it goes on where it was, and no word is lost."""
    sim = story(greeting=GREETING, replies=REPLIES)
    sim.says("count please", at=3.0, lasting=0.8)
    sim.coughs(at=6.0)
    sim.run(until=14.0)
    before, after = sim.caller.heard[1:3]
    assert before.end < 6.15 + slack.hears + slack.clears
    assert after.start - before.end < 0.6
    assert near(before.lasting + after.lasting, lasting(*SENTENCES), 0.05 + slack.clears)
    assert sim.dialogue[-1] == ("assistant", LONG)
    assert "turn.interrupted" not in sim.events


def test_digits(story: Story, slack: Slack) -> None:
    """Keys come through one by one, in their order."""
    model = StepModel(
        Step("Your number please.", (("collect_digits", {"count": 4}),)), Step("Thanks.")
    )
    sim = story(model_provider=model)
    model.clock = sim.clock
    sim.says("please", at=0.5, lasting=0.5)
    sim.presses("12*4", at=5.0)
    sim.run(until=9.0)
    assert [entry.data["digit"] for entry in sim.entries if entry.name == "dtmf"] == list("12*4")
    assert json.loads(model.asked[1][-1].text) == {"digits": "12*4"}
    assert sim.dialogue[-1] == ("assistant", "Thanks.")


def test_key_interrupts(story: Story, slack: Slack) -> None:
    """A pressed key silences the assistant at once."""
    sim = story(greeting=GREETING, replies=REPLIES)
    sim.presses("7", at=0.5)
    sim.run(until=6.0)
    # The answer follows without a pause.
    assert sim.caller.heard[0].end < 0.6 + lasting("Pardon?") + slack.clears
    assert sim.dialogue[1:] == [("user", "7"), ("assistant", "Pardon?")]


def test_caller_hangs_up(story: Story, slack: Slack) -> None:
    """The caller's hang-up ends the call at once, whatever is being said."""
    sim = story(greeting=GREETING)
    sim.hangs_up(at=1.0)
    sim.run(until=2.0)
    assert ended(sim) == ("completed", "user")
    assert near(float(sim.metrics["call.duration"]), 1.0 - slack.starts, 0.001)
    assert sim.events.count("call.ended") == 1
    assert str(sim.caller.ending) == "caller_hung_up"


def test_reported(story: Story, slack: Slack, transport: str) -> None:
    """What the carrier reports of the call's end is in the call's own history."""
    sim = story(greeting=GREETING)
    sim.hangs_up(at=1.0)
    sim.run(until=3.0)
    reported = [name for name in sim.events if name.startswith(("status.", "stream."))]
    assert reported == REPORTED.get(transport.partition("-")[0], REPORTED.get(transport, []))


def test_last_word(story: Story, slack: Slack) -> None:
    """The assistant hangs up when its goodbye has been heard to the end, and not before."""
    goodbye = ("Thank you for calling us today.", "Goodbye.")
    model = StepModel(Step(" ".join(goodbye), (("end_call", {}),)))
    sim = story(model_provider=model)
    model.clock = sim.clock
    sim.says("please", at=0.5, lasting=0.5)
    sim.run(until=8.0)
    (sound,) = sim.caller.heard
    assert near(sound.lasting, lasting(*goodbye))
    assert sim.caller.ended_at is not None
    assert sim.caller.ended_at < sound.end + 0.3 + slack.plays + slack.clears
    assert str(sim.caller.ending) == "server_hung_up"
    assert ended(sim) == ("completed", "assistant")


def test_idle(story: Story, slack: Slack) -> None:
    """A silent caller is asked twice, then the call ends; the last question is heard whole."""
    sim = story(greeting=GREETING, idle_timeout=3.0)
    sim.run(until=20.0)
    assert [text for _, text in sim.dialogue[1:]] == ["Are you there?"] * 2
    assert [near(sound.lasting, lasting("Are you there?")) for sound in sim.caller.heard[1:]] == [
        True,
        True,
    ]
    assert ended(sim) == ("completed", "system")
    assert str(sim.caller.ending) == "server_hung_up"


def test_longest_call(story: Story, slack: Slack) -> None:
    """The call ends after its maximum duration, in mid-word if need be."""
    sim = story(greeting=GREETING, max_call_duration=1.0)
    sim.run(until=5.0)
    assert sim.metrics["call.duration"] == "1.000"
    assert sim.caller.heard_until < 1.0 + 2 * BEAT + slack.plays + slack.starts
    assert str(sim.caller.ending) == "server_hung_up"


def test_stall_and_return(story: Story, slack: Slack) -> None:
    """A network that was away for three seconds delivers late; the call goes on as ever."""
    sim = story(greeting=GREETING, replies=REPLIES)
    sim.caller.does(lambda: sim.line.stall(), at=2.5)
    sim.says("hours", at=4.0)
    sim.caller.does(lambda: sim.line.unstall(), at=5.5)
    sim.says("count please", at=10.0)
    sim.run(until=17.0)
    assert [text for who, text in sim.dialogue if who == "user"] == ["hours", "count please"]
    assert [text for who, text in sim.dialogue if who == "assistant"] == [GREETING, ANSWER, LONG]
    assert near(sim.caller.heard[-1].lasting, lasting(*SENTENCES))


def test_reset(story: Story, slack: Slack, transport: str) -> None:
    """A connection that is torn down is the caller's hang-up; SIP has none."""
    if transport in SIP:
        return
    sim = story(greeting=GREETING)
    sim.caller.does(lambda: sim.line.reset(), at=1.0)
    sim.run(until=2.0)
    assert ended(sim) == ("completed", "user")


def test_silent_phone(story: Story, slack: Slack) -> None:
    """A phone that sends nothing while its owner is silent is heard as silence."""
    sim = story(greeting=GREETING, replies=REPLIES)
    sim.caller._sends_silence = False
    sim.says("hours", at=4.0, lasting=1.0)
    sim.run(until=10.0)
    assert sim.dialogue[-1] == ("assistant", ANSWER)


def test_complaints(story: Story, slack: Slack, transport: str) -> None:
    """Nothing that was sent in a whole dialogue made the carrier complain."""
    if transport not in SOCKETS:
        return
    sim = story(greeting=GREETING, replies=REPLIES)
    sim.says("count please", at=1.0, lasting=0.8)
    sim.coughs(at=4.0)
    sim.says("hours", at=6.0, lasting=0.9)
    sim.presses("7", at=9.0)
    sim.run(until=14.0)
    assert sim.line.complaints == {}
    assert sim.line.dialect.clears >= 2
    assert sim.line.pings == 0
