"""Silero VAD, version 6, by its ONNX model: rejects dialled digits, ringing, music and noise.

The package `silero-vad` asks for torch, which the model inside does not need; so it is installed
with `--no-deps` and only its file is used. Run in its 8 kHz mode: 67 µs a chunk of 32 ms.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from typing import Any

import numpy as np

from rapida_tw.audio.format import RATE, Samples
from rapida_tw.audio.resample import Resampler
from rapida_tw.speech.base import VoiceDetector
from rapida_tw.speech.engine import EngineMissing

_RATE = 8_000  # Hz
_CHUNK = 256  # samples, 32 ms
_CONTEXT = 32  # samples of the chunk before, in front of each
_FULL_SCALE = np.float32(32768)
_SAMPLE_RATE = np.array(_RATE, np.int64)


class Silero:
    """The model, loaded once a process (33 ms, 24 MB); `EngineMissing` says what it lacks."""

    def __init__(self) -> None:
        try:
            files = distribution("silero-vad")
        except PackageNotFoundError:
            raise EngineMissing("silero-vad is not installed") from None
        path = files.locate_file("silero_vad/data/silero_vad.onnx")
        if find_spec("onnxruntime") is None:
            raise EngineMissing("onnxruntime is not installed")
        onnx: Any = import_module("onnxruntime")
        # It runs inside the reactor: threads of its own would cost more than they bring.
        settings = onnx.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        settings.log_severity_level = 3
        try:
            self.session = onnx.InferenceSession(
                str(path), settings, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # it raises classes of its own that no document names
            raise EngineMissing(f"the model of silero-vad cannot be loaded: {error}") from error

    def open(self) -> SileroDetector:
        return SileroDetector(self.session)


class SileroDetector:
    """One call: the model's state, and the samples that do not fill a chunk yet."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._resampler = Resampler(RATE, _RATE)
        self._state = np.zeros((2, 1, 128), np.float32)
        self._input = np.zeros((1, _CONTEXT + _CHUNK), np.float32)
        self._filled = 0  # samples behind the context
        self._probability = 0.0

    def hear(self, frame: Samples) -> float:
        """See VoiceDetector; a frame that completes no chunk has the probability of the last."""
        samples = self._resampler(frame)
        taken = 0
        while taken < len(samples):
            piece = samples[taken : taken + _CHUNK - self._filled]
            start = _CONTEXT + self._filled
            np.divide(piece, _FULL_SCALE, out=self._input[0, start : start + len(piece)])
            taken += len(piece)
            self._filled += len(piece)
            if self._filled == _CHUNK:
                self._run()
        return self._probability

    def _run(self) -> None:
        inputs = {"input": self._input, "state": self._state, "sr": _SAMPLE_RATE}
        output, self._state = self._session.run(None, inputs)
        self._probability = float(output[0, 0])
        self._input[0, :_CONTEXT] = self._input[0, -_CONTEXT:]
        self._filled = 0


_conforms: type[VoiceDetector] = SileroDetector
