"""Overlap: two recognisers have heard the same speaker, one of them only from some point on.

Nobody tells when which word was said, so the texts are laid over each other word by word, as near
as possible to where they should meet. Case and punctuation make no difference.
"""

from __future__ import annotations

from collections.abc import Sequence

_NEAR = 2  # words: a single equal word says nothing further away than that
_FRAGMENTS = 2  # words at the beginning of the later text that may be halves, cut by its beginning


def joined(earlier: str, later: str, share: float) -> str:
    """`earlier` up to where `later` begins, then `later`.

    `share` (0..1): how much of the time of `earlier` had passed when `later` began.
    """
    old, new = earlier.split(), later.split()
    if not new:
        return " ".join(old)
    expected = round(len(old) * share)
    best = (0, 0, expected, 0)  # length of the run, nearness, where it is in either text
    plain_old, plain_new = _plain(old), _plain(new)
    for there in range(min(_FRAGMENTS + 1, len(new))):
        for here in range(len(old)):
            run = _run(plain_old[here:], plain_new[there:])
            near = -abs(here - there - expected)
            if run > 1 or (run == 1 and near >= -_NEAR):
                best = max(best, (run, near, here, there))
    _, _, here, there = best
    return " ".join((*old[:here], *new[there:]))


def beyond(told: str, text: str) -> str:
    """What `text` says after the words of `told`; both begin at the same moment."""
    old, new = told.split(), text.split()
    plain_old, plain_new = _plain(old), _plain(new)
    for length in range(min(3, len(old)), 0, -1):
        tail = plain_old[-length:]
        ends = [
            end
            for end in range(length, len(new) + 1)
            if plain_new[end - length : end] == tail
            and (length > 1 or abs(end - len(old)) <= _NEAR)
        ]
        if ends:
            return " ".join(new[min(ends, key=lambda end: abs(end - len(old))) :])
    return " ".join(new[len(old) :])


def _plain(words: Sequence[str]) -> list[str]:
    return ["".join(filter(str.isalnum, word)).casefold() or word for word in words]


def _run(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words both begin with."""
    count = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        count += 1
    return count
