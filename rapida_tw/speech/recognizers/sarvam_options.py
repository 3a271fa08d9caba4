"""What can be chosen of Sarvam's recognisers, realtime and classic."""

from __future__ import annotations

from dataclasses import dataclass

from rapida_tw.options import within

MODES = ("transcribe", "translate", "verbatim", "translit", "codemix")
WITH_KEYWORDS = "saaras:v4"
RATE = 16_000  # Hz


@dataclass(frozen=True, slots=True)
class SarvamOptions:
    """`realtime` tells words while they are spoken; without it, whole utterances only.

    `language` "": found by Sarvam. `model` "": the usual one. `endpointing`: ms of silence that end
    an utterance, and `threshold`: how loud (0..1) a voice must be, realtime only. `mode`: what is
    made of the words; translate, for one, gives English. `prompt`: what the call is about, realtime
    only.
    """

    language: str = "en-IN"
    model: str = ""
    realtime: bool = True
    mode: str = "transcribe"
    endpointing: int = 300
    threshold: float | None = None
    keyword: tuple[str, ...] = ()
    prompt: str = ""

    def __post_init__(self) -> None:
        within("endpointing", self.endpointing, 0, 10_000)
        if self.threshold is not None:
            within("threshold", self.threshold, 0, 1)
        if self.mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}")
        if self.keyword and self.chosen_model() != WITH_KEYWORDS:
            raise ValueError(f"keyword: only {WITH_KEYWORDS} takes them")

    def chosen_model(self) -> str:
        if self.model or not self.realtime:
            return self.model or WITH_KEYWORDS
        return WITH_KEYWORDS if self.keyword else "saaras:v3-realtime"

    def spoken(self, any_language: str) -> str:
        """The language as Sarvam writes it; `any_language` where it is to be found out.

        All of them are India's, English too.
        """
        language = self.language.replace("_", "-").split("-")[0].lower()
        if language in ("", "auto", "unknown", "multi"):
            return any_language
        # Its two recognisers do not agree on how to write Odia.
        if language in ("od", "or"):
            language = "or" if self.realtime else "od"
        return f"{language}-IN"
