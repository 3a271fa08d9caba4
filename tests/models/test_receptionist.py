"""The demo assistant: its stories, its words, its grammars in the real recogniser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from rapida_tw.models.base import Completion, Message, Tool
from rapida_tw.models.grammar import expectation
from rapida_tw.models.pattern import parse
from rapida_tw.models.receptionist import receptionist
from rapida_tw.models.script import Asking, Place, Script
from rapida_tw.models.script_reader import read_script
from rapida_tw.models.scripted import ScriptedModelProvider
from rapida_tw.models.understanding import understand
from rapida_tw.speech.base import Host

TOOLS = (Tool("end_call", ""), Tool("transfer_call", ""))


def places(script: Script) -> Iterator[Place]:
    """Every place that there is."""
    for name in script.menus:
        yield Place(Asking.MENU, name)
    for form in script.forms.values():
        yield from (Place(Asking.SLOT, form.name, slot.name) for slot in form.slots)
        yield Place(Asking.CONFIRM, form.name)
        yield Place(Asking.CHANGE, form.name)


class ReceptionistTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.model = ScriptedModelProvider(Host(Clock(), Path())).open({})
        self.script = read_script(receptionist()["assistant"]["model"]["options"])

    def says(self, *texts: str) -> list[Completion]:
        """The answers to these, one after the other."""
        replies = [
            self.model.reply([Message("user", text)], TOOLS, lambda _: None) for text in texts
        ]
        return [self.successResultOf(reply) for reply in replies]

    def test_honest_greeting(self) -> None:
        """The caller is told at once that it is a machine of short sentences and keys."""
        greeting = receptionist()["deployment"]["greeting"]
        for word in ("automatic", "short sentences", "keys"):
            self.assertIn(word, greeting)

    def test_questions(self) -> None:
        """Each question in several wordings gets its answer."""
        for text, answer in {
            "What are your opening hours?": "every day from noon",
            "when do you close tonight": "every day from noon",
            "Are you open on Sunday?": "At the weekend",
            "when does the kitchen close": "kitchen serves",
            "where is the restaurant please": "Harbour Street",
            "how do I get there": "Harbour Street",
            "Can I park my car?": "car park",
            "1": "every day from noon",
            "3": "Harbour Street",
        }.items():
            self.assertIn(answer, self.says(text)[0].text, text)

    def test_booking_by_voice(self) -> None:
        """A table in three sentences, with a correction, and a goodbye that ends the call."""
        *_, read_back, corrected, booked, goodbye = self.says(
            "I would like to book a table",
            "for four people tomorrow at half past seven",
            "five five five zero one two three",
            "no, for five",
            "yes please",
            "no that's all thank you",
        )
        self.assertIn("for four, tomorrow, at half past seven", read_back.text)
        self.assertIn("for five, tomorrow", corrected.text)
        self.assertIn("for five, tomorrow, at half past seven, is booked", booked.text)
        self.assertEqual([call.name for call in goodbye.tool_calls], ["end_call"])

    def test_booking_by_digits(self) -> None:
        """The same without a word."""
        replies = self.says("2", "4#", "5", "1930", "5550123#", "1", "9")
        self.assertIn("for four, on Friday, at half past seven, is booked", replies[-2].text)
        self.assertEqual([call.name for call in replies[-1].tool_calls], ["end_call"])

    def test_day_is_no_opening_hour(self) -> None:
        """ "On Saturday" in a booking is the day of the table."""
        (reply,) = self.says("a table for two on Saturday")
        self.assertIn("For two, on Saturday".lower(), reply.text.lower())

    def test_every_question_has_keys(self) -> None:
        """Who is not understood twice is told which keys to press."""
        questions = [menu.question for menu in self.script.menus.values()]
        for form in self.script.forms.values():
            questions += [slot.question for slot in form.slots]
            questions += [question for question in (form.confirm, form.change) if question]
        for question in questions:
            self.assertEqual(len(question.retry), 2)
            self.assertRegex(question.retry[1], r"(?i)\bpress\b")

    def test_sayable_is_understood(self) -> None:
        """What the grammar offers as a phrase means something at that place."""
        for place in places(self.script):
            for phrase in expectation(self.script, place).phrases:
                self.assertTrue(understand(self.script, place, phrase), (place, phrase))

    def test_grammars_load(self) -> None:
        """The recogniser knows every word, and reads every grammar."""
        if find_spec("pocketsphinx") is None:
            raise SkipTest("pocketsphinx is not installed")
        pocketsphinx = import_module("pocketsphinx")
        path = Path(pocketsphinx.get_model_path()) / "en-us" / "cmudict-en-us.dict"
        known: dict[str, list[str]] = {}
        for line in path.read_text("utf-8").splitlines():
            word = re.sub(r"\(\d+\)$", "", line.split(maxsplit=1)[0])
            known.setdefault(word, []).append(line)
        grammars = {place: expectation(self.script, place).grammar for place in places(self.script)}
        words: set[str] = set()
        for grammar in grammars.values():
            for expansion in re.findall(r"> = (.*);", grammar):
                words |= set(re.findall(r"[a-z']+", re.sub(r"<\w+>", " ", expansion)))
        self.assertEqual(words - known.keys(), set())
        small = Path(self.mktemp())
        small.write_text("".join(line + "\n" for word in sorted(words) for line in known[word]))
        decoder = pocketsphinx.Decoder(lm=None, dict=str(small), loglevel="FATAL")
        for number, grammar in enumerate(grammars.values()):
            decoder.add_jsgf_string(f"g{number}", grammar)  # ValueError when it cannot be read

    def test_wordings_do_not_collide(self) -> None:
        """No wording of one intent is taken for another."""
        place = Place(Asking.MENU, "main")
        for name, intent in self.script.intents.items():
            shortest = intent.pattern.shortest()
            self.assertEqual(understand(self.script, place, shortest).intent, name, shortest)
            self.assertTrue(parse(shortest))
