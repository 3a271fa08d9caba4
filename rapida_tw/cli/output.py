"""What commands print: tables for people, JSON for programs, progress for who waits."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any, TextIO

_GAP = "  "
_PATIENCE = 2  # seconds; only what takes longer shows that it goes on


class Output:
    """Standard output of one command; `json` chooses its form."""

    def __init__(self, json: bool, stream: TextIO | None = None) -> None:
        self.json = json
        self._stream = stream or sys.stdout

    def line(self, text: str = "") -> None:
        """A line for people; nothing when programs read."""
        if not self.json:
            print(text, file=self._stream, flush=True)

    def document(self, document: object, text: str) -> None:
        """The same thing twice: `document` for programs, `text` for people."""
        print(to_json(document) if self.json else text, file=self._stream, flush=True)

    def table(self, documents: Sequence[object], head: Sequence[str], rows: Sequence[Row]) -> None:
        """A list of documents for programs, a table for people."""
        self.document(documents, table(head, rows) if rows else "none")


Row = Sequence[object]


def to_json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def table(head: Sequence[str], rows: Sequence[Row]) -> str:
    """Columns as wide as their widest cell; the last one as it is."""
    cells = [[name.upper() for name in head], *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(head) - 1)]
    lines = []
    for row in cells:
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append(_GAP.join([*padded, row[-1]]).rstrip())
    return "\n".join(lines)


def facts(pairs: Sequence[tuple[str, object]]) -> str:
    """Names and values below each other; pairs without a value are left out."""
    shown = [(name, _cell(value)) for name, value in pairs if value not in (None, "")]
    width = max((len(name) for name, _ in shown), default=0)
    return "\n".join(f"{name.ljust(width)}{_GAP}{value}" for name, value in shown)


def when(value: str | float | None) -> str:
    """A time of the API (RFC 3339) or of the epoch, in local time; "" for none."""
    if not value:
        return ""
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
    else:
        moment = datetime.fromtimestamp(value, UTC)
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def plain(value: object) -> str:
    """On one line, without what could move the cursor of who reads it: callers' words."""
    return "".join(c if c.isprintable() else " " for c in str(value))


def _cell(value: object) -> str:
    return "-" if value is None else plain(value)


@contextmanager
def progress(what: str, stream: TextIO | None = None) -> Iterator[None]:
    """Says on a terminal, from the third second on, that it goes on and for how long."""
    out = stream or sys.stderr
    if not out.isatty():
        yield
        return
    done = Event()
    thread = Thread(target=_tick, args=(what, out, done.wait), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _tick(what: str, out: TextIO, done: Callable[[float], bool]) -> None:
    """`done(seconds)` waits so long, and tells whether it is over."""
    waited, step = 0, _PATIENCE
    while not done(step):
        waited, step = waited + step, 1
        out.write(f"\r{what} … {waited} s")
        out.flush()
    if waited:
        out.write("\r\x1b[K")
        out.flush()


def pick(document: dict[str, Any], *path: str) -> Any:
    """A value deep in a document; None where the path ends early."""
    found: Any = document
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found
