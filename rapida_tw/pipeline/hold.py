"""Hold: what becomes of a reply when the far side puts us on hold.

Nobody hears it any more, and when the caller is back, they speak first: a sentence is not taken up
again in the middle, and what was cut off is in the history as far as it was heard. But what the
caller was waiting for is made meanwhile, and given at once when they are back; a tool does its work
once. Whatever else there is to say by then (an operator's text, an apology) is made likewise.
"""

from __future__ import annotations

from enum import Enum, auto

from rapida_tw.errors import End
from rapida_tw.pipeline.reply import Job, Say


class Fate(Enum):
    """Of the reply under way."""

    KEPT = auto()  # it goes on being made, and is said afterwards
    AGAIN = auto()  # cut off, and said from its beginning afterwards
    DROPPED = auto()  # cut off


def on_hold(job: Job, waited_for: bool) -> Fate:
    """`waited_for`: nothing of the reply is being heard at the moment."""
    if job.kind == "idle":  # that they are there is known when they are back
        return Fate.DROPPED
    if waited_for:
        return Fate.KEPT
    # What must not be interrupted must be heard whole: a notice that the call is recorded.
    return Fate.DROPPED if job.interruptible else Fate.AGAIN


def end_of(job: Job) -> End | None:
    """How the call was to end after it: a goodbye that nobody will hear is not waited for."""
    return job.then if isinstance(job, Say) else None
