"""`rapida doctor --call`: plain words about calls that we placed."""

from __future__ import annotations

from typing import Any

import pytest

from rapida_tw import errors
from rapida_tw.carriers import endings
from rapida_tw.cli.placed_ends import ENDS
from rapida_tw.errors import CallError
from rapida_tw.store.records import Entry
from tests.cli.conftest import BEGAN, Rapida

OUTCOMES = (
    "busy no_answer rejected bad_number authentication_failed configuration_failed "
    "capacity_exceeded unreachable cancelled machine media_failed failed expired"
).split()
REFUSALS = [
    kind.reason
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, CallError)
]
# Of calls that come in, or of requests that make no conversation.
ELSEWHERE = set(
    "signature-mismatch context-not-found idempotency-conflict given-up in-use "
    "changed-meanwhile".split()
)


@pytest.mark.parametrize("reason", [*OUTCOMES, *endings.BY_SIP.values()])
def test_every_outcome_has_words(reason: str) -> None:
    """No outcome of a carrier is left to be guessed by its slug."""
    assert ENDS[reason].what


@pytest.mark.parametrize("reason", [one for one in REFUSALS if one not in ELSEWHERE])
def test_every_refusal_has_words(reason: str) -> None:
    """Nor is a call that was not even dialled."""
    assert ENDS[reason.replace("-", "_")].what


def diagnosed(
    rapida: Rapida, reason: str, status: str = "failed", *more: Entry, **data: Any
) -> tuple[int, list[str]]:
    """The exit status and the lines, of a placed call that failed so."""
    told = {"reason": reason, "retryable": False, "reach": "carrier", **data}
    entries = (Entry(7, "event", "call.failed", "", told, BEGAN + 1), *more)
    changes: dict[str, Any] = {"status": status, "end_reason": reason, "duration": None}
    rapida.remember(rapida.call(7, direction="outbound", entries=entries, **changes))
    code, out, _ = rapida("doctor", "--call", 7)
    return code, out.splitlines()


def test_busy(rapida: Rapida) -> None:
    """A busy line is nobody's mistake; the carrier's words and code are told."""
    status, lines = diagnosed(rapida, "busy", detail="Busy Here", code="486", retryable=True)
    assert status == 0
    assert lines == [
        "The line was busy. In detail: Busy Here (code 486).",
        "- call again in a while",
        "- the same call may succeed at another moment",
    ]


def test_refused(rapida: Rapida) -> None:
    """A wrong password is to be put right, and it is said how."""
    known = Entry(7, "metadata", "client.provider_call_id", "a84b4c76", {}, BEGAN)
    status, lines = diagnosed(
        rapida, "authentication_failed", "failed", known, detail="Forbidden", code="403"
    )
    assert status == 1
    assert lines[0] == "The carrier did not let us in. In detail: Forbidden (code 403)."
    assert "credential verify" in lines[1]
    assert lines[-1] == "- the carrier knows it as a84b4c76"


def test_retry_after(rapida: Rapida) -> None:
    """How long the carrier wants to be left alone."""
    _, lines = diagnosed(rapida, "unreachable", code="503", retryable=True, retry_after=120.0)
    assert lines[0].endswith("was not reached. Code 503.")
    assert "- the same call may succeed in 120 s, as the carrier wants it" in lines


def test_unknown_reach(rapida: Rapida) -> None:
    """A call that may have rung is not to be repeated blindly."""
    _, lines = diagnosed(rapida, "unreachable", reach="unknown")
    assert "look into the carrier's list before calling again" in lines[-1]


def test_not_dialled(rapida: Rapida) -> None:
    """What the house refuses has words too, written with hyphens or not."""
    _, lines = diagnosed(rapida, "dialling-forbidden", detail="+979 is not allowed")
    assert lines[0] == "This number may not be dialled from here. In detail: +979 is not allowed."
    assert "allowed_prefixes" in lines[1]


def test_expired(rapida: Rapida) -> None:
    """A call that was never dialled has nothing to do with AudioSocket()."""
    _, lines = diagnosed(rapida, "expired", "expired")
    assert "AudioSocket" not in " ".join(lines)


def test_talked(rapida: Rapida) -> None:
    """A call that was answered is told as others are, but for who hung up."""
    rapida.remember(rapida.call(7, direction="outbound", end_reason="remote_hangup"))
    status, out, _ = rapida("doctor", "--call", 7)
    assert status == 0
    assert out.startswith("Who was called hung up. It lasted 12.5 s.\n- 1 turns of the caller")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("queued", "waits for its turn"),
        ("dialling", "is being dialled"),
        ("ringing", "It rings"),
        ("answered", "its audio is awaited"),
        ("active", "goes on"),
    ],
)
def test_under_way(rapida: Rapida, state: str, words: str) -> None:
    """How far a call has got that is not over."""
    changes: dict[str, Any] = {"status": state, "end_reason": "", "entries": ()}
    rapida.remember(rapida.call(7, direction="outbound", **changes))
    assert words in rapida("doctor", "--call", 7)[1]
