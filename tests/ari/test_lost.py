"""Answers and event sockets that are lost, and servers that are many."""

from __future__ import annotations

from itertools import pairwise

from rapida_tw.ari.call import LATE
from rapida_tw.ari.client import WITHIN
from rapida_tw.ari.events import IDLE, LONGEST_PAUSE
from rapida_tw.ari.telephone import AriTelephone
from rapida_tw.carriers.outbound import Reach, State
from tests.ari.case import AriCase, User, order


class AnswerLost(AriCase):
    """Nobody answers the request that dials."""

    def test_carried_out(self) -> None:
        """The channel is there: the call goes on, and is not asked for again."""
        self.asterisk.ignoring = {("POST", "/channels")}
        self.asterisk.tell = lambda app, event: True  # type: ignore[method-assign]
        self.asterisk.channels._tell = self.asterisk.tell
        self.person(rings=0.1, answers=60)
        self.dial(seconds=WITHIN + 1)
        self.assertEqual(self.user.told, ["accepted", "ringing"])
        self.assertEqual(len(self.asked("POST", "/channels")), 1)

    def test_told_by_an_event(self) -> None:
        """An event is as good as an answer, and faster."""
        self.asterisk.ignoring = {("POST", "/channels")}
        self.dial(seconds=2)
        self.assertEqual(self.user.told, ["accepted", "ringing", "answered"])
        self.run_for(WITHIN + 1)
        self.assertEqual(self.user.outcomes, [])

    def test_not_carried_out(self) -> None:
        """There is no such channel: nobody was rung up."""
        self.asterisk.ignoring_before = {("POST", "/channels")}
        self.dial(seconds=WITHIN + 1)
        [outcome] = self.user.outcomes
        self.assertEqual((outcome.status, outcome.reach), ("unreachable", Reach.NOBODY))

    def test_unknown(self) -> None:
        """Asterisk tells nothing at all: the call may exist, and nobody asks again."""
        call = self.telephone.dial(order(), self.user)
        assert call
        channel = next(iter(self.telephone.calls))
        self.asterisk.ignoring_before = {("POST", "/channels"), ("GET", f"/channels/{channel}")}
        self.run_for(2 * WITHIN + 1)
        [outcome] = self.user.outcomes
        self.assertEqual((outcome.reach, outcome.retryable), (Reach.UNKNOWN, False))

    def test_carried_out_late(self) -> None:
        """A call that was given up for lost begins to ring: it is hung up."""
        self.asterisk.ignoring_before = {("POST", "/channels")}
        call = self.dial(seconds=WITHIN + 1)
        query = self.asked("POST", "/channels")[0]
        self.asterisk.originate(query, {})
        self.run_for(1)
        self.assertEqual(dict(self.channels), {})
        self.assertNotIn(call.plan.channel, self.telephone.calls)
        self.assertEqual(len(self.user.outcomes), 1)

    def test_late_is_not_for_ever(self) -> None:
        """After a while nothing of it is kept."""
        self.asterisk.ignoring_before = {("POST", "/channels")}
        self.dial(seconds=WITHIN + LATE + 1)
        self.assertEqual(self.telephone.calls, {})

    def test_repeated_on_the_way(self) -> None:
        """The name is taken, by the call itself."""
        self.person(answers=None)
        self.dial(seconds=1)
        again = User()
        other = AriTelephone(self.net, self.clock)
        self.spare.append(other)
        other.dial(order(), again)
        self.run_for(1)
        self.assertEqual(again.told, ["accepted", "ringing"])
        self.assertEqual(len(self.channels), 1)


class SocketLost(AriCase):
    """The event socket breaks."""

    def test_again(self) -> None:
        """It is opened again, and the call goes on as if nothing had been."""
        self.dial(seconds=0.3)
        self.asterisk.cut()
        self.run_for(0.4)
        self.assertEqual(self.asterisk.sessions, {})
        self.person(answers=None)
        self.run_for(3)
        self.assertIn("rapida", self.asterisk.sessions)

    def test_answered_meanwhile(self) -> None:
        """Who waits in the application is connected when it is back."""
        self.person(rings=0.1, answers=5)
        call = self.dial(seconds=1)
        self.asterisk.cut()
        self.run_for(1)
        self.assertEqual(self.members_or_none(), None)
        self.run_for(6)
        self.assertEqual(self.members(), {call.plan.channel, call.plan.media_channel})
        self.assertEqual(self.user.states, [State.RINGING, State.ANSWERED])

    def members_or_none(self) -> set[str] | None:
        return next(iter(self.asterisk.channels.bridges.values()), None)

    def test_over_meanwhile(self) -> None:
        """A channel that is no more has ended; nobody knows why."""
        self.person(rings=0.1, answers=3, cause=17)
        self.dial(seconds=2)
        self.net.down.add("asterisk.test")
        self.asterisk.cut()
        self.run_for(5)
        self.assertEqual(self.user.outcomes, [])
        self.net.down.clear()
        self.run_for(10)
        [outcome] = self.user.outcomes
        self.assertIn("not received", outcome.reason)
        self.assertEqual(self.telephone.calls, {})

    def test_hung_up_meanwhile(self) -> None:
        """A connected call whose customer went is cleared away."""
        self.person(hangs_up=3)
        self.connected()
        self.net.down.add("asterisk.test")
        self.asterisk.cut()
        self.run_for(5)
        self.net.down.clear()
        self.run_for(10)
        self.assertEqual(dict(self.channels), {})
        self.assertEqual(self.asterisk.channels.bridges, {})

    def test_still_asked_for(self) -> None:
        """A call whose request is on its way is not missed in the list."""
        self.asterisk.ignoring_before = {("POST", "/channels")}
        self.dial(seconds=1)
        self.asterisk.cut()
        self.run_for(5)
        self.assertEqual(self.user.outcomes, [])

    def test_ever_more_slowly(self) -> None:
        """While nobody is there, it is tried less and less often."""
        self.person(answers=None)
        self.dial(seconds=1, ring_seconds=600)
        tries: list[float] = []
        self.net.down.add("asterisk.test")
        ways = self.net.connect
        self.net.connect = lambda *given: tries.append(self.clock.seconds()) or ways(*given)  # type: ignore[method-assign,func-returns-value]
        self.asterisk.cut()
        self.run_for(200)
        pauses = [later - earlier for earlier, later in pairwise(tries)]
        self.assertEqual(pauses[:3], [1, 2, 4])
        self.assertEqual(pauses[-1], LONGEST_PAUSE)

    def test_replaced(self) -> None:
        """Another server with the same name: both are told of it in the log, and none storms."""
        self.person(answers=None)
        self.dial(seconds=1)
        other = AriTelephone(self.net, self.clock)
        self.spare.append(other)
        again = User()
        other.dial(order(number=8), again)
        self.run_for(5)
        self.assertEqual(again.told, ["accepted", "ringing"])
        self.assertEqual(len(self.asterisk.sessions), 1)

    def test_nodes(self) -> None:
        """Servers that have names do not take each other's events."""
        self.person(answers=None)
        self.dial(seconds=1)
        other = AriTelephone(self.net, self.clock, node="b")
        self.spare.append(other)
        other.dial(order(number=8), User())
        self.run_for(1)
        self.assertEqual(set(self.asterisk.sessions), {"rapida", "rapida-b"})

    def test_one_for_all(self) -> None:
        """All calls of a login share one socket, which closes when none is left for a while."""
        self.person(hangs_up=2)
        self.dial(seconds=1)
        self.dial(number=8, seconds=1)
        self.assertEqual(len(self.asterisk.sessions), 1)
        self.run_for(IDLE - 5)
        self.assertEqual(len(self.asterisk.sessions), 1)
        self.run_for(10)
        self.assertEqual(self.asterisk.sessions, {})

    def test_after_idleness(self) -> None:
        """The next call opens it again."""
        self.person(hangs_up=1)
        self.dial(seconds=IDLE + 10)
        self.assertEqual(self.asterisk.sessions, {})
        self.user = User()
        self.person()
        self.connected(number=8)

    def test_garbage(self) -> None:
        """What is no event of ours is left alone."""
        call = self.connected()
        line = self.asterisk.sessions["rapida"].line
        for text in ("{", "[]", "{}", '{"type": 7}', '{"type": "x", "channel": 7}', "[" * 5000):
            line.send(text)
        line.send({"type": "StasisStart", "channel": {"id": call.plan.channel}})
        line.send({"type": "ChannelStateChange", "channel": {"id": call.plan.channel, "state": 7}})
        line.send({"type": "NewInLaterVersions", "channel": {"id": call.plan.media_channel}})
        self.run_for(1)
        self.assertEqual(len(self.channels), 2)

    def test_words_of_another_kind(self) -> None:
        """A channel's end counts, whatever stands in its fields."""
        call = self.dial(seconds=0.2)
        self.asterisk.sessions["rapida"].line.send(
            {
                "type": "ChannelDestroyed",
                "channel": {"id": call.plan.channel},
                "cause": "17",
                "cause_txt": 3,
            }
        )
        self.run_for(1)
        self.assertEqual(self.user.outcomes[0].status, "failed")
