"""Options of plug-ins: read, checked, and told what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.speech.options import read, within


@dataclass(frozen=True, slots=True)
class Chosen:
    speed: float = 1.0
    name: str = ""

    def __post_init__(self) -> None:
        within("speed", self.speed, 0.5, 2)


class ReadTests(SynchronousTestCase):
    def wrong(self, **options: Any) -> str:
        return str(self.assertRaises(MisconfiguredAssistant, read, Chosen, options, "x.", "it"))

    def test_defaults(self) -> None:
        """Nothing given is nothing wrong."""
        self.assertEqual(read(Chosen, {}, "x.", "it"), Chosen())

    def test_prefix_and_strings(self) -> None:
        """Keys may carry the prefix, and numbers may come as text."""
        chosen = read(Chosen, {"x.speed": "1.5", "name": "slt"}, "x.", "it")
        self.assertEqual(chosen, Chosen(1.5, "slt"))

    def test_unknown(self) -> None:
        """An option that is not there is named, with those that are."""
        self.assertEqual(self.wrong(pitch=1), "it has no option 'pitch'; it has: speed, name")

    def test_type(self) -> None:
        """A text is no number."""
        self.assertEqual(self.wrong(speed="fast"), "it: speed must be a number")
        self.assertEqual(self.wrong(speed=None), "it: speed must be a number")

    def test_range(self) -> None:
        """Out of range, or no number at all."""
        for value in (0.4, 2.1, "nan", "inf"):
            self.assertEqual(self.wrong(speed=value), "it: speed must be between 0.5 and 2")
