"""Wordings, as JSGF and as expressions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.models.pattern import BadWording, Gap, compiled, matches, parse


class PatternTests(SynchronousTestCase):
    def test_jsgf(self) -> None:
        """A wording keeps its shape; choices get parentheses."""
        self.assertEqual(
            parse("[please] book (a | my) table | reserve").jsgf(),
            "([please] book (a | my) table | reserve)",
        )

    def test_gap(self) -> None:
        """A gap is a rule of its own in JSGF, and what it covers is captured in text."""
        pattern = parse("for <> people", Gap("many", parse("one | two")))
        self.assertEqual(pattern.jsgf(), "for <many> people")
        found = compiled(pattern).search("a table for two people ")
        assert found is not None
        self.assertEqual(found.groups(), ("two ",))

    def test_optional_words(self) -> None:
        """With or without what is in brackets, but nothing more and nothing less."""
        pattern = parse("[the] address [please]")
        for words in ("address", "the address", "address please", "the address please"):
            self.assertTrue(matches(pattern, words), words)
        for words in ("", "the", "address the", "an address", "addresses"):
            self.assertFalse(matches(pattern, words), words)

    def test_whole_words_only(self) -> None:
        """A word inside another word is not found."""
        self.assertIsNone(compiled(parse("art | rt")).search("start party arts "))

    def test_longest_first(self) -> None:
        """The order of choices does not matter: the longer one is tried first."""
        found = compiled(parse("twenty | twenty three")).search("twenty three ")
        assert found is not None
        self.assertEqual(found[0], "twenty three ")

    def test_repeated(self) -> None:
        """An item with a plus may come any number of times, but at least once."""
        pattern = parse("call (one | two)+")
        self.assertTrue(matches(pattern, "call one two two"))
        self.assertFalse(matches(pattern, "call"))
        self.assertEqual(pattern.jsgf(), "call ((one | two))+")

    def test_words_and_shortest(self) -> None:
        """Every word is known, and the shortest way to say it."""
        pattern = parse("[please] (say | speak) that | repeat it [once more]")
        self.assertEqual([*pattern.words()], "please say speak that repeat it once more".split())
        self.assertEqual(pattern.shortest(), "say that")

    def test_typographic_apostrophe_and_capitals(self) -> None:
        """Wordings may be written as people write."""
        self.assertEqual(parse("I’d like").jsgf(), "i'd like")

    def test_bad_wordings(self) -> None:
        """What cannot be read is refused with its reason."""
        for wording, reason in {
            "": "empty",
            "(a | b": "not closed",
            "a]": "without its beginning",
            "a | ": "empty",
            "+ a": "follows nothing",
            "table 4": "'4'",
            "for <>": "no value",
            "[a] [b]": "nothing need be said",
        }.items():
            with self.assertRaises(BadWording, msg=wording) as caught:
                parse(wording)
            self.assertIn(reason, str(caught.exception))

    @given(st.text(alphabet="ab '[]()|+<>", max_size=12))
    def test_any_text(self, wording: str) -> None:
        """A wording is read or refused; one that is read matches its own shortest form."""
        try:
            pattern = parse(wording)
        except BadWording:
            return
        self.assertTrue(matches(pattern, pattern.shortest()))
