"""Stories of hold: what is cut off, what is given afterwards, and who is not asked meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.calls.call import Call
from rapida_tw.errors import IDLE_TIMEOUT, MAX_DURATION, REMOTE_HANGUP, SHUTTING_DOWN
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.phone import Reason
from rapida_tw.simulation import VirtualServer
from rapida_tw.store.records import Entry
from tests.simulation.hand_leg import HandLeg
from tests.simulation.models import Step, StepModel

GREETING = "Hello. How can I help you today?"  # hummed for 1.92 s
LONG = "One two three four five. Six seven eight nine ten. Eleven twelve thirteen."
HOURS = "We open at nine and close at ten."
REPLIES = {"replies": [["hours", HOURS], ["count", LONG]], "otherwise": "Pardon?"}


class HoldStories(SynchronousTestCase):
    """One call over a leg made by hand."""

    leg: HandLeg

    def server(self, model: StepModel | None = None, **deployment: Any) -> VirtualServer:
        self.sim = VirtualServer(REPLIES, {"greeting": GREETING, **deployment}, (), model)
        if model is not None:
            model.clock = self.sim.clock
        self.caller = Caller()
        return self.sim

    def call(self, *script: str | None) -> HandLeg:
        """The call begins; `script`: what is understood of the caller."""
        self.leg = HandLeg(self.sim, self.caller, *script)
        return self.leg

    def run_until(self, until: float) -> None:
        self.sim.clock.run(until)
        self.assertEqual(self.leg.sent_on_hold, 0)

    def tearDown(self) -> None:
        """Whatever happened, the call ends without a trace."""
        if self.caller.ending is None:
            self.leg.over(Reason.CALLER_HUNG_UP)
            self.leg.listener.leg_ended(REMOTE_HANGUP)
        self.sim.clock.run(self.sim.clock.seconds() + 2.0)
        self.assertEqual(self.sim.leftovers(), [])

    @property
    def entries(self) -> Sequence[Entry]:
        self.sim.clock.run(self.sim.clock.seconds() + 1.0)
        return self.sim.entries(self.leg.context.conversation_id)

    def dialogue(self) -> list[str]:
        return [one.value for one in self.entries if one.kind == "message"]

    def events(self) -> list[str]:
        return [one.name for one in self.entries if one.kind == "event"]

    def end(self) -> str:
        names = ("call.ended", "call.failed")
        return next(str(one.data["reason"]) for one in self.entries if one.name in names)

    def running(self) -> Call:
        (call,) = self.sim.calls._running.values()
        return call

    def heard_after(self, moment: float) -> float | None:
        """When the caller heard the first sound that began after that moment."""
        return next((one.start for one in self.caller.heard if one.start > moment), None)


class CutTests(HoldStories):
    """What was being said."""

    def test_answer(self) -> None:
        """It is cut off, history keeps what was heard, and nobody takes it up again."""
        self.server()
        self.caller.says("count please", at=3.0, lasting=0.8)
        self.call("count please").holds(at=6.0, until=16.0)
        self.run_until(24.0)
        cut = self.dialogue()[2]
        self.assertTrue(LONG.startswith(cut) and 5 < len(cut) < 45, cut)
        self.assertEqual(len(self.dialogue()), 3)
        self.assertIsNone(self.heard_after(6.1))
        said = [one for one in self.entries if one.name == "assistant"]
        self.assertEqual([one.data["interrupted"] for one in said], [False, True])

    def test_next_question(self) -> None:
        """Afterwards the caller is heard and answered as ever."""
        self.server()
        self.caller.says("count please", at=3.0, lasting=0.8)
        self.caller.says("hours please", at=18.0, lasting=0.8)
        self.call("count please", "hours please").holds(at=6.0, until=16.0)
        self.run_until(24.0)
        self.assertEqual(self.dialogue()[3:], ["hours please", HOURS])

    def test_protected(self) -> None:
        """What must not be interrupted is said again, from its beginning."""
        self.server(greeting_interruptible=False)
        self.call().holds(at=1.0, until=5.0)
        self.run_until(10.0)
        self.assertEqual(self.dialogue()[-1], GREETING)
        again = self.heard_after(5.0)
        assert again is not None
        self.assertLess(again, 5.2)
        self.assertLess(abs(self.caller.heard_until - again - len(GREETING) * 0.06), 0.1)

    def test_greeting(self) -> None:
        """One that may be interrupted is not."""
        self.server()
        self.call().holds(at=1.0, until=5.0)
        self.run_until(10.0)
        self.assertIsNone(self.heard_after(1.1))

    def test_goodbye(self) -> None:
        """Nobody hears it: the call ends at once, as it was to end."""
        self.server()
        self.call().holds(at=5.0, until=60.0)
        self.run_until(4.0)
        self.running().say_goodbye("We close now, thank you for calling us today.")
        self.run_until(6.0)
        self.assertEqual(str(self.caller.ending), "server_hung_up")
        self.assertEqual(self.end(), SHUTTING_DOWN.reason)

    def test_goodbye_on_hold(self) -> None:
        """Nor one that comes during it."""
        self.server()
        self.call().holds(at=3.0, until=60.0)
        self.run_until(4.0)
        self.running().say_goodbye("We close.")
        self.run_until(4.5)
        self.assertEqual(self.end(), SHUTTING_DOWN.reason)


class WaitingTests(HoldStories):
    """What the caller was waiting for."""

    def test_answer_that_was_not_begun(self) -> None:
        """It is made meanwhile, and given at once when the caller is back, without a filler."""
        model = StepModel(Step(HOURS, delay=8.0))
        self.server(model)
        self.caller.says("hours please", at=3.0, lasting=0.8)
        self.call("hours please").holds(at=4.8, until=16.0)
        self.run_until(22.0)
        self.assertEqual(self.dialogue()[1:], ["hours please", HOURS])
        answered = self.heard_after(5.1)
        assert answered is not None
        self.assertTrue(16.0 < answered < 16.1, answered)
        self.assertLess(abs(self.caller.heard_until - answered - len(HOURS) * 0.06), 0.1)
        self.assertNotIn("turn.latency", [one.name for one in self.entries])
        self.assertEqual((len(model.asked), model.cancelled), (1, 0))

    def test_question_before_the_hold(self) -> None:
        """Who asks and presses the key in the same breath has asked, and is answered."""
        self.server()
        self.caller.says("hours please", at=3.0, lasting=0.8)
        self.call("hours please").holds(at=3.85, until=16.0)
        self.run_until(22.0)
        self.assertEqual(self.dialogue()[1:], ["hours please", HOURS])
        answered = self.heard_after(3.85)
        assert answered is not None
        self.assertLess(abs(answered - 16.0), 0.2)

    def test_between_two_sentences(self) -> None:
        """When the first was heard and the second is still to come, that is waited for, too."""
        model = StepModel(Step("One moment. We open at nine.", pause=1.0))
        self.server(model)
        self.caller.says("hours please", at=3.0, lasting=0.8)
        self.call("hours please").holds(at=8.0, until=16.0)
        self.run_until(20.0)
        self.assertEqual(self.dialogue()[2:], ["One moment. We open at nine."])
        self.assertEqual((len(model.asked), model.cancelled), (1, 0))
        rest = self.heard_after(8.0)
        assert rest is not None
        self.assertLess(abs(rest - 16.0), 0.1)

    def test_before_the_greeting(self) -> None:
        """A call that begins on hold is greeted when it is taken back."""
        self.server()
        self.call().holds(at=0.0, until=4.0)
        self.sim.voices.opened[-1].delay = 0.5
        self.run_until(8.0)
        self.assertEqual(self.dialogue(), [GREETING])
        greeted = self.heard_after(0.0)
        assert greeted is not None
        self.assertTrue(4.0 < greeted < 4.7, greeted)

    def test_operator(self) -> None:
        """What an operator types on hold is said afterwards."""
        self.server()
        self.call().holds(at=3.0, until=10.0)
        self.run_until(5.0)
        self.running().say("The doctor is back.")
        self.run_until(14.0)
        self.assertEqual(self.dialogue(), [GREETING, "The doctor is back."])
        said = self.heard_after(3.0)
        assert said is not None
        self.assertLess(abs(said - 10.0), 0.1)

    def test_keys(self) -> None:
        """A key that is pressed on hold is a turn, answered afterwards."""
        self.server()
        self.caller.presses("1", at=4.0)
        self.call().holds(at=3.0, until=10.0)
        self.run_until(14.0)
        self.assertEqual(self.dialogue(), [GREETING, "1", "Pardon?"])
        said = self.heard_after(3.0)
        assert said is not None
        self.assertLess(abs(said - 10.0), 0.1)

    def test_failure(self) -> None:
        """A model that fails meanwhile is apologised for afterwards."""
        model = StepModel(Step(delay=2.0, fails=True))
        self.server(model, error_message="Sorry.")
        self.caller.says("hours please", at=3.0, lasting=0.8)
        self.call("hours please").holds(at=5.0, until=12.0)
        self.run_until(15.0)
        self.assertEqual(self.dialogue()[-1], "Sorry.")
        self.assertIsNotNone(self.heard_after(12.0))


class PatienceTests(HoldStories):
    """Who is asked, who is missed, and for how long."""

    def test_nobody_is_asked(self) -> None:
        """For ten minutes nobody is asked whether they are there; from then on as ever."""
        self.server(
            idle_timeout=5.0,
            idle_timeout_retries=1,
            idle_message="Still there?",
            max_call_duration=900.0,
        )
        self.caller._sends_silence = False
        self.call().holds(at=4.0, until=604.0)
        self.run_until(603.0)
        self.assertEqual(self.dialogue(), [GREETING])
        self.run_until(611.0)
        self.assertEqual(self.dialogue(), [GREETING, "Still there?"])

    def test_counted_anew(self) -> None:
        """Who was asked before the hold has answered by coming back."""
        self.server(idle_timeout=5.0, idle_timeout_retries=1, idle_message="Still there?")
        self.call().holds(at=10.0, until=20.0)
        self.run_until(28.0)
        self.assertEqual(self.dialogue(), [GREETING, "Still there?", "Still there?"])
        self.run_until(40.0)
        self.assertEqual(self.end(), IDLE_TIMEOUT.reason)

    def test_question_of_the_idle(self) -> None:
        """Cut off or not begun: nobody who is back is asked whether they are there."""
        self.server(idle_timeout=5.0, idle_message="Are you still there, dear caller?")
        self.call().holds(at=7.2, until=10.0)
        self.run_until(14.0)
        self.assertIsNone(self.heard_after(7.3))

    def test_longest_call(self) -> None:
        """The longest duration of a call counts on."""
        self.server(max_call_duration=30.0)
        self.call().holds(at=4.0, until=600.0)
        self.run_until(31.0)
        self.assertEqual(self.end(), MAX_DURATION.reason)

    def test_journal(self) -> None:
        """It tells of the hold, and at the end what the leg has measured."""
        self.server()
        self.call().holds(at=3.0, until=5.0)
        self.caller.hangs_up(at=7.0)
        self.run_until(8.0)
        holds = [name for name in self.events() if name.startswith("hold.")]
        self.assertEqual(holds, ["hold.started", "hold.ended"])
        measured = {one.name: (one.value, one.data) for one in self.entries}
        self.assertEqual(measured["media.mos"], ("4.2", {"loss": 1.5}))
        self.assertEqual(measured["media.jitter_ms"], ("7", {}))

    def test_music(self) -> None:
        """What the far side plays meanwhile is no turn of the caller's."""
        self.server()
        self.caller.says("la la la", at=4.0, lasting=3.0)
        self.call("la la la").holds(at=3.0, until=9.0)
        self.run_until(12.0)
        self.assertEqual(self.dialogue(), [GREETING])

    def test_hangs_up(self) -> None:
        """A caller who hangs up on hold has hung up."""
        self.server()
        self.caller.hangs_up(at=5.0)
        self.call().holds(at=3.0, until=9.0)
        self.run_until(6.0)
        self.assertEqual(self.end(), REMOTE_HANGUP.reason)
