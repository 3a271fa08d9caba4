"""`rapida conversations`."""

from __future__ import annotations

from rapida_tw.store.records import Entry
from tests.cli.conftest import BEGAN, Rapida


def test_list(rapida: Rapida) -> None:
    """Newest first, with number, duration and end."""
    rapida.remember(rapida.call(7))
    rapida.remember(rapida.call(8, created=BEGAN + 60, identifier="", end_reason=""))
    _, out, _ = rapida("conversations", "list")
    newest, oldest = out.splitlines()[1:]
    assert newest.startswith("8 ")
    assert "anonymous" in newest
    assert all(word in oldest for word in ("+4930123", "12.5 s", "tool_ended"))


def test_of_one_assistant(rapida: Rapida) -> None:
    """`--assistant` chooses."""
    rapida.remember(rapida.call(7))
    assert rapida.json("conversations", "list", "--assistant", 6) == []
    assert len(rapida.json("conversations", "list", "--assistant", 5)) == 1


def test_more(rapida: Rapida) -> None:
    """What is not shown is counted."""
    for number in range(7, 10):
        rapida.remember(rapida.call(number))
    assert "and 2 older ones" in rapida("conversations", "list", "--count", 1)[1]


def test_show(rapida: Rapida) -> None:
    """The dialogue with its times, the latency with its parts, the end."""
    rapida.remember(rapida.call(7))
    _, out, _ = rapida("conversations", "show", 7)
    assert "0:05  caller     when are you open\n" in out
    assert "0:09  assistant  Every day.  (interrupted)\n" in out
    assert "turn 1: 800 ms: endpointing 600, recognizer 100" in out
    assert "end           tool_ended" in out


def test_json(rapida: Rapida) -> None:
    """Programs get the document of the API."""
    rapida.remember(rapida.call(7))
    found = rapida.json("conversations", "show", 7)
    assert found["id"] == "7"
    assert [message["role"] for message in found["messages"]] == ["assistant", "user", "assistant"]


def test_terminal_is_safe(rapida: Rapida) -> None:
    """What a carrier sent cannot move the cursor of who reads it."""
    nasty = Entry(7, "event", "dtmf", "", {"digit": "\x1b[2J"}, BEGAN)
    rapida.remember(rapida.call(7, identifier="\x1b[31m", entries=(nasty,)))
    assert "\x1b" not in rapida("conversations", "list")[1]
    assert "\x1b" not in rapida("conversations", "show", 7)[1]


def test_message_is_safe(rapida: Rapida) -> None:
    """Nor can what was understood."""
    nasty = Entry(7, "message", "user", "a\x1b[2Jb", {}, BEGAN)
    rapida.remember(rapida.call(7, entries=(nasty,)))
    assert "\x1b" not in rapida("conversations", "show", 7)[1]


def test_unknown(rapida: Rapida) -> None:
    """There is no such call."""
    assert rapida("conversations", "show", 99) == (1, "", "rapida: no conversation 99\n")
