"""Tables, JSON and progress."""

from __future__ import annotations

import io
from threading import active_count

from rapida_tw.cli.output import Output, _tick, facts, plain, progress, table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_table() -> None:
    """Columns line up, nothing trails."""
    rows = [("1", "Ann"), ("22", None)]
    assert table(("id", "name"), rows).splitlines() == ["ID  NAME", "1   Ann", "22  -"]


def test_facts() -> None:
    """What has no value is left out."""
    assert facts([("a", 1), ("long", "x"), ("none", None), ("empty", "")]) == "a     1\nlong  x"


def test_plain() -> None:
    """Controls become blanks."""
    assert plain("a\x1b[1m\nb") == "a [1m b"


def test_two_forms() -> None:
    """People read the text, programs the document."""
    for json, shown in ((False, "one\n"), (True, '{\n  "n": 1\n}\n')):
        stream = io.StringIO()
        out = Output(json, stream)
        out.document({"n": 1}, "one")
        assert stream.getvalue() == shown


def test_lines_are_for_people() -> None:
    """Programs see nothing but their document."""
    stream = io.StringIO()
    Output(True, stream).line("working")
    assert stream.getvalue() == ""


def test_quick_work_shows_no_progress() -> None:
    """What is done at once leaves the terminal as it was."""
    stream = Terminal()
    with progress("working", stream):
        pass
    assert stream.getvalue() == ""


def test_slow_work_shows_progress() -> None:
    """From the third second on, what goes on and for how long; the line is taken away at last."""
    stream, answers = Terminal(), iter((False, False, True))
    waits: list[float] = []

    def done(seconds: float) -> bool:
        waits.append(seconds)
        return next(answers)

    _tick("working", stream, done)
    assert waits == [2, 1, 1]
    assert stream.getvalue() == "\rworking … 2 s\rworking … 3 s\r\x1b[K"


def test_no_terminal_no_progress() -> None:
    """A file gets no thread at all."""
    before = active_count()
    with progress("working", io.StringIO()):
        assert active_count() == before
