"""Numbers, digits, days and choices, said and pressed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.models.numerals import by_digit, spell
from rapida_tw.models.pattern import matches, parse
from rapida_tw.models.script import NO, YES
from rapida_tw.models.slots import Day, Digits, Number, Value, choice, yes_or_no


class NumberTests(SynchronousTestCase):
    def test_said(self) -> None:
        """Words in, number out, and the words to read it back."""
        self.assertEqual(Number(1, 30).said("twenty three"), Value("23", "twenty three"))
        self.assertIsNone(Number(1, 30).said("many"))

    @given(st.integers(1, 20))
    def test_all_are_sayable(self, number: int) -> None:
        """The wording covers the range."""
        self.assertTrue(matches(Number(1, 20).pattern, spell(number)))

    def test_range_ends(self) -> None:
        """The grammar does not hold what is not allowed; keys outside are told apart."""
        self.assertFalse(matches(Number(1, 20).pattern, "twenty one"))
        self.assertEqual(Number(1, 20).pressed("30"), Value("30", "thirty", fits=False))
        self.assertIsNone(Number(1, 20).pressed("30000"))

    def test_how_many_keys(self) -> None:
        """One key is a whole entry only where no number has two."""
        self.assertEqual((Number(1, 9).digits, Number(1, 20).digits), (1, 0))


class DigitsTests(SynchronousTestCase):
    def test_said(self) -> None:
        """Digits as people say them."""
        value = Digits(1, 9).said("double five oh one triple two")
        assert value is not None
        self.assertEqual(value.plain, "5501222")

    @given(st.text(alphabet="0123456789", min_size=3, max_size=9))
    def test_round_trip(self, digits: str) -> None:
        """What is read back is understood as the same."""
        kind = Digits(3, 9)
        self.assertTrue(matches(kind.pattern, by_digit(digits)))
        self.assertEqual(kind.said(by_digit(digits)), kind.pressed(digits))

    def test_how_many(self) -> None:
        """Too few or too many are understood but do not fit."""
        kind = Digits(3, 4)
        fits = [value and value.fits for value in map(kind.pressed, ("", "12", "123", "12345"))]
        self.assertEqual(fits, [None, False, True, False])

    def test_how_many_keys(self) -> None:
        """Only a fixed number of digits completes itself."""
        self.assertEqual((Digits(4, 4).digits, Digits(3, 9).digits), (4, 0))

    def test_no_digits(self) -> None:
        """Other words are no digits, nor is "double" alone."""
        self.assertIsNone(Digits(1, 9).said("one thing"))
        self.assertIsNone(Digits(1, 9).said("double"))


class DayTests(SynchronousTestCase):
    def test_said(self) -> None:
        """Days stay words; a weekday is read back with its preposition."""
        for words, spoken in {
            "tomorrow": "tomorrow",
            "for tonight": "tonight",
            "friday": "on Friday",
            "on friday evening": "Friday evening",
            "next wednesday": "next Wednesday",
        }.items():
            self.assertTrue(matches(Day().pattern, words), words)
            value = Day().said(words)
            assert value is not None
            self.assertEqual(value.spoken, spoken)

    def test_dates(self) -> None:
        """A date either way round, where dates are wanted."""
        for words in ("the twenty third of may", "on may the twenty third", "may twenty third"):
            self.assertTrue(matches(Day(dates=True).pattern, words), words)
            self.assertEqual(
                Day(dates=True).said(words), Value("23 May", "on the twenty third of May")
            )
        self.assertFalse(matches(Day().pattern, "may twenty third"))

    def test_pressed(self) -> None:
        """1 is Monday, 7 Sunday, 8 today, 9 tomorrow; four digits are day and month."""
        plain = [value and value.plain for value in map(Day().pressed, ("1", "7", "8", "9", "0"))]
        self.assertEqual(plain, ["Monday", "Sunday", "today", "tomorrow", None])
        self.assertEqual(
            Day(dates=True).pressed("0112"), Value("1 December", "on the first of December")
        )
        for digits in ("0113", "3201", "0001"):
            self.assertIsNone(Day(dates=True).pressed(digits))


class ChoiceTests(SynchronousTestCase):
    def test_said_and_pressed(self) -> None:
        """By any of its wordings, or by its position."""
        kind = choice(
            [
                (parse("[the] terrace | outside"), Value("terrace", "terrace")),
                (parse("inside"), Value("hall", "hall")),
            ]
        )
        self.assertEqual(kind.said("outside"), Value("terrace", "terrace"))
        self.assertIsNone(kind.said("upstairs"))
        self.assertEqual(kind.pressed("2"), Value("hall", "hall"))
        self.assertIsNone(kind.pressed("3"))

    def test_yes_or_no(self) -> None:
        """Yes is 1 and no is 2; neither means anything when it was not asked for."""
        kind = yes_or_no(YES, NO)
        self.assertEqual(kind.said("that's right"), Value("yes", "yes"))
        self.assertEqual(kind.pressed("2"), Value("no", "no"))
        self.assertIsNone(kind.sure)
