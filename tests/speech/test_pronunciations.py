"""How words sound: from the dictionary, and by guessing."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.speech.pronunciations import Pronunciations

ENTRIES = """'em AH M
a AH
a(2) EY
b B IY
check CH EH K
cheque CH EH K
d D IY
in IH N
in(2) IH N N
luna L UW N AH
m EH M
t T IY
z Z IY
"""


class PronunciationsTests(SynchronousTestCase):
    def setUp(self) -> None:
        path = Path(self.mktemp())
        path.write_text(ENTRIES)
        self.words = Pronunciations(path)

    def test_every_entry(self) -> None:
        """Each word is found, the first and the last line too."""
        for line in ENTRIES.splitlines():
            entry, _, phones = line.partition(" ")
            word = entry.partition("(")[0]
            self.assertEqual(self.words.of(word)[entry], phones)

    def test_variants(self) -> None:
        """All ways to say a word come together."""
        self.assertEqual(self.words.of("a"), {"a": "AH", "a(2)": "EY"})

    def test_beginning_of_a_word(self) -> None:
        """A word that others begin with is not taken for them."""
        self.assertEqual(self.words.of("che ck"), {})
        self.assertEqual(self.words.of("lun-zzzzzzz"), {})

    def test_parts(self) -> None:
        """Words joined by hyphens sound like their parts."""
        self.assertEqual(self.words.of("check-in"), {"check-in": "CH EH K IH N"})

    def test_possessive(self) -> None:
        """An 's is added to what is known."""
        self.assertEqual(self.words.of("luna's"), {"luna's": "L UW N AH Z"})

    def test_spelled(self) -> None:
        """Short unknown words are spelled, with the letter and not the article "a"."""
        self.assertEqual(self.words.of("atm"), {"atm": "EY T IY EH M"})

    def test_nobody_knows(self) -> None:
        """Neither a long unknown word nor a figure has a sound."""
        for word in ("abmtdzabmtdz", "7", "é", ""):
            self.assertEqual(self.words.of(word), {}, word)
