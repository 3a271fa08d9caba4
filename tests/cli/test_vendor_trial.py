"""One vendor, tried as a call would use it, in virtual time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock

from rapida_tw.account import NOBODY
from rapida_tw.cli.source import Usage
from rapida_tw.cli.vendor import _line, _options
from rapida_tw.cli.vendor_trial import SENTENCE, WITHIN, Step, Trial
from rapida_tw.errors import VendorFailed
from rapida_tw.models.scripted import ScriptedModelProvider
from rapida_tw.speech.base import Host, Pieces
from rapida_tw.speech.scripted import (
    ScriptedRecognizer,
    ScriptedRecognizerProvider,
    ScriptedSynthesizer,
    ScriptedSynthesizerProvider,
)
from tests.audio.signals import sine

SOUND = sine(440, 16_000, 1.0)


class Trying:
    """Runs a trial's part to its end, on a clock that goes on by itself."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.host = Host(self.clock, Path())
        self.steps: list[Step] = []
        self.trial = Trial(self.clock, NOBODY, self.steps.append)

    def run(self, part: Any) -> list[tuple[str, bool]]:
        running = Deferred.fromCoroutine(part)
        for _ in range(int(WITHIN / 0.02) + 100):
            self.clock.advance(0.02)
        assert running.called
        assert self.clock.getDelayedCalls() == []
        return [(step.what, step.ok) for step in self.steps]


@pytest.fixture
def trying() -> Trying:
    return Trying()


def test_recognizer(trying: Trying) -> None:
    """It hears the sentence at the speed of speech, and its words are told with their times."""
    provider = ScriptedRecognizerProvider(trying.host)
    done = trying.run(trying.trial.recognizer(provider, {"script": [SENTENCE]}, SOUND))
    assert done == [
        ("connected", True),
        ("first words, from the first sound", True),
        ("all words, from the end of the pause", True),
    ]
    assert trying.steps[1].seconds == pytest.approx(0.3, abs=0.05)
    assert trying.steps[2].detail == f'"{SENTENCE}"'


def test_deaf(trying: Trying) -> None:
    """A recogniser that understands nothing has failed."""
    done = trying.run(trying.trial.recognizer(ScriptedRecognizerProvider(trying.host), {}, SOUND))
    assert done[-1] == ("all words, from the end of the pause", False)


def test_voice(trying: Trying) -> None:
    """Time to the first sound, and how much sound there is."""
    provider = ScriptedSynthesizerProvider(trying.host)
    done = trying.run(trying.trial.voice(provider, {"delay": 0.4}))
    assert done == [("connected", True), ("first sound", True), ("all of it", True)]
    assert trying.steps[1].seconds == pytest.approx(0.4, abs=0.05)
    assert "2.3 s of sound" in trying.steps[2].detail


def test_silent_voice(trying: Trying) -> None:
    """Silence is no voice."""

    class Mute(ScriptedSynthesizer):
        async def _say(self, phrase: str, sink: Any) -> None:
            assert isinstance(sink, Pieces)
            sink.write(np.zeros(16_000, np.int16))

    provider = ScriptedSynthesizerProvider(trying.host)
    provider.open = lambda *_: Mute(trying.clock)  # type: ignore[method-assign]
    assert trying.run(trying.trial.voice(provider, {}))[-1] == ("all of it", False)


def test_model(trying: Trying) -> None:
    """What it answered, and after what time."""
    done = trying.run(trying.trial.model(ScriptedModelProvider(trying.host), {}))
    assert done == [("first words", True), ("all words", True)]


def test_refused(trying: Trying) -> None:
    """The vendor's own reason is the step that failed."""

    class Refused(ScriptedRecognizer):
        def start(self, sink: object) -> Deferred[None]:
            return fail(VendorFailed("Acme: the key is not valid", 401, retryable=False))

    provider = ScriptedRecognizerProvider(trying.host)
    provider.open = lambda *_: Refused(None)  # type: ignore[method-assign, arg-type, assignment, return-value]
    assert trying.run(trying.trial.recognizer(provider, {}, SOUND)) == [("failed", False)]
    assert trying.steps[0].detail == "Acme: the key is not valid"


def test_hangs(trying: Trying) -> None:
    """A vendor that never answers is given up."""

    class Hanging(ScriptedSynthesizer):
        def start(self) -> Deferred[None]:
            return Deferred()

    provider = ScriptedSynthesizerProvider(trying.host)
    provider.open = lambda *_: Hanging(trying.clock)  # type: ignore[method-assign]
    assert trying.run(trying.trial.voice(provider, {})) == [("gave up", False)]


def test_options() -> None:
    """Each goes to the kind of plug-in that its prefix names."""
    found = _options(["listen.model=a", "speak.voice.id=b=c"])
    assert found["recognizers"] == {"listen.model": "a"}
    assert found["synthesizers"] == {"speak.voice.id": "b=c"}
    for wrong in ("model", "voice=a", "listen.model"):
        with pytest.raises(Usage):
            _options([wrong])


def test_lines() -> None:
    """What failed stands out."""
    assert _line(Step("voice", "first sound", 0.1234)).split()[-2:] == ["123", "ms"]
    assert _line(Step("voice", "failed", 0.1, "why", ok=False)).startswith("BAD voice")
