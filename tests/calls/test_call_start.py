"""Call: its vendors get ready, soon, late or never."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rapida_tw.calls.call import READY_WITHIN
from rapida_tw.errors import REMOTE_HANGUP, VendorFailed
from tests.calls.test_call import GREETING, _Case


class StartTests(_Case):
    """The vendors get ready."""

    ear_is_ready = False

    def prepare(self) -> None:
        self.mouth.starting = Deferred()

    def tearDown(self) -> None:
        self.listener.leg_ended(REMOTE_HANGUP)
        self.over()

    def test_greeting_waits_for_the_voice(self) -> None:
        """The call is connected, and active when the voice is there; the ear may be later."""
        self.assertEqual(self.call.state, "connected")
        self.assertEqual(self.conversation.status, "connected")
        self.mouth.starting.callback(None)
        self.assertEqual(self.call.state, "active")
        self.assertEqual(self.mouth.said, [GREETING])
        self.assertEqual(self.conversation.status, "active")

    def test_turn_before_the_voice(self) -> None:
        """Nothing is said by a voice that has not started; the turn is answered later."""
        self.ear.starting.callback(None)
        self.speaks("hours")
        self.listener.digit_received("#")
        self.wait(3.0)
        self.assertEqual(self.mouth.said, [])
        self.mouth.starting.callback(None)
        self.mouth.done(1)
        self.wait(0.1)
        self.assertEqual(self.mouth.said, [GREETING, "At nine."])

    def test_hangs_up_meanwhile(self) -> None:
        """A caller who does not wait ends the vendors' starting."""
        self.listener.leg_ended(REMOTE_HANGUP)
        self.assertTrue(self.mouth.starting.called and self.ear.starting.called)
        self.assertEqual(self.over().end_reason, "remote_hangup")

    def test_no_voice(self) -> None:
        """Without a voice nothing can be said: the call ends as failed."""
        self.mouth.starting.errback(VendorFailed("no licence"))
        self.assertEqual(self.over().end_reason, "provider_failed")

    def test_slow_voice(self) -> None:
        """A greeting is owed: while the voice gets ready, and then makes it, there are tones."""
        silent = 0.0
        for step in range(90):
            if step == 60:
                self.mouth.starting.callback(None)
            sent = self.leg.sent
            self.wait(0.1)
            silent = silent + 0.1 if self.leg.sent == sent else 0.0
            self.assertLess(silent, 4.0)
        self.assertEqual(self.mouth.said, [GREETING])

    def test_late_voice(self) -> None:
        """So does one whose voice is not ready in time."""
        self.wait(READY_WITHIN + 0.1)
        self.assertEqual(self.over().end_reason, "provider_failed")

    def test_no_ear(self) -> None:
        """An assistant that cannot hear says so, and nothing else, and hangs up."""
        self.ear.starting.errback(VendorFailed("no licence"))
        self.mouth.starting.callback(None)
        self.assertEqual(len(self.mouth.said), 1)
        self.assertIn("Sorry", self.mouth.said[0])
        self.mouth.done(1)
        self.wait(1.0)
        conversation = self.over()
        self.assertEqual(conversation.status, "failed")
        self.assertIn("stt.error", [entry.name for entry in conversation.entries])

    def test_late_ear(self) -> None:
        """The greeting is heard meanwhile; then the same."""
        self.mouth.starting.callback(None)
        self.mouth.done(1)
        self.wait(READY_WITHIN + 0.1)
        self.assertIn("Sorry", self.mouth.said[-1])
        self.mouth.done(1)
        self.wait(1.0)
        self.assertEqual(self.over().end_reason, "provider_failed")

    def test_goodbye_before_the_voice(self) -> None:
        """A server that stops in that moment says its goodbye alone."""
        self.call.say_goodbye("We close.")
        self.mouth.starting.callback(None)
        self.assertEqual(self.mouth.said, ["We close."])


class NoGreetingTests(_Case):
    """The caller is to speak first."""

    greeting = ""

    def prepare(self) -> None:
        self.mouth.starting = Deferred()

    def test_nothing_owed(self) -> None:
        """Nobody waits for a word of ours: there is no tone."""
        self.wait(9.0)
        self.assertEqual(self.leg.sent, 0)
        self.mouth.starting.callback(None)
        self.wait(9.0)
        self.assertEqual(self.leg.sent, 0)
        self.listener.leg_ended(REMOTE_HANGUP)
        self.over()
