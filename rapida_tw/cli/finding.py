"""Finding: what one check of `rapida doctor` has seen."""

from __future__ import annotations

from dataclasses import dataclass

GOOD, DOUBTFUL, BAD = "good", "doubtful", "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check; `detail` is for people."""

    what: str
    state: str
    detail: str
