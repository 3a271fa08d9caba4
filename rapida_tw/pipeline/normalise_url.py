"""Web and e-mail addresses, as they are dictated."""

from __future__ import annotations

import re

from rapida_tw.pipeline.normalise_numbers import digit_by_digit
from rapida_tw.pipeline.normalise_rule import Rule

_SIGNS = {
    ".": " dot ",
    "/": " slash ",
    "-": " dash ",
    "_": " underscore ",
    "@": " at ",
    "+": " plus ",
}
# Without a scheme or "www.", only endings that are no English words: "thanks.it is" is no address.
_ENDINGS = (
    r"com|org|net|edu|gov|info|biz|io|ai|app|dev|shop|store|co\.[a-z]{2}|uk|eu|de|fr|nl|ca|tw"
)
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_PATH = r"(?::[0-9]{2,5})?(?:[/?#][^\s<>\"']*)?"


def _dictate(text: str) -> str:
    said = "".join(
        _SIGNS[sign] if sign in _SIGNS else f" {digit_by_digit(sign)} " if sign.isdigit() else sign
        for sign in text
        if sign.isascii() and (sign.isalnum() or sign in _SIGNS)
    )
    return " ".join(said.split())


def _say_url(match: re.Match[str]) -> str:
    address = match[0]
    stripped = address.rstrip(".,;:!?)]")
    trailing = address[len(stripped) :]
    host = re.sub(r"^(?:https?://)?(?:www\.)?", "", stripped, flags=re.IGNORECASE)
    # Nobody can remember a query; a port is not for people either.
    host = re.split(r"[?#]", host)[0].rstrip("/")
    host = re.sub(r":[0-9]+", "", host)
    return _dictate(host) + trailing


URL = (
    Rule(
        re.compile(
            rf"(?<![\w.+-])[\w.+-]{{1,64}}@(?:{_LABEL}\.){{1,8}}[a-zA-Z]{{2,24}}\b", re.ASCII
        ),
        lambda match: _dictate(match[0]),
        "@",
        digits=False,
    ),
    Rule(
        re.compile(
            rf"(?:https?://[^\s<>\"']{{1,500}}"
            rf"|(?<![\w@.-])(?:www\.(?:{_LABEL}\.){{0,8}}{_LABEL}"
            rf"|(?:{_LABEL}\.){{1,8}}(?:{_ENDINGS})\b(?!\.\w)){_PATH})",
            re.ASCII | re.IGNORECASE,
        ),
        _say_url,
        ".",
        digits=False,
    ),
)
