"""Dialling rules: numbers that are denied stay so, however they are written."""

from __future__ import annotations

import pytest

from rapida_tw.calls.dialling_rules import DiallingRules
from rapida_tw.errors import DiallingForbidden

DENIED = ("+1900", "44")


def rules(allowed: tuple[str, ...] = (), denied: tuple[str, ...] = ()) -> DiallingRules:
    return DiallingRules(lambda: 0.0, allowed, denied)


@pytest.mark.parametrize(
    "number",
    [
        "+19005551234",
        "19005551234",
        "0019005551234",
        "+0019005551234",
        "000019005551234",
        "01119005551234",
        "+01119005551234",
        "011 44 1234567",
        "(1) 900-555.1234",
        "++19005551234",
        "_19005551234",
        "19005551234a",
        "19005551234-sales",
        "19005551234@trunk",
        "sip:19005551234@trunk",
        "sip:19005551234:password@trunk",
        "SIPS:+4412345@host",
        "*6719005551234",
    ],
)
def test_denied(number: str) -> None:
    with pytest.raises(DiallingForbidden):
        rules(denied=DENIED).check(number)


@pytest.mark.parametrize("number", ["+15551234567", "0100", "00", "011", "sales", "sip:x1900@h"])
def test_not_denied(number: str) -> None:
    """Others, and names."""
    rules(denied=DENIED).check(number)


@pytest.mark.parametrize(
    "number", ["+1565", "1555a", "sales", "sip:1565@h", "*1555", "+001565", ""]
)
def test_not_allowed(number: str) -> None:
    with pytest.raises(DiallingForbidden):
        rules(allowed=("+1555",)).check(number)


@pytest.mark.parametrize("number", ["+15551234", "1 555 1234", "001555123", "sip:1555123@h"])
def test_allowed(number: str) -> None:
    rules(allowed=("+1555",)).check(number)


@pytest.mark.parametrize(
    "target",
    [
        "+19005551234",
        "tel:+1-900-555-1234;phone-context=example.com",
        "sip:19005551234;npdi@host",
        "sip:%31900555%31234@host",
        "19005551234&operator",
        "19005551234,,1",
        "*6719005551234",
        "sip:%2A67100@host",
        "0" * 3_000 + "19005551234",
    ],
)
def test_target_denied(target: str) -> None:
    """What a transfer may hide a number in: parameters, percent signs, a second target."""
    with pytest.raises(DiallingForbidden):
        rules(denied=(*DENIED, "000")).check_target(target)


@pytest.mark.parametrize("target", ["100", "operator", "sip:100@host", "sip:agent7@host", "44123"])
def test_target_within_the_house(target: str) -> None:
    """Extensions and names are free, where prefixes are restricted too."""
    rules(("+1555",), DENIED).check_target(target)
