"""How plug-ins are found by their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.speech.base import Host, Registry


@pytest.fixture
def voices() -> Registry[Any]:
    return Registry("rapida_tw.synthesizers", Host(Clock(), Path()))


def test_once(voices: Registry[Any]) -> None:
    """A provider is made when it is first asked for, and kept."""
    assert voices.made() == {}
    assert voices.get("elevenlabs") is voices.get("elevenlabs")
    assert set(voices.made()) == {"elevenlabs"}


def test_unknown(voices: Registry[Any]) -> None:
    """Whoever mistypes a name is told which there are."""
    with pytest.raises(MisconfiguredAssistant, match=r"named 'elevenlab'; installed: .*elevenlabs"):
        voices.get("elevenlab")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("playht", "PlayHT .* was shut down on 31 December 2025; synthesizers installed: "),
        ("PlayAI", "PlayHT .* was shut down"),
        ("lmnt", "LMNT was shut down in 2026"),
    ],
)
def test_gone(voices: Registry[Any], name: str, sentence: str) -> None:
    """A vendor that is no more is no mistyped name."""
    with pytest.raises(MisconfiguredAssistant, match=sentence):
        voices.get(name)
