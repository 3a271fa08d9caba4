"""Campaigns run: how fast, how many at once, when, again, and after a crash."""

from __future__ import annotations

from rapida_tw.calls.call_request import CallRequest
from rapida_tw.campaigns.attempts import AGAIN
from rapida_tw.campaigns.pace import Limits
from rapida_tw.campaigns.runner import LEASE, LOOK_BACK
from rapida_tw.errors import (
    CapacityExceeded,
    DiallingForbidden,
    MisconfiguredAssistant,
    Unavailable,
)
from rapida_tw.simulation import done
from rapida_tw.store.conversations import CRASHED
from tests.campaigns.case import NUMBERS, CampaignCase


class RunTests(CampaignCase):
    def test_all(self) -> None:
        """Everybody is called once; then it is finished."""
        campaign = self.create()
        self.assertEqual(self.states(campaign), ["calling"] * 3)
        self.assertEqual([one.callee for one in self.placing.prepared], list(NUMBERS))
        self.assertEqual({one.key_id for one in self.placing.prepared}, {7})
        for entry in self.entries(campaign):
            self.over(entry, "completed", "remote_hangup")
        self.wait()
        self.assertEqual(self.states(campaign), ["done"] * 3)
        self.assertEqual(self.state(campaign), "finished")
        self.assertEqual(len(self.placing.dialled), 3)
        progress = done(self.store.progress(campaign.id))
        self.assertEqual(progress.outcomes, {"remote_hangup": 3})

    def test_per_second(self) -> None:
        """Two a second are two a second, and no burst afterwards."""
        campaign = self.create(NUMBERS * 4, callsPerSecond=2)
        self.assertLessEqual(len(self.placing.dialled), 4)
        before = len(self.placing.dialled)
        self.wait(2.0)
        self.assertIn(len(self.placing.dialled) - before, (4, 5))
        self.assertEqual(self.state(campaign), "running")

    def test_simultaneous(self) -> None:
        """Two at once; the next one when one is over."""
        campaign = self.create(NUMBERS, simultaneous=2)
        self.wait(5.0)
        self.assertEqual(self.states(campaign), ["calling", "calling", "waiting"])
        self.over(self.entries(campaign)[0], "completed", "remote_hangup")
        self.wait()
        self.assertEqual(self.states(campaign), ["done", "calling", "calling"])

    def test_paused(self) -> None:
        """Nobody more is called until it goes on."""
        campaign = self.create(NUMBERS, simultaneous=1)
        self.result(self.service.pause(campaign.id, self.project))
        self.over(self.entries(campaign)[0], "completed", "remote_hangup")
        self.wait(60.0)
        self.assertEqual(len(self.placing.dialled), 1)
        self.result(self.service.resume(campaign.id, self.project))
        self.wait()
        self.assertEqual(len(self.placing.dialled), 2)

    def test_cancelled(self) -> None:
        """Who rings is given up, who waits is not called."""
        campaign = self.create(NUMBERS, simultaneous=1)
        self.result(self.service.cancel(campaign.id, self.project))
        self.wait(60.0)
        self.assertEqual(set(self.placing.given_up), set(self.placing.dialled))
        self.assertEqual(self.states(campaign)[1:], ["failed"] * 2)
        self.assertEqual(self.entries(campaign)[2].outcome, "cancelled")
        self.result(self.service.resume(campaign.id, self.project))
        self.assertEqual(self.state(campaign), "cancelled")

    def test_dates(self) -> None:
        """Not before its start, and not after its end."""
        campaign = self.create(
            NUMBERS,
            simultaneous=1,
            startDate="2023-11-14T22:14:20+00:00",
            endDate="2023-11-14T22:15:20Z",
        )
        self.assertEqual(self.placing.dialled, [])
        self.wait(61.0)
        self.assertEqual(len(self.placing.dialled), 1)
        self.wait(61.0)
        self.assertEqual(self.state(campaign), "cancelled")

    def test_hours(self) -> None:
        """At ten past ten in the evening nobody is called in London; in Los Angeles they are."""
        hours = {"from": "09:00", "to": "20:00"}
        campaign = self.create(["+442079460000", "+12135550100"], hours=hours)
        self.assertEqual(self.states(campaign), ["waiting", "calling"])
        due = self.entries(campaign)[0].due
        self.assertEqual(due, 1_700_038_800.0)  # 09:00 in London
        self.clock.advance(due - self.now())
        self.wait()
        self.assertEqual(self.states(campaign), ["calling", "calling"])

    def test_more(self) -> None:
        """A finished campaign goes on with further numbers."""
        campaign = self.create(NUMBERS[:1])
        self.over(self.entries(campaign)[0], "completed", "remote_hangup")
        self.wait()
        entries = [{"to": NUMBERS[1], "assistantId": self.assistant_id}]
        self.result(self.service.add(campaign, entries))
        self.wait()
        self.assertEqual((self.state(campaign), len(self.placing.dialled)), ("running", 2))


class LimitTests(CampaignCase):
    limits = Limits(by_carrier={"sip": (0.0, 2)}, number_per_second=1.0)

    def test_carrier(self) -> None:
        """All campaigns together have two calls at that carrier."""
        one, two = self.create(NUMBERS[:2]), self.create(NUMBERS[:2])
        self.wait(10.0)
        calling = [*self.states(one), *self.states(two)].count("calling")
        self.assertEqual(calling, 2)

    def test_number(self) -> None:
        """One a second from one number."""
        self.create(NUMBERS)
        self.assertLessEqual(len(self.placing.dialled), 2)


class RetryTests(CampaignCase):
    def test_again(self) -> None:
        """Who was busy is called again, later and later, as often as was asked for."""
        retries = {"attempts": 3, "after": 100, "factor": 2, "outcomes": ["busy"]}
        campaign = self.create(NUMBERS[:1], retries=retries)
        for pause in (100, 200):
            self.over(self.entries(campaign)[0], "no_answer", "busy")
            self.wait()
            entry = self.entries(campaign)[0]
            self.assertEqual((entry.state, entry.outcome), ("waiting", "busy"))
            dialled = len(self.placing.dialled)
            self.wait(pause - 5)
            self.assertEqual(len(self.placing.dialled), dialled)
            self.wait(10)
            self.assertEqual(len(self.placing.dialled), dialled + 1)
        self.over(self.entries(campaign)[0], "no_answer", "busy")
        self.wait()
        self.assertEqual(self.states(campaign), ["failed"])
        self.assertEqual(len(set(self.placing.dialled)), 3)

    def test_machine(self) -> None:
        """A machine that was hung up on is called again where that was asked for."""
        for outcomes, state in ((["machine_detected"], "waiting"), (["busy"], "done")):
            retries = {"attempts": 2, "outcomes": outcomes}
            campaign = self.create(NUMBERS[:1], retries=retries)
            self.over(self.entries(campaign)[0], "completed", "machine_detected")
            self.wait()
            self.assertEqual(self.states(campaign), [state])

    def test_other_outcomes(self) -> None:
        """Only those that were named."""
        campaign = self.create(NUMBERS[:1], retries={"attempts": 3, "outcomes": ["busy"]})
        self.over(self.entries(campaign)[0], "failed", "rejected")
        self.wait()
        self.assertEqual(self.states(campaign), ["failed"])

    def test_unsure(self) -> None:
        """A call that the carrier may have is never made again."""
        campaign = self.create(NUMBERS[:1], retries={"attempts": 3, "outcomes": ["failed"]})
        self.over(self.entries(campaign)[0], "failed", "failed", certain=False)
        self.wait(3600)
        self.assertEqual((self.states(campaign), len(self.placing.dialled)), (["unknown"], 1))

    def test_no_room(self) -> None:
        """A full server calls later, and the attempt does not count."""
        for error in (CapacityExceeded("full"), Unavailable("away")):
            self.placing.error = error
            campaign = self.create(NUMBERS[:1])
            entry = self.entries(campaign)[0]
            self.assertEqual((entry.state, entry.attempts), ("waiting", 0))
            self.wait(AGAIN + 1)
            self.assertEqual(self.states(campaign), ["calling"])

    def test_no_room_at_last(self) -> None:
        """The same when there was room a moment before: one conversation, one call."""
        self.placing.dial_error = CapacityExceeded("full")
        campaign = self.create(NUMBERS[:1])
        self.wait(AGAIN + 1)
        self.assertEqual(self.states(campaign), ["calling"])
        self.assertEqual(len(set(self.placing.dialled)), 1)
        self.assertEqual(len(self.placing.known), 1)

    def test_refused(self) -> None:
        """What can never be dialled is not tried again, and holds nobody up."""
        self.placing.error = DiallingForbidden("denied")
        campaign = self.create(NUMBERS[:2])
        self.assertEqual(self.states(campaign), ["failed", "calling"])
        self.assertEqual(self.entries(campaign)[0].outcome, "dialling_forbidden")
        self.placing.dial_error = MisconfiguredAssistant("no credential")
        campaign = self.create(NUMBERS[:1])
        self.assertEqual(self.entries(campaign)[0].outcome, "configuration_failed")

    def test_stopping_server(self) -> None:
        """Calls that were given up because the server stopped are made by the next one."""
        campaign = self.create(NUMBERS[:1])
        self.over(self.entries(campaign)[0], "no_answer", "cancelled", retryable=True)
        self.assertEqual(self.states(campaign), ["waiting"])


class CrashTests(CampaignCase):
    def crash(self) -> None:
        """The process is gone: nothing of it runs on, nothing was tidied up."""
        assert self.service._timer is not None
        self.service._timer.cancel()
        self.service._timer = None
        self.service.running = 0
        self.watchers.clear()

    def restart(self) -> None:
        done(self.conversations.close_unfinished(self.now()))
        self.service = self.node("node")
        self.wait()

    def test_ringing(self) -> None:
        """Whoever may have been rung up is not called again."""
        campaign = self.create(NUMBERS[:2], simultaneous=1, retries={"attempts": 3})
        self.crash()
        self.restart()
        self.wait(LOOK_BACK + 1)
        entries = self.entries(campaign)
        self.assertEqual([one.state for one in entries], ["unknown", "calling"])
        self.assertEqual(entries[0].outcome, CRASHED)
        self.assertEqual(len(self.placing.dialled), 2)

    def test_before_dialling(self) -> None:
        """Prepared and not dialled: the same conversation is dialled, once."""
        campaign = self.create([])
        self.crash()
        entries = [{"to": NUMBERS[0], "assistantId": self.assistant_id}]
        done(self.store.add(campaign, entries))
        entry = self.entries(campaign)[0]
        done(self.waiting.begin(entry, "node"))
        request = CallRequest(
            self.project,
            self.assistant_id,
            NUMBERS[0],
            idempotency_key=f"campaign-{entry.id}-1",
        )
        conversation = done(self.placing.prepare(request))
        done(self.waiting.called(self.entries(campaign)[0], conversation.id))
        self.restart()
        self.wait(LOOK_BACK + 5)
        self.assertEqual(self.placing.dialled, [conversation.id])

    def test_before_preparing(self) -> None:
        """Begun, and then nothing."""
        campaign = self.create([])
        self.crash()
        done(self.store.add(campaign, [{"to": NUMBERS[0], "assistantId": self.assistant_id}]))
        done(self.waiting.begin(self.entries(campaign)[0], "node"))
        self.restart()
        self.wait(LOOK_BACK + 5)
        self.assertEqual(len(self.placing.dialled), 1)

    def test_other_node(self) -> None:
        """Another one takes the campaign over when the lease is over, and not before."""
        campaign = self.create(NUMBERS, simultaneous=1)
        self.over(self.entries(campaign)[0], "completed", "remote_hangup")
        self.crash()
        other = self.node("other")
        self.wait(LEASE - 5)
        self.assertEqual(len(self.placing.dialled), 1)
        self.wait(10)
        self.assertEqual(len(self.placing.dialled), 2)
        self.stop(other)

    def test_ended_elsewhere(self) -> None:
        """The end of a call that nobody told us is read in its history."""
        campaign = self.create(NUMBERS[:1])
        self.watchers.clear()
        self.over(self.entries(campaign)[0], "completed", "remote_hangup")
        self.wait(LOOK_BACK + 1)
        self.assertEqual(self.states(campaign), ["done"])


class QueueTests(CampaignCase):
    """Many calls of one request."""

    def request(self, number: str, key: str = "") -> CallRequest:
        return CallRequest(self.project, self.assistant_id, number, key_id=7, idempotency_key=key)

    def test_in_line(self) -> None:
        """Answered with conversations at once; dialled by and by; nothing of it is a campaign."""
        ids = [
            self.successResultOf(self.service.queue.place(self.request(number))).id
            for number in NUMBERS
        ]
        self.assertEqual(self.placing.dialled, [])
        self.wait()
        self.assertEqual(sorted(self.placing.dialled), sorted(ids))
        self.assertTrue(all(one.queued for one in self.placing.prepared))
        self.assertEqual(done(self.store.page(self.project, 1, 10)).total, 0)

    def test_survives(self) -> None:
        """What waits in line when the server dies is dialled by the next one."""
        self.service.stopService()
        conversation = self.successResultOf(self.service.queue.place(self.request(NUMBERS[0])))
        self.assertEqual(done(self.conversations.close_unfinished(self.now())), 0)
        self.service = self.node("node")
        self.wait()
        self.assertEqual(self.placing.dialled, [conversation.id])

    def test_same_key(self) -> None:
        """Asked for twice, it stands in line once."""
        for _ in range(2):
            self.successResultOf(self.service.queue.place(self.request(NUMBERS[0], "k")))
        self.wait()
        self.successResultOf(self.service.queue.place(self.request(NUMBERS[0], "k")))
        self.wait()
        self.assertEqual(len(self.placing.dialled), 1)

    def test_withdrawn(self) -> None:
        """Who leaves the line is not called; another project takes nobody out, nobody twice."""
        queue = self.service.queue
        self.service.stopService()
        first, second = (
            self.successResultOf(queue.place(self.request(number))).id for number in NUMBERS[:2]
        )
        self.assertFalse(self.successResultOf(queue.withdraw(first, 99)))
        self.assertTrue(self.successResultOf(queue.withdraw(first, self.project)))
        self.assertFalse(self.successResultOf(queue.withdraw(first, self.project)))
        found = done(self.conversations.get(first))
        self.assertEqual((found.status, found.end_reason), ("failed", "cancelled"))
        self.service = self.node("node")
        self.wait()
        self.assertEqual(self.placing.dialled, [second])

    def test_no_finish(self) -> None:
        """The line stays open."""
        self.successResultOf(self.service.queue.place(self.request(NUMBERS[0])))
        self.wait()
        self.finished(self.placing.dialled[0], "completed", "remote_hangup")
        self.wait(5)
        self.successResultOf(self.service.queue.place(self.request(NUMBERS[1])))
        self.wait()
        self.assertEqual(len(self.placing.dialled), 2)
