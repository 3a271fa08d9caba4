"""The caller's lines: spoken here, or beforehand."""

from __future__ import annotations

import numpy as np
import pytest
from twisted.internet.defer import Deferred, fail, succeed

from rapida_tw.demo.story import Story
from rapida_tw.demo.voice import VOICE, recorded, speak_lines
from rapida_tw.errors import MisconfiguredAssistant, VendorFailed
from rapida_tw.speech.base import Options, Synthesizer
from tests.sim.test_voices import FakeVoice


class Engine:
    """Knows the voice or not; `failing` knows it and cannot speak."""

    description = "engine"

    def __init__(self, voice: str, failing: bool = False) -> None:
        self.voice = voice
        self.failing = failing

    def open(self, options: Options, *account: object) -> Synthesizer:
        if options["voice"] != self.voice:
            raise MisconfiguredAssistant("unknown")
        done: Deferred[None] = fail(VendorFailed("broken")) if self.failing else succeed(None)
        return FakeVoice(done).open({})

    def stop(self) -> Deferred[None]:
        return succeed(None)


def speak(engine: Engine) -> tuple[str, dict[str, object]]:
    results: list[tuple[str, dict[str, object]]] = []
    Deferred.fromCoroutine(speak_lines(engine, ["tomorrow"])).addCallback(results.append)
    return results[0]


def test_spoken_here() -> None:
    """Where there is the voice, it speaks."""
    how, lines = speak(Engine(VOICE))
    assert how == "with the voice rms"
    assert list(lines) == ["tomorrow"]


@pytest.mark.parametrize("engine", [Engine("another"), Engine(VOICE, failing=True)])
def test_beforehand(engine: Engine) -> None:
    """Where there is none, the recorded lines are taken."""
    how, lines = speak(engine)
    assert "beforehand" in how
    assert np.array_equal(lines["tomorrow"], recorded("tomorrow"))


@pytest.mark.parametrize("text", Story().texts())
def test_recorded(text: str) -> None:
    """Each line of the story is there: some words long, and loud enough."""
    samples = recorded(text)
    assert 0.5 < len(samples) / 16_000 < 4.0
    assert np.abs(samples).max() > 8_000
