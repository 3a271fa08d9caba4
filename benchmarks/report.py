"""What the benchmarks print: one JSON object a line, or a table on a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TextIO

Row = Mapping[str, object]

_COLUMNS = (
    ("measures", "measure", 10),
    ("calls", "calls", 6),
    ("p50_ms", "p50 ms", 8),
    ("p99_ms", "p99 ms", 8),
    ("max_ms", "max ms", 8),
    ("late", "late", 6),
    ("lost", "lost", 6),
    ("cpu_us_per_tick", "CPU µs", 8),
    ("memory_kb_per_call", "kB/call", 8),
    ("own_late_p99_ms", "gen. ms", 8),
)


class Report:
    """Prints rows as they come: `out` gets a table where it is a terminal, else JSON lines."""

    def __init__(self, out: TextIO, as_json: bool = False) -> None:
        self._out = out
        self._table = out.isatty() and not as_json
        self.rows: list[Row] = []

    def add(self, row: Row) -> None:
        self.rows.append(row)
        if not self._table:
            self._print(json.dumps(row))
            return
        if len(self.rows) == 1:
            self._print(" ".join(title.rjust(width) for _, title, width in _COLUMNS))
        self._print(" ".join(_cell(row.get(key)).rjust(width) for key, _, width in _COLUMNS))
        for key, value in row.items():
            if key not in {column for column, _, _ in _COLUMNS} and key not in (
                "transport",
                "held",
            ):
                self._print(f"{'':12}{key.replace('_', ' ')}: {_cell(value)}")

    def named(self, peer: str) -> Report:
        """A report into the same place, whose rows tell that they are another server's."""
        return _Named(self, peer)

    def say(self, text: str) -> None:
        """A remark for people; not in the JSON."""
        if self._table:
            self._print(text)

    def _print(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()


class _Named(Report):
    """Adds `peer` to each row."""

    def __init__(self, report: Report, peer: str) -> None:
        super().__init__(report._out)
        self._report, self._peer = report, peer

    def add(self, row: Row) -> None:
        self._report.add({"peer": self._peer, **row})

    def say(self, text: str) -> None:
        self._report.say(text)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)
