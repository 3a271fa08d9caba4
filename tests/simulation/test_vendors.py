"""Whole calls whose recogniser, model and voice are vendors: fakes of them, over real wires."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rapida_tw.sim.vendors.cartesia_voice import Cartesia
from rapida_tw.sim.vendors.deepgram import Deepgram
from rapida_tw.sim.vendors.delivery import Trouble
from rapida_tw.sim.vendors.elevenlabs_voice import ElevenLabs
from rapida_tw.sim.vendors.listening import Trouble as Deafness
from rapida_tw.sim.vendors.openai_chat import OpenAIChat
from rapida_tw.simulation import Simulation, done
from rapida_tw.store.records import Deployment, VendorChoice
from tests.simulation.conftest import Story

GREETING = "Hello. How can I help you?"
QUESTION = "what are your opening hours"
ANSWER = "We are open from nine to six."
KEY = "key-of-a-test"
VOICES = {"elevenlabs": "21m00Tcm4TlvDq8ikWAM", "cartesia": "a0e99841-438c-4a64-b679-ae501e7d6091"}

pytestmark = pytest.mark.parametrize("transport", ["twilio"])


class Street:
    """The vendors of one story, and the assistant who uses them."""

    def __init__(self, story: Story, *script: str, answers: list[Any] | None = None) -> None:
        self.ear = Deepgram(script, KEY)
        self.brain = OpenAIChat(answers or [ANSWER] * 5, KEY)
        self.voice = ElevenLabs(KEY)
        self.other = Cartesia(KEY)
        self.sim: Simulation = story(
            greeting=GREETING,
            vendors=[self.ear, self.brain, self.voice, self.other],
            error_message="Please call again.",
            set_up=0.6,
        )
        self.server = self.sim.server

    def choice(self, vendor: str, key: str = KEY, **options: Any) -> VendorChoice:
        if vendor in VOICES:
            options["voice.id"] = VOICES[vendor]
        made = self.server.credentials.create(self.server.project_id, vendor, vendor, {"key": key})
        return VendorChoice(vendor, done(made).id, options)

    def deploy(
        self,
        stt: VendorChoice | None = None,
        tts: VendorChoice | None = None,
        model: VendorChoice | None = None,
    ) -> Simulation:
        """By the vendors that are named, and ordinary ones for the rest."""
        assistants, number = self.server.assistants, self.server.assistant_id
        found: Deployment = done(assistants.deployment(number))
        deployment = replace(
            found,
            stt=stt or self.choice("deepgram"),
            tts=tts or self.choice("elevenlabs"),
        )
        done(assistants.deploy(deployment))
        thinks = model or self.choice("openai", **{"model.name": "gpt-4.1-mini"})
        done(assistants.update(replace(done(assistants.get(number)), model=thinks)))
        return self.sim


Make = Callable[..., Street]


@pytest.fixture
def street(story: Story) -> Make:
    return lambda *script, **more: Street(story, *script, **more)


def test_question_and_answer(street: Make) -> None:
    """Greeting, question, answer: each of it by a vendor."""
    sim = street(QUESTION).deploy()
    sim.says(QUESTION, at=4.0, lasting=1.5)
    sim.run(until=10.0)
    assert [who for who, _ in sim.dialogue] == ["assistant", "user", "assistant"]
    assert sim.dialogue[0][1] == GREETING
    assert sim.dialogue[1][1].lower().strip(".?") == QUESTION
    assert sim.dialogue[2][1] == ANSWER


def test_greeting_at_once(street: Make) -> None:
    """The voice takes its time, and the carrier too: then the greeting is there."""
    made = street()
    made.voice.manners.first_after = 0.3
    sim = made.deploy()
    sim.run(until=6.0)
    assert sim.caller.heard[0].start < 0.15
    sim.line.hang_up()
    sim.run(until=8.0)


def test_spoken_once(street: Make) -> None:
    """What was spoken beforehand is not asked for again by the call itself."""
    made = street()
    sim = made.deploy()
    sim.run(until=4.0)
    spoken = [told for _, told in made.voice.heard if GREETING in str(told)]
    assert len(spoken) == 1


def test_recogniser_lost(street: Make) -> None:
    """The line to it breaks in mid-sentence: what was said is understood, once."""
    made = street(QUESTION)
    made.ear.manners.troubles.append(Deafness.DROP)
    sim = made.deploy()
    sim.says(QUESTION, at=4.0, lasting=1.5)
    sim.run(until=11.0)
    users = [text for who, text in sim.dialogue if who == "user"]
    assert [text.lower().strip(".?") for text in users] == [QUESTION]
    assert sim.dialogue[-1] == ("assistant", ANSWER)


def test_voice_lost(street: Make) -> None:
    """It dies in the middle of the answer: another one says the rest, and nothing twice."""
    made = street(QUESTION)
    sim = made.deploy(tts=_with(made.choice("elevenlabs"), made.choice("cartesia")))
    sim.says(QUESTION, at=4.0, lasting=1.5)
    sim.run(until=5.0)
    made.voice.manners.troubles.append(Trouble.DROP_MIDWAY)
    sim.run(until=12.0)
    assert sim.dialogue[-1] == ("assistant", ANSWER)
    [rest] = [told["transcript"] for _, told in made.other.heard if told.get("transcript")]
    assert ANSWER.endswith(rest.strip())
    assert 0 < len(rest.strip()) < len(ANSWER)


def test_keys_that_have_expired(street: Make) -> None:
    """The first of each kind refuses the key, and the caller notices nothing."""
    made = street(QUESTION)
    bad = "a-key-that-has-expired"
    sim = made.deploy(
        stt=_with(made.choice("deepgram", bad), made.choice("deepgram")),
        tts=_with(made.choice("elevenlabs", bad), made.choice("cartesia")),
        model=_with(
            made.choice("openai", bad, **{"model.name": "gpt-4.1"}),
            made.choice("openai", **{"model.name": "gpt-4.1-mini"}),
        ),
    )
    sim.says(QUESTION, at=4.0, lasting=1.5)
    sim.run(until=10.0)
    assert sim.dialogue[0] == ("assistant", GREETING)
    assert sim.dialogue[-1] == ("assistant", ANSWER)
    assert sim.caller.heard[0].start < 1.0


def test_nobody_speaks(street: Make) -> None:
    """Without any voice the call ends with a reason; no key is in it."""
    made = street()
    bad = "a-key-that-has-expired"
    sim = made.deploy(tts=made.choice("elevenlabs", bad))
    sim.run(until=6.0)
    assert sim.caller.ending is not None
    told = str([entry.data for entry in made.server.entries(made.server.latest())])
    assert "ElevenLabs" in told
    assert bad not in told


def _with(first: VendorChoice, *others: VendorChoice) -> VendorChoice:
    return replace(first, fallbacks=others)
