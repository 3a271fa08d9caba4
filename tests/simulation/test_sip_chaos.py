"""Calls in which everything happens at random times on a bad line, from a seed; then one talks."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from rapida_tw.sim.datagrams import Storm
from rapida_tw.sim.sip_manner import SipManner
from rapida_tw.sim.sip_phone import SipPhone
from tests.simulation.conftest import Story

ANSWER = "We open at nine and close at ten."
REPLIES = [["hours", ANSWER]]
CALM = 85.0  # seconds, when the chaos is over and its repeated messages are, too


def stall(phone: SipPhone) -> None:
    """Three seconds in which nothing of the phone's gets through."""
    phone.stall()
    phone.later(3.0, phone.unstall)


STEPS: tuple[Callable[[SipPhone], object], ...] = (
    SipPhone.hold,
    lambda phone: phone.hold("inactive"),
    SipPhone.resume,
    SipPhone.renegotiate,
    SipPhone.update,
    SipPhone.options,
    lambda phone: phone.renegotiate(codecs=("PCMA",)),
    lambda phone: phone.renegotiate(codecs=("G722", "PCMU")),
    lambda phone: phone.renegotiate(late=True),
    lambda phone: phone.move_media(tell=True),
    lambda phone: phone.media.restart(),
    lambda phone: phone.press("5"),
    lambda phone: stall(phone),
)


@pytest.mark.parametrize("transport", ["sip", "sip-digest", "sip-late-offer"])
@pytest.mark.parametrize("seed", range(4))
def test_chaos(story: Story, seed: int, transport: str) -> None:
    """Whatever has been asked for in whatever order, the call is whole afterwards."""
    chance = Random(seed)
    storm = Storm(seed, latency=0.03, jitter=0.03, loss=0.1, reorder=0.05, duplicates=0.05)
    manner = SipManner(
        ("PCMU",),
        digest="SHA-256" if transport == "sip-digest" else "",
        late_offer=transport == "sip-late-offer",
        expires=90,
        refresher=chance.choice(("uac", "uas")),
        updates=chance.random() < 0.5,
    )
    sim = story(greeting="Hello.", replies=REPLIES, weather=storm, sip=manner, idle_timeout=600.0)
    phone = sim.phone

    def step() -> None:
        act = chance.choice(STEPS)
        # A phone makes one change after the other (14.1).
        if phone.ending is None and phone.answered_at and not phone.signalling.inviting:
            act(phone)

    for _ in range(50):
        sim.clock.callLater(chance.uniform(2.0, 52.0), step)
    sim.clock.callLater(68.0, phone.resume)
    sim.run(until=CALM)
    assert phone.ending is None
    begins = sim.clock.seconds() - phone.answered_at + 1.0
    sim.says("hours", at=begins, lasting=1.0)
    sim.run(until=CALM + 8.0)
    assert sim.dialogue[-1] == ("assistant", ANSWER)
    assert abs(sim.caller.heard[-1].lasting - len(ANSWER) * 0.06) < 0.3
