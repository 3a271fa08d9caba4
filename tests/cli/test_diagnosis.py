"""`rapida doctor --call`: plain words about one call."""

from __future__ import annotations

from typing import Any

import pytest

from rapida_tw import errors
from rapida_tw.cli.diagnosis import _ENDS
from rapida_tw.errors import End
from rapida_tw.store.conversations import CRASHED
from rapida_tw.store.records import Entry
from tests.cli.conftest import BEGAN, Rapida

ENDS = [value.reason for value in vars(errors).values() if isinstance(value, End)]


@pytest.mark.parametrize("reason", [*ENDS, CRASHED])
def test_every_end_has_words(reason: str) -> None:
    """No way out of a call is left to be guessed by its slug."""
    assert reason in _ENDS


def test_well(rapida: Rapida) -> None:
    """A good call: how it ended, and how fast it was answered."""
    rapida.remember(rapida.call(7))
    status, out, _ = rapida("doctor", "--call", 7)
    assert status == 0
    assert out.splitlines() == [
        "The assistant said goodbye and hung up. It lasted 12.5 s.",
        "- 1 turns of the caller, 2 of the assistant",
        "- answers after 800 ms (median), 800 ms at worst",
    ]


def event(name: str, **data: Any) -> Entry:
    return Entry(7, "event", name, "", data, BEGAN + 1)


def notes(rapida: Rapida, *entries: Entry, **changes: Any) -> tuple[int, str]:
    rapida.remember(rapida.call(7, entries=entries, **changes))
    status, out, _ = rapida("doctor", "--call", 7)
    return status, out


def test_failed(rapida: Rapida) -> None:
    """A failed call is 1, with the server's own detail."""
    end = event("call.failed", reason="provider_failed", detail="the recogniser failed")
    status, out = notes(rapida, end, status="failed", end_reason="provider_failed")
    assert status == 1
    assert "In detail: the recogniser failed." in out


def test_never_connected(rapida: Rapida) -> None:
    """The most frequent mistake of a new installation, with where to look."""
    status, out = notes(rapida, status="expired", end_reason="expired", duration=None)
    assert status == 1
    assert "check host and port of AudioSocket()" in out


def test_deaf_and_dumb(rapida: Rapida) -> None:
    """A call without a word of either side is worth a remark of each, and of the recording."""
    _, out = notes(rapida, event("call.connected"))
    assert "nothing that the caller said was understood" in out
    assert "the assistant was not heard" in out
    assert "it was not recorded" in out


def test_trouble(rapida: Rapida) -> None:
    """What went wrong on the way is counted, failures with their reasons, and is 1."""
    status, out = notes(
        rapida,
        event("turn.unclear"),
        event("turn.unclear"),
        event("reply.failed", detail="the voice is away"),
    )
    assert status == 1
    assert "2 turns were not understood\n" in out
    assert "1 replies failed: the voice is away" in out


def test_slow(rapida: Rapida) -> None:
    """Of a slow answer, who was waited for."""
    data = {"turn": 3, "total": 2.5, "endpointing": 0.5, "model": 1.9}
    _, out = notes(rapida, Entry(7, "metric", "turn.latency", "2500", data, BEGAN))
    assert "the slowest, turn 3, waited for model: 1900 ms of it" in out


def test_still_going_on(rapida: Rapida) -> None:
    """A call that has not ended has no end."""
    assert "The call goes on (state active)." in notes(rapida, status="active", end_reason="")[1]


def test_json(rapida: Rapida) -> None:
    """The same for programs."""
    rapida.remember(rapida.call(7))
    assert rapida.json("doctor", "--call", 7)["ok"] is True
