"""What one call says, by pocketsphinx: grammar in, utterances in, words and scores out. No Twisted.

How well the words fit is the mean over their frames of the log acoustic score (protocol notes:
pauses and fillers left out). Right answers have -0.0033 in the median, speech outside the grammar
-0.0054; the `.prob` of pocketsphinx says nothing in this mode.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Any

from rapida_tw.speech.grammars import Decoder, Decoders, Grammar, Grammars

NOTHING_FITS = -1.0  # score of no words at all
# Words so far are told when they fit this well and two looks 100 ms apart agree on them. Measured
# on noise bursts like coughs: 2 % look like a word; on "mhm", "uh huh" and "um": 6 %; on sentences
# of the grammar, 82 % are told before their end.
_LIKELY = -0.0040
_FAINTEST = 1e-300


@dataclass(frozen=True, slots=True)
class Words:
    """Words without pauses, fillers and hypotheses about how they were pronounced."""

    text: str = ""
    score: float = NOTHING_FITS


class Hearing:
    """One call. Utterances do not overlap: `begin`, `hear` often, `end`."""

    def __init__(self, grammars: Grammars, decoders: Decoders) -> None:
        self._grammars = grammars
        self._decoders = decoders
        self._grammar: Grammar | None = None
        self._mean = ""  # cepstral mean of the caller and his line, carried between utterances
        self._decoder: Decoder | None = None
        self._looked: list[str] = []

    def expect(self, text: str) -> tuple[str, ...]:
        """JSGF for the next utterances; returns the words nobody can pronounce.

        `ValueError` when it is no grammar: then the built-in commands can be said.
        """
        self._grammar = None
        grammar = self._grammars.prepare(text)
        # Tried now, so that a mistake is found here and the utterance need not wait for it.
        self._decoders.give_back(self._decoders.lend(grammar, ""))
        self._grammar = grammar
        return grammar.skipped

    def begin(self) -> None:
        if self._decoder is not None:
            self.end()
        self._looked = []
        grammar = self._grammar or self._grammars.prepare("")
        decoder = self._decoders.lend(grammar, self._mean)
        decoder.sphinx.start_utt()
        self._decoder = decoder

    def hear(self, audio: bytes) -> None:
        """int16 at 8 kHz, little-endian, one sample or more; ignored outside an utterance."""
        if self._decoder is not None:
            self._decoder.sphinx.process_raw(doubled(audio))

    def so_far(self) -> str:
        """The words that can be relied on by now; call it about every 100 ms."""
        if self._decoder is None:
            return ""
        words = _words(self._decoder.sphinx)
        before, now = self._looked, words.text.split() if words.score >= _LIKELY else []
        self._looked = now
        agreed = 0
        while agreed < min(len(before), len(now)) and before[agreed] == now[agreed]:
            agreed += 1
        return " ".join(now[:agreed])

    def end(self) -> Words:
        """What the utterance was."""
        decoder, self._decoder = self._decoder, None
        if decoder is None:
            return Words()
        decoder.sphinx.end_utt()
        words = _words(decoder.sphinx)
        self._mean = decoder.sphinx.get_cmn(False)
        self._decoders.give_back(decoder)
        return words

    def failed(self) -> None:
        """Something above raised: what it used is not used again."""
        self._decoder = None


def doubled(audio: bytes) -> bytes:
    """8 kHz to 16 kHz by saying each sample twice.

    The acoustic model was trained on audio up to 6.8 kHz. The mirror images that this leaves there
    suit it better than the empty band of a good resampler: half the errors.
    """
    twice = bytearray(2 * len(audio))
    twice[0::4] = twice[2::4] = audio[0::2]
    twice[1::4] = twice[3::4] = audio[1::2]
    return bytes(twice)


def _words(sphinx: Any) -> Words:
    """The hypothesis and how well it fits; in the middle of an utterance too."""
    hypothesis, segments = sphinx.hyp(), sphinx.seg()
    if hypothesis is None or segments is None:
        return Words()
    total, frames = 0.0, 0
    for segment in segments:
        if segment.word[0] in "<[(" or segment.end_frame < segment.start_frame:
            continue
        total += log(max(segment.ascore, _FAINTEST))
        frames += segment.end_frame - segment.start_frame + 1
    return Words(hypothesis.hypstr, total / frames) if frames else Words()
