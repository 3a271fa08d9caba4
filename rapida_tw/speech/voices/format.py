"""VoiceFormat: in what form a vendor is asked for its sound.

First comes what the options say (`speak.audio.encoding`, `speak.audio.sample_rate`), then the leg's
own format where the vendor offers it, which goes to the caller untouched; else the vendor's best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from rapida_tw.audio.format import RATE, AudioFormat, Encoding
from rapida_tw.audio.resample import Resampler
from rapida_tw.errors import MisconfiguredAssistant


class VoiceFormat(NamedTuple):
    """Of mono sound without a container."""

    encoding: Encoding
    rate: int  # Hz

    def __str__(self) -> str:
        return f"{_WRITTEN[self.encoding]} at {self.rate}"


@dataclass(frozen=True, slots=True)
class VoiceOptions:
    """What every voice can be asked for; "" and 0: whatever suits the call.

    `language` is BCP 47; vendors whose voices have one of their own are not told.
    """

    language: str = ""
    audio_encoding: str = ""
    audio_sample_rate: int = 0  # Hz


_WRITTEN: Final = {
    Encoding.LINEAR16: "linear16",
    Encoding.MULAW: "mulaw",
    Encoding.ALAW: "alaw",
}
# As people write them, without what is no letter and no digit.
_ENCODINGS: Final = {
    **dict.fromkeys(("linear16", "slin", "slin16", "pcm", "pcms16le", "l16"), Encoding.LINEAR16),
    **dict.fromkeys(("mulaw", "mulaw8", "ulaw", "pcmu", "pcmmulaw"), Encoding.MULAW),
    **dict.fromkeys(("alaw", "alaw8", "pcma", "pcmalaw"), Encoding.ALAW),
}


def choose(
    options: VoiceOptions, leg: AudioFormat | None, offered: Sequence[VoiceFormat], vendor: str
) -> VoiceFormat:
    """One of `offered` (the best of them first); `MisconfiguredAssistant` when none is wanted."""
    encoding = _encoding(options.audio_encoding, vendor)
    fitting = [
        format
        for format in offered
        if encoding in (None, format.encoding) and options.audio_sample_rate in (0, format.rate)
    ]
    if not fitting:
        known = ", ".join(map(str, offered))
        raise MisconfiguredAssistant(
            f"{vendor} does not offer the audio.encoding and audio.sample_rate that are asked for;"
            f" it has: {known}"
        )
    own = VoiceFormat(leg.encoding, leg.rate) if leg is not None else fitting[0]
    chosen = own if own in fitting else fitting[0]
    # Up to 10 ms for the first one of its rate: not when the caller waits for the sound.
    Resampler(chosen.rate, RATE)
    return chosen


def _encoding(name: str, vendor: str) -> Encoding | None:
    plain = "".join(filter(str.isalnum, name.lower()))
    if plain and plain not in _ENCODINGS:
        raise MisconfiguredAssistant(
            f"{vendor}: audio.encoding must be linear16, mulaw or alaw, not {name!r}"
        )
    return _ENCODINGS.get(plain)
