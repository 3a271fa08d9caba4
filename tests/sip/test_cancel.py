"""CANCEL of theirs, before, at and after the final response (RFC 3261 9.2)."""

from __future__ import annotations

from tests.sip.exchange import HouseCase


class CancelTests(HouseCase):
    """CANCEL before, at and after the final response."""

    def test_before(self) -> None:
        """200 to the CANCEL, 487 to the INVITE, and the user is told."""
        self.house.hears()
        self.house.answer(180, "ours")
        self.house.hears("CANCEL")
        self.assertEqual(self.way.statuses, [180, 200, 487])
        cancelled, terminated = self.way.messages[1:]
        self.assertEqual((cancelled.cseq[1], terminated.cseq[1]), ("CANCEL", "INVITE"))
        self.assertEqual((cancelled.to.tag, terminated.to.tag), ("ours", "ours"))
        self.assertEqual(self.house.happened, ["cancelled"])
        self.assertTrue(self.house.last.answered)
        self.house.answer(200)
        self.house.hears("ACK", to=";tag=ours")
        self.assertEqual(self.way.statuses, [180, 200, 487])

    def test_repeated(self) -> None:
        """A repeated CANCEL gets the same 200 and does nothing."""
        self.house.hears()
        self.house.hears("CANCEL")
        self.house.hears("CANCEL")
        self.assertEqual(self.way.statuses, [200, 487, 200])
        first, _, second = (data for _, data in self.way.sent)
        self.assertEqual(first, second)
        self.assertEqual(self.house.happened, ["cancelled"])

    def test_after(self) -> None:
        """After the 200 it has no effect; they will say BYE."""
        self.house.hears()
        self.house.answer(200)
        self.house.hears("CANCEL")
        self.assertEqual(self.way.statuses, [200, 200])
        self.assertEqual(self.house.happened, [])
        self.house.last.acknowledged()

    def test_at(self) -> None:
        """The user that answers when told of the CANCEL is too late."""
        self.house.cancelled = lambda cancel: self.house.answer(200)  # type: ignore[method-assign]
        self.house.hears()
        self.house.hears("CANCEL")
        self.assertEqual(self.way.statuses, [200, 487])

    def test_of_nothing(self) -> None:
        """481, and nothing is kept of it."""
        self.house.hears("CANCEL")
        self.house.hears("CANCEL")
        self.assertEqual(self.way.statuses, [481, 481])
        self.assertEqual(len({data for _, data in self.way.sent}), 1)
        self.assertEqual(len(self.house.transactions), 0)

    def test_user_fails(self) -> None:
        """An error of the user is written down; the 487 has been sent."""
        self.house.breaks = {"cancelled"}
        self.house.hears()
        self.house.hears("CANCEL")
        self.assertEqual(self.way.statuses, [200, 487])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
