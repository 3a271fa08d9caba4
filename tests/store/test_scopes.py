"""Scopes: what a key may do, and how it is told that it may not."""

from __future__ import annotations

import pytest

from rapida_tw.errors import BadRequest, Forbidden
from rapida_tw.store.records import ApiKey
from rapida_tw.store.scopes import ANYTHING, SCOPES, TALK, may, read_scopes, require


def key(*scopes: str) -> ApiKey:
    return ApiKey(1, 7, "test", "rpd-ab12", 0.0, scopes=scopes)


@pytest.mark.parametrize(
    ("scopes", "wanted", "may_do"),
    [
        (("calls:read",), "calls:read", True),
        (("calls:write",), "calls:read", True),
        (("calls:read",), "calls:write", False),
        (("calls:write",), "campaigns:write", False),
        (("calls:write",), "callsomething:read", False),
        ((TALK,), TALK, True),
        (("calls:write",), TALK, False),
        ((), TALK, False),
        ((), ANYTHING, True),
        (tuple(SCOPES), "unheard:read", False),
        (tuple(SCOPES), "no scope at all", False),
    ],
)
def test_may(scopes: tuple[str, ...], wanted: str, may_do: bool) -> None:
    """Who may write may read; what is no scope is for keys without limits."""
    assert may(key(*scopes), wanted) is may_do


@pytest.mark.parametrize("wanted", [*SCOPES, ANYTHING, "unheard:read"])
def test_without_limits(wanted: str) -> None:
    """A key that names no scopes may do everything, as keys from before there were any."""
    assert may(ApiKey(1, 7, "test", "rpd-ab12", 0.0), wanted)


def test_refusal() -> None:
    """It names the key by what is shown of it, and the scope."""
    with pytest.raises(Forbidden, match=r"rpd-ab12… .*credentials:write"):
        require(key("calls:write"), "credentials:write")


def test_read_scopes() -> None:
    """In one order, each once."""
    assert read_scopes(["calls:write", TALK, "calls:write"]) == (TALK, "calls:write")


@pytest.mark.parametrize("given", [[], ["calls"], ["calls:write", "Calls:Write"], ["*"]])
def test_wrong_scopes(given: list[str]) -> None:
    """A mistake is told with all that there are."""
    with pytest.raises(BadRequest, match="conversations:read"):
        read_scopes(given)
