"""How words sound: the CMU pronouncing dictionary, and guesses for what it lacks. No Twisted here.

The dictionary is a file of 135,000 lines "word PH ON ES", sorted by word, variants behind it as
"word(2) PH ON ES". It is mapped, not read: one copy in memory serves all worker processes.
"""

from __future__ import annotations

import re
from mmap import ACCESS_READ, mmap
from pathlib import Path

_SPELLED = re.compile(r"[a-z]+")
_LONGEST_SPELLED = 6  # letters: who says "dtmf" spells it; nobody spells "quixotically"


class Pronunciations:
    """Finds the phones (ARPAbet) of a word."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._text = mmap(file.fileno(), 0, access=ACCESS_READ)

    def of(self, word: str) -> dict[str, str]:
        """Entries for a decoder, `{"a": "AH", "a(2)": "EY"}`; empty when nobody can know.

        A word that is not in the dictionary is tried in parts ("check-in"), as a possessive
        ("luna's"), and as a spelled abbreviation ("dtmf").
        """
        found = self._known(word)
        if found:
            return found
        guess = self._in_parts(word) or self._possessive(word) or self._spelled(word)
        return {word: guess} if guess else {}

    def _known(self, word: str) -> dict[str, str]:
        """The entries of the dictionary itself."""
        wanted = word.encode()
        low, high = 0, len(self._text)  # the first line not before the word begins in low..high
        while low < high:
            start = self._line_start((low + high) // 2)
            if self._key(start)[0] < wanted:
                low = self._line_end(start) + 1
            else:
                high = start
        found: dict[str, str] = {}
        while low < len(self._text) and self._key(low)[0] == wanted:
            entry, _, phones = self._text[low : self._line_end(low)].decode("utf-8").partition(" ")
            found[entry] = phones.strip()
            low = self._line_end(low) + 1
        return found

    def _key(self, start: int) -> tuple[bytes, bytes]:
        """The word of a line, and its variant."""
        entry = self._text[start : self._text.find(b" ", start)]
        word, mark, variant = entry.partition(b"(")
        return word, mark + variant

    def _line_start(self, place: int) -> int:
        return self._text.rfind(b"\n", 0, place) + 1

    def _line_end(self, place: int) -> int:
        end = self._text.find(b"\n", place)
        return end if end >= 0 else len(self._text)

    def _in_parts(self, word: str) -> str:
        parts = [part for part in re.split(r"[-_.]", word) if part]
        if len(parts) < 2:
            return ""
        phones = [next(iter(self.of(part).values()), "") for part in parts]
        return " ".join(phones) if all(phones) else ""

    def _possessive(self, word: str) -> str:
        stem = word.removesuffix("'s")
        if stem == word:
            return ""
        phones = next(iter(self.of(stem).values()), "")
        return f"{phones} Z" if phones else ""

    def _spelled(self, word: str) -> str:
        if not _SPELLED.fullmatch(word) or len(word) > _LONGEST_SPELLED:
            return ""
        # The first entry of "a" is the article; the letter is the second.
        phones = [list(self._known(letter).values())[letter == "a" :] for letter in word]
        return " ".join(ways[0] for ways in phones) if all(phones) else ""
