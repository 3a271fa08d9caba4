"""Whole calls with models that hear and speak by themselves, over a carrier and over AudioSocket.

The vendors are fakes that find the caller's turns in the sound that really reaches them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from rapida_tw.sim.vendors.delivery import Trouble
from rapida_tw.sim.vendors.gemini_live import GeminiLive
from rapida_tw.sim.vendors.openai_realtime import OpenAIRealtime
from rapida_tw.sim.vendors.speaking import CELL
from rapida_tw.simulation import Simulation
from rapida_tw.store.records import VendorChoice
from tests.simulation.conftest import Story
from tests.simulation.transports import Slack

FAKES: dict[str, Callable[..., Any]] = {
    "openai-realtime": OpenAIRealtime,
    "gemini-live": GeminiLive,
}
GREETING = "Hello. How can I help you?"
LONG = "One two three four five six seven eight nine ten eleven twelve."
ANSWERS = [
    ["hours", "We open at nine."],
    ["count", LONG],
    ["bye", {"say": "Goodbye.", "calls": [{"name": "end_call"}]}],
    ["pressed 1 2", "You pressed twelve."],
    ["card", {"say": "Your number please.", "calls": [{"name": "collect_digits"}]}],
    ['"digits": "42"', "Thank you."],
]
KEY = "a-key-of-a-test"

Live = Callable[..., "tuple[Simulation, Any]"]

pytestmark = [
    pytest.mark.parametrize("transport", ["audiosocket", "twilio"]),
    pytest.mark.parametrize("vendor", sorted(FAKES)),
]


@pytest.fixture
def live(story: Story, vendor: str) -> Live:
    """Makes a story of a live model, and its vendor's fake."""

    def make(*script: str, greeting: str = GREETING, key: str = KEY, **options: Any) -> Any:
        fake = FAKES[vendor](script, ANSWERS, KEY)
        sim = story(
            greeting=greeting,
            model={},
            model_vendor=vendor,
            model_key=key,
            vendors=[fake],
            **options,
        )
        return sim, fake

    return make


def lasting(text: str) -> float:
    """Seconds of sound."""
    return len(text) * CELL


def said(sim: Simulation, role: str) -> Sequence[str]:
    return [text for who, text in sim.dialogue if who == role]


def test_greeting(live: Live, slack: Slack) -> None:
    """The caller hears the greeting in the model's voice, all of it."""
    sim, _ = live()
    sim.run(until=5.0)
    assert sim.dialogue == [("assistant", GREETING)]
    assert sim.caller.heard[0].start < 0.5 + slack.plays + slack.starts
    length = sim.caller.heard[-1].end - sim.caller.heard[0].start
    assert abs(length - lasting(GREETING)) < 0.1


def test_question_and_answer(live: Live) -> None:
    """A question is answered, and the latency is what the caller's ear measures."""
    sim, _ = live("what are your hours")
    sim.says("what are your hours", at=4.0, lasting=1.2)
    sim.run(until=10.0)
    assert sim.dialogue == [
        ("assistant", GREETING),
        ("user", "what are your hours"),
        ("assistant", "We open at nine."),
    ]
    measured = sim.caller.turns[0].latency
    assert measured is not None
    # Our ear takes the last voiced frame, the caller's takes the last sound.
    assert abs(sim.latencies[0]["total"] - measured) < 0.12
    assert 0.7 < measured < 1.3


def test_interruption(live: Live, slack: Slack) -> None:
    """The caller's voice silences the model within a moment; what was heard is what is known."""
    sim, fake = live("count please", "hours")
    sim.says("count please", at=4.0, lasting=0.8)
    sim.says("hours", at=7.5, lasting=0.8)
    sim.run(until=13.0)
    assert "turn.interrupted" in sim.events
    cut = sim.dialogue[2][1]
    assert LONG.startswith(cut)
    assert 5 < len(cut) < 50
    assert sim.dialogue[-2:] == [("user", "hours"), ("assistant", "We open at nine.")]
    silent = max(sound.end for sound in sim.caller.heard if sound.start < 7.5)
    assert silent < 7.5 + 0.2 + slack.clears
    if isinstance(fake, OpenAIRealtime):
        session = fake.sessions[0]
        ((_, milliseconds),) = session.truncated
        began = min(sound.start for sound in sim.caller.heard if sound.start > 4.0)
        assert abs(milliseconds / 1000 - (silent - began)) < 0.15
        assert session.errors == []


def test_goodbye(live: Live) -> None:
    """The model ends the call when its goodbye was heard."""
    sim, _ = live("bye")
    sim.says("bye", at=4.0, lasting=0.6)
    sim.run(until=12.0)
    assert sim.dialogue[-1] == ("assistant", "Goodbye.")
    assert sim.caller.ending is not None
    assert sim.metrics["call.disconnected_by"] == "assistant"
    assert sim.caller.heard[-1].end < (sim.caller.ended_at or 0.0)


def test_keys(live: Live) -> None:
    """Pressed keys are answered."""
    sim, _ = live()
    sim.presses("12", at=4.0)
    sim.run(until=12.0)
    assert sim.dialogue[1:] == [("user", "12"), ("assistant", "You pressed twelve.")]


def test_collected_digits(live: Live) -> None:
    """A tool that waits for keys gets them, and the model their result."""
    sim, _ = live("my card")
    sim.says("my card", at=4.0, lasting=0.8)
    sim.presses("42#", at=8.0)
    sim.run(until=14.0)
    assert said(sim, "assistant")[1:] == ["Your number please.", "Thank you."]
    assert said(sim, "user") == ["my card"]


def test_idle(live: Live) -> None:
    """A silent caller is asked, then given up."""
    sim, _ = live(idle_timeout=2.0, idle_timeout_retries=1)
    sim.run(until=14.0)
    assert said(sim, "assistant") == [GREETING, "Are you there?"]
    assert sim.caller.ending is not None
    ended = next(entry for entry in sim.entries if entry.name == "call.ended")
    assert ended.data["reason"] == "idle_timeout"


def test_protected_greeting(live: Live) -> None:
    """A greeting that must not be interrupted is heard whole; what was said then is answered."""
    sim, _ = live("what are your hours", greeting_interruptible=False)
    sim.says("what are your hours", at=0.8, lasting=0.9)
    sim.run(until=8.0)
    assert sim.dialogue == [
        ("assistant", GREETING),
        ("user", "what are your hours"),
        ("assistant", "We open at nine."),
    ]
    assert "turn.interrupted" not in sim.events


def test_lost_connection(live: Live) -> None:
    """A connection that is cut in a reply is replaced; the call goes on."""
    sim, fake = live("count please", "hours")
    fake.manners.troubles.extend((None, Trouble.DROP_MIDWAY))
    sim.says("count please", at=4.0, lasting=0.8)
    sim.says("hours", at=14.0, lasting=0.8)
    sim.run(until=20.0)
    assert len(fake.sessions) == 2
    assert "model.line_back" in sim.events
    assert sim.dialogue[-2:] == [("user", "hours"), ("assistant", "We open at nine.")]


def test_wrong_key(live: Live) -> None:
    """A key that is refused ends the call with its reason, in the deployment's voice if it can."""
    sim, _ = live(key="another-key-0815", tts=VendorChoice("virtual"), error_message="Sorry.")
    sim.run(until=10.0)
    assert said(sim, "assistant") == ["Sorry."]
    failed = next(entry for entry in sim.entries if entry.name == "call.failed")
    assert failed.data["reason"] == "provider_failed"
    assert "key" in failed.data["detail"].lower()
    assert "0815" not in str(sim.entries)


def test_no_voice_left(live: Live) -> None:
    """Without another voice the call ends at once, with its reason."""
    sim, _ = live(key="another-key-0815")
    sim.run(until=3.0)
    assert said(sim, "assistant") == []
    failed = next(entry for entry in sim.entries if entry.name == "call.failed")
    assert failed.data["reason"] == "provider_failed"


def test_hangs_up_in_a_reply(live: Live) -> None:
    """A caller who hangs up in the middle leaves nothing; what was heard by then is kept."""
    sim, _ = live("count please")
    sim.says("count please", at=4.0, lasting=0.8)
    sim.hangs_up(at=7.0)
    sim.run(until=9.0)
    assert LONG.startswith(sim.dialogue[-1][1])
    assert sim.dialogue[-1][1] != LONG
