"""What was spoken is kept, up to a bound."""

from __future__ import annotations

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import Samples
from rapida_tw.speech.phrase_cache import PhraseCache


def key(phrase: str) -> tuple[str, float, str]:
    return "slt", 1.0, phrase


class PhraseCacheTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cache = PhraseCache[tuple[str, float, str], Samples](most=1000)
        for phrase in ("one", "two"):
            self.cache.put(key(phrase), np.zeros(200, np.int16))

    def test_kept(self) -> None:
        """What was put in comes out, under its voice and rate only."""
        self.assertIsNotNone(self.cache.get(key("one")))
        self.assertIsNone(self.cache.get(("rms", 1.0, "one")))

    def test_longest_unused_goes(self) -> None:
        """At the bound, what nobody asked for longest is forgotten."""
        self.cache.get(key("one"))
        self.cache.put(key("three"), np.zeros(200, np.int16))
        self.assertIsNone(self.cache.get(key("two")))
        self.assertIsNotNone(self.cache.get(key("one")))
        self.assertEqual(self.cache.size, 800)

    def test_twice(self) -> None:
        """The same phrase again takes the place of the first."""
        self.cache.put(key("one"), np.zeros(100, np.int16))
        self.assertEqual(self.cache.size, 600)

    def test_too_large(self) -> None:
        """A phrase larger than all of it is not kept and drives nothing out."""
        self.cache.put(key("long"), np.zeros(600, np.int16))
        self.assertEqual(self.cache.size, 800)

    def test_looking(self) -> None:
        """Who only asks whether it is kept does not use it."""
        self.assertIn(key("one"), self.cache)
        self.cache.put(key("three"), np.zeros(200, np.int16))
        self.assertNotIn(key("one"), self.cache)
