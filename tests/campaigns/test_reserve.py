"""A campaign on a small server: those who call in always find a place."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import deferLater

from rapida_tw.campaigns.pace import Limits
from rapida_tw.campaigns.service import CampaignService
from rapida_tw.carriers.outbound import Outcome, Progress, State
from rapida_tw.errors import CapacityExceeded
from rapida_tw.simulation import done
from rapida_tw.store.campaign_queue import CampaignQueue
from rapida_tw.store.campaigns import Campaign, Campaigns
from tests.calls.placing_case import PlacingCase

BUSY = Outcome("busy", "the line is busy")


class ReserveTests(PlacingCase):
    max_calls = 10  # of which calls that are placed leave two

    def setUp(self) -> None:
        super().setUp()
        server = self.server
        self.store = Campaigns(server.database, server.ids, server.now)
        self.service = CampaignService(
            server.clock,
            self.store,
            CampaignQueue(server.database, server.ids, server.now),
            server.assistants,
            server.placing,
            server.conversations,
            self.calls.outstanding.watchers,
            Limits(),
            lambda: self.calls.room_to_dial,
            maybeDeferred,
            "virtual",
            server.now,
        )
        self.service.startService()
        self.addCleanup(self.service.stopService)

    def campaign(self, count: int) -> Campaign:
        settings = {"callsPerSecond": 100, "simultaneous": 50}
        campaign = Campaign(0, self.project, self.server.assistant_id, "c", settings)
        requests = [
            {"to": f"+155501000{n:02}", "assistantId": self.server.assistant_id}
            for n in range(count)
        ]
        creating = Deferred.fromCoroutine(self.service.create(campaign, requests))
        return self.successResultOf(creating)

    def ringing(self) -> int:
        return len(self.calls.outstanding)

    def busy(self, at: int) -> None:
        """What becomes of a call that rings."""
        self.telephone.users[at].progressed(Progress(State.OVER, BUSY))

    def test_reserve(self) -> None:
        """Fifty are called while others call in, two at once: none of these is turned away."""
        campaign = self.campaign(50)
        inbound: list[Any] = []
        told, most = 0, 0
        for second in range(120):
            if second % 3 == 0:
                self.attach(self.claim())  # raises when there is no place
                inbound.append(self.legs[-1])
            if second % 3 == 2 and len(inbound) > 1:
                self._hang_up_oldest(inbound)
            if second % 2 == 1 and told < len(self.telephone.users):
                self.busy(told)
                told += 1
            self.wait(1.0)
            most = max(most, self.ringing())
            self.assertLessEqual(self.ringing(), 8)
            self.assertLessEqual(self.ringing() + len(self.calls), 10)
        self.assertGreater(most, 4)
        while told < len(self.telephone.users):
            self.busy(told)
            told += 1
            self.wait(1.0)
        numbers = [order.callee for order in self.telephone.orders]
        self.assertEqual(sorted(numbers), [f"+155501000{n:02}" for n in range(50)])
        self.wait(5.0)
        found = done(self.store.get(campaign.id, self.project))
        self.assertEqual(found.state, "finished")

    def _hang_up_oldest(self, inbound: list[Any]) -> None:
        inbound.pop(0)
        lives = sorted(self.calls.live(self.project), key=lambda one: one.id)
        self.calls.hang_up(lives[0].id, self.project)

    def test_slow_database(self) -> None:
        """Many that begin at once, each waiting for the disk, do not all find the last place."""
        store: Any = self.server.placing._store
        begin, clock = store.begin, self.server.clock

        def slowly(conversation_id: int) -> Deferred[bool]:
            return deferLater(clock, 0.1, begin, conversation_id)

        store.begin = slowly
        self.campaign(50)
        self.wait(20.0)
        self.assertEqual(self.ringing(), 8)
        self.assertEqual(len(self.telephone.orders), 8)
        self.registered()
        self.failureResultOf(self.place(), CapacityExceeded)
