"""What vendors read of a credential is what they declare, and nothing else can be saved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.errors import CallError
from rapida_tw.speech.base import Host
from rapida_tw.store.credential_documents import ANOTHER_SPELLING, _folded

KINDS = ("recognizers", "synthesizers", "models", "live_models")
OWN = {"custom", "local", "scripted", "websocket", "agentkit"}  # theirs are nobody's to know
OPTIONS = {"model.name": "m", "speak.voice.id": "v", "listen.model": "m"}


def providers() -> Iterator[Any]:
    for kind in KINDS:
        for point in entry_points(group=f"rapida_tw.{kind}"):
            if point.name not in OWN:
                yield pytest.param(point.load(), id=f"{kind}-{point.name}")


class Asked(Account):
    """Has everything, and remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__("vendor", {})
        self.names: set[str] = set()

    def first(self, *names: str) -> str:
        self.names.update(names)
        return "" if names[0] in ("service_account_key", "headers") else "https://a.example"


each = pytest.mark.parametrize("provider", list(providers()))


@each
def test_declared(provider: Any, tmp_path: Path) -> None:
    """Every name that the vendor looks for is declared, in one spelling at least."""
    account = Asked()
    made = provider(Host(Clock(), tmp_path, None))  # type: ignore[arg-type]
    for options in ({}, OPTIONS, {"model.name": "m"}, {"speak.voice.id": "v"}):
        with suppress(CallError):
            made.open(options, account)
    assert account.names
    declared = {_folded(name) for name in provider.credential_fields}
    assert {name for name in account.names if _folded(name) not in declared} == set()


@each
def test_sentences(provider: Any) -> None:
    """Each has a sentence; another spelling names a key that is there."""
    fields = provider.credential_fields
    for name, sentence in fields.items():
        assert name.islower()
        assert sentence.endswith(".")
        if sentence.startswith(ANOTHER_SPELLING):
            kept = sentence.removeprefix(ANOTHER_SPELLING)[:-1]
            assert not fields[kept].startswith(ANOTHER_SPELLING)
