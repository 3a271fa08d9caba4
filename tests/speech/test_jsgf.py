"""Words are found in grammar texts, and hesitations are added to them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.speech import jsgf

HEAD = "#JSGF V1.0;\ngrammar test;\n"


class WordTests(SynchronousTestCase):
    """What counts as a word."""

    def test_only_words(self) -> None:
        """Names, weights, tags, comments, brackets and the keyword are none."""
        text = (
            HEAD + "// not this\n<a> = /2.5/ yes {tag} | [oh] no; /* nor this */\n"
            "public <b> = (<a> | that's o'clock)+ up-to *;"
        )
        found = jsgf.words(text)
        self.assertEqual(found, {"yes", "oh", "no", "that's", "o'clock", "up-to"})

    def test_word_public(self) -> None:
        """The keyword can be a word, too."""
        self.assertIn("public", jsgf.words(HEAD + "public <a> = in public;"))

    def test_no_head(self) -> None:
        """What does not begin as a grammar is none."""
        self.assertRaises(ValueError, jsgf.words, "yes | no")

    def test_head_with_encoding(self) -> None:
        """The words of the header are not said."""
        head = "#JSGF V1.0 UTF-8 en;\n// mine\ngrammar com.example.test;\n"
        self.assertEqual(jsgf.words(head + "public <a> = yes;"), {"yes"})


class ChangeTests(SynchronousTestCase):
    """What is done to a grammar."""

    def test_hesitations(self) -> None:
        """The old rule is kept as one way, hesitations are the other."""
        text = jsgf.with_hesitations(HEAD + "public <answer> = yes | no;")
        self.assertIn("\n<answer> = yes | no;", text)
        self.assertIn("public <rapida_tw_heard> = <answer> | <rapida_tw_hesitation>;", text)
        self.assertEqual(text.count("public"), 1)

    def test_no_public_rule(self) -> None:
        """Without one nothing can be said at all."""
        self.assertRaises(ValueError, jsgf.with_hesitations, HEAD + "<a> = yes;")

    def test_commands(self) -> None:
        """The built-in grammar has what every caller may want."""
        self.assertLess({"yes", "no", "seven", "operator", "goodbye"}, jsgf.words(jsgf.COMMANDS))
