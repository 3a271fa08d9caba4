"""Story: what the caller of the demo wants, and what he answers to what he is asked.

He asks for the opening hours while the assistant is still greeting, books a table by voice, gives
his number by keys, confirms by a digit, and says goodbye. Who is not understood the first time
presses keys the second time, as people do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Seconds of the greeting that the caller listens to before he interrupts it.
PATIENCE = 2.4


@dataclass(frozen=True, slots=True)
class Act:
    """Something to say, and the keys that mean the same. `voice` "" = keys at once."""

    voice: str
    keys: str


# What the caller came for, one after the other, each time he is asked what he wants.
WISHES = (
    Act("what are your opening hours", "1"),
    Act("a table for four tomorrow at seven", "2"),
    Act("thank you goodbye", "9"),
)
_NUMBER = Act("", "5550#")
_YES = Act("", "1")
_WISHED = re.compile(r"what (else )?can i do for you", re.IGNORECASE)
_PARDON = re.compile(r"\bsorry\b|did(n't| not) (get|catch|understand)|still there", re.IGNORECASE)
_ANSWERS = {
    re.compile(pattern, re.IGNORECASE): act
    for pattern, act in {
        r"how many people": Act("for four", "4#"),
        r"which day": Act("tomorrow", "9"),
        r"what time": Act("at seven in the evening", "1900"),
        r"phone number": _NUMBER,
        r"is that right": _YES,
        r"shall i change": _YES,
    }.items()
}
BOOKED = re.compile(r"\bis booked\b", re.IGNORECASE)


# Who knows what comes does not wait for the end of it: after so many seconds of the answer to the
# first act, the caller goes on with the second. Where the answer is another one than he thought,
# that does no harm.
_IMPATIENCE = {
    WISHES[0]: (2.0, WISHES[1]),
    WISHES[1]: (5.0, _NUMBER),
    _NUMBER: (4.0, _YES),
}


class Story:
    """One call of the caller's. `speaks` False: nobody would understand him, so he presses keys."""

    def __init__(self, speaks: bool = True) -> None:
        self._speaks = speaks
        self._wish = 0
        self._last = WISHES[0]
        self._tried: set[Act] = set()

    def opening(self) -> Act:
        """What he interrupts the greeting with."""
        return self._try(WISHES[0])

    def next(self, said: str) -> Act | None:
        """What he does when the assistant has said this; None where there is nothing to answer."""
        answer = self._answer(said)
        if answer is not None:
            return self._try(answer)
        if _PARDON.search(said):
            return self._try(self._last)
        if not _WISHED.search(said):
            return None
        if self._wish < len(WISHES) - 1:
            self._wish += 1
        return self._try(WISHES[self._wish])

    def impatience(self) -> float | None:
        """Seconds of the answer to his latest act after which he interrupts it, if he does."""
        return _IMPATIENCE[self._last][0] if self._last in _IMPATIENCE else None

    def interrupt(self) -> Act:
        """What he interrupts it with."""
        _, act = _IMPATIENCE[self._last]
        if act in WISHES:
            self._wish = WISHES.index(act)
        return self._try(act)

    def texts(self) -> list[str]:
        """All that he may say, for his voice to be ready."""
        acts = [*WISHES, *_ANSWERS.values()] if self._speaks else []
        return [act.voice for act in acts if act.voice]

    def _answer(self, said: str) -> Act | None:
        """The answer to the question that comes last."""
        found = [
            (match.start(), act) for ask, act in _ANSWERS.items() if (match := ask.search(said))
        ]
        return max(found, key=lambda one: one[0])[1] if found else None

    def _try(self, act: Act) -> Act:
        again = act in self._tried
        self._tried.add(act)
        self._last = act
        return Act("", act.keys) if again or not self._speaks else act
