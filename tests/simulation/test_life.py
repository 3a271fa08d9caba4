"""Stories of a call's life: what the store knows of it when, and how a server takes its leave."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred, fail

from rapida_tw.calls.calls import GOODBYE
from rapida_tw.errors import Unavailable
from rapida_tw.models.base import Completion, Message, Tool
from rapida_tw.sim.caller import Caller
from rapida_tw.simulation import Simulation, VirtualServer, done
from rapida_tw.store.records import Entry
from tests.simulation.case import Stories
from tests.simulation.models import Step, StepModel

GREETING = "Hello. How can I help you today?"  # hummed for 1.92 s
REPLIES = [["hours", "We open at nine and close at ten."]]


class LifeTests(Stories):
    """The states of a call as the store has them."""

    def state(self, sim: Simulation) -> str:
        page = done(sim.server.conversations.page(sim.server.project_id, 1, 1))
        return str(page.items[0].status)

    def test_states(self) -> None:
        """webhook → saved → active → ended, each soon after it has happened."""
        sim = self.story(greeting=GREETING)
        self.assertEqual(self.state(sim), "webhook")
        sim.clock.run(0.5)
        self.assertEqual(self.state(sim), "saved")
        sim.hangs_up(at=2.0)
        sim.run(until=1.0)
        self.assertEqual(self.state(sim), "active")
        sim.run(until=3.0)
        self.assertEqual(self.state(sim), "ended")

    def test_events_in_order(self) -> None:
        """The journal reads like the call."""
        sim = self.story(greeting=GREETING, replies=REPLIES)
        sim.says("hours", at=0.5, lasting=0.6)
        sim.presses("1", at=5.0)
        sim.hangs_up(at=10.0)
        sim.run(until=11.0)
        self.assertEqual(
            sim.events, ["webhook", "call.connected", "turn.interrupted", "dtmf", "call.ended"]
        )
        self.assertEqual(
            set(sim.metrics),
            {
                "call.duration",
                "call.talk_duration",
                "call.status",
                "call.disconnected_by",
                "turn.latency",
                "agent.ttft_ms",
            },
        )
        self.assertEqual(sim.metrics["call.duration"], "10.000")

    def test_late(self) -> None:
        """Who connects after five minutes is hung up at once; the call has expired."""
        sim = self.story(greeting=GREETING)
        sim.clock.run(301.0)
        sim.run(until=303.0)
        self.assertEqual(self.state(sim), "expired")
        self.assertEqual(str(sim.caller.ending), "server_hung_up")
        self.assertEqual(sim.caller.heard, [])
        self.assertEqual(sim.metrics["call.status"], "no_answer")

    def test_failed(self) -> None:
        """A voice that fails for good leaves a failed call, whose reason can be found."""
        sim = self.story(greeting=GREETING)
        sim.says("hello", at=3.0)
        sim.caller.does(lambda: setattr(sim.voice, "failing", True), at=2.5)
        sim.run(until=8.0)
        self.assertEqual(self.state(sim), "failed")
        self.assertEqual(sim.metrics["call.disconnected_by"], "system")
        ended = next(entry for entry in sim.entries if entry.name == "call.failed")
        self.assertEqual(ended.data["reason"], "provider_failed")
        self.assertIn("voice", ended.data["detail"])

    def test_journal_later(self) -> None:
        """A database that is away for the whole call remembers all of it in the end."""
        sim = self.story(greeting=GREETING, replies=REPLIES)
        sim.clock.run(0.5)
        append = sim.server.conversations.append

        def away(entries: Sequence[Entry]) -> Deferred[None]:
            return fail(Unavailable("away"))

        sim.server.conversations.append = away  # type: ignore[method-assign]
        sim.says("hours", at=3.0)
        sim.hangs_up(at=9.0)
        sim.run(until=11.0)
        self.assertEqual(sim.dialogue, [])
        sim.server.conversations.append = append  # type: ignore[method-assign]
        sim.run(until=14.0)
        self.assertEqual([who for who, _ in sim.dialogue], ["assistant", "user", "assistant"])
        self.assertEqual(self.state(sim), "ended")


class SteeredTests(Stories):
    """An operator has a hand in it."""

    def test_say(self) -> None:
        """The caller hears the operator's text; the call goes on."""
        sim = self.story(greeting=GREETING)
        server = sim.server
        sim.caller.does(lambda: server.calls.say(_id(sim), server.project_id, "Fire!"), at=1.0)
        sim.run(until=5.0)
        self.assertEqual(sim.dialogue, [("assistant", GREETING), ("assistant", "Fire!")])
        self.assertIsNone(sim.caller.ending)

    def test_say_into_speech(self) -> None:
        """It is not said into the caller's words, which are answered first."""
        sim = self.story(replies=REPLIES)
        server = sim.server
        sim.says("what are your hours please", at=1.0, lasting=1.5)
        sim.caller.does(lambda: server.calls.say(_id(sim), server.project_id, "Fire!"), at=1.2)
        sim.run(until=8.0)
        self.assertGreater(sim.caller.heard[0].start, 2.5)

    def test_hang_up(self) -> None:
        """The call ends by the system, in mid-word."""
        sim = self.story(greeting=GREETING)
        server = sim.server
        sim.caller.does(lambda: server.calls.hang_up(_id(sim), server.project_id), at=1.0)
        sim.run(until=2.0)
        self.assertEqual(str(sim.caller.ending), "server_hung_up")
        self.assertEqual(sim.metrics["call.disconnected_by"], "system")
        self.assertEqual(sim.metrics["call.status"], "completed")

    def test_transfer(self) -> None:
        """The caller is let go into the dialplan, which finds the target."""
        sim = self.story(greeting=GREETING, metadata={"transfer": "1"})
        server = sim.server

        def transfer() -> None:
            self.successResultOf(server.calls.transfer(_id(sim), server.project_id, "300"))

        sim.caller.does(transfer, at=1.0)
        sim.run(until=2.0)
        self.assertEqual(str(sim.caller.ending), "server_hung_up")
        self.assertEqual(done(server.calls.follow_up(sim.context_id)), "300")

    def test_transfer_talked_out_of(self) -> None:
        """A caller who keeps the line by speaking is not transferred when it ends otherwise."""
        sim = self.story(
            model_provider=StepModel(
                Step("I connect you with my colleague.", (("transfer_call", {"to": "300"}),)),
                Step("Of course. Goodbye.", (("end_call", {}),)),
            ),
            tools=[
                {"name": "transfer_call", "options": {"tool.transfer_to": "300"}},
            ],
            metadata={"transfer": "1"},
        )
        model = sim.server.vendors.models.get("virtual")
        model.clock = sim.clock  # type: ignore[attr-defined]
        sim.says("a colleague please", at=0.5, lasting=0.8)
        sim.says("no wait never mind", at=3.0, lasting=0.9)
        sim.run(until=9.0)
        self.assertEqual(sim.metrics["call.disconnected_by"], "assistant")
        self.assertEqual(done(sim.server.calls.follow_up(sim.context_id)), "")


class StopTests(Stories):
    """The server stops while callers are on the phone."""

    def test_drain(self) -> None:
        """A caller may finish; who comes is refused; the last hears the closing message."""
        server = VirtualServer({"replies": REPLIES}, {"greeting": GREETING})
        first, second, late = Caller(), Caller(), Caller()
        first.hangs_up(at=5.0)
        for caller in (first, second):
            server.connect(server.register().id, caller, deque())
        context = server.register()
        server.clock.run(2.0)
        draining = server.calls.drain(10.0)
        server.connect(context.id, late, deque())
        server.clock.run(8.0)
        self.assertEqual(str(late.ending), "server_hung_up")
        self.assertEqual(late.heard, [])
        self.assertEqual(str(first.ending), "caller_hung_up")
        self.assertIsNone(second.ending)
        self.assertNoResult(draining)
        server.clock.run(20.0)
        self.assertEqual(str(second.ending), "server_hung_up")
        closing = second.heard[-1]
        self.assertLess(abs(closing.end - closing.start - len(GOODBYE) * 0.06), 0.05)
        self.successResultOf(draining)
        server.contexts.close()
        self.assertEqual(server.leftovers(), [])

    def test_interrupted_goodbye(self) -> None:
        """Nobody talks the server out of it."""
        sim = self.story(greeting=GREETING, replies=REPLIES)
        sim.says("wait hours", at=4.0, lasting=0.8)
        sim.presses("1", at=5.0)
        sim.clock.callLater(3.0, sim.server.calls.drain, 0.0)
        sim.run(until=12.0)
        self.assertEqual(str(sim.caller.ending), "server_hung_up")
        self.assertIn(("assistant", GOODBYE), sim.dialogue)
        self.assertNotIn(("assistant", REPLIES[0][1]), sim.dialogue)


class EveryMomentTests(Stories):
    """An interruption at each moment of a reply that has everything in it."""

    STEPS = (
        Step(
            "Let me see what I can find for you. I look it up.",
            (("fly", {}), ("collect_digits", {"timeout": 1})),
            delay=2.2,
            pause=0.1,
        ),
        Step("I have found it. Thank you for your patience.", (("end_call", {}),), delay=0.4),
    )

    def test_answered(self) -> None:
        """Whenever the caller cuts in, the words are answered and the history is well-formed."""
        answered = 0
        for moment in [1.2 + 0.3 * number for number in range(40)]:
            model = _Yes(*self.STEPS)
            sim = Simulation(model_provider=model)
            model.clock = sim.clock
            sim.says("please", at=0.2, lasting=0.5)
            sim.says("wait a moment", at=moment, lasting=0.7)
            sim.run(until=moment + 6.0)
            story = f"at {moment:.1f}: {sim.dialogue} {sim.events}"
            self.assertEqual(self.flushLoggedErrors(), [], story)
            if ("user", "wait a moment") in sim.dialogue:  # not too late
                self.assertEqual(sim.dialogue[-1], ("assistant", "Yes?"), story)
                answered += 1
            for asked in model.asked:
                _check(self, asked)
            if sim.caller.ending is None:
                sim.asterisk.hang_up()
            sim.clock.run(sim.clock.seconds() + 2.0)
            self.assertEqual(sim.server.leftovers(), [], story)
        self.assertGreater(answered, 25)

    def test_slow_voice(self) -> None:
        """The same with a voice that takes its time for each phrase."""
        answered = 0
        for moment in [1.2 + 0.37 * number for number in range(30)]:
            model = _Yes(*self.STEPS)
            sim = Simulation(model_provider=model)
            model.clock = sim.clock
            sim.caller.does(lambda sim=sim: setattr(sim.voice, "delay", 0.6), at=0.1)  # type: ignore[misc]
            sim.says("please", at=0.2, lasting=0.5)
            sim.says("wait a moment", at=moment, lasting=0.7)
            sim.run(until=moment + 7.0)
            story = f"at {moment:.2f}: {sim.dialogue} {sim.events}"
            self.assertEqual(self.flushLoggedErrors(), [], story)
            if ("user", "wait a moment") in sim.dialogue:  # not too late
                self.assertEqual(sim.dialogue[-1], ("assistant", "Yes?"), story)
                answered += 1
            if sim.caller.ending is None:
                sim.asterisk.hang_up()
            sim.clock.run(sim.clock.seconds() + 2.0)
            self.assertEqual(sim.server.leftovers(), [], story)
        self.assertGreater(answered, 25)

    def test_hung_up(self) -> None:
        """Whenever the caller hangs up, nothing is left and the call has ended once."""
        for moment in [0.02 + 0.37 * number for number in range(25)]:
            model = StepModel(*self.STEPS)
            sim = Simulation(model_provider=model, greeting="Hello.")
            model.clock = sim.clock
            sim.says("please", at=0.2, lasting=0.5)
            sim.hangs_up(at=moment)
            sim.run(until=moment + 2.0)
            self.assertEqual(sim.events.count("call.ended"), 1, moment)
            self.assertEqual(sim.server.leftovers(), [], moment)


def _id(sim: Simulation) -> int:
    return sim.server.calls.live(sim.server.project_id)[0].id


class _Yes(StepModel):
    """Takes its steps, but answers "wait a moment" with "Yes?"."""

    def reply(
        self, messages: Sequence[Message], tools: Sequence[Tool], say: Callable[[str], None]
    ) -> Deferred[Completion]:
        asked = next(message.text for message in reversed(messages) if message.role == "user")
        if asked == "wait a moment":
            self._steps = deque([Step("Yes?")])
        return super().reply(messages, tools, say)


def _check(test: Stories, messages: tuple[Message, ...]) -> None:
    wanted = [call.id for message in messages for call in message.tool_calls]
    given = [message.tool_call_id for message in messages if message.role == "tool"]
    test.assertEqual(wanted, given)
