"""Requests of theirs: each is heard once and answered, whatever is lost (RFC 3261 17.2, 9.2)."""

from __future__ import annotations

import gc

from rapida_tw.errors import LocalProtocolError
from rapida_tw.sip.counters import dropped, failures
from rapida_tw.sip.transactions import evicted
from rapida_tw.wire.sip_message import Request, parse
from tests.sip.exchange import House, HouseCase, ours, theirs

# 13.3.1.4: T1, doubling up to T2, for 64*T1.
REPEATS = [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]


class InviteTests(HouseCase):
    """INVITE over UDP."""

    def test_three_times(self) -> None:
        """An INVITE that comes three times is one call, and hears what was said last again."""
        self.house.hears()
        self.house.hears()
        self.assertEqual(self.way.statuses, [])
        self.house.answer(100)
        self.house.hears()
        self.assertEqual(len(self.house.taken), 1)
        self.assertEqual(self.way.statuses, [100, 100])
        self.house.answer(486)

    def test_lost_ack(self) -> None:
        """The 200 is repeated for 32 s, then its user is told, once."""
        self.house.hears()
        self.house.answer(200)
        self.house.advance(31.9)
        self.assertEqual(self.house.happened, [])
        self.house.advance(0.2)
        self.assertEqual(self.way.times(200), REPEATS)
        self.assertEqual(self.house.happened, ["not acknowledged"])
        self.house.advance(40)
        self.assertEqual(self.house.happened, ["not acknowledged"])

    def test_late_reactor(self) -> None:
        """A delay does not add up, and what a stall has missed is not made up for."""
        self.house.hears()
        self.house.answer(200)
        for seconds in (0.75, 0.75, 5, 0.5, 4, 4):  # at 0.75, 1.5, 6.5, 7, 11, 15
            self.house.clock.advance(seconds)
        self.assertEqual(self.way.times(200), [0, 0.75, 1.5, 6.5, 11, 15])
        self.house.last.acknowledged()

    def test_acknowledged(self) -> None:
        """The ACK ends the repetitions; the INVITE stays known, and is not answered again."""
        self.house.hears()
        self.house.answer(200)
        self.house.advance(1)
        self.house.hears("ACK", branch="z9hG4bK-ack", to=";tag=us")
        self.assertEqual(len(self.house.acks), 1)
        self.house.last.acknowledged()
        self.house.last.acknowledged()
        self.house.advance(20)
        self.house.hears()
        self.house.advance(20)
        self.assertEqual(self.way.times(200), [0, 0.5])
        self.assertEqual((len(self.house.taken), self.house.happened), (1, []))

    def test_ack_with_the_branch(self) -> None:
        """The ACK of a 2xx that has the INVITE's branch by mistake arrives all the same."""
        self.house.hears()
        self.house.answer(200)
        self.house.hears("ACK", to=";tag=us")
        self.house.last.acknowledged()
        self.house.hears("ACK", to=";tag=us")
        self.assertEqual(len(self.house.acks), 2)

    def test_failure(self) -> None:
        """A failure is repeated until its ACK, which nobody else sees."""
        self.house.hears()
        self.house.answer(486)
        self.house.advance(4)
        self.house.hears("ACK", to=";tag=us")
        self.house.hears("ACK", to=";tag=us")
        self.house.advance(40)
        self.assertEqual(self.way.times(486), [0, 0.5, 1.5, 3.5])
        self.assertEqual(self.house.acks, [])

    def test_failure_without_ack(self) -> None:
        """It gives up after 32 s, and there is nobody to say BYE to."""
        self.house.hears()
        self.house.answer(486)
        self.house.advance(40)
        self.assertEqual(self.way.times(486), REPEATS)
        self.assertEqual(self.house.happened, [])

    def test_after_the_final(self) -> None:
        """What is said after the final response is not sent."""
        self.house.hears()
        self.assertFalse(self.house.last.answered)
        self.house.answer(200)
        for status in (180, 200, 500):
            self.house.answer(status)
        self.assertTrue(self.house.last.answered)
        self.assertEqual(self.way.statuses, [200])

    def test_accepted_twice(self) -> None:
        """One request cannot have two owners."""
        self.house.hears()
        with self.assertRaises(LocalProtocolError):
            self.house.transactions.accept(self.house.last.request, self.way)
        self.house.answer(486)

    def test_old_peer(self) -> None:
        """RFC 2543: no branch; the repetition, CANCEL and ACK are matched all the same."""
        for _ in range(2):
            self.house.hears(branch="")
        self.house.hears("CANCEL", branch="")
        self.house.hears("ACK", branch="", to=";tag=us")
        self.assertEqual(len(self.house.taken), 1)
        self.assertEqual(self.way.statuses, [200, 487])
        self.assertEqual(self.house.acks, [])
        self.house.advance(10)
        self.assertEqual(self.way.statuses, [200, 487])

    def test_one_branch_for_all(self) -> None:
        """A peer whose calls have one branch is heard twice."""
        self.house.hears()
        self.house.hears(call_id="c2")
        self.assertEqual(len(self.house.taken), 2)
        for transaction in self.house.taken:
            transaction.respond(transaction.request.answer(486))

    def test_to_tag(self) -> None:
        """A response whose user forgot the To tag gets one, always the same."""
        self.house.hears()
        self.house.answer(180, "")
        self.house.answer(486, "")
        first, second = (message.to.tag for message in self.way.messages)
        self.assertTrue(first)
        self.assertEqual(first, second)

    def test_released(self) -> None:
        """Of an answered INVITE nothing stays but bytes."""
        self.house.hears(call_id="released")
        self.house.answer(200)
        self.house.last.acknowledged()
        self.house.taken.clear()
        gc.collect()
        held = [found for found in gc.get_objects() if isinstance(found, Request)]
        self.assertEqual([one for one in held if one.call_id == "released"], [])


class OtherTests(HouseCase):
    """Requests that are no INVITE."""

    def test_repeated(self) -> None:
        """A repeated BYE hears the same answer, for 32 s."""
        self.house.plan = [200]
        self.house.hears("BYE", to=";tag=us")
        self.house.advance(31)
        self.house.hears("BYE", to=";tag=us")
        self.assertEqual(len(self.house.taken), 1)
        self.assertEqual(self.way.sent[0][1], self.way.sent[1][1])
        self.house.advance(1.1)
        self.house.hears("BYE", to=";tag=us")
        self.assertEqual(len(self.house.taken), 2)

    def test_never_answered(self) -> None:
        """After 32 s nobody waits: no answer is sent any more (RFC 4320)."""
        self.house.hears("INFO", to=";tag=us")
        self.house.advance(33)
        self.house.answer(200)
        self.assertEqual(self.way.sent, [])

    def test_ack_of_nothing(self) -> None:
        """An ACK is never answered."""
        self.house.hears("ACK")
        self.assertEqual((self.way.sent, len(self.house.acks)), ([], 1))

    def test_merged(self) -> None:
        """The same INVITE by another way is 482, as long as the first lives (8.2.2.2)."""
        self.house.hears()
        self.house.hears(branch="z9hG4bK-other")
        self.house.answer(200)
        self.house.last.acknowledged()
        self.house.hears(branch="z9hG4bK-other")
        self.assertEqual(self.way.times(482), [0, 0])
        self.assertEqual(len(self.house.taken), 1)
        self.house.hears("INVITE", branch="z9hG4bK-re", to=";tag=us")
        self.assertEqual(len(self.house.taken), 2)
        self.house.answer(488)

    def test_tried_again(self) -> None:
        """After a failure the same INVITE may come again: nothing was begun."""
        self.house.hears()
        self.house.answer(503)
        self.house.hears(branch="z9hG4bK-other")
        self.house.answer(503)
        self.assertEqual(len(self.house.taken), 2)

    def test_loop(self) -> None:
        """A request with a branch of ours is dropped."""
        before = dropped.value("loop")
        self.house.transactions.send(ours("OPTIONS"), self.way, None)
        self.house.transactions.received(parse(self.way.sent[0][1]), self.way)
        self.assertEqual((self.house.taken, dropped.value("loop")), ([], before + 1))

    def test_full(self) -> None:
        """Finished transactions make room, the oldest first; running ones do not."""
        self.house = House(limit=3)
        for number in range(1, 4):
            self.house.hears("BYE", number=number, branch=f"z9hG4bK{number}", to=";tag=us")
            if number < 3:
                self.house.answer(200)
        before = evicted.value()
        for number in (4, 5):
            self.house.hears("BYE", number=number, branch=f"z9hG4bK{number}", to=";tag=us")
        self.assertEqual((len(self.house.taken), len(self.house.transactions)), (5, 3))
        self.assertEqual(evicted.value(), before + 2)
        self.house.hears("BYE", number=6, branch="z9hG4bK6", to=";tag=us")
        self.assertEqual(self.house.way.statuses, [200, 200, 503])
        self.assertEqual(self.house.way.messages[-1].headers.get("Retry-After"), "10")
        self.house.transactions.send(ours("BYE"), self.house.way, None)
        self.assertEqual(self.house.way.methods, ["BYE"])

    def test_stateless_needs_no_room(self) -> None:
        """What is answered without being accepted drives nothing out."""
        self.house = House(limit=1)
        self.house.plan = [200]
        self.house.hears("BYE", to=";tag=us")
        self.house.request_received = lambda request, flow: None  # type: ignore[method-assign]
        self.house.hears("OPTIONS", branch="z9hG4bK-o")
        self.house.hears("BYE", to=";tag=us")
        self.assertEqual(self.house.way.statuses, [200, 200])

    def test_close(self) -> None:
        """Closing leaves no timer and no transaction."""
        self.house.hears()
        self.house.answer(200)
        self.house.hears("INFO", branch="z9hG4bK-i", to=";tag=us")
        self.house.transactions.send(ours(), self.way, None)
        self.house.transactions.close()
        self.assertEqual(self.house.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.house.transactions), 0)
        self.house.answer(200)
        self.assertEqual(self.house.happened, [])


class FailingTests(HouseCase):
    """Errors in what is above end here."""

    def test_before_it_was_accepted(self) -> None:
        """500, each time it comes; written down once."""
        before = failures.value()
        self.house.breaks = {"before"}
        self.house.hears()
        self.house.hears()
        self.assertEqual(self.way.statuses, [500, 500])
        self.assertEqual(failures.value(), before + 2)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.house.advance(60)
        self.house.hears()
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_after_it_was_accepted(self) -> None:
        """The transaction is answered 500, and repeats it."""
        self.house.breaks = {"after"}
        self.house.hears()
        self.house.hears()
        self.assertEqual(self.way.statuses, [500, 500])
        self.assertEqual(len(self.house.taken), 1)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_on_the_ack(self) -> None:
        """No answer to an ACK, not even then."""
        self.house.breaks = {"ack"}
        self.house.hears("ACK")
        self.assertEqual(self.way.sent, [])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


class StreamTests(HouseCase):
    """Over TCP nothing is lost, but an ACK may be."""

    transport = "TCP"

    def test_2xx(self) -> None:
        """The 200 is repeated there, too: the ACK comes from the far end (13.3.1.4)."""
        self.house.hears()
        self.house.answer(200)
        self.house.advance(33)
        self.assertEqual(self.way.times(200), REPEATS)
        self.assertEqual(self.house.happened, ["not acknowledged"])

    def test_failure(self) -> None:
        """A failure is sent once, and its ACK ends all."""
        self.house.hears()
        self.house.answer(486)
        self.house.advance(20)
        self.assertEqual(self.way.statuses, [486])
        self.house.hears("ACK", to=";tag=us")
        self.assertEqual(len(self.house.transactions), 0)

    def test_other(self) -> None:
        """Nothing is awaited behind the answer."""
        self.house.plan = [200]
        self.house.hears("BYE", to=";tag=us")
        self.assertEqual(len(self.house.transactions), 0)
        self.assertEqual(self.house.clock.getDelayedCalls(), [])

    def test_closed(self) -> None:
        """A response to a connection that has gone is dropped and counted."""
        before = dropped.value("response-not-sent")
        self.house.hears("BYE", to=";tag=us")
        self.way.open = False
        self.house.answer(200)
        self.assertEqual(self.way.sent, [])
        self.assertEqual(dropped.value("response-not-sent"), before + 1)

    def test_connected_again(self) -> None:
        """What they repeat over another connection is answered there."""
        self.house.hears()
        self.way.open = False
        again = House("TCP").way
        self.house.transactions.received(parse(theirs(transport="TCP")), again)
        self.house.answer(486)
        self.assertEqual((self.way.statuses, again.statuses), ([], [486]))
