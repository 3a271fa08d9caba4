"""Stories of a dialogue, over AudioSocket, in virtual time."""

from __future__ import annotations

from tests.simulation.case import Stories

GREETING = "Hello. How can I help you today?"  # hummed for 1.92 s
LONG = "One two three four five. Six seven eight nine ten. Eleven twelve thirteen."
REPLIES = [["hours", "We open at nine and close at ten."], ["count", LONG], ["bye", "Goodbye."]]


class DialogueTests(Stories):
    """Hearing, answering, and being silent at the right time."""

    def test_greeting(self) -> None:
        """The caller hears the greeting at once, without having said anything."""
        sim = self.story(greeting=GREETING)
        sim.run(until=3.0)
        self.assertLess(sim.caller.heard[0].start, 0.1)
        self.assertEqual(sim.dialogue, [("assistant", GREETING)])

    def test_question_and_answer(self) -> None:
        """A question is answered, once, and the latency is what the caller's ear measures."""
        sim = self.story(greeting=GREETING, replies=REPLIES)
        sim.says("what are your hours", at=3.0, lasting=1.2)
        sim.run(until=9.0)
        self.assertEqual(
            sim.dialogue[1:], [("user", "what are your hours"), ("assistant", REPLIES[0][1])]
        )
        self.assertEqual(len(sim.caller.heard), 2)
        measured = sim.caller.turns[0].latency
        assert measured is not None
        self.assertLess(abs(sim.latencies[0]["total"] - measured), 0.04)

    def test_no_greeting(self) -> None:
        """Without a greeting the assistant waits for the caller."""
        sim = self.story(replies=REPLIES)
        sim.says("hours", at=1.0)
        sim.run(until=6.0)
        self.assertGreater(sim.caller.heard[0].start, 1.8)

    def test_silence_keeps_the_call_up(self) -> None:
        """Asterisk's limit of 2 s without activity never ends a call, though nobody speaks."""
        sim = self.story()
        sim.caller._sends_silence = False
        sim.run(until=10.0)
        self.assertIsNone(sim.caller.ending)


class InterruptionTests(Stories):
    """Barge-in: a word silences the assistant, a cough does not."""

    def test_word(self) -> None:
        """A word cuts the reply off, and history keeps what was heard of it."""
        sim = self.story(greeting=GREETING, replies=REPLIES)
        sim.says("count please", at=3.0, lasting=0.8)
        sim.says("hours", at=6.0, lasting=0.9)
        sim.run(until=12.0)
        cut = sim.dialogue[2][1]
        self.assertTrue(LONG.startswith(cut), cut)
        self.assertLess(len(cut), 40)
        self.assertIn("turn.interrupted", sim.events)
        silent_from = sim.caller.heard[1].end
        self.assertLess(silent_from, 6.0 + 0.15)
        self.assertEqual(sim.dialogue[-1], ("assistant", REPLIES[0][1]))

    def test_cough(self) -> None:
        """A cough pauses the reply for at most the window; every word of it is heard."""
        sim = self.story(greeting=GREETING, replies=REPLIES)
        sim.says("count please", at=3.0, lasting=0.8)
        sim.coughs(at=6.0)
        sim.run(until=14.0)
        before, after = sim.caller.heard[1:3]
        self.assertLess(before.end, 6.15)
        self.assertLess(after.start - before.end, 0.6)
        self.assertEqual(sim.dialogue[-1], ("assistant", LONG))
        self.assertNotIn("turn.interrupted", sim.events)

    def test_mhm(self) -> None:
        """A sound of attention is no interruption either, although it is a word."""
        sim = self.story(greeting=GREETING, replies=REPLIES)
        sim.says("count please", at=3.0, lasting=0.8)
        sim.says("mhm", at=6.0, lasting=0.4)
        sim.run(until=14.0)
        self.assertEqual(sim.dialogue[-1], ("assistant", LONG))

    def test_mhm_as_an_answer(self) -> None:
        """In the silence after a question the same sound is a turn."""
        sim = self.story(greeting=GREETING, replies=[["mhm", "Good."]])
        sim.says("mhm", at=4.0, lasting=0.4)
        sim.run(until=8.0)
        self.assertEqual(sim.dialogue[-1], ("assistant", "Good."))

    def test_protected_greeting(self) -> None:
        """A greeting that may not be interrupted is heard to its end; the turn is answered then."""
        sim = self.story(greeting=GREETING, greeting_interruptible=False, replies=REPLIES)
        sim.says("hours", at=0.5, lasting=0.6)
        sim.run(until=8.0)
        self.assertGreaterEqual(sim.caller.heard[0].end, 1.94)
        self.assertIn(("assistant", GREETING), sim.dialogue)
        self.assertEqual(sim.dialogue[-1], ("assistant", REPLIES[0][1]))

    def test_interrupted_greeting(self) -> None:
        """A greeting that may be interrupted is."""
        sim = self.story(greeting=GREETING, replies=REPLIES)
        sim.says("hours", at=0.5, lasting=0.6)
        sim.run(until=8.0)
        self.assertLess(sim.caller.heard[0].end, 0.65)

    def test_insistent_voice_without_words(self) -> None:
        """Whoever speaks on for half a second is let speak, and asked again when not understood."""
        sim = self.story(greeting=GREETING, replies=REPLIES)
        sim.says("count please", at=3.0, lasting=0.8)
        sim.coughs(at=6.0, lasting=1.5)
        sim.run(until=14.0)
        self.assertLess(sim.caller.heard[1].end, 6.15)
        self.assertEqual(sim.dialogue[-1][1], "I didn't catch that. Could you repeat that?")

    def test_key_interrupts(self) -> None:
        """A pressed key silences the assistant at once and is the caller's turn."""
        sim = self.story(greeting=GREETING, replies=REPLIES)
        sim.presses("7", at=0.5)
        sim.run(until=6.0)
        self.assertLess(sim.caller.heard[0].end, 1.0)
        self.assertEqual(sim.dialogue[1:], [("user", "7"), ("assistant", "Pardon?")])


class EndTests(Stories):
    """One end, one reason, and nothing left."""

    def test_caller_hangs_up(self) -> None:
        """The call ends with the caller's hang-up, whatever is being said."""
        sim = self.story(greeting=GREETING)
        sim.hangs_up(at=1.0)
        sim.run(until=2.0)
        self.assertEqual(sim.metrics["call.disconnected_by"], "user")
        self.assertEqual(sim.metrics["call.status"], "completed")
        self.assertEqual(sim.metrics["call.duration"], "1.000")
        self.assertEqual(sim.events[-1], "call.ended")

    def test_idle(self) -> None:
        """A silent caller is asked twice, thirty seconds apart, then the call ends."""
        sim = self.story(greeting=GREETING)
        sim.run(until=130.0)
        asked = [text for who, text in sim.dialogue[1:]]
        self.assertEqual(asked, ["Are you there?"] * 2)
        self.assertEqual(sim.metrics["call.disconnected_by"], "system")
        self.assertEqual(round(float(sim.metrics["call.duration"])), 94)

    def test_idle_is_reset_by_speech(self) -> None:
        """Who answers the prompt is not idle any more."""
        sim = self.story(greeting=GREETING, replies=REPLIES)
        sim.says("hours", at=34.0)
        sim.run(until=60.0)
        self.assertEqual(sim.dialogue[-1], ("assistant", REPLIES[0][1]))
        self.assertIsNone(sim.caller.ending)

    def test_longest_call(self) -> None:
        """The call ends after its maximum duration, in mid-word if need be."""
        sim = self.story(greeting=GREETING, max_call_duration=20.0)
        sim.run(until=25.0)
        self.assertEqual(sim.metrics["call.duration"], "20.000")
        self.assertEqual(sim.events[-1], "call.ended")

    def test_reset(self) -> None:
        """A reset is the caller's hang-up when Asterisk had unread audio."""
        sim = self.story(greeting=GREETING)
        sim.caller.does(lambda: sim.asterisk.reset(), at=1.0)
        sim.run(until=2.0)
        self.assertEqual(sim.metrics["call.disconnected_by"], "user")
