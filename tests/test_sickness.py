"""Sickness: who failed lately is not asked first, and is tried again by one call at a time."""

from __future__ import annotations

import pytest

from rapida_tw.errors import MisconfiguredAssistant, VendorFailed
from rapida_tw.sickness import LONGEST, SHORTEST, TRIED_WITHIN, Key, Sickness, sick

KEY = Key("stt", "acme", "1")
GONE = VendorFailed("gone")


class _Ward:
    """A register, and the clock on its wall."""

    def __init__(self, most: int = 1000) -> None:
        self.now = 0.0
        self.register = Sickness(lambda: self.now, most)

    def fails(self, error: BaseException = GONE, key: Key = KEY) -> None:
        self.register.failed(key, error)

    def lasts(self) -> float:
        """Seconds until it admits somebody, who then fails."""
        began = self.now
        while not self.register.admits(KEY):
            self.now += 1.0
        return self.now - began


def test_healthy() -> None:
    """Nothing is known: everybody may begin with it."""
    ward = _Ward()
    assert all(ward.register.admits(KEY) for _ in range(3))
    assert ward.register.until(KEY) == 0.0


def test_half_a_minute() -> None:
    """After a failure nobody begins with it for a while."""
    ward = _Ward()
    ward.fails()
    ward.now = SHORTEST - 0.1
    assert not ward.register.admits(KEY)
    assert ward.register.until(KEY) == SHORTEST


def test_others_are_well() -> None:
    """Another account of the same vendor, and its voices, are not sick."""
    ward = _Ward()
    ward.fails()
    for key in (Key("stt", "acme", "2"), Key("tts", "acme", "1"), KEY._replace(settings="x")):
        assert ward.register.admits(key)


def test_one_tries() -> None:
    """When the time is over one call begins with it; if that one is never heard of, another."""
    ward = _Ward()
    ward.fails()
    ward.now = SHORTEST
    assert [ward.register.admits(KEY) for _ in range(3)] == [True, False, False]
    ward.now += TRIED_WITHIN
    assert [ward.register.admits(KEY) for _ in range(3)] == [True, False, False]


def test_longer_each_time() -> None:
    """Who fails again when it is tried is left alone twice as long, five minutes at most."""
    ward = _Ward()
    lasted = []
    for _ in range(6):
        ward.fails()
        lasted.append(ward.lasts())
    assert lasted == [30.0, 60.0, 120.0, 240.0, LONGEST, LONGEST]


def test_a_hundred_calls() -> None:
    """Calls that were there when it failed are one failure together."""
    ward = _Ward()
    for _ in range(100):
        ward.fails()
        ward.now += 0.01
    assert ward.register.until(KEY) == SHORTEST


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (GONE, SHORTEST),
        (ZeroDivisionError(), SHORTEST),
        (VendorFailed("wrong key", 401, retryable=False), LONGEST),
        (MisconfiguredAssistant("no such voice"), LONGEST),
        (VendorFailed("busy", 429, retry_after=5.0), SHORTEST),
        (VendorFailed("busy", 429, retry_after=70.0), 70.0),
        (VendorFailed("busy", 429, retry_after=86_400.0), LONGEST),
    ],
)
def test_how_long(error: BaseException, seconds: float) -> None:
    """What time does not heal lasts longest; a vendor that names a time is given it."""
    ward = _Ward()
    ward.fails(error)
    assert ward.register.until(KEY) == seconds


def test_recovered() -> None:
    """Who has worked since is healthy, and its next failure is a first one."""
    ward = _Ward()
    ward.fails()
    ward.lasts()
    ward.fails()
    ward.lasts()
    ward.register.worked(KEY, since=ward.now)
    assert ward.register.until(KEY) == 0.0
    ward.fails()
    assert ward.lasts() == SHORTEST


def test_old_connections() -> None:
    """What was opened before the failure proves nothing, however long it works."""
    ward = _Ward()
    ward.now = 10.0
    ward.fails()
    ward.register.worked(KEY, since=5.0)
    assert not ward.register.admits(KEY)


def test_bounded() -> None:
    """Of many the longest unchanged is forgotten; the gauge counts those that are known."""
    ward = _Ward(most=2)
    before = sick.value("stt", "acme")
    keys = [Key("stt", "acme", str(number)) for number in range(3)]
    for key in keys:
        ward.fails(key=key)
    assert [ward.register.admits(key) for key in keys] == [True, False, False]
    assert sick.value("stt", "acme") == before + 2
    for key in keys:
        ward.register.worked(key, since=1.0)
    assert sick.value("stt", "acme") == before
