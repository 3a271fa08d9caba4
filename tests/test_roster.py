"""Roster: who of a chain is asked next."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import VendorFailed
from rapida_tw.roster import Member, Roster, TooSlow, failures, fallbacks
from rapida_tw.sickness import LONGEST, SHORTEST, Sickness

GONE = VendorFailed("gone")
WRONG = VendorFailed("the key is wrong", 401, retryable=False)


def member(name: str, account: str = "", settings: str = "") -> Member[str]:
    return Member(name, lambda: name, account, settings)


A, B, C = member("a"), member("b"), member("c")


class _Case(SynchronousTestCase):
    """Three vendors, a register of the sick, and a clock."""

    def setUp(self) -> None:
        self.now = 100.0
        self.sickness = Sickness(lambda: self.now)
        self.roster = self.another()

    def another(self, *members: Member[str]) -> Roster[str]:
        """The roster of another call."""
        return Roster("tts", members or (A, B, C), self.sickness)

    def chosen(self, roster: Roster[str] | None = None) -> str:
        """The name of who is asked now, and used."""
        roster = roster or self.roster
        one = roster.choose()
        assert one is not None
        roster.use(one)
        return one.name


class OrderTests(_Case):
    """In one call."""

    def test_first(self) -> None:
        """The first is asked, and again, as long as it does not fail."""
        self.assertEqual([self.chosen(), self.chosen()], ["a", "a"])
        self.assertRaises(ValueError, Roster, "tts", (), self.sickness)

    def test_sticky(self) -> None:
        """Who has followed another stays, when that one might be asked again, too."""
        self.chosen()
        self.roster.failed(A, GONE)
        self.assertEqual(self.chosen(), "b")
        self.roster.worked(B, self.now)
        self.now += LONGEST
        self.roster.begin()
        self.assertEqual(self.chosen(), "b")

    def test_all(self) -> None:
        """Nobody is left when each has failed in a row; the failure names them all."""
        for one in (A, B, C):
            self.chosen()
            self.roster.failed(one, VendorFailed(f"{one.name} is down"))
        self.assertIsNone(self.roster.choose())
        self.assertEqual(
            str(self.roster.exhausted()),
            "no voice is left: a: a is down; b: b is down; c: c is down",
        )

    def test_back_again(self) -> None:
        """Something done between two failures makes those before it forgotten."""
        self.chosen()
        self.roster.failed(A, GONE)
        self.chosen()
        self.roster.worked(B, self.now)
        self.roster.failed(B, GONE)
        self.assertEqual(self.chosen(), "c")
        self.roster.failed(C, GONE)
        self.assertEqual(self.chosen(), "a")

    def test_next_phrase(self) -> None:
        """When all have failed, the next thing to do begins with the first to be well again."""
        self.roster.failed(A, WRONG)
        self.roster.failed(B, GONE)
        self.roster.failed(C, GONE)
        self.roster.begin()
        self.assertEqual(self.chosen(), "b")

    def test_too_slow(self) -> None:
        """Who was only too slow is asked once more when nobody else is left."""
        self.roster.failed(A, TooSlow("two seconds"))
        self.assertTrue(self.roster.others(A))
        self.roster.failed(B, GONE)
        self.roster.failed(C, GONE)
        self.assertFalse(self.roster.others(A))
        self.assertEqual(self.chosen(), "a")
        self.roster.failed(A, GONE)
        self.assertIsNone(self.roster.choose())

    def test_besides(self) -> None:
        """A spare is somebody else, who is not the current one for that."""
        self.chosen()
        self.assertIs(self.roster.choose(A), B)
        self.assertEqual(self.chosen(), "a")
        self.roster.failed(B, GONE)
        self.roster.failed(C, GONE)
        self.assertIsNone(self.roster.choose(A))

    def test_doubt(self) -> None:
        """Who is doubted comes last, is not sick, and when all are doubted it is the line."""
        self.chosen()
        self.assertTrue(self.roster.doubt(A))
        self.assertEqual(self.chosen(self.another()), "a")
        self.roster.failed(A, GONE)
        self.assertIs(self.roster.choose(), B)
        self.assertTrue(self.roster.doubt(B))
        self.assertFalse(self.roster.doubt(C))


class SicknessTests(_Case):
    """Among calls."""

    def test_new_calls(self) -> None:
        """They begin with the healthy one, until one of them tries the other."""
        self.roster.failed(A, GONE)
        self.assertEqual(self.chosen(self.another()), "b")
        self.now += SHORTEST
        self.assertEqual([self.chosen(self.another()) for _ in range(3)], ["a", "b", "b"])

    def test_recovered(self) -> None:
        """The one that tried has told that it works."""
        self.roster.failed(A, GONE)
        self.now += SHORTEST
        trying = self.another()
        self.chosen(trying)
        trying.worked(A, self.now)
        self.assertEqual([self.chosen(self.another()) for _ in range(3)], ["a", "a", "a"])

    def test_all_sick(self) -> None:
        """When all are, the one that will be well first is asked: somebody must be."""
        self.roster.failed(A, WRONG)
        self.now += 1.0
        self.roster.failed(C, GONE)
        self.now += 1.0
        self.roster.failed(B, GONE)
        self.assertEqual(self.chosen(self.another()), "c")

    def test_wrong_options(self) -> None:
        """What no time heals is this assistant's own fault, perhaps: others are not warned."""
        ours, theirs = member("a", "1", "no such voice"), member("a", "1", "another voice")
        self.another(ours, B).failed(ours, WRONG)
        self.assertEqual(self.chosen(self.another(ours, B)), "b")
        self.assertEqual(self.chosen(self.another(theirs, B)), "a")

    def test_down(self) -> None:
        """A vendor that is down is so for all assistants of the account."""
        ours, theirs = member("a", "1", "one voice"), member("a", "1", "another voice")
        self.another(ours, B).failed(ours, GONE)
        self.assertEqual(self.chosen(self.another(theirs, B)), "b")
        self.assertEqual(self.chosen(self.another(member("a", "2"), B)), "a")


class CountTests(_Case):
    """What operators see."""

    def test_counted(self) -> None:
        """Each failure by vendor, each change by both names."""
        before = failures.value("tts", "a"), fallbacks.value("tts", "a", "b")
        self.chosen()
        self.roster.failed(A, GONE)
        self.chosen()
        self.chosen()
        after = failures.value("tts", "a"), fallbacks.value("tts", "a", "b")
        self.assertEqual(after, (before[0] + 1, before[1] + 1))

    def test_bug(self) -> None:
        """An error that is no vendor's is logged whole, and told by its kind alone."""
        self.roster.failed(A, ValueError("key=secret"))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(str(self.roster.exhausted()), "no voice is left: a: ValueError")
