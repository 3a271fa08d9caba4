"""Who spoke when: a conversation's messages laid over the sound of its recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from rapida_tw.store.records import Conversation, Entry
from rapida_tw.waveform import Waveform

CALLER, ASSISTANT = 0, 1
_ROLES = ("user", "assistant")  # by track
_FRAME = 0.02  # seconds
_BREATH = 1.5  # seconds within one turn; what came before a longer pause was none of it
_SILENT = 0.8  # seconds that a turn without sound is shown as
_NEAR = 0.5  # seconds that an entry may be written before its sound is over


@dataclass(frozen=True, slots=True)
class Turn:
    """One side's turn, in seconds of the recording."""

    track: int
    start: float
    end: float
    text: str
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """From the end of the caller's turn to the first sound of the answer."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


def find_turns(waveform: Waveform, conversation: Conversation) -> list[Turn]:
    """The messages of both sides in their places, in order of time.

    The caller's data tell when their speech `ended`, the assistant's when it `began`; the sound of
    their track tells the rest, or all of it where a message does not know.
    """
    origin = _origin(conversation)
    turns = []
    for track, role in enumerate(_ROLES):
        sounds = waveform.sounds(track)
        messages = [
            entry
            for entry in conversation.entries
            if entry.kind == "message" and entry.name == role and entry.value
        ]
        after = 0.0
        for entry, following in zip(messages, [*messages[1:], None], strict=False):
            until = min(entry.at - origin + _NEAR, _known(following, "began") or inf)
            place = _place(entry, sounds, after, until)
            if place is not None:
                after = place[1]
                interrupted = bool(entry.data.get("interrupted"))
                turns.append(Turn(track, *place, entry.value, interrupted))
    return sorted(turns, key=lambda turn: turn.start)


def find_gaps(turns: Sequence[Turn]) -> list[Gap]:
    """One for each turn of the caller that the assistant answered before the next of them."""
    gaps = []
    for place, turn in enumerate(turns):
        if turn.track != CALLER:
            continue
        answer = next((after for after in turns[place + 1 :] if after.start >= turn.end), None)
        if answer is not None and answer.track == ASSISTANT:
            gaps.append(Gap(turn.end, answer.start))
    return gaps


def _origin(conversation: Conversation) -> float:
    """When the recording began, on the clock of the entries."""
    for entry in conversation.entries:
        if entry.kind == "event" and entry.name == "call.connected":
            return entry.at
    return conversation.created


def _known(entry: Entry | None, name: str) -> float | None:
    value = entry.data.get(name) if entry is not None else None
    return float(value) if isinstance(value, int | float) else None


def _place(
    entry: Entry, sounds: Sequence[tuple[float, float]], after: float, until: float
) -> tuple[float, float] | None:
    """Where an entry's sound is, somewhere from `after` to `until`; None when there is none."""
    began, ended = _known(entry, "began"), _known(entry, "ended")
    after = max(after, began or 0.0)
    until = min(until, inf if ended is None else ended + _FRAME)
    own = [
        (max(start, after), min(end, until))
        for start, end in sounds
        if end > after and start < until
    ]
    if not own:  # pressed keys make no sound
        return None if ended is None else (max(after, ended - _SILENT), max(after, ended))
    first = len(own) - 1
    if began is not None:
        first = 0
    while first and own[first][0] - own[first - 1][1] <= _BREATH:
        first -= 1
    return own[first][0], own[-1][1]
