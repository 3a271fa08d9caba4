"""What a process uses of its machine, read from Linux's /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")  # bytes


@dataclass(frozen=True, slots=True)
class Usage:
    """`cpu`: seconds of all its threads since its start; `memory`: resident bytes."""

    cpu: float
    memory: int


def usage(pid: int, proc: Path = Path("/proc")) -> Usage:
    """Of process `pid` now; `OSError` when it is gone."""
    stat = (proc / str(pid) / "stat").read_text()
    # The name in parentheses may hold blanks and parentheses itself: count from behind it.
    fields = stat.rpartition(")")[2].split()
    user, system = int(fields[11]), int(fields[12])
    pages = int((proc / str(pid) / "statm").read_text().split()[1])
    return Usage((user + system) / _TICKS_PER_SECOND, pages * _PAGE)
