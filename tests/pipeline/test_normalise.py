from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.pipeline.normalise import DICTIONARIES, Normaliser, spoken

MONEY = {
    "$1,234.50": "one thousand two hundred thirty-four dollars and fifty cents",
    "$5": "five dollars",
    "$1": "one dollar",
    "$0.50": "fifty cents",
    "$0": "zero dollars",
    "$1.01": "one dollar and one cent",
    "$5.5": "five dollars and fifty cents",
    "-$5": "minus five dollars",
    "$3k": "three thousand dollars",
    "$1.5m": "one point five million dollars",
    "$2 million": "two million dollars",
    "$10-15": "ten to fifteen dollars",
    "$10–$15": "ten to fifteen dollars",
    "$5/month": "five dollars per month",
    "€20": "twenty euros",
    "10 €": "ten euros",
    "€10,50": "ten euros and fifty cents",
    "£5.20": "five pounds and twenty pence",
    "20 USD": "twenty US dollars",
    "USD 20": "twenty US dollars",
    "¥500": "five hundred yen",
    "It is $45.99.": "It is forty-five dollars and ninety-nine cents.",
}
NUMBERS = {
    "0": "zero",
    "7": "seven",
    "13": "thirteen",
    "40": "forty",
    "99": "ninety-nine",
    "100": "one hundred",
    "1,000": "one thousand",
    "1,234,567": "one million two hundred thirty-four thousand five hundred sixty-seven",
    "1000000000000": "one trillion",
    "3.14": "three point one four",
    "0.5": "zero point five",
    "-5": "minus five",
    "007": "zero zero seven",
    "50%": "fifty percent",
    "12.5 %": "twelve point five percent",
    "1st": "first",
    "2nd": "second",
    "3rd": "third",
    "12th": "twelfth",
    "20th": "twentieth",
    "101st": "one hundred first",
    "9-17": "nine to seventeen",
    "10–15": "ten to fifteen",
    "2019-2021": "twenty nineteen to twenty twenty-one",
    "in 2026": "in twenty twenty-six",
    "in 2005": "in two thousand five",
    "since 1900": "since nineteen hundred",
    "in 1906": "in nineteen oh six",
    "the 1990s": "the nineteen nineties",
    "the 80s": "the eighties",
    "1/2": "one half",
    "1½ cups": "one and a half cups",
    "24/7": "twenty-four seven",
    "3:1": "three to one",
    "10k": "ten thousand",
    "3x": "three times",
    "2+2=4": "two plus two equals four",
    "3x4": "three by four",
    "B2B": "B two B",
    "12B": "twelve B",
    "COVID-19": "COVID nineteen",
    "3.14.2": "three point fourteen point two",
    "#1": "number one",
    "No. 5": "number five",
    "~5": "about five",
    "Your code is 4821.": "Your code is four eight two one.",
    "Order #48213": "Order four eight two, one three",
}
UNITS = {
    "5 km": "five kilometers",
    "1 km": "one kilometer",
    "10kg": "ten kilograms",
    "20°C": "twenty degrees Celsius",
    "-5°": "minus five degrees",
    "60 mph": "sixty miles per hour",
    "80 km/h": "eighty kilometers per hour",
    "30 min": "thirty minutes",
    "2.5 GB": "two point five gigabytes",
    "10-20 km": "ten to twenty kilometers",
    "6'2\"": "six foot two",
}
PHONES = {
    "555-123-4567": "five five five, one two three, four five six seven",
    "(555) 123-4567": "five five five, one two three, four five six seven",
    "+1 555 123 4567": "plus one, five five five, one two three, four five six seven",
    "+15551234567": "plus one five five, five one two, three four five, six seven",
    "1-800-555-0199": "one, eight zero zero, five five five, zero one nine nine",
    "555-1234": "five five five, one two three four",
    "020 7946 0958": "zero two zero, seven nine four six, zero nine five eight",
    "5551234567": "five five five, one two three, four five six seven",
}
DATES = {
    "2026-11-21": "November twenty-first, twenty twenty-six",
    "11/21/2026": "November twenty-first, twenty twenty-six",
    "21/11/2026": "November twenty-first, twenty twenty-six",
    "3/4/2026": "March fourth, twenty twenty-six",
    "11/21/26": "November twenty-first, twenty twenty-six",
    "21.11.2026": "November twenty-first, twenty twenty-six",
    "Nov. 21": "November twenty-first",
    "Nov 21, 2026": "November twenty-first, twenty twenty-six",
    "November 21st": "November twenty-first",
    "Nov 3-5": "November third to fifth",
    "21 Nov 2026": "the twenty-first of November, twenty twenty-six",
    "the 21st of November": "the twenty-first of November",
    "May 2026": "May twenty twenty-six",
    "on 12/24": "on December twenty-fourth",
    "Mon-Fri": "Monday to Friday",
    "Sat. Nov 21": "Saturday November twenty-first",
    "We may 5 times": "We may five times",
}
TIMES = {
    "7:30 pm": "seven thirty P M",
    "7:30pm": "seven thirty P M",
    "7pm": "seven P M",
    "7 p.m. on Monday": "seven P M on Monday",
    "We close at 7 p.m.": "We close at seven P M.",
    "7:05 a.m.": "seven oh five A M.",
    "19:05": "seven oh five P M",
    "19:00": "seven P M",
    "9:00": "nine o'clock",
    "12:00": "twelve o'clock",
    "00:15": "twelve fifteen A M",
    "10:20:30": "ten twenty and thirty seconds",
    "7-9pm": "seven to nine P M",
    "9am-5pm": "nine A M to five P M",
    "9:00–17:00": "nine o'clock to five P M",
    "11:30 a.m. to 10:00 p.m. daily": "eleven thirty A M to ten P M daily",
}
ABBREVIATIONS = {
    "Dr. Smith": "Doctor Smith",
    "Mr. Jones and Mrs. Lee": "Mister Jones and Missus Lee",
    "Prof. Lee, Martin Jr. said": "Professor Lee, Martin Junior said",
    "e.g. apples": "for example apples",
    "i.e. red": "that is red",
    "pens, etc. and more": "pens, et cetera and more",
    "pens, etc.": "pens, et cetera.",
    "approx. five": "approximately five",
    "Rome vs. Paris": "Rome versus Paris",
    "max. five": "maximum five",
    "Max is here": "Max is here",
    "w/ cheese": "with cheese",
    "12 Main St. is open": "twelve Main Street is open",
    "I live on Main St.": "I live on Main Street.",
    "near St. Mary": "near Saint Mary",
    "St. James St. is far": "Saint James Street is far",
    "123 Ocean Dr. is ours": "one hundred twenty-three Ocean Drive is ours",
    "Fifth Ave., Apt. 5": "Fifth Avenue, Apartment five",
    "the API": "the A P I",
    "two URLs": "two U R L's",
}
ADDRESSES = {
    "example.com/menu": "example dot com slash menu",
    "See https://www.example.com/menu?x=1.": "See example dot com slash menu.",
    "www.my-shop24.net": "my dash shop two four dot net",
    "john.smith@example.co.uk": "john dot smith at example dot co dot uk",
    "Thanks.it is": "Thanks.it is",
}
SYMBOLS = {
    "Tom & Jerry": "Tom and Jerry",
    "me @ home": "me at home",
    "#happy": "hashtag happy",
    "and/or": "and or",
    "pickup/delivery": "pickup or delivery",
    "A+": "A plus",
    "yes — no": "yes, no",
    "right → left": "right to left",
}
MARKUP = {
    "**Bold** and *it*": "Bold and it",
    "`code` here": "code here",
    "[our menu](https://x.com/y)": "our menu",
    "- item": "item",
    "## Title": "Title",
    "1. Pizza": "one, Pizza",
    "Great! 😀👍🏽": "Great!",
    "It’s “fine”": 'It\'s "fine"',
    "***": "",
    "😀": "",
    "": "",
}


class Tables(SynchronousTestCase):
    def check(self, table: dict[str, str]) -> None:
        self.assertEqual({written: spoken(written) for written in table}, table)

    def test_money(self) -> None:
        """Amounts with their unit behind, hundredths as cents or pence."""
        self.check(MONEY)

    def test_numbers(self) -> None:
        """Every other kind of number."""
        self.check(NUMBERS)

    def test_units(self) -> None:
        """Units in full, one or many."""
        self.check(UNITS)

    def test_phones(self) -> None:
        """Telephone numbers digit by digit, with a breath between the groups."""
        self.check(PHONES)

    def test_dates(self) -> None:
        """Dates; month first where both are possible."""
        self.check(DATES)

    def test_times(self) -> None:
        """Times of day, of twelve hours."""
        self.check(TIMES)

    def test_abbreviations(self) -> None:
        """Abbreviations by what stands around them; the sentence keeps its full stop."""
        self.check(ABBREVIATIONS)

    def test_addresses(self) -> None:
        """Addresses of the web as they are dictated."""
        self.check(ADDRESSES)

    def test_symbols(self) -> None:
        """Signs that have a name in speech."""
        self.check(SYMBOLS)

    def test_markup(self) -> None:
        """What is there for the eye only is not said."""
        self.check(MARKUP)

    def test_together(self) -> None:
        """A receptionist's sentence."""
        self.assertEqual(
            spoken("A table for 4 on Nov. 21 at 7:30 pm, that is $25.50 p.p., call 555-1234."),
            "A table for four on November twenty-first at seven thirty P M, that is twenty-five"
            " dollars and fifty cents p.p., call five five five, one two three four.",
        )

    def test_comma_at_the_end(self) -> None:
        """A first phrase that ends in mid-sentence keeps its comma: the voice stays up."""
        self.assertEqual(spoken("Thank you for calling,"), "Thank you for calling,")


class Choice(SynchronousTestCase):
    def test_none(self) -> None:
        """Without any dictionary only markup goes."""
        self.assertEqual(Normaliser(()).spoken("**Dr. Lee** at 7pm & $5"), "Dr. Lee at 7pm & $5")

    def test_some(self) -> None:
        """Each dictionary does its own part."""
        said = {
            name: Normaliser([name]).spoken("Dr. Lee e.g. SQL 7pm $5 Nov 21 x.com & 3 Elm Rd.")
            for name in DICTIONARIES
        }
        self.assertEqual(said["time"], "Dr. Lee e.g. SQL seven P M $5 Nov 21 x.com & 3 Elm Rd.")
        self.assertEqual(len(set(said.values())), len(DICTIONARIES))

    def test_unknown(self) -> None:
        """A dictionary that there is not is named."""
        with self.assertRaisesRegex(MisconfiguredAssistant, "poetry"):
            Normaliser(["currency", "poetry"])


class Anything(SynchronousTestCase):
    @settings(max_examples=300, deadline=None)
    @given(st.text(max_size=200) | st.text("0123456789.,:/-+$€%#@ apmstx()'", max_size=200))
    @example("9" * 5000)
    @example("+" + "1" * 300 + "x")
    @example("½" * 50)
    def test_never_raises(self, text: str) -> None:
        """Whatever the model writes, something of sane length is said, without digits."""
        said = spoken(text)
        self.assertLess(len(said), 40 * len(text) + 40)
        self.assertFalse(set(said) & set("0123456789"))

    @given(st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=9), max_size=20))
    def test_plain_words(self, words: list[str]) -> None:
        """What is said already is left alone."""
        text = spoken(" ".join(words))
        self.assertEqual(spoken(text), text)

    def test_said_is_said(self) -> None:
        """Saying what is said already changes nothing."""
        for table in (MONEY, NUMBERS, UNITS, PHONES, DATES, TIMES, SYMBOLS, MARKUP):
            for said in table.values():
                self.assertEqual(spoken(said), said)
