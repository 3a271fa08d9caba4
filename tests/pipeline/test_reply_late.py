"""Replier: a reply that does not come, and what is heard instead."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred

from rapida_tw.audio.format import FRAME
from rapida_tw.audio.tones import waiting
from rapida_tw.errors import End, VendorFailed
from rapida_tw.pipeline.reply import Say
from tests.pipeline.test_reply import QUESTION, _Case


class DeadAirTests(_Case):
    """A reply that does not come."""

    def test_filler_is_no_message(self) -> None:
        """The filler is heard, and the model does not know of it."""
        answering = self.replier.reply(QUESTION)
        self.wait(1.5)
        self.voice.done(2)
        self.model.answers("At nine.")
        self.voice.done(2)
        self.beat(4)
        self.successResultOf(answering)
        self.assertEqual(self.voice.said, ["One moment.", "At nine."])
        self.assertEqual(self.told.said, [("At nine.", False)])

    def test_one_phrase_at_a_time(self) -> None:
        """The answer waits for the end of a filler that is being heard."""
        answering = self.replier.reply(QUESTION)
        self.wait(1.5)
        self.voice.piece(1)
        self.model.answers("At nine.")
        self.assertEqual(self.voice.said, ["One moment."])
        self.voice.done(1)
        self.assertEqual(self.voice.said, ["One moment.", "At nine."])
        answering.cancel()
        self.failureResultOf(answering, CancelledError)

    def test_silent_filler(self) -> None:
        """The answer does not wait for one of which nothing was heard: that is stopped."""
        answering = self.replier.reply(QUESTION)
        self.wait(1.5)
        self.model.answers("At nine.")
        self.assertEqual(self.voice.cancelled, ["One moment."])
        self.assertEqual(self.voice.said, ["One moment.", "At nine."])
        self.voice.done(1)
        self.beat(1)
        self.assertIsNone(self.successResultOf(answering))
        self.assertEqual(self.told.said, [("At nine.", False)])

    def test_failing_filler(self) -> None:
        """A filler that fails spoils nothing."""
        answering = self.replier.reply(QUESTION)
        self.wait(1.5)
        self.voice.piece(1)
        self.model.answers("At nine.")
        self.voice.saying[-1].errback(VendorFailed("no voice"))
        self.voice.done(1)
        self.beat(2)
        self.assertIsNone(self.successResultOf(answering))

    def test_given_up(self) -> None:
        """After nine silent seconds the model is told to stop, and the reply has failed."""
        answering = self.replier.reply(QUESTION)
        self.wait(1.5)
        self.voice.done(0)
        self.wait(3.5)
        self.voice.done(0)
        self.wait(8.0)
        self.failureResultOf(answering, VendorFailed)
        self.assertEqual(self.model.cancelled, 1)

    def test_next_reply_is_left_alone(self) -> None:
        """The apology that begins while the reply is being given up is not given up with it."""
        answering = self.replier.reply(QUESTION)
        apologies: list[Deferred[End | None]] = []
        answering.addErrback(lambda _: apologies.append(self.replier.reply(Say("Sorry."))))
        self.wait(1.5)  # a filler is being made, for as long as the model thinks
        self.wait(8.5)  # tones are no silence
        self.assertEqual(self.voice.said[-1], "Sorry.")
        self.assertNotIn("Sorry.", self.voice.cancelled)
        self.voice.done(1)
        self.beat(1)
        self.assertIsNone(self.successResultOf(apologies[0]))

    def test_voice_that_hangs(self) -> None:
        """A phrase that never gets a sound is given up like a model."""
        answering = self.replier.reply(QUESTION)
        self.model.answers("At nine.")
        self.wait(10.0)
        self.failureResultOf(answering, VendorFailed)
        self.assertEqual(self.voice.cancelled, ["At nine."])
        self.assertEqual(self.told.fillers, ["", ""])

    def test_tone(self) -> None:
        """A voice that is slow to begin: the caller hears a tone, which is nobody's words."""
        answering = self.replier.reply(QUESTION)
        self.model.answers("We open at nine.")
        self.clock.pump([0.25] * 12)
        self.assertEqual(self.told.fillers, [""])
        self.assertEqual(self.playout.queued, len(waiting()) // FRAME)
        self.voice.piece(50)
        self.beat(self.playout.queued - 20)
        answering.cancel()
        self.failureResultOf(answering, CancelledError)
        self.assertEqual(self.told.said, [("We open", True)])

    def test_tone_in_mid_phrase(self) -> None:
        """A voice that falls silent in the middle: a tone, and then the rest of the phrase."""
        answering = self.replier.reply(QUESTION)
        self.model.answers("We open at nine.")
        self.voice.piece(10)
        self.beat(10)
        self.clock.pump([0.25] * 16)
        self.assertEqual(self.playout.queued, len(waiting()) // FRAME)
        self.voice.done(40)
        self.beat(self.playout.queued)
        self.successResultOf(answering)
        self.assertEqual(self.told.said, [("We open at nine.", False)])

    def test_tone_before_a_text(self) -> None:
        """The house's own texts are owed, too; nobody says "one moment" before them."""
        saying = self.replier.reply(Say("Sorry.", "error"))
        self.clock.pump([0.25] * 7)
        self.assertEqual(self.told.fillers, [])
        self.clock.advance(0.25)
        self.assertEqual(self.told.fillers, [""])
        self.voice.done(1)
        self.beat(self.playout.queued)
        self.successResultOf(saying)


class ToneTests(_Case):
    """A deployment without fillers."""

    fillers = ()

    def test_between_phrases(self) -> None:
        """A tone after a phrase is no part of it, and nothing of it is taken back."""
        answering = self.replier.reply(QUESTION)
        self.model.say("We open at nine. And ")
        self.voice.done(10)
        self.beat(10)
        self.clock.pump([0.25] * 14)
        self.assertEqual(self.playout.queued, len(waiting()) // FRAME)
        answering.cancel()
        self.failureResultOf(answering, CancelledError)
        self.assertEqual(self.told.said, [("We open at nine.", True)])
