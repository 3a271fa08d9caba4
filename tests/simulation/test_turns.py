"""Recognisers that hear the ends of turns themselves, and interruptions by words alone."""

from __future__ import annotations

from collections import deque

import pytest
from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import NOBODY, Account
from rapida_tw.audio.format import Samples
from rapida_tw.expect import Expectation
from rapida_tw.simulation import Simulation
from rapida_tw.speech.base import Options, Recognizer, RecognizerProvider, RecognizerSink
from rapida_tw.store.records import VendorChoice
from tests.simulation.conftest import Story

pytestmark = pytest.mark.parametrize("transport", ["audiosocket", "twilio"])

GREETING = "Hello. How can I help you today?"
ANSWER = "We open at nine and close at ten."
REPLIES = [["hours", ANSWER], ["close", "At ten."]]
_ENDED_WITHIN = 12  # silent ticks after which it is sure
_WORDS = 10  # voiced ticks until it knows the words


class Attentive:
    """Hears the next text of its script in the next sound, and tells when that is over."""

    turns = True

    def __init__(self, script: deque[str]) -> None:
        self._script = script
        self._sink: RecognizerSink | None = None
        self._voiced = self._silent = 0

    def prepare(self) -> None: ...
    def expect(self, expectation: Expectation) -> None: ...
    def speech_started(self) -> None: ...
    def finish(self) -> None: ...

    def start(self, sink: RecognizerSink) -> Deferred[None]:
        self._sink = sink
        return succeed(None)

    def hear(self, frame: Samples) -> None:
        sink = self._sink
        if sink is None:
            return
        if abs(frame).max() > 1000:
            self._voiced, self._silent = self._voiced + 1, 0
            if self._voiced == 1:
                sink.speech_started()
            elif self._voiced == _WORDS:
                sink.partial(self._script[0])
        elif self._voiced:
            self._silent += 1
            if self._silent == _ENDED_WITHIN:
                if self._voiced >= _WORDS:
                    sink.final(self._script.popleft(), 1.0)
                    sink.turn_ended()
                self._voiced = 0

    def stop(self) -> Deferred[None]:
        self._sink = None
        return succeed(None)


class AttentiveProvider:
    description = "hears the ends of turns"

    def __init__(self, *script: str) -> None:
        self._script = deque(script)

    def open(self, options: Options, account: Account = NOBODY) -> Recognizer:
        return Attentive(self._script)

    def stop(self) -> Deferred[None]:
        return succeed(None)


_conforms: type[RecognizerProvider] = AttentiveProvider


def called(story: Story, *script: str, **deployment: object) -> Simulation:
    recognizer = AttentiveProvider(*script)
    return story(greeting=GREETING, replies=REPLIES, recognizer=recognizer, **deployment)


def test_answered_sooner(story: Story) -> None:
    """The answer follows when the recogniser says so, and the latency is from the last sound on."""
    sim = called(story, "what are your hours")
    sim.says("what are your hours", at=3.0, lasting=1.2)
    sim.run(until=9.0)
    assert sim.dialogue[1:] == [("user", "what are your hours"), ("assistant", ANSWER)]
    (latency,) = sim.latencies
    assert 0.2 < latency["endpointing"] < 0.3
    assert latency["recognizer"] == 0.0
    measured = sim.caller.turns[0].latency
    assert measured is not None
    assert abs(measured - latency["total"]) < 0.07
    assert measured < 0.4


def test_interruption(story: Story) -> None:
    """Turn after turn, also into the answer."""
    sim = called(story, "your hours please", "when do you close")
    sim.says("your hours please", at=3.0, lasting=1.0)
    sim.says("when do you close", at=5.0, lasting=1.0)
    sim.run(until=10.0)
    said = [text for who, text in sim.dialogue if who == "user"]
    assert said == ["your hours please", "when do you close"]
    assert "turn.interrupted" in sim.events
    assert sim.dialogue[-1] == ("assistant", "At ten.")


def test_silence_if_asked_for(story: Story) -> None:
    """The same recogniser, in a deployment that wants silence to end turns."""
    sim = called(story, "your hours please", end_of_speech=VendorChoice("silence"))
    sim.says("your hours please", at=3.0, lasting=1.0)
    sim.run(until=9.0)
    assert sim.dialogue[-1] == ("assistant", ANSWER)
    (latency,) = sim.latencies
    assert latency["endpointing"] >= 0.4


def test_words_only(story: Story) -> None:
    """By `barge_in_trigger` "word" a cough is not even a pause; a word interrupts as ever."""
    vad = VendorChoice(options={"microphone.barge_in_trigger": "word"})
    sim = called(story, "hours", "close", vad=vad)
    sim.says("hours", at=3.0, lasting=0.6)
    sim.caller.says("cough", at=4.6, lasting=0.16)
    sim.says("close", at=5.4, lasting=0.6)
    sim.run(until=10.0)
    greeting, answer, second = sim.caller.heard
    assert answer.start < 4.6
    assert 5.5 < answer.end < 5.9
    assert sim.dialogue[-1] == ("assistant", "At ten.")
    assert second.lasting > greeting.lasting / 10
