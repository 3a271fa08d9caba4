"""The engines themselves, where they are installed, and the tone that always is."""

from __future__ import annotations

import ctypes
from threading import Event

import numpy as np
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from rapida_tw.errors import VendorFailed
from rapida_tw.speech import espeak as espeak_module
from rapida_tw.speech.engine import Engine, EngineMissing, Tone
from rapida_tw.speech.espeak import Espeak
from rapida_tw.speech.flite import Flite
from tests.speech.spoken import flite

PHRASE = "Welcome to Luna, how can I help you?"


def espeak() -> Espeak:
    try:
        return Espeak()
    except EngineMissing as error:
        raise SkipTest(str(error)) from None


class EngineTests(SynchronousTestCase):
    """What holds for all of them."""

    def seconds(self, engine: Engine, phrase: str = PHRASE, rate: float = 1.0) -> float:
        samples, source = engine.speak(phrase, engine.voices[0], rate, Event())
        self.assertEqual(samples.dtype, np.int16)
        return len(samples) / source

    def check(self, engine: Engine) -> None:
        self.assertGreater(self.seconds(engine), 1.0)
        self.assertLess(self.seconds(engine), 4.0)
        fast, slow = (self.seconds(engine, rate=rate) for rate in (1.5, 0.75))
        self.assertGreater(slow, fast * 1.5)
        self.assertLess(self.seconds(engine), slow)
        for odd in ("", "...", "Zoë & Łukasz 価格 \0 <b>"):
            self.seconds(engine, odd)

    def test_flite(self) -> None:
        """flite speaks in time, at every rate, and survives any text."""
        self.check(flite())

    def test_espeak(self) -> None:
        """espeak-ng likewise."""
        self.check(espeak())

    def test_flite_voices(self) -> None:
        """Each of its voices speaks."""
        for voice in flite().voices:
            samples, _ = flite().speak("yes", voice, 1.0, Event())
            self.assertGreater(np.abs(samples).max(), 1000, voice)

    def test_espeak_voices(self) -> None:
        """The voices that it lists can speak; one that it has not is refused."""
        engine = espeak()
        self.assertEqual(engine.voices[0], "en-us")
        for voice in ("en-us", "en-gb", "fr-fr", "de", "pt-br"):
            self.assertIn(voice, engine.voices)
            engine.speak("no", voice, 1.0, Event())
        self.assertRaises(VendorFailed, engine.speak, "no", "klingon-x", 1.0, Event())

    def test_espeak_cancelled(self) -> None:
        """It stops in mid-sentence, and the next sentence is whole."""
        engine, cancelled = espeak(), Event()
        cancelled.set()
        samples, rate = engine.speak(PHRASE, "en-us", 1.0, cancelled)
        self.assertLess(len(samples), rate / 10)
        self.assertGreater(self.seconds(engine), 1.0)

    def test_tone(self) -> None:
        """Beeps, of 600 ms whatever the phrase."""
        self.assertEqual(self.seconds(Tone()), 0.6)


class MissingTests(SynchronousTestCase):
    def test_no_library(self) -> None:
        """Without the library flite is missing, by name."""

        def nothing(name: str, mode: int = 0) -> ctypes.CDLL:
            raise OSError(f"{name}: cannot open shared object file")

        self.patch(ctypes, "CDLL", nothing)
        error = self.assertRaises(EngineMissing, Flite)
        self.assertEqual(str(error), "libflite1 is not installed")

    def test_no_loader(self) -> None:
        """Without its package espeak-ng is missing."""
        self.patch(espeak_module, "find_spec", lambda name: None)
        error = self.assertRaises(EngineMissing, Espeak)
        self.assertEqual(str(error), "espeakng-loader is not installed")
