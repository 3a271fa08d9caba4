"""What has to be done to a model's text before it is spoken.

Servers of open models leave `<think>...</think>` in the text when they were not told how the model
marks its thoughts (vLLM's `--reasoning-parser`, llama.cpp's `--reasoning-format`). Some cut between
the halves of a character beyond the 65,536 first, which JSON has as two escapes.
"""

from __future__ import annotations

import re

_TAG = re.compile(r"<(/?)think(?:ing)?>")
_PARTS = frozenset(
    tag[:length]
    for tag in ("<think>", "<thinking>", "</think>", "</thinking>")
    for length in range(1, len(tag))
)
_LONGEST = max(map(len, _PARTS))
_SURROGATE = re.compile("[\ud800-\udfff]")


class ThoughtFilter:
    """For the text of one answer, cut anywhere. Keeps no more than the beginning of a tag."""

    def __init__(self) -> None:
        self._tail = ""
        self._thinking = False
        self._fresh = False  # the thought is over, and no word has come since

    def feed(self, delta: str) -> str:
        """What of the next piece is spoken."""
        text = self._tail + delta
        self._tail = ""
        spoken = []
        while found := _TAG.search(text):
            if not self._thinking:
                spoken.append(self._said(text[: found.start()]))
            self._thinking = not found[1]
            self._fresh = self._fresh or bool(found[1])
            text = text[found.end() :]
        kept = next((n for n in range(_LONGEST, 0, -1) if text[-n:] in _PARTS), 0)
        kept = min(kept, len(text))
        if kept:
            text, self._tail = text[:-kept], text[-kept:]
        if not self._thinking:
            spoken.append(self._said(text))
        return "".join(spoken)

    def finish(self) -> str:
        """The text is over: what looked like a tag and was none."""
        rest, self._tail = self._tail, ""
        return "" if self._thinking else self._said(rest)

    def _said(self, text: str) -> str:
        """The empty lines behind a thought belong to it."""
        if self._fresh:
            text = text.lstrip()
            self._fresh = not text
        return text


class WholeCharacters:
    """Joins halves of characters (surrogates); what stays alone is replaced, being no character."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """What is whole of it, and of what was kept before."""
        if not self._half and (text.isascii() or not _SURROGATE.search(text)):
            return text
        text = self._half + text
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        if self._half:
            text = text[:-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
