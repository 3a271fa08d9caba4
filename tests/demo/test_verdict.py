"""The demo does not pretend: whatever did not happen is told."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from rapida_tw.demo.verdict import call_complaints, recording_complaints
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.phone import Ending, Reason
from rapida_tw.store.records import Conversation, Entry
from tests.demo.test_screen import entry

GOOD = (
    entry("message", "assistant", "Hello.", kind="greeting"),
    entry("message", "user", "a table", by="voice"),
    entry("message", "user", "1", by="keys"),
    entry("message", "assistant", "Your table is booked.", kind="answer"),
    entry("metric", "turn.latency", "812"),
    *(entry("metric", f"call.{name}", "1") for name in ("duration", "talk_duration", "status")),
    entry("metric", "call.disconnected_by", "assistant"),
)


def caller(reason: Reason = Reason.SERVER_HUNG_UP) -> Caller:
    one = Caller()
    one.audio_heard(b"\x00\x20" * 160, 8_000, 0.5)
    one.disconnected(Ending(reason), 9.0)
    return one


def complaints(
    entries: tuple[Entry, ...] = GOOD, phone: Caller | None = None, speaks: bool = True
) -> list[str]:
    found = Conversation(1, 1, 1, "100", entries=entries)
    return list(call_complaints(phone or caller(), found, speaks))


def test_good() -> None:
    """Nothing to complain about."""
    assert complaints() == []


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        (0, "the caller did not hear the greeting"),
        (1, "nothing of what the caller said was understood"),
        (2, "no key that the caller pressed arrived"),
        (3, "the table was not booked"),
        (4, "no turn's latency was measured"),
        (5, "the call has no call.duration"),
    ],
)
def test_missing(missing: int, says: str) -> None:
    """Each part of the call is asked for."""
    assert complaints((*GOOD[:missing], *GOOD[missing + 1 :])) == [says]


def test_silence() -> None:
    """A greeting that the server believes it has said must have been heard."""
    deaf = Caller()
    deaf.disconnected(Ending(Reason.SERVER_HUNG_UP), 9.0)
    assert complaints(phone=deaf) == ["the caller did not hear the greeting"]


def test_who_hung_up() -> None:
    """It has to be the assistant."""
    assert complaints(phone=caller(Reason.CALLER_HUNG_UP)) == [
        "the assistant did not hang up: caller_hung_up"
    ]


def test_keys_only() -> None:
    """A caller who only presses keys need not be understood by voice."""
    entries = tuple(one for one in GOOD if one.data.get("by") != "voice")
    assert complaints(tuple(e for e in entries if e.name != "turn.latency"), speaks=False) == []


def write(path: Path, left: int, right: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.tile(np.array([left, right], "<i2"), 16_000).tobytes())
    return path


@pytest.mark.parametrize(
    ("left", "right", "says"),
    [
        (9000, 9000, []),
        (0, 9000, ["the caller is not to be heard in the recording"]),
        (9000, 0, ["the assistant is not to be heard in the recording"]),
    ],
)
def test_recording(tmp_path: Path, left: int, right: int, says: list[str]) -> None:
    """Both sides must be in it."""
    assert list(recording_complaints(write(tmp_path / "a.wav", left, right), True)) == says


def test_no_recording(tmp_path: Path) -> None:
    """And it must be there."""
    (complaint,) = recording_complaints(tmp_path / "a.wav", True)
    assert complaint.startswith("the recording cannot be read")
