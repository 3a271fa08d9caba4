"""States of a conversation, in the order of a call's life: it goes on, and never back."""

from __future__ import annotations

FINAL = frozenset({"ended", "failed", "expired"})  # states that a call does not leave

# Callbacks and nodes write in any order.
_ORDER = (
    ("webhook", "queued"),
    ("saved", "dialling"),
    ("ringing",),
    ("answered",),
    ("connected",),
    ("active",),
)


def later_than(status: str) -> list[str]:
    """The states that a call does not leave for this one."""
    ranks = {name: rank for rank, names in enumerate(_ORDER) for name in names}
    if status not in ranks:
        return []
    return [name for name, rank in ranks.items() if rank > ranks[status]]


def stays(status: str, new: str) -> bool:
    """Whether a call does not leave `status` for the new one; the first end stays."""
    return status in FINAL or status in later_than(new)
