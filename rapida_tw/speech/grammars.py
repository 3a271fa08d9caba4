"""Decoders that know grammars: prepared once a worker, lent to one utterance at a time. No Twisted.

pocketsphinx as measured for telephone audio (version 5.1.1, 8 kHz doubled to 16 kHz): `wip` 0.05
halves the errors of digit strings, `bestpath` off saves 50 ms an utterance and is more accurate,
an empty dictionary that grows by the words of the grammars saves 20 MB a decoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from typing import Any

from rapida_tw.speech import jsgf
from rapida_tw.speech.pronunciations import Pronunciations

pocketsphinx: Any = import_module("pocketsphinx")  # it has no types

_MOST_GRAMMARS = 64  # a decoder that has seen more is thrown away: it never forgets one
_KEPT = 256  # grammars prepared, in all calls

# For a word that nobody knows how to say: what nobody says. (JSGF has <VOID> for that, but in
# pocketsphinx it silences the words around it, too.)
_UNHEARD = "ZH OY ZH UH ZH OY ZH UH"
_HUMMED = {
    word if not number else f"{word}({number + 1})": phones
    for word, variants in jsgf.HESITATIONS.items()
    for number, phones in enumerate(variants)
}


@dataclass(frozen=True, slots=True)
class Grammar:
    """A grammar in which every word has a sound."""

    name: str  # the same text has the same name
    text: str
    phones: dict[str, str]  # dictionary entry -> ARPAbet
    skipped: tuple[str, ...]  # words that cannot be heard


class Grammars:
    """Prepares texts; the same text twice costs nothing."""

    def __init__(self, pronunciations: Pronunciations) -> None:
        self._pronunciations = pronunciations
        self.prepare = lru_cache(_KEPT)(self._prepare)

    def _prepare(self, text: str) -> Grammar:
        """`ValueError` when the text is no grammar; what is wrong inside, the decoder finds."""
        text = text or jsgf.COMMANDS
        phones = dict(_HUMMED)
        skipped = []
        for word in sorted(jsgf.words(text) - jsgf.HESITATIONS.keys()):
            entries = self._pronunciations.of(word)
            phones |= entries
            if not entries:
                skipped.append(word)
                phones[word] = _UNHEARD
        text = jsgf.with_hesitations(text)
        return Grammar(sha256(text.encode()).hexdigest(), text, phones, tuple(skipped))


class Decoder:
    """One pocketsphinx decoder. Any error leaves it unusable: throw it away."""

    # Never current_search(): without one it crashes the process.

    def __init__(self) -> None:
        self.sphinx: Any = pocketsphinx.Decoder(
            lm=None, dict=None, bestpath=False, wip=0.05, loglevel="FATAL"
        )
        self._words: set[str] = set()
        self._grammars: set[str] = set()

    def use(self, grammar: Grammar) -> None:
        """Listen by this grammar from the next utterance on; `ValueError` tells what is wrong."""
        if grammar.name not in self._grammars:
            for entry, phones in grammar.phones.items():
                if entry not in self._words:
                    # The search need not be told: those that use the word come after it.
                    self.sphinx.add_word(entry, phones, False)
                    self._words.add(entry)
            self.sphinx.add_jsgf_string(grammar.name, grammar.text)
            self._grammars.add(grammar.name)
        self.sphinx.activate_search(grammar.name)

    @property
    def worn(self) -> bool:
        return len(self._grammars) > _MOST_GRAMMARS


class Decoders:
    """Those that no utterance is using: as many exist as callers ever spoke at once."""

    def __init__(self) -> None:
        self._idle: list[Decoder] = []

    def lend(self, grammar: Grammar, mean: str) -> Decoder:
        """A decoder set to the grammar and to a caller's cepstral mean ("" for an average one)."""
        decoder = self._idle.pop() if self._idle else Decoder()
        decoder.use(grammar)
        decoder.sphinx.set_cmn(mean or AVERAGE_MEAN)
        return decoder

    def give_back(self, decoder: Decoder) -> None:
        """Only after an utterance that ended well."""
        if not decoder.worn:
            self._idle.append(decoder)


# What the live mean of pocketsphinx starts from; it suits a telephone as well as any (measured).
AVERAGE_MEAN = "40,3,-1,0,0,0,0,0,0,0,0,0,0"
