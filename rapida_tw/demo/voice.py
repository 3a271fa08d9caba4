"""The caller's voice in the demo: a local one, and not the assistant's if there is another."""

from __future__ import annotations

from collections.abc import Sequence

from rapida_tw.audio.format import Samples
from rapida_tw.errors import MisconfiguredAssistant, VendorFailed
from rapida_tw.sim.voices import speak
from rapida_tw.speech.base import Options, SynthesizerProvider

# A man of flite's, beside its woman; another English of espeak-ng's.
_NAMES = ("rms", "en-gb", "en")


async def speak_all(
    provider: SynthesizerProvider, texts: Sequence[str]
) -> tuple[str, dict[str, Samples]]:
    """The name of the first voice that can, and the samples of each text; `VendorFailed`."""
    for name in _NAMES:
        try:
            return name, await _speak_all(provider, texts, {"voice": name})
        except (MisconfiguredAssistant, VendorFailed):
            continue
    return "", await _speak_all(provider, texts, {})


async def _speak_all(
    provider: SynthesizerProvider, texts: Sequence[str], options: Options
) -> dict[str, Samples]:
    return {text: await speak(provider, text, options) for text in texts}
