"""Endpointing: how long a silence must last before the caller's turn is over.

The caller's own pauses decide: whoever pauses long between words is given longer, whoever answers
briskly is answered briskly. Words shorten or lengthen it: a finished sentence, an unfinished one.

Some recognisers tell the ends of turns themselves. They are heeded unless a deployment's provider
is "silence"; the silence that ends a turn all the same is then a last resort.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from rapida_tw.audio.format import TICK_MS, TICKS_PER_SECOND
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.speech.base import Options

_UNFINISHED = frozenset(
    "and or but so because if then the a an to of for at with my is um uh er i'd i'm we're".split()
)
# Silence beyond the longest one, after which a recogniser that tells ends will not tell this one.
_LAST_RESORT = TICKS_PER_SECOND * 3 // 2  # ticks

VENDOR, SILENCE = "vendor", "silence"
# Rapida's own name for a silence is on every deployment that it has made: it means no preference.
_PROVIDERS = ("", "silence_based_eos", VENDOR, SILENCE)


@dataclass(frozen=True, slots=True)
class EndpointingOptions:
    """The options of `endOfSpeech`, in milliseconds, and its provider.

    `provider`: "vendor" insists on a recogniser that tells the ends of turns, "silence" on not
    heeding it; otherwise whichever there is.
    """

    timeout: int = 600  # the usual silence
    quick_timeout: int = 400  # after words that sound complete
    extended_timeout: int = 1200  # after words that want more
    provider: str = ""

    @classmethod
    def read(cls, options: Options, provider: str = "") -> EndpointingOptions:
        """From a deployment; keys may carry the prefix `microphone.eos.`."""
        known = {field.name for field in fields(cls)}
        values: dict[str, int] = {}
        for key, value in options.items():
            name = key.removeprefix("microphone.eos.")
            if name == "provider":
                provider = provider or str(value)
                continue
            if name not in known:
                raise MisconfiguredAssistant(f"endOfSpeech has no option {key!r}: {sorted(known)}")
            try:
                values[name] = int(value)
            except (TypeError, ValueError, OverflowError):
                raise MisconfiguredAssistant(f"endOfSpeech.{key}: a number of ms") from None
            if not 100 <= values[name] <= 10_000:
                raise MisconfiguredAssistant(f"endOfSpeech.{key}: 100 to 10000 ms")
        if provider not in _PROVIDERS:
            known_ones = ", ".join(_PROVIDERS[1:])
            raise MisconfiguredAssistant(f"endOfSpeech has no provider {provider!r}: {known_ones}")
        return cls(**values, provider=provider)


class Endpointing:
    """Learns one caller's pauses and answers how many silent ticks end the turn."""

    def __init__(self, options: EndpointingOptions | None = None) -> None:
        options = options or EndpointingOptions()
        self._usual = options.timeout // TICK_MS
        # Who sets only the usual silence means the other two to stay on their sides of it.
        self._quick = min(options.quick_timeout // TICK_MS, self._usual)
        self.longest = max(options.extended_timeout // TICK_MS, self._usual)  # ticks
        self._provider = options.provider
        self.last_resort = self.longest + _LAST_RESORT  # ticks of silence
        self._pause = 0.0  # ticks: a falling peak of the pauses inside this caller's turns

    def check(self, recognizer_tells: bool) -> None:
        """`MisconfiguredAssistant` when the recogniser cannot do what is insisted on."""
        if self._provider == VENDOR and not recognizer_tells:
            raise MisconfiguredAssistant(
                "endOfSpeech: the recogniser does not tell the ends of turns, as `vendor` asks for"
            )

    def by_vendor(self, recognizer_tells: bool) -> bool:
        """Whether turns end as the recogniser says."""
        return recognizer_tells and self._provider != SILENCE

    def paused_inside(self, ticks: int) -> None:
        """The caller was silent that long and then went on in the same turn."""
        self._pause = max(ticks, self._pause * 0.8)

    def needed(self, text: str) -> int:
        """Silent ticks that end the turn after `text` (the words so far, may be "")."""
        words = text.lower().split()
        if words and words[-1].strip(",") in _UNFINISHED:
            return self.longest
        base = self._usual
        if text.endswith((".", "?", "!")) or (words and words[-1] in _COMPLETE):
            base = self._quick
        return min(max(base, int(self._pause * 1.3)), self.longest)


_COMPLETE = frozenset("yes no yeah nope okay ok please thanks goodbye bye hello stop".split())
