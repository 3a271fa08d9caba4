"""Account: the secrets with which one vendor is used, as the vault keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rapida_tw.errors import MisconfiguredAssistant


class Account(Mapping[str, str]):
    """One credential's fields, read-only; its repr hides the values.

    Users spell a field in several ways: `first` and `need` take the spellings in order of choice.
    Every vendor takes `base_url` (or `baseUrl`, `endpoint`, `url`): another region, a server of the
    user's own, or a fake.
    """

    __slots__ = ("_fields", "vendor")

    def __init__(self, vendor: str = "", fields: Mapping[str, str] | None = None) -> None:
        self.vendor = vendor
        self._fields = dict(fields or {})

    def __getitem__(self, name: str) -> str:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Account({self.vendor!r}, {sorted(self._fields)})"

    def first(self, *names: str) -> str:
        """The first of these fields that is set; "" when none is."""
        return next((value for name in names if (value := self._fields.get(name, ""))), "")

    def need(self, *names: str) -> str:
        """The first of these fields that is set; `MisconfiguredAssistant` when none is."""
        value = self.first(*names)
        if not value:
            had = f"its credential has only {', '.join(sorted(self._fields))}"
            why = had if self._fields else "it has no credential"
            raise MisconfiguredAssistant(f"{self.vendor} needs a {names[0]}: {why}")
        return value

    def base_url(self, usual: str) -> str:
        """Where its API is, without a slash at the end; `usual` unless the credential says."""
        return (self.first("base_url", "baseUrl", "endpoint", "url") or usual).rstrip("/")


NOBODY = Account()
