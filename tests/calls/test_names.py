"""Names: whose call a callback speaks of, in this process and out of the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.calls import names
from rapida_tw.calls.names import Names
from rapida_tw.errors import Unavailable
from rapida_tw.store.records import NamedCall
from tests.calls.fakes import HeldStore

ONE, TWO = NamedCall(1, 5, 3), NamedCall(2, 5, 4)


class _Store(HeldStore):
    """Knows TWO as "old" of acme."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Any, ...]] = []

    def named(
        self, carrier: str, names: Sequence[str], project_id: int | None = None
    ) -> Deferred[NamedCall | None]:
        self.asked.append((carrier, tuple(names), project_id))
        return succeed(TWO if carrier == "acme" and "old" in names else None)


class NamesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.store = _Store()
        self.names = Names(self.store)
        self.names.remember("acme", ("context", "", "c1"), ONE)

    def find(self, *words: str, carrier: str = "acme", project: int | None = None) -> object:
        return self.successResultOf(self.names.find(carrier, words, project))

    def test_at_hand(self) -> None:
        """Each of a call's names finds it, and the database is not asked."""
        for word in ("context", "c1"):
            self.assertEqual(self.find("unknown", word), ONE)
        self.assertEqual(self.store.asked, [])

    def test_in_the_database(self) -> None:
        """What is not known here, other processes may have written."""
        self.assertEqual(self.find("unknown", "old"), TWO)
        self.assertEqual(self.store.asked, [("acme", ("unknown", "old"), None)])

    def test_unknown(self) -> None:
        """A name of nobody, a name that is empty, no name, another carrier's name."""
        self.assertIsNone(self.find("other"))
        self.assertIsNone(self.find(""))
        self.assertIsNone(self.find())
        self.assertIsNone(self.find("c1", carrier="twilio"))

    def test_project(self) -> None:
        """A project sees its own calls."""
        self.assertEqual(self.find("c1", project=3), ONE)
        self.assertIsNone(self.find("c1", project=4))

    def test_newest(self) -> None:
        """A flow that came back: the name means the newest call."""
        self.names.remember("acme", ("c1",), TWO)
        self.assertEqual(self.find("c1"), TWO)
        self.assertEqual(self.find("context"), ONE)

    def test_away(self) -> None:
        """A database that is away is no answer."""
        self.store.named = lambda *_: fail(Unavailable("away"))  # type: ignore[method-assign]
        self.failureResultOf(self.names.find("acme", ("x",)), Unavailable)

    def test_bounded(self) -> None:
        """The oldest names are forgotten here; the database has them."""
        self.patch(names, "REMEMBERED", 3)
        self.names.remember("acme", ("a", "b"), TWO)
        self.assertIsNone(self.find("context"))
        self.assertEqual([self.find(word) for word in ("c1", "a", "b")], [ONE, TWO, TWO])
