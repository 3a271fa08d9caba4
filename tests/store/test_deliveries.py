"""The queue of webhooks' deliveries, shared by several workers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rapida_tw.errors import NotFound
from rapida_tw.store.deliveries import IN_ORDER, Attempt, Deliveries, Delivery
from tests.store.case import START, StoreCase

URL = "https://hooks.example.org/"


class DeliveriesTests(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.here, self.there = self.worker("here"), self.worker("there")

    def worker(self, name: str) -> Deliveries:
        return Deliveries(self.database, self.ids, self.clock.seconds, name)

    def add(self, **changes: Any) -> Delivery:
        id = self.here.new_id()
        new = Delivery(
            id=id,
            project_id=self.project,
            assistant_id=5,
            conversation_id=id,
            event_id=f"evt_{id}",
            event="call.ended",
            url=URL,
            host="hooks.example.org:443",
            webhook={"url": URL, "credentialId": "7"},
            body={"z": 1, "a": {"text": "é"}},
            due=START,
            created=START,
            updated=START,
        )
        new = replace(new, **changes)
        self.successResultOf(self.here.add([new]))
        return new

    def claim(self, worker: Deliveries, most: int = 64, **room: int) -> list[int]:
        return [one.id for one in self.claimed(worker, most, **room)]

    def claimed(self, worker: Deliveries, most: int = 64, **room: int) -> list[Delivery]:
        return self.successResultOf(worker.claim(90.0, room, 4, most))

    def settle(self, worker: Deliveries, one: Delivery, state: str, due: float = 0.0) -> bool:
        attempt = Attempt(START, 503, "HTTP 503", 0.5, "later")
        return self.successResultOf(worker.settle(one, attempt, state, due))

    def get(self, one: Delivery) -> Any:
        return self.successResultOf(self.here.get(one.id, self.project))

    def test_one_takes_it(self) -> None:
        """What one worker has claimed, no other gets."""
        new = self.add()
        self.assertEqual(self.claim(self.here), [new.id])
        self.assertEqual(self.claim(self.there), [])
        found = self.get(new).delivery
        self.assertEqual((found.state, found.node, found.attempts), ("sending", "here", 1))
        self.assertEqual(list(found.body), ["z", "a"])  # signed as it is written

    def test_lease(self) -> None:
        """Of a worker that does not come back, the claim ends."""
        new = self.add()
        (mine,) = self.claimed(self.here)
        self.clock.advance(89)
        self.assertEqual(self.claim(self.there), [])
        self.clock.advance(1)
        (theirs,) = self.claimed(self.there)
        self.assertEqual(theirs.id, new.id)
        self.assertFalse(self.settle(self.here, mine, "failed"))
        self.assertTrue(self.settle(self.there, theirs, "delivered"))
        self.assertEqual(self.get(new).delivery.state, "delivered")
        self.assertEqual(len(self.get(new).attempts), 1)

    def test_release(self) -> None:
        """A worker that starts again takes its own back at once, and nobody else's."""
        first, second = self.add(), self.add()
        self.claimed(self.here, 1)
        self.claimed(self.there, 1)
        self.assertEqual(self.successResultOf(self.worker("here").release()), 1)
        self.assertEqual(self.claim(self.here), [first.id])
        self.assertEqual(self.get(second).delivery.node, "there")

    def test_bounds(self) -> None:
        """So many in all, so many for each host, fewer for a busy one."""
        for _ in range(6):
            self.add()
        other = self.add(host="other:443")
        self.assertEqual(len(self.claim(self.here, 2)), 2)
        found = self.claim(self.here, 64, **{"hooks.example.org:443": 1})
        self.assertEqual((len(found), other.id in found), (2, True))
        self.assertEqual(self.claim(self.here, 64, **{"hooks.example.org:443": 0}), [])

    def test_behind_a_full_host(self) -> None:
        """However much waits for one host, others are found."""
        for _ in range(300):
            self.add()
        other = self.add(host="other:443")
        self.assertEqual(self.claim(self.here, 64, **{"hooks.example.org:443": 0}), [other.id])

    def test_order(self) -> None:
        """A conversation's events one after the other, to one receiver; past one that fails."""
        first = self.add(conversation_id=6)
        second = self.add(conversation_id=6)
        elsewhere = self.add(conversation_id=6, url=URL + "other")
        self.assertEqual(self.claim(self.here), [first.id, elsewhere.id])
        self.settle(self.here, elsewhere, "delivered")
        for attempts in range(IN_ORDER):
            due = START + 1000 * (attempts + 1)
            self.assertEqual(self.claim(self.there), [])
            self.settle(self.here, replace(first, attempts=attempts), "waiting", due)
            before = self.claim(self.there)
            self.assertEqual(before, [second.id] if attempts == IN_ORDER - 1 else [])
            self.clock.advance(1000)
            self.claim(self.here)

    def test_once(self) -> None:
        """The same event for the same receiver is queued once, whoever noted it."""
        new = self.add()
        again = replace(new, id=self.here.new_id())
        other = replace(again, url=URL + "other")
        self.assertEqual(self.successResultOf(self.there.add([again])), 0)
        self.assertEqual(self.successResultOf(self.there.add([other])), 1)

    def test_look(self) -> None:
        """Whether something is due, and when something will be."""
        look = self.here.look
        self.assertEqual(self.successResultOf(look([])), (False, None))
        self.add(due=START + 5)
        self.assertEqual(self.successResultOf(look([])), (False, START + 5))
        self.clock.advance(5)
        self.assertEqual(self.successResultOf(look([])), (True, None))
        self.assertEqual(self.successResultOf(look(["hooks.example.org:443"]))[0], False)

    def test_put_back(self) -> None:
        """What was not sent was no attempt."""
        new = self.add()
        (mine,) = self.claimed(self.here)
        self.successResultOf(self.here.put_back(mine, START))
        found = self.get(new)
        self.assertEqual((found.delivery.state, found.delivery.attempts), ("waiting", 0))
        self.assertEqual(found.attempts, ())

    def test_other_project(self) -> None:
        """Others' are not found."""
        new = self.add()
        self.failureResultOf(self.here.get(new.id, 1), NotFound)
        self.failureResultOf(self.here.retry(new.id, 1), NotFound)
        self.assertEqual(self.successResultOf(self.here.page(1)).total, 0)

    def test_pages(self) -> None:
        """Newest first, chosen."""
        first, second = self.add(), self.add(assistant_id=8, created=START + 1)
        page = self.successResultOf(self.here.page(self.project, 1, 1))
        self.assertEqual(([one.id for one in page.items], page.total), ([second.id], 2))
        for chosen, expected in (
            ((None, 5, ""), [first.id]),
            ((second.conversation_id, None, ""), [second.id]),
            ((None, None, "failed"), []),
        ):
            page = self.successResultOf(self.here.page(self.project, 1, 20, *chosen))
            self.assertEqual([one.id for one in page.items], expected)

    def test_sweep(self) -> None:
        """What is over goes, with its attempts; what waits stays."""
        over, waits = self.add(), self.add()
        for one in self.claimed(self.here):
            self.settle(self.here, one, "delivered" if one.id == over.id else "waiting", START)
        self.assertEqual(self.successResultOf(self.here.sweep(START)), 0)
        self.assertEqual(self.successResultOf(self.here.sweep(START + 1)), 1)
        self.failureResultOf(self.here.get(over.id, self.project), NotFound)
        self.assertEqual(len(self.get(waits).attempts), 1)
