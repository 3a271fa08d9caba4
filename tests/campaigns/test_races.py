"""What must not go wrong between two nodes, two writes, or a write and a crash."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, fail

from rapida_tw.calls.call_request import CallRequest
from rapida_tw.campaigns.attempts import AGAIN
from rapida_tw.campaigns.runner import LEASE, LOOK_BACK, RESTING, TURN
from rapida_tw.errors import MisconfiguredAssistant, Unavailable
from rapida_tw.simulation import done
from rapida_tw.store.campaigns import CANCELLED, PAUSED, WAITING
from rapida_tw.store.records import Conversation
from tests.campaigns.case import NUMBERS, CampaignCase, FakePlacing


class StoppedTests(CampaignCase):
    def test_paused_meanwhile(self) -> None:
        """Read as due, paused, begun: not dialled."""
        campaign = self.create(NUMBERS[:1], startDate="2100-01-01T00:00:00Z")
        entry = self.entries(campaign)[0]
        done(self.store.change(campaign.id, self.project, PAUSED))
        self.assertFalse(done(self.waiting.begin(entry, "node")))

    def later(self, asked: Deferred[None], request: CallRequest) -> Deferred[Any]:
        return asked.addCallback(lambda _: FakePlacing.prepare(self.placing, request))

    def test_stopped_while_preparing(self) -> None:
        """Paused before anybody was dialled: it waits, and is the same call afterwards."""
        for stop, state in ((self.service.pause, "waiting"), (self.service.cancel, "failed")):
            campaign = self.create([])
            asked: Deferred[None] = Deferred()
            prepare = self.placing.prepare
            self.placing.prepare = partial(self.later, asked)  # type: ignore[method-assign]
            entries = [{"to": NUMBERS[0], "assistantId": self.assistant_id}]
            self.result(self.service.add(campaign, entries))
            self.wait()
            self.result(stop(campaign.id, self.project))
            self.placing.prepare = prepare  # type: ignore[method-assign]
            asked.callback(None)
            self.wait()
            self.assertEqual((self.states(campaign), self.placing.dialled), ([state], []))
            self.assertLess(self.entries(campaign)[0].attempts, 2)
        prepared = len(self.placing.known)
        paused = done(self.store.page(self.project, 1, 5)).items[-1]
        self.result(self.service.resume(paused.id, self.project))
        self.wait()
        self.assertEqual((len(self.placing.dialled), len(self.placing.known)), (1, prepared))

    def test_busy_after_the_end(self) -> None:
        """Nobody waits in a cancelled campaign."""
        campaign = self.create(NUMBERS[:1], retries={"attempts": 3})
        entry = self.entries(campaign)[0]
        self.result(self.service.cancel(campaign.id, self.project))
        self.over(entry, "no_answer", "busy")
        self.wait()
        self.assertEqual(self.states(campaign), ["failed"])

    def test_cancelled_elsewhere(self) -> None:
        """Another node was asked: who rings here is given up all the same."""
        campaign = self.create(NUMBERS[:1])
        done(self.store.change(campaign.id, self.project, CANCELLED))
        self.wait(LOOK_BACK + RESTING)
        self.assertEqual(set(self.placing.given_up), set(self.placing.dialled))

    def test_deleted(self) -> None:
        """Nothing of it is left, and the calls' ends find nothing to write to."""
        campaign = self.create(NUMBERS[:1])
        entry = self.entries(campaign)[0]
        self.result(self.service.delete(campaign.id, self.project))
        self.assertEqual(self.placing.given_up, self.placing.dialled)
        self.over(entry, "no_answer", "cancelled")
        self.assertEqual(self.entries(campaign), [])

    def test_bulk_is_no_campaign(self) -> None:
        """The line of bulk calls is not to be seen, paused or deleted."""
        request = CallRequest(self.project, self.assistant_id, NUMBERS[0], key_id=7)
        self.successResultOf(self.service.queue.place(request))
        row = self.database.read_now(lambda c: c.exec_driver_sql("SELECT id FROM campaign").one())
        for work in (
            self.store.get(row.id, self.project),
            self.store.change(row.id, self.project, PAUSED),
            self.store.delete(row.id, self.project),
        ):
            self.failureResultOf(work)


class NodeTests(CampaignCase):
    def test_late_word(self) -> None:
        """What an attempt's node tells after another one has begun anew changes nothing."""
        campaign = self.create(NUMBERS[:1])
        late = self.entries(campaign)[0]
        self.over(late, "no_answer", "cancelled", retryable=True)
        self.wait(AGAIN + RESTING)
        now = self.entries(campaign)[0]
        self.assertEqual((now.state, now.attempts), ("calling", 2))
        done(self.waiting.settle(late, WAITING))
        self.assertEqual(self.entries(campaign)[0], now)
        self.assertFalse(done(self.waiting.called(late, 5)))

    def test_one_takes_it(self) -> None:
        """Of two nodes one has a campaign."""
        campaign = self.create(NUMBERS, startDate="2023-11-14T22:13:30Z")
        self.clock.advance(0)
        mine = done(self.waiting.lease("node", LEASE, True))
        self.assertEqual([one.campaign.id for one in mine], [campaign.id])
        self.assertEqual(done(self.waiting.lease("other", LEASE, True)), [])

    def test_told_at_another_node(self) -> None:
        """Its media came elsewhere: its end is read there, and it takes no place here for ever."""
        campaign = self.create(NUMBERS[:2], simultaneous=1)
        self.finished(self.placing.dialled[0], "completed", "remote_hangup")
        self.wait(LOOK_BACK + RESTING)
        self.assertEqual(self.states(campaign), ["done", "calling"])

    def test_dialled_before(self) -> None:
        """A conversation that somebody has dialled already is not dialled, and not forgotten."""
        campaign = self.create([])
        placing = self.placing

        class Dialled(FakePlacing):
            def prepare(self, request: CallRequest) -> Deferred[Conversation]:
                made = FakePlacing.prepare(placing, request)
                return made.addCallback(lambda one: replace(one, status="dialling"))

        self.service.attempts._placing = Dialled(self)
        entries = [{"to": NUMBERS[0], "assistantId": self.assistant_id}]
        self.result(self.service.add(campaign, entries))
        self.wait()
        self.assertEqual((self.states(campaign), placing.dialled), (["calling"], []))
        conversation_id = self.entries(campaign)[0].conversation_id
        assert conversation_id is not None
        self.finished(conversation_id, "completed", "remote_hangup")
        self.wait(LOOK_BACK + RESTING)
        self.assertEqual(self.states(campaign), ["done"])


class DatabaseTests(CampaignCase):
    def test_away_while_dialling(self) -> None:
        """The dialling had begun: the next attempt is another conversation."""
        campaign = self.create([])
        dial = self.placing.dial

        def away(conversation: Conversation, request: CallRequest) -> Deferred[Conversation]:
            self.placing.dial = dial  # type: ignore[method-assign]
            done(self.conversations.set_status(conversation.id, "failed", "unavailable"))
            return fail(Unavailable("away"))

        self.placing.dial = away  # type: ignore[method-assign]
        entries = [{"to": NUMBERS[0], "assistantId": self.assistant_id}]
        self.result(self.service.add(campaign, entries))
        self.wait(AGAIN + RESTING)
        self.assertEqual(self.states(campaign), ["calling"])
        self.assertEqual(len(self.placing.known), 2)
        self.assertEqual(len(self.placing.dialled), 1)

    def test_away(self) -> None:
        """No turn while it is away; afterwards everything goes on."""
        lease, error = self.waiting.lease, Unavailable("away")
        self.waiting.lease = lambda *_: fail(error)  # type: ignore[method-assign]
        campaign = self.create(NUMBERS[:1])
        self.wait(10)
        self.assertEqual(self.states(campaign), ["waiting"])
        self.waiting.lease = lease  # type: ignore[method-assign]
        self.wait(RESTING + TURN)
        self.assertEqual(self.states(campaign), ["calling"])

    def test_one_that_breaks(self) -> None:
        """A campaign that cannot be looked at does not hold up the others."""
        broken = self.create([])
        entries = [{"to": NUMBERS[0], "assistantId": "not a number"}]
        self.result(self.service.add(broken, entries))
        self.wait()
        self.assertTrue(self.flushLoggedErrors(ValueError))
        campaign = self.create(NUMBERS[:1])
        self.flushLoggedErrors(ValueError)
        self.assertEqual(self.states(campaign), ["calling"])
        self.result(self.service.cancel(broken.id, self.project))

    def test_idle(self) -> None:
        """Where nothing is to be done, nothing is written."""
        request = CallRequest(self.project, self.assistant_id, NUMBERS[0], key_id=7)
        self.successResultOf(self.service.queue.place(request))
        self.wait(1)
        self.finished(self.placing.dialled[0], "completed", "remote_hangup")
        self.wait(LOOK_BACK + RESTING)
        self.create(NUMBERS[:1], startDate="2100-01-01T00:00:00Z")
        self.assertEqual(done(self.waiting.lease("other", LEASE, False)), [])


class CapacityTests(CampaignCase):
    def test_full(self) -> None:
        """While there is no room, nobody is even prepared; then it goes on at once."""
        self.no_room = "full"
        campaign = self.create(NUMBERS)
        self.wait(60)
        self.assertEqual((self.placing.prepared, self.states(campaign)), ([], ["waiting"] * 3))
        self.no_room = ""
        self.wait(TURN)
        self.assertEqual(len(self.placing.dialled), 3)

    def test_ten_thousand(self) -> None:
        """A long list costs a turn no more than a short one."""
        campaign = self.create([f"+1555{n:07}" for n in range(10_000)], simultaneous=7)
        self.assertEqual(len(self.placing.dialled), 7)
        progress = done(self.store.progress(campaign.id))
        self.assertEqual(progress.states, {"waiting": 9_993, "calling": 7})
        numbers = [one.callee for one in self.placing.prepared]
        self.assertEqual(numbers, [f"+1555{n:07}" for n in range(7)])

    def test_many_campaigns(self) -> None:
        """Each gets its turn, whoever has come first."""
        made = [self.create(NUMBERS, simultaneous=1) for _ in range(30)]
        self.wait(RESTING)
        self.assertTrue(all("calling" in self.states(one) for one in made))

    def test_other_carrier(self) -> None:
        """One that has its limit does not hold up those of another number."""
        self.service._pace._limits = replace(self.limits, number_simultaneous=1)
        for caller in ("+15550000001", "+15550000001", "+15550000002"):
            request = CallRequest(self.project, self.assistant_id, NUMBERS[0], caller, key_id=7)
            self.successResultOf(self.service.queue.place(request))
        self.wait(1)
        self.assertEqual(len(self.placing.dialled), 2)


class StopTests(CampaignCase):
    def test_waits_for_writes(self) -> None:
        """Stopping is over when what was begun is written down."""
        campaign = self.create([])
        asked: Deferred[Conversation] = Deferred()
        self.placing.prepare = lambda request: asked  # type: ignore[method-assign]
        entries = [{"to": NUMBERS[0], "assistantId": self.assistant_id}]
        self.result(self.service.add(campaign, entries))
        self.wait()
        stopping = self.service.stopService()
        self.assertNoResult(stopping)
        asked.errback(MisconfiguredAssistant("nothing to dial with"))
        self.successResultOf(stopping)
        self.assertEqual(self.states(campaign), ["failed"])
        self.assertEqual(self.clock.getDelayedCalls(), [])


class CutOffTests(CampaignCase):
    """The process died."""

    def test_prepared_and_not_known(self) -> None:
        """Its conversation was written, and not that it is this entry's: it is dialled anew."""
        campaign = self.create(NUMBERS[:1], startDate="2023-11-14T22:13:30Z")
        self.successResultOf(self.service.stopService())
        entry = self.entries(campaign)[0]
        self.clock.advance(30)
        done(self.waiting.begin(entry, "node"))
        key = f"campaign-{entry.id}-1"
        request = CallRequest(self.project, self.assistant_id, NUMBERS[0], idempotency_key=key)
        lost = done(self.placing.prepare(request))
        done(self.conversations.close_unfinished(self.now()))
        self.service = self.node("node")
        self.wait(LOOK_BACK + RESTING)
        self.assertEqual(self.states(campaign), ["calling"])
        self.assertEqual(len(self.placing.dialled), 1)
        self.assertNotIn(lost.id, self.placing.dialled)

    def test_while_paused(self) -> None:
        """What was under way comes out, and the pause stays."""
        campaign = self.create(NUMBERS, simultaneous=1)
        self.result(self.service.pause(campaign.id, self.project))
        self.watchers.clear()
        self.successResultOf(self.service.stopService())
        done(self.conversations.close_unfinished(self.now()))
        self.service = self.node("node")
        self.wait(LOOK_BACK + RESTING)
        self.assertEqual(self.states(campaign), ["unknown", "waiting", "waiting"])
        self.assertEqual((self.state(campaign), len(self.placing.dialled)), ("paused", 1))

    def test_unsure_before_the_crash(self) -> None:
        """A failure that nobody says is certain is not called again."""
        campaign = self.create(NUMBERS[:1], retries={"attempts": 3, "outcomes": ["failed"]})
        self.successResultOf(self.service.stopService())
        self.finished(self.placing.dialled[0], "failed", "failed")
        self.service = self.node("node")
        self.wait(3600)
        self.assertEqual((self.states(campaign), len(self.placing.dialled)), (["failed"], 1))
