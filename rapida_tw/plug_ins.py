"""The plug-ins that are installed, by their entry points."""

from __future__ import annotations

from rapida_tw.calls.chains import Chains
from rapida_tw.calls.parts import Defaults, Vendors
from rapida_tw.config.sections import Config
from rapida_tw.models.base import ModelProvider
from rapida_tw.models.live import LiveModelProvider
from rapida_tw.speech.base import (
    DetectorProvider,
    Host,
    RecognizerProvider,
    Registry,
    SynthesizerProvider,
)


def installed_vendors(config: Config, host: Host, lives: Registry[LiveModelProvider]) -> Vendors:
    """Who hears, speaks and thinks; none of them is made yet."""
    return Vendors(
        Registry[RecognizerProvider]("rapida_tw.recognizers", host),
        Registry[SynthesizerProvider]("rapida_tw.synthesizers", host),
        Registry[DetectorProvider]("rapida_tw.detectors", host),
        Registry[ModelProvider]("rapida_tw.models", host),
        Defaults(
            config.speech.recognizer,
            config.speech.synthesizer,
            config.speech.vad,
            config.model.default,
        ),
        Chains(host.clock),
        lives,
    )
