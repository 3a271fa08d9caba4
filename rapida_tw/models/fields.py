"""Reading JSON objects by field, with every mistake collected instead of the first one raised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapida_tw.models.pattern import BadWording, Gap, Pattern, any_of, parse

_MISSING: Any = object()


@dataclass(slots=True)
class Fields:
    """One JSON object under its `path`; `mistakes` is shared by all of one reading.

    A field of the wrong type counts as a mistake and reads as its default. `done` counts the
    fields that nobody asked for.
    """

    data: Mapping[str, Any]
    path: str
    mistakes: list[str]
    _asked: set[str] = field(default_factory=set)

    def wrong(self, key: str, what: str) -> None:
        """Note a mistake of one field, or of the object itself ("")."""
        self.mistakes.append(f"{self._at(key)}: {what}")

    def has(self, key: str) -> bool:
        return key in self.data

    def text(self, key: str, default: str = "") -> str:
        """A string."""
        value: str = self._typed(key, str, "a text", default)
        return value

    def needed(self, key: str) -> str:
        """A string that must be there and not be empty."""
        value = self.text(key)
        if not value and not self._noted(key):
            self.wrong(key, "is missing")
        return value

    def flag(self, key: str) -> bool:
        value: bool = self._typed(key, bool, "true or false", False)
        return value

    def number(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number `low`..`high`."""
        value = self._typed(key, int, "a whole number", default)
        if isinstance(value, bool) or not low <= value <= high:
            self.wrong(key, f"must be a whole number from {low} to {high}")
            return default
        return int(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; a single string is a list of one."""
        value = self._typed(key, (str, list, tuple), "a list of texts", [])
        items = [value] if isinstance(value, str) else value
        if not all(isinstance(item, str) for item in items):
            self.wrong(key, "must be a list of texts")
            return ()
        return tuple(items)

    def table(self, key: str) -> Mapping[str, str]:
        """An object whose values are strings."""
        value = self._typed(key, Mapping, "an object", {})
        if not all(isinstance(item, str) for item in value.values()):
            self.wrong(key, "must be an object of texts")
            return {}
        return dict(value)

    def wordings(self, key: str, gap: Gap | None = None) -> Pattern | None:
        """Any of a list of wordings; None when there are none."""
        patterns = []
        for wording in self.texts(key):
            try:
                patterns.append(parse(wording, gap))
            except BadWording as error:
                self.wrong(key, str(error))
        return any_of(patterns) if patterns else None

    def inner(self, key: str) -> Fields:
        """The object in that field; an empty one when it is not there."""
        value = self._typed(key, Mapping, "an object", {})
        return Fields(value, self._at(key), self.mistakes)

    def each(self, key: str) -> Iterator[tuple[str, Fields]]:
        """The objects in the object of that field, by name."""
        outer = self.inner(key)
        for name in outer.data:
            yield name, outer.inner(name)

    def items(self, key: str) -> Sequence[Any]:
        """A list of anything."""
        value: Sequence[Any] = self._typed(key, (list, tuple), "a list", [])
        return value

    def listed(self, key: str) -> Iterator[Fields]:
        """The objects in the list of that field."""
        for at, item in enumerate(self.items(key)):
            path = f"{self._at(key)}[{at}]"
            if isinstance(item, Mapping):
                yield Fields(item, path, self.mistakes)
            else:
                self.mistakes.append(f"{path}: must be an object")

    def done(self) -> None:
        """Everything was read: what is left over is a mistake."""
        for key in sorted(self.data.keys() - self._asked, key=str):
            self.wrong(key, "is unknown here")

    def _typed(self, key: str, kind: Any, what: str, default: Any) -> Any:
        self._asked.add(key)
        value = self.data.get(key, _MISSING)
        if value is _MISSING:
            return default
        if not isinstance(value, kind):
            self.wrong(key, f"must be {what}")
            return default
        return value

    def _noted(self, key: str) -> bool:
        return any(mistake.startswith(f"{self._at(key)}: ") for mistake in self.mistakes)

    def _at(self, key: str) -> str:
        return ".".join(filter(None, (self.path, str(key))))
