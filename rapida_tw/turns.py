"""Who spoke when: a conversation's messages laid over the sound of its recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapida_tw.store.records import Conversation, Entry
from rapida_tw.waveform import Waveform

CALLER, ASSISTANT = 0, 1
_TRACKS = {"user": CALLER, "assistant": ASSISTANT}
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
    """The messages of both sides in their places, in order of time."""
    began = _began(conversation)
    written = [float("-inf"), float("-inf")]
    sounds = (waveform.sounds(CALLER), waveform.sounds(ASSISTANT))
    turns = []
    for entry in conversation.entries:
        track = _TRACKS.get(entry.name)
        if entry.kind != "message" or track is None or not entry.value:
            continue
        place = _given(entry) or _among(sounds[track], written[track], entry.at - began + _NEAR)
        written[track] = entry.at - began + _NEAR
        if place is not None:
            turns.append(Turn(track, *place, entry.value, bool(entry.data.get("interrupted"))))
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


def _began(conversation: Conversation) -> float:
    """When the recording began, on the clock of the entries."""
    for entry in conversation.entries:
        if entry.kind == "event" and entry.name == "call.connected":
            return entry.at
    return conversation.created


def _given(entry: Entry) -> tuple[float, float] | None:
    start, end = entry.data.get("start"), entry.data.get("end")
    if isinstance(start, int | float) and isinstance(end, int | float) and end > start:
        return float(start), float(end)
    return None


def _among(
    sounds: Sequence[tuple[float, float]], after: float, until: float
) -> tuple[float, float] | None:
    own = [(start, end) for start, end in sounds if start >= after and start < until]
    return (own[0][0], own[-1][1]) if own else None
