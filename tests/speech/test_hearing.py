"""What pocketsphinx makes of callers, in the process itself."""

from __future__ import annotations

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import Samples
from rapida_tw.speech import jsgf
from tests.speech.spoken import NO_POCKETSPHINX, cough, spoken

if not NO_POCKETSPHINX:
    from rapida_tw.speech import hearing as hearing_module
    from rapida_tw.speech.grammars import Decoder, Decoders, Grammar, Grammars
    from rapida_tw.speech.hearing import NOTHING_FITS, Hearing, Words, doubled
    from rapida_tw.speech.pocketsphinx_worker import dictionary
    from rapida_tw.speech.pronunciations import Pronunciations

HOURS = """#JSGF V1.0;
grammar hours;
<day> = today | tomorrow | (on | for) (monday | friday);
public <heard> = when are you open [<day>] | a table for (two | four) [<day>] | yes | no | goodbye;
"""


class HearingTests(SynchronousTestCase):
    skip = NO_POCKETSPHINX or None

    def setUp(self) -> None:
        self.grammars = Grammars(Pronunciations(dictionary()))
        self.decoders = Decoders()
        self.hearing = self.open()

    def open(self) -> Hearing:
        return Hearing(self.grammars, self.decoders)

    def say(self, samples: Samples) -> tuple[list[str], Words]:
        """One utterance: what could be relied on every 100 ms, and the end."""
        looks = []
        self.hearing.begin()
        audio = samples[::2].astype("<i2")
        for start in range(0, len(audio), 800):
            self.hearing.hear(audio[start : start + 800].tobytes())
            looks.append(self.hearing.so_far())
        return looks, self.hearing.end()

    def test_words(self) -> None:
        """What the grammar has is understood, and fits."""
        self.hearing.expect(HOURS)
        for text in ("when are you open tomorrow", "a table for four", "goodbye"):
            _, words = self.say(spoken(text))
            self.assertEqual(words.text, text)
            self.assertGreater(words.score, -0.0047)

    def test_before_the_end(self) -> None:
        """The first words are told while the caller still speaks."""
        self.hearing.expect(HOURS)
        looks, _ = self.say(spoken("when are you open tomorrow"))
        first = next(look for look in looks if look)
        self.assertTrue("when are you open tomorrow".startswith(first))
        self.assertLess(looks.index(first), len(looks) - 8)

    def test_agreement(self) -> None:
        """Words are told as far as two looks agree, both of them good."""
        good, bad = -0.003, -0.005
        looks = [
            (Words("at", good), ""),
            (Words("at ten", good), "at"),
            (Words("at ten past two", good), "at ten"),
            (Words("at ten to", bad), ""),
            (Words("at ten past two", good), ""),
            (Words("at half past two", good), "at"),
            (Words("two", good), ""),
            (Words(), ""),
        ]
        seen = iter(words for words, _ in looks)
        self.patch(hearing_module, "_words", lambda sphinx: next(seen))
        self.hearing.begin()
        self.assertEqual([self.hearing.so_far() for _ in looks], [told for _, told in looks])

    def test_cough(self) -> None:
        """A cough never looks like a word: at most like a sound without meaning."""
        self.hearing.expect(HOURS)
        for seed in range(5):
            looks, words = self.say(cough(seed))
            self.assertLess(set(" ".join((*looks, words.text)).split()), jsgf.HESITATIONS.keys())

    def test_hesitation(self) -> None:
        """A sound of attention is heard as one, whatever the grammar."""
        self.hearing.expect(HOURS)
        for voice in ("slt", "rms", "awb"):
            _, words = self.say(spoken("um", voice))
            self.assertLess(set(words.text.split()), jsgf.HESITATIONS.keys())
            self.assertGreater(words.score, -0.0047)

    def test_outside_the_grammar(self) -> None:
        """What the grammar has not fits badly."""
        self.hearing.expect(HOURS)
        for text in ("my flight was cancelled", "the weather is lovely in spring"):
            _, words = self.say(spoken(text))
            self.assertLess(words.score, -0.0047, words)

    def test_commands(self) -> None:
        """Without a grammar, the usual commands are understood."""
        _, words = self.say(spoken("seven three nine"))
        self.assertEqual(words.text, "seven three nine")

    def test_new_grammar(self) -> None:
        """Each utterance goes by the grammar of its beginning."""
        self.hearing.expect(HOURS)
        self.hearing.begin()
        self.hearing.expect("#JSGF V1.0; grammar g; public <a> = operator;")
        self.hearing.hear(spoken("goodbye")[::2].tobytes())
        self.assertEqual(self.hearing.end().text, "goodbye")
        self.assertEqual(self.say(spoken("operator"))[1].text, "operator")

    def test_unknown_word(self) -> None:
        """A word that nobody can pronounce is told and left out; the rest is understood."""
        skipped = self.hearing.expect("#JSGF V1.0; grammar g; public <a> = yes | 42 | goodbye;")
        self.assertEqual(skipped, ("42",))
        self.assertEqual(self.say(spoken("goodbye"))[1].text, "goodbye")

    def test_bad_grammar(self) -> None:
        """A grammar with a mistake is refused; the commands stand in, and nothing is broken."""
        for text in ("nonsense", "#JSGF V1.0; grammar g; public <a> = (yes;"):
            self.assertRaises(ValueError, self.hearing.expect, text)
            self.assertEqual(self.say(spoken("goodbye"))[1].text, "goodbye")

    def test_calls_at_once(self) -> None:
        """Two calls in one worker keep their words and grammars apart, and share decoders."""
        other = self.open()
        self.hearing.expect(HOURS)
        other.expect("#JSGF V1.0; grammar g; public <a> = operator | help;")
        self.hearing.begin()
        other.begin()
        for start in range(0, 16_000, 800):
            for hearing, text in ((self.hearing, "goodbye"), (other, "operator")):
                piece = spoken(text)[::2][start : start + 800]
                if len(piece):
                    hearing.hear(piece.tobytes())
        self.assertEqual((self.hearing.end().text, other.end().text), ("goodbye", "operator"))

    def test_silence(self) -> None:
        """Nothing said is nothing heard."""
        _, words = self.say(np.zeros(16_000, np.int16))
        self.assertEqual(words, Words("", NOTHING_FITS))

    def test_out_of_turn(self) -> None:
        """Audio and ends outside an utterance are nothing; a second beginning ends the first."""
        self.hearing.hear(bytes(1600))
        self.assertEqual(self.hearing.end(), Words())
        self.hearing.begin()
        self.hearing.begin()
        self.assertEqual(self.hearing.end().text, "")


class DecodersTests(SynchronousTestCase):
    skip = NO_POCKETSPHINX or None

    def test_reused(self) -> None:
        """As many decoders as utterances at once, not more."""
        grammar = Grammars(Pronunciations(dictionary())).prepare("")
        decoders = Decoders()
        first, second = decoders.lend(grammar, ""), decoders.lend(grammar, "")
        self.assertIsNot(first, second)
        decoders.give_back(first)
        self.assertIs(decoders.lend(grammar, ""), first)

    def test_worn(self) -> None:
        """One that has learnt very many grammars is not lent again: it never forgets them."""
        decoders = Decoders()
        phones = {"yes": "Y EH S"}
        lent: list[Decoder] = []
        for number in range(66):
            text = f"#JSGF V1.0; grammar g; public <a{number}> = yes;"
            lent.append(decoders.lend(Grammar(str(number), text, phones, ()), ""))
            decoders.give_back(lent[-1])
        self.assertIs(lent[0], lent[64])
        self.assertIsNot(lent[64], lent[65])

    def test_doubled(self) -> None:
        """Each sample twice, its two bytes together."""
        if NO_POCKETSPHINX:
            return
        samples = np.array([1, -2, 300], "<i2")
        self.assertEqual(doubled(samples.tobytes()), samples.repeat(2).tobytes())
