"""The energy detector as a plug-in: needs no package and the least CPU."""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed

from rapida_tw.audio.vad import EnergyDetector
from rapida_tw.speech.base import DetectorProvider, Host, Options, VoiceDetector


class EnergyDetectorProvider:
    """Opens one EnergyDetector a call; takes no options."""

    description = "energy above the noise floor"

    def __init__(self, host: Host) -> None:
        pass

    def open(self, options: Options) -> VoiceDetector:
        return EnergyDetector()

    def stop(self) -> Deferred[None]:
        return succeed(None)


_conforms: type[DetectorProvider] = EnergyDetectorProvider
