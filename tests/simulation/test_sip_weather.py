"""Stories of a SIP call on a bad line: loss, jitter, reordering, drift, new sources, strangers."""

from __future__ import annotations

import struct
from functools import partial
from typing import Any

import pytest

from rapida_tw.sim.datagrams import Storm
from rapida_tw.sim.sip_manner import SipManner
from rapida_tw.simulation import Simulation
from rapida_tw.simulation.sip import HOST
from tests.simulation.conftest import Story

pytestmark = pytest.mark.parametrize("transport", ["sip"])

GREETING = "Hello. How can I help you today?"
ANSWER = "We open at nine and close at ten."
LONG = "One two three four five. Six seven eight nine ten. Eleven twelve thirteen."
REPLIES = [["hours", ANSWER], ["count", LONG]]
A_LETTER = 0.06  # seconds of the scripted voice

WEATHERS = {
    "5 % lost": {"loss": 0.05},
    "20 % lost": {"loss": 0.2},
    "5 % lost in bursts": {"loss": 0.05, "burst": 4.0},
    "jitter of 50 ms": {"jitter": 0.05},
    "jitter of 200 ms": {"jitter": 0.2},
    "one in ten overtaken": {"reorder": 0.1},
    "one in ten twice": {"duplicates": 0.1},
    "all at once": {"loss": 0.03, "jitter": 0.06, "reorder": 0.05, "duplicates": 0.05},
}


@pytest.mark.parametrize("weather", WEATHERS.values(), ids=WEATHERS)
def test_talk(story: Story, weather: dict[str, float]) -> None:
    """A question, an interruption, a key: all is understood, and heard in its time."""
    sim = story(greeting=GREETING, replies=REPLIES, weather=Storm(5, latency=0.03, **weather))
    sim.says("count please", at=4.0, lasting=1.2)
    sim.says("hours", at=7.5, lasting=0.9)
    sim.presses("7", at=14.0)
    sim.hangs_up(at=20.0)
    sim.run(until=24.0)
    said = [text for who, text in sim.dialogue if who == "user"]
    assert said == ["count please", "hours", "7"]
    assert "turn.interrupted" in sim.events
    greeting, cut, answer, _ = sim.caller.heard
    assert abs(greeting.lasting - len(GREETING) * A_LETTER) < 0.3
    assert cut.end < 7.5 + 0.15 + 0.5  # barge-in, there and back, and what its packets were late
    assert abs(answer.lasting - len(ANSWER) * A_LETTER) < 0.3
    assert sim.metrics["call.disconnected_by"] == "user"


@pytest.mark.parametrize("loss", [0.05, 0.2])
def test_lost_sound_keeps_its_time(story: Story, loss: float) -> None:
    """What is lost is concealed, not left out: in half a minute nothing drifts."""
    sim = story(replies=REPLIES, greeting=GREETING, weather=Storm(3, loss=loss))
    for number in range(3):
        sim.says("hours", at=4.0 + 10.0 * number, lasting=1.0)
    sim.run(until=34.0)
    latencies = [turn.latency or 9.0 for turn in sim.caller.turns]
    assert max(latencies) < 0.95
    lost = sim.phone.media.sent - int(data(sim, "media.packets_lost")["received"])
    assert lost == pytest.approx(loss * sim.phone.media.sent, rel=0.3)


def data(sim: Simulation, name: str) -> dict[str, Any]:
    """What is told with a metric; the call is ended for it."""
    sim.phone.hang_up()
    sim.run(sim.clock.seconds() + 2.0)
    return next(dict(entry.data) for entry in sim.entries if entry.name == name)


@pytest.mark.parametrize("drift", [-500.0, 500.0])
def test_drift(story: Story, drift: float) -> None:
    """Three minutes by a clock that is too fast or too slow: no latency grows, no sound is cut."""
    manner = SipManner(drift=drift)
    sim = story(replies=REPLIES, greeting=GREETING, sip=manner, idle_timeout=600.0)
    for number in range(3):
        sim.says("hours", at=4.0 + 80.0 * number, lasting=1.0)
    sim.run(until=172.0)
    latencies = [turn.latency or 9.0 for turn in sim.caller.turns]
    assert len(latencies) == 3
    assert max(latencies) - min(latencies) < 0.05
    lengths = [sound.lasting for sound in sim.caller.heard[1:]]
    assert lengths == pytest.approx([len(ANSWER) * A_LETTER] * 3, abs=0.05)


# -- metrics --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weather", "least", "most"),
    [
        (Storm(1, latency=0.02), 4.3, 4.5),
        (Storm(1, latency=0.25), 3.5, 4.1),
        (Storm(2, latency=0.02, loss=0.05), 3.6, 4.1),
        (Storm(2, latency=0.02, loss=0.2), 1.5, 3.0),
    ],
    ids=["good", "far", "5 % lost", "20 % lost"],
)
def test_score(story: Story, weather: Storm, least: float, most: float) -> None:
    """The line's score is what the E-model gives for such a line."""
    sim = story(greeting=GREETING, weather=weather, idle_timeout=600.0)
    sim.hangs_up(at=30.0)
    sim.run(until=33.0)
    assert least < float(sim.metrics["media.mos"]) < most


def test_measures(story: Story) -> None:
    """Loss, jitter and round trip are those of the network, each on its way."""
    storm = Storm(4, latency=0.05, jitter=0.03, loss=0.1)
    sim = story(greeting=GREETING, weather=storm, idle_timeout=600.0)
    sim.hangs_up(at=60.0)
    sim.run(until=63.0)
    media = sim.phone.media
    assert float(sim.metrics["media.round_trip_ms"]) == pytest.approx(130, abs=35)
    assert 3 < float(sim.metrics["media.jitter_ms"]) < 30
    lost = int(sim.metrics["media.packets_lost"])
    assert lost == pytest.approx(0.1 * media.sent, rel=0.3)
    theirs = int(sim.metrics["media.packets_lost_by_far_side"])
    assert theirs == pytest.approx(0.1 * int(sim.metrics["media.packets_sent"]), rel=0.4)
    assert media.reports.round_trip is not None
    assert media.reports.round_trip == pytest.approx(0.13, abs=0.035)


def test_overtaken(story: Story) -> None:
    """What is overtaken by a packet or two is waited for: nothing is lost by it."""
    storm = Storm(4, latency=0.05, reorder=0.05, overtaken=0.025)
    sim = story(greeting=GREETING, weather=storm, idle_timeout=600.0)
    sim.hangs_up(at=30.0)
    sim.run(until=33.0)
    assert int(sim.metrics["media.packets_lost"]) < 5


def test_no_reports(story: Story) -> None:
    """What is not known is left out: without RTCP there is no round trip, and no score."""
    sim = story(greeting=GREETING)
    sim.phone.media._reported = 1e9
    sim.hangs_up(at=20.0)
    sim.phone.gate.loses = lambda packet: packet[1:2] in (b"\xc8", b"\xc9")
    sim.run(until=23.0)
    assert "media.round_trip_ms" not in sim.metrics
    assert "media.mos" not in sim.metrics
    assert sim.metrics["media.packets_lost"] == "0"


# -- sources --------------------------------------------------------------------------------------


def test_another_source(story: Story) -> None:
    """Another SSRC from the same phone (music, a transfer) is heard at once."""
    sim = story(greeting=GREETING, replies=REPLIES)
    sim.caller.does(sim.phone.media.restart, at=3.0)
    sim.says("hours", at=3.2, lasting=1.0)
    sim.run(until=8.0)
    assert sim.dialogue[-1] == ("assistant", ANSWER)


def test_other_ports_are_told(story: Story) -> None:
    """A re-INVITE moves the phone's media: it is heard there, and hears."""
    sim = story(greeting=GREETING, replies=REPLIES)
    sim.caller.does(lambda: sim.phone.move_media(tell=True), at=3.0)
    sim.says("hours", at=4.0, lasting=1.0)
    sim.run(until=9.0)
    assert abs(sim.caller.heard[1].lasting - len(ANSWER) * A_LETTER) < 0.05


def test_other_ports_are_found(story: Story) -> None:
    """A NAT that has forgotten the phone gives it another port: after 2 s it is believed."""
    sim = story(greeting=GREETING, replies=REPLIES)
    sim.caller.does(lambda: sim.phone.move_media(tell=False), at=3.0)
    sim.says("hours", at=7.0, lasting=1.0)
    sim.run(until=12.0)
    assert abs(sim.caller.heard[-1].lasting - len(ANSWER) * A_LETTER) < 0.05
    assert sim.dialogue[-1] == ("assistant", ANSWER)


STRANGERS = {
    "knows nothing": (96, False, "192.0.2.66"),
    "knows the codec": (0, False, "192.0.2.66"),
    "knows all but the address": (0, True, "192.0.2.66"),
    "shares the address": (0, False, ""),
}


@pytest.mark.parametrize("silent", [False, True], ids=["sends", "silent"])
@pytest.mark.parametrize(("number", "knows", "host"), STRANGERS.values(), ids=STRANGERS)
def test_stranger(story: Story, number: int, knows: bool, host: str, silent: bool) -> None:
    """A stranger's packets are neither heard nor answered, also while the phone is silent."""
    sim = story(greeting=GREETING, replies=REPLIES)
    assert sim.sip is not None
    media = sim.phone.media
    sim.caller.says("one", at=0.1, lasting=0.3)  # the phone's sound has come from somewhere
    sim._script.append(None)
    sim.caller._sends_silence = not silent
    own = host or media._host
    stranger = sim.sip.network.machine(own).bind(own, 40_000)
    stranger.hear(lambda packet, address: pytest.fail("a stranger was answered"))

    def spray() -> None:
        ssrc, sequence = (media._ssrc, media._sequence) if knows else (0x0BADCAFE, 7)
        for step in range(20):
            head = struct.pack("!BBHII", 0x80, number, sequence + step & 0xFFFF, 160 * step, ssrc)
            assert media._spoken is not None
            stranger.send(head + bytes(range(160)), (HOST, media._spoken.remote[1]))

    for tenth in range(80):
        sim.clock.callLater(2.0 + tenth / 10, spray)
    sim.says("hours", at=8.0, lasting=1.0)
    sim.run(until=14.0)
    assert [text for who, text in sim.dialogue if who == "user"] == ["hours"]
    assert abs(sim.caller.heard[-1].lasting - len(ANSWER) * A_LETTER) < 0.05
    assert sum(data(sim, "media.packets_dropped").values()) == 1600
    stranger.close()


def test_stranger_is_first(story: Story) -> None:
    """Nor is one believed that was faster than the phone."""
    sim = story(greeting=GREETING)
    assert sim.sip is not None
    stranger = sim.sip.network.machine("192.0.2.66").bind("192.0.2.66", 40_000)
    stranger.hear(lambda packet, address: pytest.fail("a stranger was answered"))

    def spray() -> None:
        spoken = sim.phone.media._spoken
        assert spoken is not None
        for number in range(10):
            head = struct.pack("!BBHII", 0x80, 0, number, 160 * number, 0x0BADCAFE)
            stranger.send(head + bytes(160), (HOST, spoken.remote[1]))

    sim.clock.callLater(0.001, spray)
    sim.run(until=4.0)
    (sound,) = sim.caller.heard
    assert abs(sound.lasting - len(GREETING) * A_LETTER) < 0.05
    stranger.close()


def test_rubbish(story: Story) -> None:
    """What is no RTP changes nothing: short, of another version, STUN, DTLS, lying lengths."""
    rubbish = [
        b"",
        b"\x80",
        bytes(12),
        b"\x40" + bytes(171),
        b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12),
        b"\x16\xfe\xfd" + bytes(40),
        b"\x8f\x00" + bytes(30),
        b"\x90\x00" + bytes(10) + b"\xff\xff\xff\xff",
        b"\xa0\x00" + bytes(20) + b"\xff",
        b"\x80\x00" + bytes(10),
    ]
    sim = story(greeting=GREETING, replies=REPLIES)
    for number in range(100):
        packet = rubbish[number % len(rubbish)]
        sim.caller.does(partial(sim.phone.media.send_raw, packet), at=2 + number / 50)
    sim.says("hours", at=4.5, lasting=1.0)
    sim.run(until=9.0)
    assert sim.dialogue[-1] == ("assistant", ANSWER)
    assert abs(sim.caller.heard[0].lasting - len(GREETING) * A_LETTER) < 0.05
