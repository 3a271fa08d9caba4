"""What the server answers, as objects: every key of the document is an attribute in snake_case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

R = TypeVar("R", bound="Record")


class Record:
    """One document; `data` is as it came. What is not in it is no attribute."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = dict(data)

    @property
    def id(self) -> str:
        """Ids are texts: not every language has numbers of 63 bits."""
        return str(self.data["id"])

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            head, *tail = name.split("_")
            key = head + "".join(part.capitalize() for part in tail)
            for one in (name, key):
                if one in self.__dict__.get("data", {}):
                    return self.data[one]
        raise AttributeError(f"{type(self).__name__} has no {name}")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.data == other.data

    def __hash__(self) -> int:
        return hash((type(self), self.data.get("id")))

    def __repr__(self) -> str:
        shown = [
            f"{key}={self.data[key]!r}" for key in ("id", "name", "status") if key in self.data
        ]
        return f"{type(self).__name__}({', '.join(shown)})"


class Assistant(Record):
    """Who answers and calls."""


class Deployment(Record):
    """How an assistant is on the phone."""


class Credential(Record):
    """Of its value only which keys are set."""


class Call(Record):
    """A call that is on the phone."""


class Conversation(Record):
    """A call as history knows it; `status` tells how far it is."""

    @property
    def is_over(self) -> bool:
        """Nothing more will happen to it."""
        return self.data.get("status") in ("ended", "failed", "expired")

    @property
    def outcome(self) -> str:
        """completed, failed or no_answer; "" before the end, and where nothing was written."""
        metrics = self.data.get("metrics", ())
        found = [one["value"] for one in metrics if one["name"] == "call.status"]
        if found:
            return str(found[-1])
        return "failed" if self.data.get("status") in ("failed", "expired") else ""


class PlacedCall(Record):
    """A call that was asked for: `.conversation.id`, or `.id` for short."""

    @property
    def conversation(self) -> Conversation:
        return Conversation(self.data)


class BulkEntry(PlacedCall):
    """One of many; `error` is None, or why it was not placed. Then there may be no conversation."""

    @property
    def success(self) -> bool:
        return bool(self.data.get("success"))


class Campaign(Record):
    """Many calls, one after the other; `state` tells whether they go out, `progress` how far."""

    @property
    def is_over(self) -> bool:
        """Nobody more is called, unless calls are added."""
        return self.data.get("state") in ("finished", "cancelled")


class CampaignCall(Record):
    """One who is called by a campaign."""


class SentMessage(Record):
    """A message that the carrier has; `.id` is the carrier's, "" where nobody knows it."""


class NumberInsight(Record):
    """What a carrier knows of a number; None where nobody could tell."""


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Some items of a listing; `total` counts all of it."""

    items: tuple[R, ...]
    number: int
    total: int

    def __iter__(self) -> Iterator[R]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
