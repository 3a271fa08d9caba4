"""Callers who show no number, as carriers write that."""

from __future__ import annotations

_WORDS = ("anonymous", "blocked", "private", "restricted", "unavailable", "unknown")
_KEYPAD = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
# Where a number is due, Twilio spells the word on a keypad: +266696687 is "anonymous".
_SPELT = frozenset("+" + word.translate(_KEYPAD) for word in _WORDS)


def withheld(number: str) -> bool:
    """Whether `number`, a number or a SIP address, is none (RFC 3323, section 4.1.1.3)."""
    user = number.lower().removeprefix("sip:").partition("@")[0]
    return not user or user in _WORDS or number in _SPELT
