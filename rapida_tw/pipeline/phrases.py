"""Phrases: the model's text deltas become phrases for the voice before the model has finished.

A phrase is a sentence. Only the first may end earlier, at a comma or the like, so that the voice
starts while the model is still writing. A sentence does not end inside 3.14, $5.50, a time, a URL
or an ellipsis, nor after Dr. or e.g.; where a full stop may be either (p.m., etc., No.), what
follows decides. How the text is cut into deltas makes no difference.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

T = TypeVar("T")

LONGEST = 200  # characters: longer sentences are broken, at a clause if there is one
FEWEST_WORDS = 4  # before a first phrase ends in mid-sentence
FULL, ROOM = 20, 10  # phrases waiting

_LOOK = 40  # characters after a mark that may decide about it
_MARK = re.compile(
    r"""(?P<end>[.!?…]+["'”’)\]*_]*)(?=\s)"""  # of a sentence, with what closes behind it
    r"|(?P<clause>[,;:](?=\s)|\s[–—-](?=\s)|—)"
    r"|(?P<line>\n)"
)
_WORD_BEFORE = re.compile(r"[^\s(\[\"'“‘*_]*$")
_TWO_WORDS_AFTER = re.compile(r"\s*(\S+)\s+\S")
_INITIALS = re.compile(r"(?:[A-Za-z]\.)*[A-HJ-Za-z]")  # "I" ends a sentence: so do I.
_LIST_NUMBER = re.compile(r"(?:^|\n)\s*[0-9]{1,2}$")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The word before a full stop, in small letters.
_NEVER = _words(
    "dr mr mrs ms prof rev gen col capt sgt lt hon st mt ft messrs"
    " e.g i.e eg ie vs cf approx ca tel esp incl"
)
_BEFORE_NUMBERS = _words("no nos p pp art vol ch sec ext fig apt ste")
_MAYBE = _words(
    "etc a.m p.m am pm inc ltd co corp jr sr ave blvd rd dept est min max hr hrs mins u.s u.k"
    " jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thurs fri sat sun"
    " al bros ph.d"
)


class Splitter:
    """Cuts a growing text into phrases, without leading or trailing white space."""

    def __init__(self) -> None:
        self._text = ""
        self._first = True

    def feed(self, delta: str) -> Iterator[str]:
        """Yield the phrases that `delta` completes."""
        self._text = (self._text + delta).lstrip()
        while (end := self._find_end(over=False)) is not None:
            yield self._cut(end)

    def finish(self) -> Iterator[str]:
        """The text is over: yield what is left of it."""
        while (end := self._find_end(over=True)) is not None:
            yield self._cut(end)
        if self._text:
            yield self._cut(len(self._text))

    def _cut(self, end: int) -> str:
        phrase, self._text = self._text[:end].rstrip(), self._text[end:].lstrip()
        self._first = False
        return phrase

    def _find_end(self, over: bool) -> int | None:
        """Where the first phrase ends; None while the text so far cannot tell."""
        text = self._text
        for mark in _MARK.finditer(text, 0, LONGEST + 1):
            if not over and len(text) < mark.end() + _LOOK and self._needs_more(mark):
                return None
            if self._ends(mark):
                return mark.end()
        if len(text) < LONGEST + _LOOK and not (over and len(text) > LONGEST):
            return None
        return _break(text)

    def _needs_more(self, mark: re.Match[str]) -> bool:
        after = self._text[mark.end() :]
        if mark["line"]:
            return False
        if mark["clause"]:
            return self._first and _TWO_WORDS_AFTER.match(after) is None
        return not after.strip() and _decided_by_next(self._text, mark)

    def _ends(self, mark: re.Match[str]) -> bool:
        if mark["line"]:
            return True
        after = self._text[mark.end() : mark.end() + _LOOK]
        if mark["clause"]:
            return self._first and self._clause_ends(mark, after)
        return _sentence_ends(self._text, mark, after.lstrip()[:1])

    def _clause_ends(self, mark: re.Match[str], after: str) -> bool:
        before = self._text[: mark.start()]
        if len(before.split()) < FEWEST_WORDS:
            return False
        following = _TWO_WORDS_AFTER.match(after)
        # A clause of one word is not worth a breath; "21, 2026" is one date.
        if following is None or following[1][-1] in ".!?…":
            return False
        return not (before[-1:].isdigit() and following[1][0].isdigit())


def _decided_by_next(text: str, mark: re.Match[str]) -> bool:
    """Whether the character after the mark's white space can make a difference."""
    return any(
        _sentence_ends(text, mark, one) != _sentence_ends(text, mark, "A") for one in ("a", "1")
    )


def _sentence_ends(text: str, mark: re.Match[str], following: str) -> bool:
    """Whether the mark ends a sentence when `following` is the next visible character."""
    sign = mark["end"].rstrip("\"'”’)]*_")
    if "!" in sign or "?" in sign:
        return True
    if sign != ".":
        return not (following.islower() or following.isdigit())
    found = _WORD_BEFORE.search(text, 0, mark.start())
    word = found[0] if found else ""
    small = word.lower()
    if small in _NEVER:
        return False
    if small in _BEFORE_NUMBERS:
        return not following.isdigit()
    if small in _MAYBE:
        return not (following.islower() or following.isdigit())
    if _INITIALS.fullmatch(word):
        return False
    return _LIST_NUMBER.search(text, 0, mark.start()) is None


def _break(text: str) -> int:
    """Where to break a sentence that is too long: the last clause, else the last space."""
    head = text[: LONGEST + 1]
    clauses = [mark.end() for mark in _MARK.finditer(head) if mark["clause"]]
    if clauses and clauses[-1] > LONGEST // 3:
        return clauses[-1]
    space = max(head.rfind(" "), head.rfind("\t"))
    return space if space > 0 else LONGEST


class Phrases:
    """Text goes in as it comes; `async for` gives whole phrases, then raises what went wrong.

    What is waiting is not bounded here: a model's text is. `full(True)` is called when 20 phrases
    wait and `full(False)` when half of them are gone, for whoever can pause the model's stream.
    """

    def __init__(self, full: Callable[[bool], None] | None = None) -> None:
        self._splitter = Splitter()
        self._ready: deque[str] = deque()
        self._full = full
        self._is_full = False
        self._ended = False
        self._failure: Failure | None = None
        self._next: Deferred[None] | None = None

    @property
    def waiting(self) -> int:
        """Phrases that nobody has taken yet."""
        return len(self._ready)

    def text_received(self, delta: str) -> None:
        """The model has written on; a no-op after the end."""
        if not self._ended:
            self._ready.extend(self._splitter.feed(delta))
            self._tell()

    def ended(self, result: T) -> T:
        """The model is done, for `addBoth`: returns `result`.

        A Failure is raised from the iteration after the phrases that were complete.
        """
        if not self._ended:
            self._ended = True
            if isinstance(result, Failure):
                self._failure = result
            else:
                self._ready.extend(self._splitter.finish())
            self._tell()
        return result

    def _tell(self) -> None:
        if self._full is not None and not self._is_full and len(self._ready) >= FULL:
            self._is_full = True
            self._full(True)
        if self._next is not None and (self._ready or self._ended):
            waiting, self._next = self._next, None
            waiting.callback(None)

    def __aiter__(self) -> Phrases:
        return self

    async def __anext__(self) -> str:
        """The next phrase; one consumer at a time, whose waiting can be cancelled."""
        while not self._ready:
            if self._failure is not None:
                self._failure.raiseException()
            if self._ended:
                raise StopAsyncIteration
            self._next = Deferred()
            try:
                await self._next
            finally:
                self._next = None
        phrase = self._ready.popleft()
        if self._full is not None and self._is_full and len(self._ready) <= ROOM:
            self._is_full = False
            self._full(False)
        return phrase
