"""The way between carrier and server misbehaves, from a seed; the call goes on as it can."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rapida_tw.sim.faults import Faults
from rapida_tw.sim.weather import Weather
from rapida_tw.simulation import Simulation
from tests.simulation.conftest import Story
from tests.simulation.transports import EVERY, SOCKETS, Slack

GREETING = "Hello. How can I help you today?"
ANSWER = "We open at nine and close at ten."
REPLIES = [["hours", ANSWER]]
A_LETTER = 0.06  # seconds of the scripted voice

FAULTS = {
    "every tenth packet lost": Faults(lose_every=10),
    "half a second late": Faults(delay=0.5),
    "control behind sound": Faults(swap=True),
    "torn": Faults(cut=lambda data: (data[:5], data[5:9], data[9:])),
    "all at once": Faults(
        lose_every=7, delay=0.1, swap=True, cut=lambda data: (data[:1], data[1:])
    ),
}
WEATHERS: dict[str, Callable[[], Weather]] = {
    "far away": lambda: Weather(1, latency=0.15),
    "jitter": lambda: Weather(2, latency=0.03, jitter=0.06),
    "loss": lambda: Weather(3, latency=0.03, jitter=0.01, loss=0.01),
}


def talk(sim: Simulation) -> None:
    """A question, an interruption by a key, and the caller's hang-up."""
    sim.says("what are your hours", at=4.0, lasting=1.2)
    sim.presses("7", at=10.0)
    sim.says("hours", at=13.0, lasting=0.9)
    sim.hangs_up(at=20.0)
    sim.run(until=24.0)
    assert sim.dialogue == [
        ("assistant", GREETING),
        ("user", "what are your hours"),
        ("assistant", ANSWER),
        ("user", "7"),
        ("assistant", "Pardon?"),
        ("user", "hours"),
        ("assistant", ANSWER),
    ]
    assert str(sim.caller.ending) == "caller_hung_up"
    assert sim.metrics["call.disconnected_by"] == "user"
    assert sim.metrics["call.status"] == "completed"


@pytest.mark.parametrize("transport", SOCKETS)
@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_faults(story: Story, faults: Faults, transport: str) -> None:
    """What the carrier sends is lost, late, torn or in another order; its caller is understood."""
    sim = story(greeting=GREETING, replies=REPLIES)
    # From behind the start, which no TCP lets sound overtake.
    sim.caller.does(lambda: sim.line.misbehave(faults), at=0.2)
    talk(sim)
    # The way from the server to the carrier is good: each answer is heard whole.
    lengths = [sound.lasting for sound in sim.caller.heard]
    expected = [len(text) * A_LETTER for text in (GREETING, ANSWER, "Pardon?", ANSWER)]
    assert lengths == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize("transport", EVERY)
@pytest.mark.parametrize("weather", WEATHERS.values(), ids=WEATHERS)
def test_weather(
    story: Story, slack: Slack, weather: Callable[[], Weather], transport: str
) -> None:
    """Both ways are slow, uneven and lossy."""
    sim = story(greeting=GREETING, replies=REPLIES, weather=weather())
    talk(sim)
    heard = sum(sound.lasting for sound in sim.caller.heard)
    spoken = sum(map(len, (GREETING, ANSWER, "Pardon?", ANSWER))) * A_LETTER
    assert abs(heard - spoken) < 0.5


@pytest.mark.parametrize("transport", EVERY)
def test_bursts(story: Story, slack: Slack) -> None:
    """The caller's side comes in bursts of 200 ms each: everything is understood, a bit later."""
    sim = story(greeting=GREETING, replies=REPLIES)

    def burst() -> None:
        sim.line.unstall()
        sim.line.stall()

    for number in range(5, 100):
        sim.caller.does(burst, at=number / 5)
    sim.caller.does(lambda: sim.line.unstall(), at=19.9)
    talk(sim)


@pytest.mark.parametrize("transport", SOCKETS)
def test_without_tls(story: Story, slack: Slack) -> None:
    """Over ws instead of wss it is the same."""
    talk(story(greeting=GREETING, replies=REPLIES, scheme="http"))
