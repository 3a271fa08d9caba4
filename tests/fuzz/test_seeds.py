"""The targets of the fuzzer, on what it begins with and on what it once found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.targets import BETWEEN, SEEDS, TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_seeds(name: str) -> None:
    """None of them is a finding."""
    seeds = SEEDS[name]()
    assert seeds
    for seed in seeds:
        TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
def test_notices(name: str) -> None:
    """Whatever bytes: nothing is let out."""
    target = TARGETS[name]

    @given(st.binary(max_size=200))
    def any_bytes(data: bytes) -> None:
        target(data)

    any_bytes()


def test_several() -> None:
    """A call, then noise, then the call again."""
    call = SEEDS["agent"]()[0]
    TARGETS["agent"](BETWEEN.join((call, b"\xff" * 30, call)))
