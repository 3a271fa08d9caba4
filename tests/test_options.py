"""Options of plug-ins: read, checked, and told what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.options import read, within


@dataclass(frozen=True, slots=True)
class Chosen:
    speed: float = 1.0
    name: str = ""
    count: int = 0
    on: bool = False
    words: tuple[str, ...] = ()
    voice_id: str = ""
    pitch: float | None = None
    loud: bool | None = None
    extra: dict[str, Any] = field(default_factory=dict)

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
        known = "speed, name, count, on, words, voice_id, pitch, loud, extra"
        self.assertEqual(self.wrong(tempo=1), f"it has no option 'tempo'; it has: {known}")

    def test_type(self) -> None:
        """A text is no number."""
        self.assertEqual(self.wrong(speed="fast"), "it: speed must be a number")
        self.assertEqual(self.wrong(speed=None), "it: speed must be a number")

    def test_kinds(self) -> None:
        """Each kind of option refuses what it is not."""
        for name, value, sentence in [
            ("count", "1.5", "a whole number"),
            ("count", 1.5, "a whole number"),
            ("on", "perhaps", "true or false"),
            ("words", 3, "a list"),
            ("name", None, "a text"),
            ("pitch", "high", "a number"),
            ("loud", "perhaps", "true or false"),
            ("extra", "[1]", "a JSON object"),
            ("extra", "{", "a JSON object"),
            ("extra", 1, "a JSON object"),
            ("name", ["a"], "a text"),
        ]:
            self.assertEqual(self.wrong(**{name: value}), f"it: {name} must be {sentence}")

    def test_truth(self) -> None:
        """What is said to be false is false, whatever is written for it."""
        for value in (False, "false", "False", "0", 0, "no"):
            self.assertFalse(read(Chosen, {"on": value}, "x.", "it").on)
        for value in (True, "true", "TRUE", "1", 1, "yes"):
            self.assertTrue(read(Chosen, {"on": value}, "x.", "it").on)

    def test_lists(self) -> None:
        """A list, or a text that is one."""
        for value in (["a b", "c"], "a b<|||>c", "a b, c"):
            self.assertEqual(read(Chosen, {"words": value}, "x.", "it").words, ("a b", "c"))
        self.assertEqual(read(Chosen, {"words": ""}, "x.", "it").words, ())

    def test_not_given(self) -> None:
        """A setting without a default is not set by a null or an empty text."""
        for value in (None, ""):
            self.assertIsNone(read(Chosen, {"pitch": value}, "x.", "it").pitch)
        self.assertEqual(read(Chosen, {"pitch": "0.5", "loud": "no"}, "x.", "it").pitch, 0.5)
        self.assertIs(read(Chosen, {"loud": "no"}, "x.", "it").loud, False)

    def test_objects(self) -> None:
        """An object, or its JSON."""
        for value in ({"a": [1]}, '{"a": [1]}'):
            self.assertEqual(read(Chosen, {"extra": value}, "x.", "it").extra, {"a": [1]})
        self.assertEqual(read(Chosen, {"extra": ""}, "x.", "it").extra, {})

    def test_dots(self) -> None:
        """Dots in a key are underscores in the field, which begins with none."""
        for key in ("x.voice.id", "voice_id", "x.__voice.id"):
            self.assertEqual(read(Chosen, {key: "v"}, "x.", "it").voice_id, "v")

    def test_range(self) -> None:
        """Out of range, or no number at all."""
        for value in (0.4, 2.1, "nan", "inf"):
            self.assertEqual(self.wrong(speed=value), "it: speed must be between 0.5 and 2")
