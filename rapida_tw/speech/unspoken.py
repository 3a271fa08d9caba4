"""Unspoken: where in a phrase a voice was when it fell silent, so that another one can go on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

from rapida_tw.speech.base import Word

PACE = 12.0  # letters and digits a second: usual English
_TOLD_WITH = 0.25  # seconds of sound that may come before its words are told
_NEAR = 2  # words by which counted letters may be wrong
_NOTHING = 3  # fewer letters of a guessed rest are not worth another voice
_EPSILON = 1e-6

_TOKEN = re.compile(r"\S+")


def letters(text: str) -> int:
    """Letters and digits: what is spoken of a text."""
    return sum(map(str.isalnum, text))


def unspoken(phrase: str, words: Sequence[Word], seconds: float, pace: float = PACE) -> str:
    """The rest of `phrase` when `seconds` of its sound were heard; "" when that is nothing.

    `words`: those that the voice has told. A word that was half heard is not said again. `pace`:
    letters a second, for what was not told.
    """
    if not seconds:
        return phrase
    tokens = list(_TOKEN.finditer(phrase))
    upto = list(accumulate(letters(token[0]) for token in tokens))
    if words:
        said = _said(tokens, upto, words, seconds, pace)
    else:
        guessed = seconds * pace
        said = sum(
            end - letters(token[0]) < guessed for token, end in zip(tokens, upto, strict=True)
        )
        if upto and upto[-1] - (upto[said - 1] if said else 0) < _NOTHING:
            return ""
    rest = phrase[tokens[said].start() :] if said < len(tokens) else ""
    return rest if letters(rest) else ""


def _said(
    tokens: Sequence[re.Match[str]],
    upto: Sequence[int],
    words: Sequence[Word],
    seconds: float,
    pace: float,
) -> int:
    """How many tokens were said, by the words that were told."""
    heard = [word for word in words if (word.start + word.end) / 2 <= seconds + _EPSILON]
    untold = 0.0
    if len(heard) == len(words):
        untold = max(seconds - words[-1].end - _TOLD_WITH, 0.0) * pace
    count = sum(letters(word.text) for word in heard)
    said = sum(
        end - letters(token[0]) / 2 <= count + untold
        for token, end in zip(tokens, upto, strict=True)
    )
    if untold or not heard:
        return said
    # Voices write words otherwise than we do: the latest is looked for where it should be.
    latest = _plain(heard[-1].text)
    for away in sorted(range(-_NEAR, _NEAR + 1), key=abs):
        place = said - 1 + away
        if 0 <= place < len(tokens) and _plain(tokens[place][0]) == latest:
            return place + 1
    return said


def _plain(word: str) -> str:
    return "".join(filter(str.isalnum, word)).casefold()
