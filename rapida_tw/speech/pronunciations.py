"""How words sound: the CMU pronouncing dictionary, and guesses for what it lacks. No Twisted here.

The dictionary is a file of lines "word PH ON ES", variants as "word(2) ...", 135,000 of them. It
is mapped, not read: one copy in memory serves all worker processes. A look-up takes about 0.5 ms,
and whoever looks up keeps the answer.
"""

from __future__ import annotations

import re
from mmap import ACCESS_READ, mmap
from pathlib import Path

_SPELLED = re.compile(r"[a-z]+")
_LONGEST_SPELLED = 6  # letters: who says "dtmf" spells it; nobody spells "quixotically"
_MOST_VARIANTS = 9


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
        found: dict[str, str] = {}
        for variant in range(1, _MOST_VARIANTS + 1):
            key = word if variant == 1 else f"{word}({variant})"
            phones = self._line(key)
            if phones is None:
                break
            found[key] = phones
        return found

    def _line(self, key: str) -> str | None:
        wanted = f"{key} ".encode()
        if self._text[: len(wanted)] == wanted:
            start = 0
        else:
            start = self._text.find(b"\n" + wanted) + 1
            if not start:
                return None
        end = self._text.find(b"\n", start)
        line = self._text[start : end if end >= 0 else len(self._text)]
        return line[len(wanted) :].decode("ascii").strip()

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
        # The first entry of "a" is the article; spelled, it is the second.
        phones = [self._line("a(2)") if letter == "a" else self._line(letter) for letter in word]
        return " ".join(phone for phone in phones if phone) if all(phones) else ""
