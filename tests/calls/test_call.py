"""Call: from its leg to its one end, with vendors that are late, broken or in the way."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.calls.call import Call
from rapida_tw.calls.journal import EVERY
from rapida_tw.errors import NETWORK_FAILED, REMOTE_HANGUP, BadRequest, NotSupported, VendorFailed
from rapida_tw.simulation import VirtualServer
from rapida_tw.store.records import Conversation
from tests.calls.fakes import HeldDisk, RecordingLeg
from tests.pipeline.fakes import SPEECH, HeldModel, HeldVoice, RecordingRecognizer

GREETING = "Hello."
LOUD = SPEECH.astype("<i2").tobytes() * 3  # 60 ms: a voice


class _Opens:
    """A provider of one worker, for one call."""

    remote = False

    description = "one"

    def __init__(self, worker: Any) -> None:
        self._worker = worker

    def open(self, options: object, *account: object) -> Any:
        return self._worker

    def stop(self) -> Deferred[None]:
        raise NotImplementedError


class _Case(SynchronousTestCase):
    """One call over a leg in memory; ear and mouth are the test's."""

    ear_is_ready = True
    greeting = GREETING
    metadata: dict[str, str] = {}

    def setUp(self) -> None:
        self.disk = HeldDisk()
        replies = {"replies": [["hours", "At nine."]], "otherwise": "Pardon?"}
        deployment = {"greeting": self.greeting}
        self.server = VirtualServer(replies, deployment, disk=self.disk)  # type: ignore[arg-type]
        self.clock = self.server.clock
        self.ear, self.mouth = RecordingRecognizer(), HeldVoice()
        if self.ear_is_ready:
            self.ear.starting.callback(None)
        self.server.vendors.recognizers.add("virtual", _Opens(self.ear))
        self.server.vendors.synthesizers.add("virtual", _Opens(self.mouth))
        self.leg = RecordingLeg()
        self.prepare()
        context = self.server.register(**self.metadata)
        self.ear.noted.clear()  # the look that `register` takes
        self.call_id, self.context_id = context.conversation_id, context.id
        claimed = self.successResultOf(self.server.calls.claim(context.id, "asterisk"))
        self.listener = self.server.calls.attach(claimed, self.leg)

    def prepare(self) -> None:
        """What is to be different from the beginning."""

    @property
    def call(self) -> Call:
        return self.server.calls._running[self.call_id]

    def wait(self, seconds: float) -> None:
        self.clock.run(self.clock.seconds() + seconds)

    def speaks(self, text: str) -> None:
        """A whole turn of the caller's."""
        for _ in range(4):
            self.listener.audio_received(LOUD)
        silence = bytes(640)
        for _ in range(30):
            self.listener.audio_received(silence)
        self.ear.sink.final(text, 1.0)

    @property
    def conversation(self) -> Conversation:
        self.wait(2 * EVERY)
        found: Conversation = self.successResultOf(self.server.conversations.get(self.call_id))
        return found

    def over(self) -> Conversation:
        """It has ended once, and left nothing but what is remembered."""
        conversation = self.conversation
        names = [entry.name for entry in conversation.entries]
        self.assertEqual(sum(name in ("call.ended", "call.failed") for name in names), 1)
        self.assertEqual(names.count("call.status"), 1)
        self.assertEqual(self.leg.hung_up, 1)
        self.assertEqual(self.ear.cues.count("stop"), 1)
        self.assertEqual(self.server.leftovers(), [])
        self.assertTrue(all(saying.called for saying in self.mouth.saying))
        return conversation


class BrokenStartTests(_Case):
    """A voice that has failed before it was waited for."""

    def prepare(self) -> None:
        self.mouth.starting = fail(VendorFailed("no licence"))

    def test_ended_when_attached(self) -> None:
        """The call has ended, once, when `attach` returns."""
        self.assertEqual(len(self.server.calls), 0)
        self.assertEqual(self.over().end_reason, "provider_failed")


class StubbornStartTests(_Case):
    """A voice that starts although it was cancelled."""

    def prepare(self) -> None:
        self.mouth.starting = Deferred(lambda starting: starting.callback(None))

    def test_end_is_the_end(self) -> None:
        """The call does not become active after its end."""
        self.listener.leg_ended(REMOTE_HANGUP)
        self.assertEqual(self.mouth.said, [])
        self.assertEqual(self.over().status, "ended")


class EndTests(_Case):
    """Every way out, twice."""

    def test_first_reason_wins(self) -> None:
        """Whatever comes after the first end changes nothing."""
        call = self.call
        call.end(REMOTE_HANGUP)
        call.end(NETWORK_FAILED)
        self.listener.leg_ended(NETWORK_FAILED)
        self.listener.digit_received("1")
        self.listener.audio_received(LOUD)
        call.say("more")
        call.over(NETWORK_FAILED)
        self.assertEqual(self.over().end_reason, "remote_hangup")

    def test_in_the_middle_of_everything(self) -> None:
        """A reply under way, a doubt, a key: all of it is given up."""
        self.mouth.piece(100)
        self.wait(0.2)
        self.listener.audio_received(LOUD)
        self.listener.audio_received(LOUD)
        self.listener.digit_received("1")
        self.listener.leg_ended(REMOTE_HANGUP)
        self.over()

    def test_parts_that_raise(self) -> None:
        """A part that raises at the end keeps neither the others nor the call from ending."""
        for place, name in ((self.call._dialogue, "stop"), (self.leg, "hang_up")):
            original = getattr(place, name)

            def broken(*told: Any, original: Any = original) -> None:
                original(*told)
                raise ZeroDivisionError

            setattr(place, name, broken)
        self.listener.leg_ended(REMOTE_HANGUP)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
        self.over()

    def test_from_within(self) -> None:
        """A call that is ended by somebody who watches its journal ends once, at any entry."""
        for entry in ("message", "event", "metric"):
            self.setUp()
            call = self.call

            def watch(seen: Any, kind: str = entry, call: Call = call) -> None:
                if seen.kind == kind and seen.conversation_id == call.context.conversation_id:
                    call.end(REMOTE_HANGUP)

            self.server.journal.watchers.append(watch)
            self.mouth.done(1)
            self.wait(0.1)
            self.speaks("hours")
            if len(self.mouth.said) > 1 and not self.mouth.saying[-1].called:
                self.mouth.done(1)
            self.wait(0.5)
            self.listener.digit_received("7")
            self.assertEqual(self.over().end_reason, "remote_hangup", entry)

    def test_metrics(self) -> None:
        """What is counted: the whole, the voices of both, how it ended and by whom."""
        self.mouth.done(50)
        self.wait(1.5)
        self.speaks("hours")
        self.wait(0.5)
        self.listener.leg_ended(REMOTE_HANGUP)
        entries = {entry.name: entry for entry in self.over().entries}
        self.assertEqual(entries["call.duration"].value, "2.000")
        self.assertEqual(entries["call.talk_duration"].value, "1.24")
        self.assertEqual(entries["call.talk_duration"].data, {"user": 0.24, "assistant": 1.0})
        self.assertEqual(entries["call.status"].value, "completed")
        self.assertEqual(entries["call.disconnected_by"].value, "user")
        self.assertEqual(entries["call.ended"].data["reason"], "remote_hangup")

    def test_recogniser_fails(self) -> None:
        """A recogniser that gives up with each frame: one event, one apology, one end."""
        for _ in range(10):
            self.ear.sink.failed(VendorFailed("gone"))
        self.mouth.done(1)
        self.wait(1.0)
        names = [entry.name for entry in self.over().entries]
        self.assertEqual(names.count("stt.error"), 1)


class CostTests(_Case):
    """What is measured of the model."""

    def prepare(self) -> None:
        self.model = HeldModel()
        self.server.vendors.models.add("scripted", _Opens(self.model))

    def test_what_a_reply_costs(self) -> None:
        """The model's first word, and its tokens, are metrics of the conversation."""
        self.mouth.done(1)
        self.wait(0.5)
        self.speaks("hours")
        self.wait(0.3)
        usage = {"input": 20, "output": 5, "cached": 8}
        self.model.answers("At nine.", usage=usage)
        self.mouth.done(1)
        self.wait(1.0)
        self.listener.leg_ended(REMOTE_HANGUP)
        entries = {entry.name: entry for entry in self.over().entries}
        told = {name: one.value for name, one in entries.items() if name.startswith("agent.")}
        waited = float(told.pop("agent.ttft_ms"))
        self.assertLessEqual(abs(waited - 300), 50)
        self.assertEqual(
            told,
            {"agent.input_token": "20", "agent.output_token": "5", "agent.total_token": "25"},
        )
        self.assertEqual(entries["agent.input_token"].data, {"turn": 1, "cached": 8})


class SteeringTests(_Case):
    """What an operator may do with a live call."""

    def tearDown(self) -> None:
        self.listener.leg_ended(REMOTE_HANGUP)
        self.over()

    def test_view(self) -> None:
        """A live call shows who, how long and how many turns."""
        self.mouth.done(1)
        self.wait(1.0)
        self.speaks("hours")
        view = self.call.view()
        self.assertEqual((view.id, view.caller, view.carrier), (self.call_id, "100", "asterisk"))
        self.assertEqual((view.state, view.turns, view.duration), ("active", 1, 1.0))

    def test_say(self) -> None:
        """A text is said after the greeting."""
        self.call.say("Your table is ready.")
        self.assertEqual(self.mouth.said, [GREETING])
        self.mouth.done(1)
        self.wait(0.1)
        self.assertEqual(self.mouth.said[1:], ["Your table is ready."])

    def test_digits(self) -> None:
        """Digits go out by the leg; where it cannot, as tones in the audio."""
        self.successResultOf(self.call.send_digits("12#"))
        self.assertEqual(self.leg.digits, "12#")
        self.leg._takes_digits = False
        before = self.leg.sent
        sending = self.call.send_digits("1")
        self.assertNoResult(sending)
        self.wait(0.5)
        self.successResultOf(sending)
        self.assertEqual(self.leg.sent - before, 5)
        for wrong in ("", "x", "1" * 65):
            self.failureResultOf(self.call.send_digits(wrong), BadRequest)

    def test_hold(self) -> None:
        """Nothing is said until it is over, and then all of it; a key of the caller's ends it."""
        self.call.hold(True)
        self.mouth.done(5)
        self.call.say("Not now.")
        self.wait(2.0)
        self.assertEqual(self.leg.sent, 0)
        self.listener.digit_received("5")
        self.wait(2.0)
        self.assertEqual(self.mouth.said[-1], "Not now.")
        self.mouth.done(5)
        self.wait(2.0)
        self.assertEqual(self.leg.sent, 10)
        events = [entry.name for entry in self.conversation.entries if entry.kind == "event"]
        self.assertEqual([e for e in events if "hold" in e], ["hold.started", "hold.ended"])

    def test_transferred_by_the_carrier(self) -> None:
        """The carrier takes the caller away before it has answered: that was the transfer."""
        self.call._line._line.transfer = lambda target: Deferred()
        self.call.transfer("300")
        self.listener.leg_ended(REMOTE_HANGUP)
        self.assertEqual(self.conversation.end_reason, "transferred")

    def test_transfer(self) -> None:
        """A dialplan that takes no transfers: the operator is told."""
        self.failureResultOf(self.call.transfer("300"), NotSupported)


class TransferTests(_Case):
    """A transfer that was got ready, but did not come about."""

    metadata = {"transfer": "1"}

    def test_withdrawn(self) -> None:
        """A call that ends otherwise leaves no target for the dialplan."""
        self.successResultOf(self.call.transfer("300"))
        self.listener.leg_ended(REMOTE_HANGUP)
        context = self.successResultOf(self.server.calls.follow_up(self.context_id))
        self.assertEqual(context, "")

    def test_made(self) -> None:
        """A call that ends by its transfer does."""
        self.successResultOf(
            self.server.calls.transfer(self.call_id, self.server.project_id, "300")
        )
        context = self.successResultOf(self.server.calls.follow_up(self.context_id))
        self.assertEqual(context, "300")
        self.assertEqual(self.conversation.end_reason, "transferred")
        self.server.contexts.close()


class RecordingTests(_Case):
    """The recording of a call."""

    def test_with_the_call(self) -> None:
        """It is written while the call runs, named in the journal, and closed with it."""
        self.listener.audio_received(bytes(640))
        self.mouth.done(75)
        self.wait(1.5)
        self.assertEqual([path.name for path in self.disk.opened], [f"{self.call_id}.wav"])
        self.assertFalse(any(batch.last for batch in self.disk.batches))
        self.listener.leg_ended(REMOTE_HANGUP)
        self.assertEqual([batch.last for batch in self.disk.batches][-1], True)
        self.assertGreater(sum(len(batch.assistant) for batch in self.disk.batches), 70)
        recordings = [entry for entry in self.over().entries if entry.kind == "recording"]
        self.assertEqual([entry.value for entry in recordings], [f"{self.call_id}.wav"])

    def test_given_up(self) -> None:
        """A disk that is full leaves the call alone; the journal says so."""
        self.disk.fail("no space left")
        self.assertEqual(len(self.flushLoggedErrors()), 0)
        self.mouth.done(1)
        self.wait(0.1)
        self.speaks("hours")
        self.assertEqual(self.mouth.said[-1], "At nine.")
        self.listener.leg_ended(REMOTE_HANGUP)
        conversation = self.over()
        failed = [entry for entry in conversation.entries if entry.name == "recording.failed"]
        self.assertEqual([entry.data["reason"] for entry in failed], ["no space left"])
        self.assertEqual(conversation.status, "ended")
