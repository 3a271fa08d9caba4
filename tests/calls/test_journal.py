"""Journal: nothing waits for the database, and little is lost when it is away."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.calls.journal import BATCH, CLOSE_WITHIN, EVERY, LIMIT, RETRY, Journal, dropped
from rapida_tw.errors import NotFound, Unavailable
from rapida_tw.store.records import Entry
from tests.calls.fakes import HeldStore

AWAY = Unavailable("the database is away")


class _Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.store = HeldStore()
        self.journal = Journal(self.clock, self.store, lambda: 1000.0 + self.clock.seconds())
        self.note = self.journal.of(7)
        self.before = {kind: dropped.value(kind) for kind in ("metric", "event", "message")}

    def away(self, error: Exception | None = AWAY) -> None:
        self.store.error = lambda entries: error

    def back(self) -> None:
        self.store.error = lambda entries: None
        self.clock.advance(RETRY)
        self.clock.pump([EVERY] * 100)

    def names(self) -> list[str]:
        return [entry.name for entry in self.store.written]

    def dropped(self, kind: str) -> float:
        return dropped.value(kind) - self.before[kind]

    def tearDown(self) -> None:
        self.away(None)
        self.store.held = None
        closing = self.journal.close()
        self.clock.advance(CLOSE_WITHIN)
        self.successResultOf(closing)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class WritingTests(_Case):
    """The usual case."""

    def test_batches(self) -> None:
        """What comes within a quarter of a second is one batch, in order and stamped."""
        self.note.event("one", digit="7")
        self.clock.advance(0.1)
        self.note.message("user", "two")
        self.assertEqual(self.store.batches, [])
        self.clock.advance(EVERY)
        self.assertEqual(
            self.store.batches,
            [
                [
                    Entry(7, "event", "one", "", {"digit": "7"}, 1000.0),
                    Entry(7, "message", "user", "two", {}, 1000.1),
                ]
            ],
        )
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_kinds(self) -> None:
        """Each kind of entry has its name, value and data."""
        self.note.metric("call.duration", 1.5, unit="s")
        self.note.metadata("client.phone", "100")
        self.note.recording("7.wav")
        self.clock.advance(EVERY)
        self.assertEqual(
            [(e.kind, e.name, e.value, e.data) for e in self.store.written],
            [
                ("metric", "call.duration", "1.5", {"unit": "s"}),
                ("metadata", "client.phone", "100", {}),
                ("recording", "stereo", "7.wav", {}),
            ],
        )

    def test_bounded_batches(self) -> None:
        """A flood is written in several transactions, without a pause between them."""
        for number in range(BATCH + 1):
            self.note.event(str(number))
        self.clock.advance(EVERY)
        self.clock.advance(0)
        self.assertEqual([len(batch) for batch in self.store.batches], [BATCH, 1])
        self.assertEqual(self.names(), [str(number) for number in range(BATCH + 1)])

    def test_statuses(self) -> None:
        """Of a status only the newest is written, after the entries."""
        self.note.status("connected")
        self.note.status("ended", "remote_hangup", 2.5)
        self.journal.of(8).status("active")
        self.clock.advance(EVERY)
        self.assertEqual(
            self.store.statuses,
            [(7, "ended", "remote_hangup", 2.5), (8, "active", "", None)],
        )

    def test_furthest_status(self) -> None:
        """Callbacks come in any order: what they tell late takes no end away, nor a state."""
        self.note.status("failed", "busy")
        self.note.status("ringing")
        self.note.status("expired")
        self.journal.of(8).status("active")
        self.journal.of(8).status("answered")
        self.clock.advance(EVERY)
        self.assertEqual(
            self.store.statuses, [(7, "failed", "busy", None), (8, "active", "", None)]
        )

    def test_late_status_while_away(self) -> None:
        """The same where the end could not be written yet."""
        self.store.status_error = AWAY
        self.note.status("failed", "busy")
        self.clock.advance(EVERY)
        self.note.status("ringing")
        self.store.status_error = None
        self.back()
        self.assertEqual(self.store.statuses, [(7, "failed", "busy", None)])

    def test_one_at_a_time(self) -> None:
        """While a batch is being written the next one waits, however long it takes."""
        self.store.held = []
        self.note.event("one")
        self.clock.advance(EVERY)
        self.note.event("two")
        self.clock.advance(60.0)
        self.assertEqual(len(self.store.batches), 1)
        self.store.held.pop().callback(None)
        self.clock.advance(0)
        self.store.held.pop().callback(None)
        self.assertEqual(self.names(), ["one", "two"])

    def test_watchers(self) -> None:
        """Watchers see each entry at once; one that breaks is logged, and nothing is lost."""
        seen: list[str] = []
        broken: Callable[[Entry], None] = lambda entry: [][0]  # noqa: E731
        self.journal.watchers += [broken, lambda entry: seen.append(entry.name)]
        self.note.event("one")
        self.assertEqual(seen, ["one"])
        self.assertEqual(len(self.flushLoggedErrors(IndexError)), 1)
        self.clock.advance(EVERY)
        self.assertEqual(self.names(), ["one"])


class AwayTests(_Case):
    """A database that does not answer for a while."""

    def test_back_again(self) -> None:
        """Everything is written when it is back, once and in order."""
        self.away()
        self.note.event("one")
        self.note.status("connected")
        self.clock.advance(EVERY)
        self.note.event("two")
        self.clock.advance(RETRY)
        self.assertEqual(self.store.written, [])
        self.note.status("active")
        self.back()
        self.assertEqual(self.names(), ["one", "two"])
        self.assertEqual(self.store.statuses, [(7, "active", "", None)])

    def test_patience(self) -> None:
        """It is asked again every two seconds, not more often."""
        self.away()
        self.note.event("one")
        self.clock.advance(EVERY)
        for _ in range(10):
            self.note.event("more")
            self.clock.advance(RETRY / 10)
        self.assertEqual(len(self.store.batches), 2)

    def test_trouble(self) -> None:
        """A node whose journal waits takes no calls, until it has been written."""
        self.assertEqual(self.journal.trouble, "")
        self.away()
        self.note.event("one")
        self.clock.advance(EVERY)
        self.assertIn("database", self.journal.trouble)
        self.back()
        self.assertEqual(self.journal.trouble, "")

    def test_status_alone(self) -> None:
        """Entries that were written are not written again for a status that was not."""
        self.store.status_error = AWAY
        self.note.event("one")
        self.note.status("ended")
        self.clock.advance(EVERY)
        self.assertEqual((self.names(), self.store.statuses), (["one"], []))
        self.back()
        self.assertEqual(self.names(), ["one"])
        self.assertEqual(self.store.statuses, [(7, "ended", "", None)])

    def test_second_status(self) -> None:
        """A status that was written is not written again for the one behind it."""
        self.store.status_error, self.store.status_error_of = AWAY, 8
        self.note.status("ended")
        self.journal.of(8).status("ended")
        self.clock.advance(EVERY)
        self.back()
        self.assertEqual(self.store.statuses, [(7, "ended", "", None), (8, "ended", "", None)])

    def test_lost_while_writing(self) -> None:
        """What came while a batch was being lost stays behind it; the newest status counts."""
        self.store.held = []
        self.note.event("one")
        self.note.status("connected")
        self.clock.advance(EVERY)
        self.note.event("two")
        self.note.status("active")
        held, self.store.held = self.store.held, None
        held[0].errback(AWAY)
        self.back()
        self.assertEqual(self.names(), ["one", "two"])
        self.assertEqual(self.store.statuses, [(7, "active", "", None)])

    def test_never_answers(self) -> None:
        """A database that neither answers nor fails: the bound is reached, and is trouble."""
        self.store.held = []
        self.note.event("first")
        self.clock.advance(EVERY)
        for _ in range(LIMIT):
            self.note.event("one")
        self.assertIn("database", self.journal.trouble)


class RefusedTests(_Case):
    """What the database will never take."""

    def test_unknown_conversation(self) -> None:
        """A batch with entries of a deleted call was written without them: not sent again."""
        self.away(NotFound("entries were dropped"))
        self.note.event("one")
        self.clock.advance(EVERY)
        self.away(None)
        self.note.event("two")
        self.clock.pump([EVERY] * 20)
        self.assertEqual(
            [[e.name for e in batch] for batch in self.store.batches], [["one"], ["two"]]
        )
        self.assertEqual(self.journal.trouble, "")

    def test_status_of_nobody(self) -> None:
        """A status of a deleted call is given up, the others are written."""
        self.store.status_error = NotFound("no conversation 7")
        self.note.status("ended")
        self.journal.of(8).status("ended")
        self.clock.advance(EVERY)
        self.assertEqual(self.store.statuses, [(8, "ended", "", None)])
        self.clock.advance(60.0)
        self.assertEqual(len(self.store.statuses), 1)

    def test_poison(self) -> None:
        """One entry that makes the store fail is found, logged and given up; the rest is kept."""
        self.store.error = lambda entries: (
            TypeError("not JSON") if any(e.name == "bad" for e in entries) else None
        )
        for name in ("one", "bad", "two"):
            self.note.event(name)
        self.note.status("ended")
        self.clock.advance(EVERY)
        self.assertEqual(self.names(), ["one", "two"])
        self.assertEqual(self.store.statuses, [(7, "ended", "", None)])
        self.assertEqual(self.dropped("event"), 1)
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)
        self.assertEqual(self.journal.trouble, "")

    def test_poison_and_away(self) -> None:
        """The database goes away in the middle of the search: nothing is written twice."""
        down = [False]

        def error(entries: object) -> Exception | None:
            if len(entries) > 1:  # type: ignore[arg-type]
                return TypeError("not JSON")
            return AWAY if down[0] and entries[0].name == "two" else None  # type: ignore[index]

        self.store.error = error
        down[0] = True
        for name in ("one", "two", "three"):
            self.note.event(name)
        self.clock.advance(EVERY)
        self.assertEqual(self.names(), ["one"])
        down[0] = False
        self.clock.advance(RETRY)
        self.assertEqual(self.names(), ["one", "two", "three"])

    def test_bad_status(self) -> None:
        """A status that makes the store fail is logged and given up."""
        self.store.status_error = TypeError("no")
        self.note.status("ended")
        self.clock.advance(EVERY)
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)
        self.clock.advance(60.0)
        self.assertEqual(self.store.statuses, [])


class BoundTests(_Case):
    """More than can wait."""

    def setUp(self) -> None:
        super().setUp()
        self.away()

    def fill(self, count: int) -> None:
        for number in range(count):
            self.note.message("user", str(number))

    def test_metrics_go_first(self) -> None:
        """At the bound the oldest metric makes room, then the oldest event; messages stay."""
        self.note.event("event")
        self.note.metric("metric", 1)
        self.fill(LIMIT)
        self.assertEqual((self.dropped("metric"), self.dropped("event")), (1, 1))
        self.assertEqual(self.dropped("message"), 0)
        self.back()
        self.assertEqual(
            [entry.value for entry in self.store.written], list(map(str, range(LIMIT)))
        )

    def test_metric_for_an_event(self) -> None:
        """A new metric pushes nothing out but metrics."""
        self.note.event("event")
        self.fill(LIMIT - 1)
        self.note.metric("metric", 1)
        self.assertEqual((self.dropped("metric"), self.dropped("event")), (1, 0))

    def test_nothing_but_messages(self) -> None:
        """When only messages wait, what is new is lost and counted: the bound is a bound."""
        self.fill(LIMIT + 3)
        self.assertEqual(self.dropped("message"), 3)
        self.back()
        self.assertEqual(len(self.store.written), LIMIT)


class CloseTests(_Case):
    """The server stops."""

    def test_flushes(self) -> None:
        """What waits is written at once, in as many batches as it takes."""
        for number in range(BATCH + 5):
            self.note.event(str(number))
        self.note.status("ended")
        self.successResultOf(self.journal.close())
        self.assertEqual(len(self.store.written), BATCH + 5)
        self.assertEqual(len(self.store.statuses), 1)

    def test_waits_for_the_batch(self) -> None:
        """A batch that is being written is waited for, and the rest follows it."""
        self.store.held = []
        self.note.event("one")
        self.clock.advance(EVERY)
        self.note.event("two")
        closing = self.journal.close()
        self.assertNoResult(closing)
        held, self.store.held = self.store.held, None
        held[0].callback(None)
        self.successResultOf(closing)
        self.assertEqual(self.names(), ["one", "two"])

    def test_away(self) -> None:
        """What cannot be written is counted; a database that is back again gets it after all."""
        self.away()
        self.note.event("one")
        self.clock.advance(EVERY)
        self.successResultOf(self.journal.close())
        self.assertEqual(self.dropped("event"), 1)

    def test_back_in_time(self) -> None:
        """A failed journal asks once more before it gives up."""
        self.away()
        self.note.event("one")
        self.clock.advance(EVERY)
        self.away(None)
        self.successResultOf(self.journal.close())
        self.assertEqual(self.names(), ["one"])
        self.assertEqual(self.dropped("event"), 0)

    def test_never_answers(self) -> None:
        """A database that does not answer does not keep the process up."""
        self.store.held = []
        self.note.event("one")
        closing: Deferred[None] = self.journal.close()
        self.clock.advance(CLOSE_WITHIN)
        self.successResultOf(closing)
        self.assertEqual(self.dropped("event"), 1)
