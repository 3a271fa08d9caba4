"""Whom a campaign calls: a CSV file, and requests that a server takes."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rapida_tw.cli.source import Usage

Call = str | dict[str, Any]

# What one request may hold, well below the server's own bounds.
_MOST_CALLS = 5_000
_MOST_BYTES = 500_000


def read_file(name: str) -> list[Call]:
    """The calls of a CSV file, or of standard input for "-"; `Usage`, `OSError`."""
    try:
        if name == "-":
            return read_csv(sys.stdin, "standard input")
        with open(name, encoding="utf-8-sig", newline="") as file:
            return read_csv(file, name)
    except UnicodeDecodeError:
        raise Usage(f"{name}: is not in UTF-8") from None


def read_csv(lines: Iterable[str], name: str) -> list[Call]:
    """A call for each line; columns other than `to` and `from` are its arguments."""
    text = iter(lines)
    first = next(text, "")
    delimiter = ";" if ";" in first and "," not in first else ","  # as spreadsheets write it

    def both() -> Iterator[str]:
        yield first
        yield from text

    reader = csv.reader(both(), delimiter=delimiter, strict=True)
    try:
        head = [column.strip() for column in next(reader, [])]
        if "to" not in head:
            raise Usage(f"{name}: the first line names the columns; one of them must be: to")
        if len(set(head)) < len(head) or "" in head:
            raise Usage(f"{name}: each column needs a name of its own")
        return [_call(head, row, f"{name}, line {reader.line_num}") for row in reader if any(row)]
    except csv.Error as error:
        raise Usage(f"{name}, line {reader.line_num}: {error}") from None


def _call(head: Sequence[str], row: Sequence[str], where: str) -> Call:
    if len(row) > len(head):
        raise Usage(f"{where}: has {len(row)} cells, and {len(head)} columns have names")
    cells = {name: cell.strip() for name, cell in zip(head, row, strict=False) if cell.strip()}
    to, caller = cells.pop("to", ""), cells.pop("from", "")
    if not to:
        raise Usage(f"{where}: has no number")
    if not caller and not cells:
        return to
    call: dict[str, Any] = {"toNumber": to}
    return call | {key: given for key, given in (("fromNumber", caller), ("args", cells)) if given}


def batches(calls: Sequence[Call]) -> Iterator[Sequence[Call]]:
    """All of them in their order, each batch small enough for one request."""
    batch: list[Call] = []
    size = 0
    for call in calls:
        length = len(json.dumps(call)) + 2
        if batch and (len(batch) == _MOST_CALLS or size + length > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(call)
        size += length
    yield batch
