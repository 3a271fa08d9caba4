"""What is printed while the call is on."""

from __future__ import annotations

from typing import Any

from rapida_tw.demo.screen import Screen, summary
from rapida_tw.sim.caller import Happened
from rapida_tw.store.records import Conversation, Entry

LATENCY = {"turn": 1, "total": 0.812, "endpointing": 0.6, "recognizer": 0.2, "model": 0.012}


def entry(kind: str, name: str, value: str = "", /, **data: Any) -> Entry:
    return Entry(1, kind, name, value, data)


def printed(*happened: Happened | Entry) -> list[str]:
    lines: list[str] = []
    times = iter((100.0, *[103.25] * len(happened)))
    screen = Screen(lines.append, lambda: next(times))
    screen.connected()
    for one in happened:
        if isinstance(one, Entry):
            screen.remembered(one)
        else:
            screen.happened(one)
    return lines[1:]


def test_caller() -> None:
    """What he says and presses, on his own clock."""
    assert printed(Happened(1.04, "says", "hello"), Happened(2.0, "presses", "12")) == [
        "   1.0 s  caller     “hello”",
        "   2.0 s  caller     presses 1 2",
    ]


def test_answer_heard() -> None:
    """The latency as he hears it; a sound that answers nothing is no line."""
    assert printed(Happened(3.0, "hears"), Happened(4.0, "hears", "after 800 ms")) == [
        "   4.0 s             … hears the answer begin after 800 ms"
    ]


def test_understood() -> None:
    """What the server made of it, and how sure it was."""
    data = {"by": "voice", "confidence": 0.934}
    assert printed(Entry(1, "message", "user", "hello", data)) == [
        "   3.2 s             → understood: hello (confidence 0.93)"
    ]


def test_assistant() -> None:
    """What was heard of him, and whether he was cut off."""
    lines = printed(
        entry("message", "assistant", "Hello.", interrupted=False),
        entry("message", "assistant", "We are", interrupted=True),
    )
    assert lines == [
        "   3.2 s  assistant  Hello.",
        "   3.2 s  assistant  We are –– (interrupted)",
    ]


def test_latency() -> None:
    """The turn's latency with its parts."""
    (line,) = printed(Entry(1, "metric", "turn.latency", "812", LATENCY))
    assert line.endswith("answered after 812 ms = endpointing 600 + recognizer 200 + model 12")


def test_end() -> None:
    """Why it ended."""
    (line,) = printed(entry("event", "call.failed", reason="provider_failed", detail="no voice"))
    assert line.endswith("the call is over (provider_failed: no voice)")


def test_summary() -> None:
    """The call's metrics, then a row a turn; a part that was not measured is a dash."""
    entries = (
        entry("metric", "call.duration", "33.5"),
        Entry(1, "metric", "turn.latency", "812", LATENCY),
    )
    lines = summary(Conversation(1, 1, 1, "100", entries=entries))
    assert lines[0].split() == ["call.duration", "33.5"]
    assert lines[-1].split() == ["turn", "1", "812", "600", "200", "12", "-", "-"]
