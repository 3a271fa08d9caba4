"""The caller's voice in the demo: a local one, and not the assistant's if there is another."""

from __future__ import annotations

from collections.abc import Iterable

from rapida_tw.audio.format import Samples
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.sim.voices import speak
from rapida_tw.speech.base import SynthesizerProvider

# A man of flite's, beside its woman; another English of espeak-ng's.
_OTHERS = ("rms", "en-gb")


def choose_voice(provider: SynthesizerProvider) -> str:
    """A name that the provider knows, "" for the only voice that it has."""
    for name in _OTHERS:
        try:
            provider.open({"voice": name})
        except MisconfiguredAssistant:
            continue
        return name
    return ""


async def speak_all(
    provider: SynthesizerProvider, texts: Iterable[str], voice: str
) -> dict[str, Samples]:
    """The samples of each text; `VendorFailed`."""
    options = {"voice": voice} if voice else {}
    return {text: await speak(provider, text, options) for text in texts}
