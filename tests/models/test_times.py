"""Times of day, said and pressed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.models.numerals import plain_words
from rapida_tw.models.pattern import matches
from rapida_tw.models.slots import Value
from rapida_tw.models.times import Time

EVENING = Time(12 * 60, 21 * 60 + 30)


class TimeTests(SynchronousTestCase):
    def test_said(self) -> None:
        """All ways to say a time; the range decides between morning and evening."""
        for words, plain in {
            "seven": "19:00",
            "at seven": "19:00",
            "around eight o'clock": "20:00",
            "half past seven": "19:30",
            "a quarter to nine": "20:45",
            "quarter to one": "12:45",
            "twenty past six": "18:20",
            "seven thirty": "19:30",
            "nine oh five": "21:05",
            "eight forty five p m": "20:45",
            "seven in the evening": "19:00",
            "twelve thirty": "12:30",
            "at noon": "12:00",
        }.items():
            self.assertTrue(matches(EVENING.pattern, words), words)
            value = EVENING.said(words)
            assert value is not None, words
            self.assertEqual((value.plain, value.fits), (plain, True), words)

    def test_outside(self) -> None:
        """What is out of the range is understood, and does not fit."""
        for words, plain in {"seven a m": "07:00", "eleven": "11:00", "midnight": "00:00"}.items():
            value = EVENING.said(words)
            assert value is not None
            self.assertEqual((value.plain, value.fits), (plain, False))

    def test_noon_and_midnight(self) -> None:
        """Twelve is noon with p m and midnight with a m."""
        spoken = [Time().said(words) for words in ("twelve p m", "twelve a m")]
        self.assertEqual(spoken, [Value("12:00", "noon"), Value("00:00", "midnight")])

    def test_at_night(self) -> None:
        """The night has two ends."""
        plain = [
            value and value.plain
            for value in map(
                Time().said, ("ten at night", "twelve thirty at night", "quarter to twelve p m")
            )
        ]
        self.assertEqual(plain, ["22:00", "00:30", "23:45"])

    def test_sure(self) -> None:
        """A bare hour might be any number; everything else is surely a time."""
        self.assertFalse(matches(EVENING.sure, "seven"))
        for words in ("at seven", "seven p m", "half past seven", "noon"):
            self.assertTrue(matches(EVENING.sure, words), words)

    def test_pressed(self) -> None:
        """Four digits, three, or just the hour."""
        for digits, plain in {
            "1930": "19:30",
            "730": "19:30",
            "7": "19:00",
            "19": "19:00",
            "0730": "07:30",
            "1230": "12:30",
        }.items():
            value = EVENING.pressed(digits)
            assert value is not None
            self.assertEqual(value.plain, plain)
        for digits in ("", "1999", "2560", "19300"):
            self.assertIsNone(EVENING.pressed(digits), digits)

    def test_doubt_is_spoken(self) -> None:
        """Where both halves of the day are possible, the caller hears which was taken."""
        value = Time().said("seven thirty")
        assert value is not None
        self.assertEqual(value.spoken, "half past seven in the morning")
        value = EVENING.said("seven thirty")
        assert value is not None
        self.assertEqual(value.spoken, "half past seven")

    @given(st.integers(0, 24 * 12 - 1))
    def test_round_trip(self, fives: int) -> None:
        """What is read back, or written on a clock, is understood as the same time."""
        clock = f"{fives // 12:02}:{fives % 12 * 5:02}"
        value = Time().pressed(clock.replace(":", ""))
        assert value is not None
        if value.plain == clock:  # "0730" is the morning; "1130" may be either
            self.assertEqual(Time().said(value.spoken), value)
            written = Time().said(plain_words(clock))
            assert written is not None
            self.assertEqual(written.plain[3:], value.plain[3:])
