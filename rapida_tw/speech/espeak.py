"""The voice of espeak-ng, by the library inside the package espeakng-loader.

espeak-ng is GPL-3: it is no part of rapida_tw and never a dependency of it. Whoever installs the
extra `espeak` chooses it, and only then is it loaded. Robotic, but in a hundred languages, without
root, and quick: less than a millisecond of computing for a second of speech.
"""

from __future__ import annotations

import ctypes
from importlib import import_module
from importlib.util import find_spec
from itertools import takewhile
from threading import Event
from typing import Any

import numpy as np

from rapida_tw.audio.format import Samples
from rapida_tw.errors import VendorFailed
from rapida_tw.speech.engine import Engine, EngineMissing

# speak_lib.h
_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: espeak_Synth returns when all is spoken
_BUFFER = 20  # ms: how often the callback is asked whether to go on
_DO_NOT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT: without its data it would end the process
_UTF8 = 1
_RATE = 1  # espeakRATE, words a minute
_OK = 0

_WORDS_A_MINUTE = 160  # of rate 1.0; its own default, 175, is a hurry on a telephone
_DEFAULT = "en-us"


class _Voice(ctypes.Structure):
    """The beginning of espeak_VOICE."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),  # of the first one: its priority, then its name
        ("identifier", ctypes.c_char_p),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class Espeak:
    """The library has one state for the process: one thread speaks, one phrase at a time.

    `EngineMissing` when it is not installed or does not start.
    """

    threads = 1
    name = "espeak-ng (espeakng-loader)"

    def __init__(self) -> None:
        if find_spec("espeakng_loader") is None:
            raise EngineMissing("espeakng-loader is not installed")
        loader: Any = import_module("espeakng_loader")
        try:
            self._library = ctypes.CDLL(loader.get_library_path())
        except OSError as error:
            raise EngineMissing(f"espeak-ng cannot be loaded: {error}") from None
        # The library's built-in path to its data is one of the machine that compiled it.
        data = str(loader.get_data_path()).encode()
        self._sample_rate = self._library.espeak_Initialize(
            _SYNCHRONOUS, _BUFFER, data, _DO_NOT_EXIT
        )
        if self._sample_rate <= 0:
            raise EngineMissing("espeak-ng does not start")
        self._voices = self._listed()
        self.voices = (_DEFAULT, *sorted(self._voices.keys() - {_DEFAULT}))
        self._pieces: list[Samples] = []
        self._cancelled = Event()
        self._callback = _Callback(self._spoken)  # kept: the library has only its address
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, phrase: str, voice: str, rate: float, cancelled: Event) -> tuple[Samples, int]:
        self._pieces, self._cancelled = [np.zeros(0, np.int16)], cancelled
        if self._library.espeak_SetVoiceByName(self._voices.get(voice, b"?")) != _OK:
            raise VendorFailed(f"espeak-ng has no voice {voice!r}")
        self._library.espeak_SetParameter(_RATE, round(_WORDS_A_MINUTE * rate), 0)
        text = phrase.replace("\0", " ").encode()
        length = ctypes.c_size_t(len(text) + 1)
        if self._library.espeak_Synth(text, length, 0, 0, 0, _UTF8, None, None) != _OK:
            raise VendorFailed("espeak-ng cannot say this")
        return np.concatenate(self._pieces), self._sample_rate

    def _listed(self) -> dict[str, bytes]:
        """Languages, and what the library calls the voice of each."""
        self._library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        listed = self._library.espeak_ListVoices(None)
        voices: dict[str, bytes] = {}
        for pointer in takewhile(bool, listed):
            voice = pointer.contents
            voices[voice.languages[1:].decode("ascii", "replace")] = voice.identifier
        return voices

    def _spoken(self, samples: Any, count: int, events: int) -> int:
        """A piece; 1 makes it stop."""
        if samples and count > 0:
            self._pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return int(self._cancelled.is_set())


_conforms: type[Engine] = Espeak
