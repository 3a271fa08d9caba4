"""Silero VAD, version 6, by its ONNX model: rejects dialled digits, ringing, music and noise.

The package `silero-vad` asks for torch, which the model inside does not need; so it is installed
with `--no-deps` and only its file is used, in its 8 kHz mode. How it is run for many calls is
silero_batch.py's.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from typing import Any

from rapida_tw.speech.base import VoiceDetector
from rapida_tw.speech.engine import EngineMissing
from rapida_tw.speech.silero_batch import Batch, SileroDetector, Start, in_thread


class Silero:
    """The model, loaded once a process (33 ms, 24 MB); `EngineMissing` says what it lacks."""

    def __init__(self, start: Start = in_thread) -> None:
        try:
            files = distribution("silero-vad")
        except PackageNotFoundError:
            raise EngineMissing("silero-vad is not installed") from None
        path = files.locate_file("silero_vad/data/silero_vad.onnx")
        if find_spec("onnxruntime") is None:
            raise EngineMissing("onnxruntime is not installed")
        onnx: Any = import_module("onnxruntime")
        # Threads of its own would cost more than they bring.
        settings = onnx.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        settings.log_severity_level = 3
        try:
            self.session = onnx.InferenceSession(
                str(path), settings, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # it raises classes of its own that no document names
            raise EngineMissing(f"the model of silero-vad cannot be loaded: {error}") from error
        self._batch = Batch(self.session, start)

    def open(self) -> VoiceDetector:
        return SileroDetector(self._batch)
