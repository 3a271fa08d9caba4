"""A voice that speaks the leg's format: the caller hears its bytes, whatever happens in between."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import NOBODY, Account
from rapida_tw.audio.format import RATE, AudioFormat, Encoding, Samples
from rapida_tw.audio.g711 import MULAW
from rapida_tw.audio.resample import Resampler
from rapida_tw.simulation import Simulation
from rapida_tw.speech.base import Options, Synthesizer, SynthesizerProvider, VoiceSink
from tests.simulation.conftest import Story

GREETING = "Hello. How can I help you today?"
ANSWER = "One two three four five six seven eight nine."
REPLIES = [["count", ANSWER]]
_PIECE = 1234  # bytes, as a network may cut them


@lru_cache
def made(phrase: str) -> bytes:
    """µ-law of 8 kHz, 60 ms a letter, of any bytes but those for silence."""
    rng = np.random.default_rng(len(phrase))
    return rng.integers(0, 0x70, 480 * len(phrase), np.uint8).tobytes()


class Voice:
    """Gives its bytes with its samples if `own` and if they are what the leg takes."""

    def __init__(self, own: bool) -> None:
        self._own = own

    def prepare(self) -> None: ...

    def start(self) -> Deferred[None]:
        return succeed(None)

    def say(self, phrase: str, sink: VoiceSink) -> Deferred[None]:
        resampler = Resampler(8_000, RATE)
        sound = made(phrase)
        for at in range(0, len(sound), _PIECE):
            piece = sound[at : at + _PIECE]
            sink.write(resampler(MULAW.decode(piece)), piece if self._own else b"")
        return succeed(None)

    def stop(self) -> Deferred[None]:
        return succeed(None)


class Voices:
    description = "bytes of its own"
    remote = False

    def __init__(self, able: bool = True) -> None:
        self._able = able

    def open(
        self, options: Options, account: Account = NOBODY, leg: AudioFormat | None = None
    ) -> Synthesizer:
        fits = leg is not None and (leg.encoding, leg.rate) == (Encoding.MULAW, 8_000)
        return Voice(self._able and fits)

    def stop(self) -> Deferred[None]:
        return succeed(None)


_conforms: type[SynthesizerProvider] = Voices


def heard(sim: Simulation) -> Samples:
    """All that was no silence."""
    samples = sim.caller.ear.samples(8_000)
    return samples[np.flatnonzero(samples)]


def called(story: Story, able: bool = True) -> Simulation:
    return story(greeting=GREETING, replies=REPLIES, voice=Voices(able))


@pytest.mark.parametrize("transport", ["twilio", "plivo"])
def test_bytes(story: Story) -> None:
    """The caller hears exactly what the vendor made, where the carrier's one format is its own."""
    sim = called(story)
    sim.run(until=4.0)
    np.testing.assert_array_equal(heard(sim), MULAW.decode(made(GREETING)))


@pytest.mark.parametrize("transport", ["twilio"])
def test_doubt(story: Story) -> None:
    """A cough in the middle, then it goes on: not a byte is missing, twice there, or another."""
    for at in (4.5, 4.803, 5.11, 5.519):
        sim = called(story)
        sim.says("count please", at=2.5, lasting=0.6)
        sim.coughs(at=at)
        sim.run(until=12.0)
        assert len(sim.caller.heard) == 3  # the answer in two pieces
        expected = MULAW.decode(made(GREETING) + made(ANSWER))
        np.testing.assert_array_equal(heard(sim), expected)
        assert sim.dialogue[-1] == ("assistant", ANSWER)


@pytest.mark.parametrize("transport", ["twilio"])
def test_interruption(story: Story) -> None:
    """Of a reply that a word cuts off its beginning was heard, and then the next one, all of it."""
    sim = called(story)
    sim.says("count please", at=2.5, lasting=0.6)
    sim.says("count again", at=5.0, lasting=0.6)
    sim.run(until=12.0)
    greeting, answer = (MULAW.decode(made(text)) for text in (GREETING, ANSWER))
    sound = heard(sim)[len(greeting) :]
    cut = len(sound) - len(answer)
    assert 0 < cut < len(answer)
    assert cut % 160 == 0
    np.testing.assert_array_equal(sound, np.concatenate((answer[:cut], answer)))


@pytest.mark.parametrize("transport", ["audiosocket", "vonage-16k", "exotel-pcm"])
def test_another_format(story: Story) -> None:
    """A leg of another format carries what it always did."""
    sounds = []
    for able in (True, False):
        sim = called(story, able)
        sim.says("count please", at=2.5, lasting=0.6)
        sim.coughs(at=5.0)
        sim.run(until=10.0)
        sounds.append(sim.caller.ear.samples(8_000))
    assert len(heard(sim)) > len(made(GREETING)) // 2
    np.testing.assert_array_equal(sounds[0], sounds[1])
