"""RecognizerChain: recognisers that understand nothing, and the hot spare."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rapida_tw.expect import Expectation
from rapida_tw.speech.fallback import WORDLESS, wordless
from rapida_tw.speech.recollection import REPLAYED
from tests.speech.chain_case import GONE, ChainCase, Told


class WordlessTests(ChainCase):
    """A vendor that answers, and understands nothing."""

    def turn(self, name: str, text: str, frames: int = 100) -> None:
        self.chain.speech_started()
        self.hear(frames)
        self.chain.finish()
        self.sink(name).final(text, 0.0)
        self.clock.advance(0)

    def test_handed_over(self) -> None:
        """After some such turns the next one is asked what the latest was."""
        before = wordless.value("a")
        self.start()
        for _ in range(WORDLESS):
            self.turn("a", "")
        self.assertEqual(self.told.texts, [""] * (WORDLESS - 1))
        self.assertEqual(self.the("b").cues, ["started", "finish"])
        self.sink("b").final("are you deaf", 0.9)
        self.assertEqual(self.told.texts[-1], "are you deaf")
        self.assertEqual(wordless.value("a"), before + 1)

    def test_not_sick(self) -> None:
        """It may have been the line: the next call begins with the first."""
        self.start()
        for _ in range(WORDLESS):
            self.turn("a", "")
        other = self.another()
        self.successResultOf(other.start(Told()))
        self.assertEqual(len(self.opened["a"]), 2)
        other.stop()

    def test_noise(self) -> None:
        """When nobody understands anything it is the line, and nobody is blamed for ever."""
        before = wordless.value("c")
        self.start()
        for name in "abc":
            for _ in range(WORDLESS):
                self.turn(name, "")
        self.assertEqual(self.told.texts[-1], "")
        for _ in range(WORDLESS):
            self.turn("c", "")
        self.assertEqual(len(self.opened["a"]), 1)
        self.assertEqual(wordless.value("c"), before + 2)

    def test_coughs(self) -> None:
        """A cough has no words."""
        self.start()
        for _ in range(2 * WORDLESS):
            self.turn("a", "", 60)
        self.assertEqual(self.opened["b"], [])

    def test_words_between(self) -> None:
        """In a row means in a row."""
        self.start()
        for _ in range(WORDLESS):
            self.turn("a", "")
            self.turn("a", "hello")
        self.assertEqual(self.opened["b"], [])

    def test_no_turn(self) -> None:
        """Of what was no turn nobody expects words."""
        self.start()
        self.hear(100)
        for _ in range(WORDLESS):
            self.chain.finish()
            self.sink("a").final("", 0.0)
            self.clock.advance(0)
        self.assertEqual(self.opened["b"], [])

    def test_words_before(self) -> None:
        """Words that were final before the turn's end are words of the turn."""
        self.start()
        for _ in range(WORDLESS):
            self.chain.speech_started()
            self.hear(50)
            self.sink("a").final("I think", 0.9)
            self.hear(50)
            self.chain.finish()
            self.sink("a").final("", 0.0)
            self.clock.advance(0)
        self.assertEqual(self.opened["b"], [])

    def test_partial_words(self) -> None:
        """Words that were never made final are words."""
        self.start()
        for _ in range(WORDLESS):
            self.chain.speech_started()
            self.hear(100)
            self.sink("a").partial("I think")
            self.chain.finish()
            self.sink("a").final("", 0.0)
            self.clock.advance(0)
        self.assertEqual(self.opened["b"], [])

    def test_no_answer(self) -> None:
        """One that does not answer at all is no better; the turn that begins is the next one's."""
        self.start()
        for _ in range(WORDLESS):
            self.assertEqual(self.opened["b"], [])
            self.chain.speech_started()
            self.hear(100)
            self.chain.finish()
            self.hear(60)
        self.chain.speech_started()
        self.assertEqual(self.the("b").cues, ["started"])
        self.assertEqual(self.the("b").noted[-1], "started")
        self.hear(1)
        self.assertEqual(len(self.frames("b")), REPLAYED + 1)


class HotSpareTests(ChainCase):
    """The second hears everything, and is believed when it is needed."""

    hot_spare = True

    def test_hears(self) -> None:
        """Both are prepared, started and told everything; one is believed."""
        self.chain.prepare()
        self.assertEqual(self.prepared, ["a", "b"])
        self.start()
        self.chain.expect(Expectation(digits=4))
        self.chain.speech_started()
        self.hear(2)
        self.sink("b").partial("hello")
        self.sink("b").speech_started()
        self.chain.finish()
        self.sink("b").final("hello", 1.0)
        self.assertEqual(self.the("b").noted, self.the("a").noted)
        self.assertEqual(self.the("b").expected, [Expectation(digits=4)])
        self.assertEqual((self.told.partials, self.told.finals, self.told.cues), ([], [], []))

    def test_takes_over(self) -> None:
        """Nothing is heard twice; what it has understood of the turn counts from now on."""
        self.start()
        self.chain.speech_started()
        self.hear(150)
        self.sink("a").partial("I want")
        self.sink("b").partial("I want a")
        self.drop("a")
        self.hear(1)
        self.assertEqual(self.frames("b"), list(range(151)))
        self.chain.finish()
        self.sink("b").final("I want a table", 0.9)
        self.assertEqual(self.told.partials, ["I want", "I want a"])
        self.assertEqual(self.told.texts, ["I want a table"])

    def test_a_new_spare(self) -> None:
        """Its place is taken by the third."""
        self.start()
        self.drop("a")
        self.assertEqual(len(self.opened["c"]), 1)
        self.hear(2)
        self.assertEqual(len(self.frames("c")), 2)

    def test_spare_fails(self) -> None:
        """A spare that fails is replaced, and nothing else happens; when none is left, neither."""
        self.start()
        self.drop("b")
        self.drop("c")
        self.hear(2)
        self.sink("a").final("hello", 1.0)
        self.assertEqual((self.told.texts, self.told.failures), (["hello"], []))

    def test_both(self) -> None:
        """All fail."""
        self.start()
        for name in "bac":
            self.drop(name)
        self.assertEqual(len(self.told.failures), 1)

    def test_told_before(self) -> None:
        """Words that the first had finished are not told again, however the second cuts them."""
        self.start()
        self.chain.speech_started()
        self.sink("a").final("I would like", 0.9)
        self.sink("b").final("I would", 0.9)
        self.sink("b").partial("like to")
        self.drop("a")
        self.assertEqual(self.told.partials, ["to"])
        self.sink("b").partial("like to book")
        self.sink("b").final("like to book a table", 0.9)
        self.sink("b").final("for two", 0.9)
        self.assertEqual(self.told.partials[1:], ["to book"])
        self.assertEqual(self.told.texts, ["I would like", "to book a table", "for two"])

    def test_has_answered(self) -> None:
        """The second has answered `finish`, the first has not: the answer is there at once."""
        self.start()
        self.chain.speech_started()
        self.hear(20)
        self.chain.finish()
        self.sink("b").final("yes", 0.7)
        self.drop("a")
        self.assertEqual(self.told.finals, [("yes", 0.7)])

    def test_words_of_the_last_turn(self) -> None:
        """Words of a turn that is over are not told in the next one."""
        self.start()
        self.chain.speech_started()
        self.hear(20)
        self.chain.finish()
        self.sink("a").final("yes", 0.9)
        self.hear(5)
        self.chain.speech_started()
        self.sink("b").partial("yes")
        self.sink("b").final("yes", 0.9)  # late
        self.hear(5)
        self.sink("b").partial("and no")
        self.drop("a")
        self.chain.finish()
        self.sink("b").final("and now", 0.9)
        self.assertEqual(self.told.partials, ["and no"])
        self.assertEqual(self.told.texts, ["yes", "and now"])

    def test_came_later(self) -> None:
        """A spare that came in mid-turn has not heard what was told before: nothing is cut."""
        self.start()
        self.chain.speech_started()
        self.hear(120)
        self.sink("a").final("one two three", 0.9)
        self.hear(60)
        self.drop("b")  # c is the spare now, and hears what was said since
        self.sink("a").final("four", 0.9)
        self.sink("c").partial("four five six")
        self.drop("a")
        self.assertEqual(self.told.partials, ["five six"])

    def test_next_turn(self) -> None:
        """The turn after the one in which it came it has heard whole."""
        self.start()
        self.chain.speech_started()
        self.hear(150)
        self.sink("a").final("one", 0.9)
        self.hear(150)
        self.drop("b")
        self.chain.finish()
        self.sink("a").final("two three", 0.9)
        self.sink("c").final("three", 0.9)
        self.hear(100)
        self.chain.speech_started()
        self.sink("a").final("five", 0.9)
        self.sink("a").partial("no six")
        self.sink("c").partial("five six seven")
        self.drop("a")
        self.assertEqual(self.told.partials[-1], "six seven")

    def test_between_turns(self) -> None:
        """The first fails when the turn is over: it is not told once more."""
        self.start()
        self.chain.speech_started()
        self.hear(20)
        self.sink("b").final("well", 0.9)
        self.chain.finish()
        self.sink("a").final("well yes", 0.9)
        self.sink("b").partial("yes")
        self.drop("a")
        self.assertEqual(self.told.partials, [])

    def test_late_partial(self) -> None:
        """What it still says of the turn that is over is no word of the next."""
        self.start()
        self.chain.speech_started()
        self.hear(20)
        self.chain.finish()
        self.sink("a").final("yes", 0.9)
        self.chain.speech_started()
        self.sink("b").partial("yes")
        self.drop("a")
        self.assertEqual(self.told.partials, [])

    def test_answers_first(self) -> None:
        """A spare that has answered before the first did owes nothing of that turn."""
        self.start()
        self.chain.speech_started()
        self.hear(20)
        self.chain.finish()
        self.sink("b").final("yes", 0.9)
        self.sink("a").final("yes", 0.9)
        self.chain.speech_started()
        self.sink("b").partial("and no")
        self.sink("b").final("and now", 0.9)
        self.drop("a")
        self.assertEqual(self.told.partials, ["and now"])

    def test_understands(self) -> None:
        """The first understands nothing of several turns; the second did, and is heard."""
        self.start()
        for number in range(WORDLESS):
            self.chain.speech_started()
            self.hear(100)
            self.chain.finish()
            self.sink("b").final(f"turn {number}", 0.9)
            self.sink("a").final("", 0.0)
            self.clock.advance(0)
        self.assertEqual(self.told.texts, ["", f"turn {WORDLESS - 1}"])
        self.assertEqual(len(self.opened["c"]), 1)  # the spare now

    def test_owes_an_answer(self) -> None:
        """The second has not answered either: nothing is told until it does."""
        self.start()
        self.chain.speech_started()
        self.hear(20)
        self.sink("a").partial("yes please")
        self.chain.finish()
        self.drop("a")
        self.assertEqual(self.told.finals, [])
        self.sink("b").final("", 0.0)
        self.clock.advance(0)
        self.assertEqual(self.told.finals, [("yes please", 0.5)])

    def test_asked_when_it_came(self) -> None:
        """A spare that came after `finish` was asked for an answer, too."""
        self.start()
        self.chain.speech_started()
        self.hear(20)
        self.chain.finish()
        self.drop("b")
        self.drop("a")
        self.assertEqual(self.told.finals, [])
        self.sink("c").final("yes", 0.9)
        self.assertEqual(self.told.finals, [("yes", 0.9)])

    def test_the_call_ends(self) -> None:
        """What the first makes of a frame ends the call: the second is not given it any more."""
        self.start()
        self.the("a").hear = lambda frame: self.chain.stop()  # type: ignore[method-assign]
        self.hear(1)
        self.assertEqual(self.frames("b"), [])

    def test_is_ready_first(self) -> None:
        """The first hangs; the second is there, and the call begins with it when that one fails."""
        self.starting = Deferred
        starting = self.chain.start(self.told)
        self.the("b").starting.callback(None)
        self.hear(130)
        self.assertNoResult(starting)
        self.the("a").starting.errback(GONE)
        self.successResultOf(starting)
        self.hear(1)
        self.drop("b")
        self.the("c").starting.callback(None)
        self.assertEqual(len(self.frames("c")), REPLAYED)

    def test_starts_late(self) -> None:
        """The first fails to start: the call begins when the second is there."""
        self.starting = Deferred
        starting = self.chain.start(self.told)
        self.the("a").starting.errback(GONE)
        self.assertNoResult(starting)
        self.the("b").starting.callback(None)
        self.successResultOf(starting)
        self.hear(1)
        self.assertEqual(self.frames("b"), [0])
