"""Microphone: what the options of `vad` say beside the detector's own (PRODUCT, d.2).

Rapida's detectors count in frames of 10 ms, whatever their model; pipecat's options are in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isfinite
from typing import Any

from rapida_tw.audio.format import TICK, TICK_MS
from rapida_tw.audio.vad import SpeechGate
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.speech.base import Options

_FRAME_MS = 10
_LONGEST = 100  # ticks: a voice that must last longer is never one
# How long: the newer name counts, the values in seconds come second.
_START = {"min_speech_frame": _FRAME_MS / TICK_MS, "start_secs": 1 / TICK}
_STOP = {"min_silence_frame": _FRAME_MS / TICK_MS, "stop_secs": 1 / TICK}
_TRIGGERS = {"vad": True, "word": False}
_OURS = {*_START, *_STOP, "barge_in_trigger", "confidence", "min_volume"}


@dataclass(frozen=True, slots=True)
class Microphone:
    """How a call listens. `start`, `stop`: ticks of the SpeechGate.

    `interrupted_by_sound`: barge_in_trigger is "vad"; else only words interrupt.
    """

    start: int = 3
    stop: int = 10
    interrupted_by_sound: bool = True

    @classmethod
    def read(cls, options: Options) -> tuple[Microphone, dict[str, Any]]:
        """From a deployment, and the options that are left: the detector's.

        `confidence` is what others call a threshold. `min_volume` says nothing here: the level that
        counts follows the line's noise. `MisconfiguredAssistant` names what is wrong.
        """
        ours: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        # The older spellings first, so that the newer ones count.
        for key in sorted(options, key=lambda key: "vad.barge" not in key):
            name = key.removeprefix("microphone.").removeprefix("vad.")
            if name in _OURS:
                ours[name] = options[key]
            else:
                rest[key] = options[key]
        if "confidence" in ours and not any(key.endswith("threshold") for key in rest):
            rest["microphone.vad.threshold"] = ours["confidence"]
        return (
            cls(
                _ticks(ours, _START, cls().start),
                _ticks(ours, _STOP, cls().stop),
                _by_sound(ours.get("barge_in_trigger", "vad")),
            ),
            rest,
        )

    def gate(self) -> SpeechGate:
        return SpeechGate(start=self.start, stop=self.stop)


def _ticks(options: Options, names: dict[str, float], usual: int) -> int:
    for name, ticks in names.items():
        if name in options:
            try:
                value = float(options[name]) * ticks
            except (TypeError, ValueError):
                value = 0.0
            # Floats of seconds: 0.2 s are 10 ticks, not 11.
            if not isfinite(value) or not 1 <= ceil(value - 1e-6) <= _LONGEST:
                raise MisconfiguredAssistant(f"vad: {name} must be a length up to 2 s, above 0")
            return ceil(value - 1e-6)
    return usual


def _by_sound(trigger: object) -> bool:
    if str(trigger) not in _TRIGGERS:
        raise MisconfiguredAssistant(f"vad: barge_in_trigger is vad or word, not {trigger!r}")
    return _TRIGGERS[str(trigger)]
