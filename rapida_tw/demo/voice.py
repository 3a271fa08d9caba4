"""The caller's voice in the demo: not the assistant's, and one that the recogniser knows as human.

That is flite's rms. Where flite is not installed, the caller says the same lines as rms has spoken
them once (`lines/*.wav`, 8 kHz): espeak-ng, good enough for people, is not understood by
pocketsphinx. They were made by `Flite().speak(text, "rms", 1.0, Event())` of speech/flite.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import as_file, files

from rapida_tw.audio.format import Samples
from rapida_tw.errors import MisconfiguredAssistant, VendorFailed
from rapida_tw.sim.voices import read_wav, speak
from rapida_tw.speech.base import SynthesizerProvider

VOICE = "rms"


async def speak_lines(
    provider: SynthesizerProvider, texts: Sequence[str]
) -> tuple[str, dict[str, Samples]]:
    """In a few words how the lines came about, and the samples of each text."""
    try:
        spoken = {text: await speak(provider, text, {"voice": VOICE}) for text in texts}
    except (MisconfiguredAssistant, VendorFailed):
        return f"by lines that flite {VOICE} spoke beforehand", {t: recorded(t) for t in texts}
    return f"with the voice {VOICE}", spoken


def recorded(text: str) -> Samples:
    """The line as it was spoken once: int16[n] at 16 kHz."""
    name = "-".join(text.split()) + ".wav"
    with as_file(files("rapida_tw.demo") / "lines" / name) as path:
        return read_wav(path)
