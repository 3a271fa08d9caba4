"""The voices of flite, by its shared library (Debian: libflite1; CMU licence, BSD-like).

One sentence at a time and whole: 12 ms of computing for a second of speech, so there is nothing
to cancel. Calls go without the interpreter's lock. English only.
"""

from __future__ import annotations

import ctypes
import unicodedata
from threading import Event, Lock

import numpy as np

from rapida_tw.audio.format import Samples
from rapida_tw.errors import VendorFailed
from rapida_tw.speech.engine import Engine, EngineMissing

_VOICES = ("slt", "rms", "awb", "kal16", "kal")  # in the order of liking; kal is 8 kHz

_STRETCH = b"duration_stretch"


class _Wave(ctypes.Structure):
    """cst_wave (cst_wave.h)."""

    _fields_ = [
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    ]


class _Voice(ctypes.Structure):
    """The beginning of cst_voice (flite.h)."""

    _fields_ = [("name", ctypes.c_char_p), ("features", ctypes.c_void_p)]


class Flite:
    """Loads what is installed; `EngineMissing` when the library or all voices are not."""

    threads = 2

    def __init__(self) -> None:
        self._library = _library("libflite.so.1")
        # The voices' libraries look for the language's symbols among those that are loaded.
        for part in ("libflite_usenglish.so.1", "libflite_cmulex.so.1"):
            _library(part)
        self._library.flite_text_to_wave.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
        self._library.flite_text_to_wave.restype = ctypes.POINTER(_Wave)
        self._library.delete_wave.argtypes = [ctypes.c_void_p]
        self._library.delete_wave.restype = None
        self._library.flite_get_param_float.argtypes = [
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_float,
        ]
        self._library.flite_get_param_float.restype = ctypes.c_float
        self._library.flite_feat_set_float.argtypes = [
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_float,
        ]
        self._library.flite_feat_set_float.restype = None
        self._library.flite_init()
        self._voices = {name: voice for name in _VOICES if (voice := _register(name))}
        if not self._voices:
            raise EngineMissing("libflite has no voice")
        # The speed is a property of the voice: whoever speaks with it holds it.
        self._stretches = {
            name: self._library.flite_get_param_float(_features(handle), _STRETCH, 1.0)
            for name, handle in self._voices.items()
        }
        self._locks = {name: Lock() for name in self._voices}
        self.voices = tuple(self._voices)
        self.name = f"flite {self.voices[0]} (libflite1)"

    def speak(self, phrase: str, voice: str, rate: float, cancelled: Event) -> tuple[Samples, int]:
        # It knows ASCII: an "é" would be left out, so it is told as "e".
        text = _plain(phrase)
        handle = self._voices[voice]
        with self._locks[voice]:
            stretch = self._stretches[voice] / rate
            self._library.flite_feat_set_float(_features(handle), _STRETCH, stretch)
            wave = self._library.flite_text_to_wave(text, handle)
        if not wave:
            raise VendorFailed("flite cannot say this")
        try:
            heard = wave.contents
            if not heard.num_samples:
                return np.zeros(0, np.int16), heard.sample_rate
            shape = (heard.num_samples, heard.num_channels)
            samples = np.ctypeslib.as_array(heard.samples, shape)[:, 0].copy()
            return samples, heard.sample_rate
        finally:
            self._library.delete_wave(wave)


def _library(name: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
    except OSError:
        raise EngineMissing("libflite1 is not installed") from None


def _register(name: str) -> int | None:
    """The handle of a voice; None when its library is not there."""
    try:
        library = ctypes.CDLL(f"libflite_cmu_us_{name}.so.1")
    except OSError:
        return None
    register = getattr(library, f"register_cmu_us_{name}")
    register.argtypes, register.restype = [ctypes.c_char_p], ctypes.c_void_p
    handle: int | None = register(None)
    return handle


def _features(voice: int) -> int | None:
    features: int | None = ctypes.cast(voice, ctypes.POINTER(_Voice)).contents.features
    return features


def _plain(phrase: str) -> bytes:
    return unicodedata.normalize("NFKD", phrase).encode("ascii", "ignore")


_conforms: type[Engine] = Flite
