"""Who calls whom, as an INVITE tells it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapida_tw.sip.parties import Dialled, caller, dialled
from tests.sip.house import Endpoint


@pytest.mark.parametrize(
    ("headers", "number"),
    [
        ({}, "+15550001111"),
        ({"P-Asserted-Identity": "<sip:+15553334444@trunk>"}, "+15553334444"),
        ({"P-Asserted-Identity": "<tel:+15553334444>"}, "+15553334444"),
        ({"P-Asserted-Identity": "<<nonsense"}, "+15550001111"),
        ({"P-Asserted-Identity": "<sip:+1555@t>", "Privacy": "id"}, ""),
        ({"P-Asserted-Identity": "<sip:+1555@t>", "Privacy": "none"}, "+1555"),
        ({"From": "<sip:anonymous@anonymous.invalid>;tag=1"}, ""),
        ({"From": "<sip:Anonymous@10.0.0.5>;tag=1"}, ""),
        ({"From": "<sip:10.0.0.5>;tag=1"}, ""),
        ({"From": "<sip:+1555;phone-context=x@10.0.0.5>;tag=1"}, "+1555"),
        ({"From": f"<sip:{'9' * 500}@10.0.0.5>;tag=1"}, "9" * 128),
    ],
)
def test_caller(headers: dict[str, str], number: str) -> None:
    """What the trunk asserts beats what the caller says; who hides has no number."""
    request = Endpoint().invite(*headers.items())
    assert caller(request) == number


@given(st.text(max_size=40))
@settings(max_examples=200)
def test_dialled(user: str) -> None:
    """Any user part is an id or a number."""
    found = dialled(user)
    assert isinstance(found, Dialled)
    assert found.assistant_id is None or found.number == ""
