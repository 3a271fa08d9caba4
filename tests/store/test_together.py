"""Questions asked as one: how many reads there are, and when each began."""

from __future__ import annotations

from collections.abc import Mapping, Set

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import Unavailable
from rapida_tw.store import together as module
from rapida_tw.store.together import Together


class TogetherTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.asked: list[tuple[set[str], Deferred[Mapping[str, str]]]] = []
        self.together = Together[str, str](self.ask)

    def ask(self, keys: Set[str]) -> Deferred[Mapping[str, str]]:
        answer: Deferred[Mapping[str, str]] = Deferred()
        self.asked.append((set(keys), answer))
        return answer

    def answer(self) -> None:
        keys, answer = self.asked[-1]
        answer.callback({key: key.upper() for key in keys})

    def test_one_at_a_time(self) -> None:
        """While one is under way the next gathers, equal keys once."""
        first = self.together.get("a")
        others = [self.together.get(key) for key in "abbc"]
        self.assertEqual([keys for keys, _ in self.asked], [{"a"}])
        self.answer()
        self.assertEqual(self.successResultOf(first), "A")
        self.assertNoResult(others[0])
        self.assertEqual([keys for keys, _ in self.asked], [{"a"}, {"a", "b", "c"}])
        self.answer()
        self.assertEqual([self.successResultOf(one) for one in others], list("ABBC"))

    def test_again(self) -> None:
        """Nothing is kept: who asks later asks the database."""
        for _ in range(2):
            asking = self.together.get("a")
            self.answer()
            self.successResultOf(asking)
        self.assertEqual(len(self.asked), 2)

    def test_failed(self) -> None:
        """Whoever was in the question hears of its failure; the next one is asked all the same."""
        first, second = self.together.get("a"), self.together.get("b")
        self.asked[-1][1].errback(Unavailable("away"))
        self.failureResultOf(first, Unavailable)
        self.answer()
        self.assertEqual(self.successResultOf(second), "B")

    def test_cancelled(self) -> None:
        """Who does not wait any more takes nothing from the others."""
        first, second = self.together.get("a"), self.together.get("a")
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.answer()
        self.answer()
        self.assertEqual(self.successResultOf(second), "A")

    def test_bounded(self) -> None:
        """A database that stopped answering makes no queue without end, nor one huge question."""
        self.patch(module, "MOST", 2)
        self.patch(module, "MOST_WAITING", 3)
        waiting = [self.together.get(key) for key in "abcd"]
        self.failureResultOf(self.together.get("e"), Unavailable)
        for _ in range(3):
            self.answer()
        self.assertEqual([self.successResultOf(one) for one in waiting], list("ABCD"))
        self.assertEqual([keys for keys, _ in self.asked], [{"a"}, {"b", "c"}, {"d"}])
