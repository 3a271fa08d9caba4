"""The voice detector of WebRTC, as it comes inside pocketsphinx, and a guard against tones.

It needs no model and 1.5 µs a frame (9 with the guard), but calls dialled digits and most ringing
speech. Pure tones are told apart by their spectrum: two peaks and nothing else.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from rapida_tw.audio.format import FRAME, RATE, TICK, Samples
from rapida_tw.speech.base import VoiceDetector
from rapida_tw.speech.engine import EngineMissing

_MODE = 2  # of 0..3; 3 loses a tenth more of the voice, 1 begins each call with a voice
# It says yes or no. A single yes among noes is worth less than a run of them.
_YES = 0.95
_NO = 0.05

_WINDOW = np.hanning(FRAME).astype(np.float32)
_SPREAD = 3  # bins (50 Hz) to both sides of a peak that its window smears it over
# Two tones leave 0.03 % of a frame's power on a µ-law line; 2 to 10 % of a voice's frames leave
# less than this, too few and too far between to matter.
_LEFT = 0.001
# Behind a tone it goes on saying yes for 100 ms of silence: what is 20 dB below the tone does not
# count, 1.5 dB less with each frame, so that a quiet voice is not lost for long.
_BELOW = 0.01
_FADE = 0.7


class WebRtc:
    """Loads the package; `EngineMissing` when it is not there."""

    def __init__(self) -> None:
        if find_spec("pocketsphinx") is None:
            raise EngineMissing("pocketsphinx is not installed")
        module: Any = import_module("pocketsphinx")
        self._make = module.Vad

    def open(self) -> WebRtcDetector:
        return WebRtcDetector(self._make(_MODE, RATE, TICK))


class WebRtcDetector:
    """One call."""

    def __init__(self, vad: Any) -> None:
        self._vad = vad
        self._echo = 0.0  # power below which a frame is the detector's memory of a tone

    def hear(self, frame: Samples) -> float:
        """See VoiceDetector."""
        self._echo *= _FADE
        if not self._vad.is_speech(frame.tobytes()):
            return _NO
        wide = frame.astype(np.float32)
        power = float(wide.dot(wide))
        if only_tones(frame):
            self._echo = power * _BELOW
            return _NO
        return _YES if power > self._echo else _NO


def only_tones(frame: Samples) -> bool:
    """Whether the frame, int16[320], is one or two sines and nothing else."""
    power = np.square(np.abs(np.fft.rfft(frame * _WINDOW)))
    whole = float(power.sum())
    for _ in range(2):
        peak = int(power.argmax())
        power[max(peak - _SPREAD, 0) : peak + _SPREAD + 1] = 0
    return float(power.sum()) < _LEFT * whole


_conforms: type[VoiceDetector] = WebRtcDetector
