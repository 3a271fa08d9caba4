"""Marks: when they are asked for, what they are called, and what is believed of them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.media.marks import PATIENCE, UNKNOWN, Marks


class AskingTests(SynchronousTestCase):
    """When a mark follows a frame."""

    def test_when(self) -> None:
        """Behind each 25th frame, and behind the last that there is; never twice behind one."""
        marks = Marks()
        asked = [
            (sent, name)
            for sent, dry in [
                *((sent, False) for sent in range(1, 61)),
                (60, True),
                (60, True),
                (61, True),
                (61, False),
                (86, False),
            ]
            if (name := marks.ask(sent, 1, dry)) is not None
        ]
        self.assertEqual(
            asked, [(25, "0.25"), (50, "0.50"), (60, "0.60"), (61, "0.61"), (86, "0.86")]
        )

    def test_between_chunks(self) -> None:
        """Where frames travel in chunks, a mark follows a whole chunk, or the last frame."""
        marks = Marks()
        marks.between_chunks(6)
        asked = [sent for sent in range(1, 70) if marks.ask(sent, 1, sent == 65) is not None]
        self.assertEqual(asked, [30, 60, 65])

    def test_nothing_sent(self) -> None:
        """There is nothing to ask about before the first frame."""
        self.assertIsNone(Marks().ask(0, 0, dry=True))

    def test_generation(self) -> None:
        """After a restart names are new, and the count goes on where it is told to."""
        marks = Marks()
        marks.restart(70)
        self.assertIsNone(marks.ask(70, 0, dry=True))
        self.assertEqual(marks.ask(71, 1, dry=True), "1.71")

    def test_short_names(self) -> None:
        """Twelve characters at most, however often the far side was emptied: some cut there."""
        marks = Marks()
        names = []
        for _ in range(10_001):
            marks.restart(0)
            names.append(marks.ask(9_999_999, 0, dry=True))
        self.assertEqual(max(len(name) for name in names if name), 12)
        self.assertEqual(len(set(names)), 10_000)


class HearingTests(SynchronousTestCase):
    """What a mark that comes says."""

    def setUp(self) -> None:
        self.marks = Marks()
        self.marks.restart(0)
        for sent in (25, 50, 60):
            self.marks.ask(sent, 6, dry=True)

    def test_limit(self) -> None:
        """The frame before an awaited mark has not been heard to its end."""
        limits = [self.marks.limit]
        for name in ("1.25", "1.50", "1.60"):
            self.marks.heard(name)
            limits.append(self.marks.limit)
        self.assertEqual(limits[:3], [24, 49, 59])
        self.assertGreater(limits[3], 10**9)
        self.assertFalse(self.marks.awaited)

    def test_in_order(self) -> None:
        """Each says how much has been played."""
        told = [self.marks.heard(name) for name in ("1.25", "1.50", "1.60")]
        self.assertEqual(told, [25, 50, 60])

    def test_lost(self) -> None:
        """A mark speaks for those before it, which do not count when they come all the same."""
        for name, told in (("1.50", 50), ("1.25", 0), ("1.50", 0)):
            self.assertEqual((self.marks.heard(name), self.marks.limit), (told, 59))

    def test_ignored(self) -> None:
        """A name that nobody waits for says nothing, whatever it looks like."""
        for name in (
            *("", "1", "1.", ".25", "1.26", "1.61", "0.25", "2.25", "01.25", "1.25 ", " 1.25"),
            *("1.-25", "1.2e1", "1.٢٥", "\x00", "1.25" * 10_000, "9" * 5000),
        ):
            self.assertEqual((self.marks.heard(name), self.marks.limit), (0, 24), name[:20])

    def test_older_generation(self) -> None:
        """What is given back after a clear says nothing, and nobody waits for it."""
        self.marks.restart(3)
        self.assertFalse(self.marks.awaited)
        for name in ("1.25", "1.60"):
            self.assertEqual(self.marks.heard(name), 0)


class GivingUpTests(SynchronousTestCase):
    """Marks that do not come."""

    def beats(self, marks: Marks, count: int) -> None:
        for _ in range(count):
            marks.beat()

    def test_patience(self) -> None:
        """A mark is awaited for two seconds after its frame's time; then the beat is believed."""
        for ahead in (0, 6, 50):
            marks = Marks()
            marks.ask(25, ahead, dry=True)
            self.beats(marks, ahead + PATIENCE - 1)
            self.assertTrue(marks.awaited)
            self.beats(marks, 1)
            self.assertFalse(marks.awaited)

    def test_each_in_its_time(self) -> None:
        """A later mark is not given up with an earlier one, and not later than its own time."""
        marks = Marks()
        marks.ask(25, 6, dry=True)
        self.beats(marks, 40)
        marks.ask(50, 6, dry=True)
        limits = []
        for _ in range(PATIENCE + 10):
            marks.beat()
            limits.append(marks.limit)
        self.assertEqual(limits.count(24), 6 + PATIENCE - 40 - 1)
        self.assertEqual(limits.count(49), 40)

    def test_too_late(self) -> None:
        """What comes after it was given up says nothing."""
        marks = Marks()
        name = marks.ask(25, 6, dry=True) or ""
        self.beats(marks, PATIENCE + 6)
        self.assertEqual(marks.heard(name), 0)

    def test_unknown(self) -> None:
        """A far side that has let three marks wait and given none back is asked no more."""
        marks = Marks()
        asked = []
        for sent in range(1, 7):
            asked.append(marks.ask(sent, 0, dry=True))
            self.beats(marks, PATIENCE)
            self.assertFalse(marks.awaited)
            marks.restart(sent)
        self.assertEqual(len([name for name in asked if name]), UNKNOWN)

    def test_unknown_at_once(self) -> None:
        """Nobody waits for those that are still out when the third is given up."""
        marks = Marks()
        for sent in range(1, 9):
            marks.ask(sent, 0, dry=True)
            self.beats(marks, 1)
        self.beats(marks, PATIENCE - 7)
        self.assertTrue(marks.awaited)
        self.beats(marks, 1)
        self.assertFalse(marks.awaited)

    def test_known(self) -> None:
        """Who has given back one is asked for ever, however many are lost."""
        marks = Marks()
        marks.heard(marks.ask(1, 0, dry=True) or "")
        for sent in range(2, 12):
            self.assertIsNotNone(marks.ask(sent, 0, dry=True))
            self.beats(marks, PATIENCE)
