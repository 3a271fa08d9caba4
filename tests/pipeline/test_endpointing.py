"""Endpointing: how much silence ends a turn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.pipeline.endpointing import Endpointing, EndpointingOptions

USUAL, QUICK, EXTENDED = 30, 20, 60  # ticks of the defaults


class WordsTests(SynchronousTestCase):
    """What the words so far say about it."""

    def test_usual(self) -> None:
        """Without words, or with words that tell nothing, the usual silence."""
        for text in ("", "a table", "mhm"):
            self.assertEqual(Endpointing().needed(text), USUAL, text)

    def test_complete(self) -> None:
        """A sentence that sounds finished is answered sooner."""
        for text in ("yes", "No", "a table please", "We are four.", "really?", "stop!"):
            self.assertEqual(Endpointing().needed(text), QUICK, text)

    def test_unfinished(self) -> None:
        """A sentence that wants more is given more."""
        for text in ("I would like a", "my name is", "yes but", "well, UM", "to,"):
            self.assertEqual(Endpointing().needed(text), EXTENDED, text)


class PausesTests(SynchronousTestCase):
    """What the caller's own pauses teach."""

    def test_learnt(self) -> None:
        """Who paused for 800 ms inside a turn is given a third more next time, words or not."""
        endpointing = Endpointing()
        endpointing.paused_inside(40)
        self.assertEqual(endpointing.needed("a table"), 52)
        self.assertEqual(endpointing.needed("yes"), 52)

    def test_bounded(self) -> None:
        """No pause makes the assistant wait longer than the extended silence."""
        endpointing = Endpointing()
        endpointing.paused_inside(500)
        self.assertEqual(endpointing.needed("a table"), EXTENDED)

    def test_forgotten(self) -> None:
        """Short pauses afterwards bring the usual silence back."""
        endpointing = Endpointing()
        endpointing.paused_inside(40)
        for _ in range(10):
            endpointing.paused_inside(11)
        self.assertEqual(endpointing.needed("a table"), USUAL)


class OptionsTests(SynchronousTestCase):
    """`endOfSpeech` of a deployment."""

    def test_read(self) -> None:
        """Names with and without their prefix, numbers also as text."""
        read = EndpointingOptions.read({"timeout": "800", "microphone.eos.quick_timeout": 200})
        self.assertEqual(read, EndpointingOptions(800, 200, 1200))

    def test_mistakes(self) -> None:
        """Each mistake is named by its key."""
        for options in (
            {"timout": 500},
            {"timeout": "soon"},
            {"timeout": None},
            {"timeout": 99},
            {"timeout": 10_001},
            {"timeout": float("inf")},
            {"timeout": float("nan")},
        ):
            with self.assertRaises(MisconfiguredAssistant) as caught:
                EndpointingOptions.read(options)
            self.assertIn(next(iter(options)), str(caught.exception))

    def test_provider(self) -> None:
        """From the deployment's provider, or the option that is called so."""
        for options, provider, read in (
            ({}, "", ""),
            ({}, "silence_based_eos", "silence_based_eos"),
            ({"microphone.eos.provider": "vendor"}, "", "vendor"),
            ({"provider": "vendor"}, "silence", "silence"),
        ):
            self.assertEqual(EndpointingOptions.read(options, provider).provider, read)
        with self.assertRaises(MisconfiguredAssistant) as caught:
            EndpointingOptions.read({}, "livekit_eos")
        self.assertIn("silence_based_eos, vendor, silence", str(caught.exception))

    def test_who_ends_turns(self) -> None:
        """The recogniser where it can, unless silence is asked for; who insists on it is told."""
        for provider, heeded in (("", True), ("silence_based_eos", True), ("silence", False)):
            endpointing = Endpointing(EndpointingOptions(provider=provider))
            endpointing.check(False)
            self.assertEqual(endpointing.by_vendor(True), heeded, provider)
            self.assertFalse(endpointing.by_vendor(False))
        endpointing = Endpointing(EndpointingOptions(provider="vendor"))
        endpointing.check(True)
        self.assertTrue(endpointing.by_vendor(True))
        self.assertRaises(MisconfiguredAssistant, endpointing.check, False)

    def test_last_resort(self) -> None:
        """A second and a half beyond the longest silence."""
        self.assertEqual(Endpointing().last_resort, EXTENDED + 75)
        self.assertEqual(Endpointing(EndpointingOptions(timeout=3000)).last_resort, 150 + 75)

    def test_longer_than_extended(self) -> None:
        """A usual silence above the extended one is kept to, and unfinished words get no less."""
        endpointing = Endpointing(EndpointingOptions(timeout=3000))
        self.assertEqual(endpointing.needed("a table"), 150)
        self.assertEqual(endpointing.needed("my name is"), 150)

    def test_shorter_than_quick(self) -> None:
        """A usual silence below the quick one holds for complete sentences too."""
        endpointing = Endpointing(EndpointingOptions(timeout=200))
        self.assertEqual(endpointing.needed("yes"), 10)

    @given(
        st.integers(100, 10_000),
        st.integers(100, 10_000),
        st.integers(100, 10_000),
        st.lists(st.integers(0, 1500)),
        st.text(),
    )
    def test_always_in_bounds(
        self, usual: int, quick: int, extended: int, pauses: list[int], text: str
    ) -> None:
        """Whatever was set, learnt and said, the answer is one of the options or between them."""
        endpointing = Endpointing(EndpointingOptions(usual, quick, extended))
        for pause in pauses:
            endpointing.paused_inside(pause)
        ticks = [option // 20 for option in (usual, quick, extended)]
        self.assertTrue(min(ticks) <= endpointing.needed(text) <= max(ticks))
