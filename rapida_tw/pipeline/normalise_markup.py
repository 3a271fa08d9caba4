"""What models write for the eye: Markdown, emoji, typographers' signs. Nothing of it is said."""

from __future__ import annotations

import re

from rapida_tw.pipeline.normalise_rule import NON_ASCII, Rule

_PICTURES = (
    "\U0001f000-\U0001faff"  # emoji, cards, symbols
    "\u2600-\u27bf"  # miscellaneous symbols and dingbats
    "\u2b00-\u2bff\u2300-\u23ff\u25a0-\u25ff"  # stars, clocks, geometric shapes
    "\u200b-\u200f\u2060\ufeff\ufe00-\ufe0f\u20e3"  # joiners, variation selectors, key caps
)


def _rule(needs: str, pattern: str, say: str, flags: re.RegexFlag = re.NOFLAG) -> Rule:
    return Rule(re.compile(pattern, flags), say, needs, digits=False)


MARKUP = (
    _rule(NON_ASCII, r"[’‘]", "'"),
    _rule(NON_ASCII, r"[“”„«»]", '"'),
    _rule(NON_ASCII, r"[\u00a0\u202f\u2009]", " "),
    _rule(NON_ASCII, f"[{_PICTURES}]+", " "),
    _rule("`", r"```[a-zA-Z]*\n?|`", ""),
    _rule("[", r"!?\[([^\[\]\n]{1,300})\]\([^()\s]{0,300}\)", r"\1"),  # [text](link)
    _rule("<", r"<(https?://[^<>\s]+)>", r"\1"),
    _rule("<", r"</?[a-zA-Z][^<>\n]{0,100}>", " "),  # tags
    _rule("#", r"^[ \t]*#{1,6}[ \t]+", "", re.MULTILINE),
    _rule(">", r"^[ \t]*>[ \t]+", "", re.MULTILINE),
    _rule("-*_", r"^[ \t]*(?:[-*_][ \t]*){3,}$", "", re.MULTILINE),  # a line across
    _rule("-*+•◦▪", r"^[ \t]*[-*+•◦▪][ \t]+", "", re.MULTILINE),
    _rule("0123456789", r"^[ \t]*([0-9]{1,2})[.)][ \t]+(?=\S)", r"\1, ", re.MULTILINE),
    _rule("*", r"\*{1,3}([^*\n]+)\*{1,3}", r"\1"),
    _rule("~", r"~~([^~\n]+)~~", r"\1"),
    _rule("_", r"(?<!\w)_{1,3}([^_\n]+)_{1,3}(?!\w)", r"\1"),
)
