"""Requests of ours: repeated until answered, given up in time, cancelled (RFC 3261 17.1, 9.1)."""

from __future__ import annotations

from rapida_tw.sip.base import ClientTransaction
from rapida_tw.sip.counters import dropped
from rapida_tw.wire.sip_message import Request, Response, parse
from tests.sip.exchange import Asked, HouseCase, Way, ours

DOUBLING = [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
TO_T2 = [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]


class Tests(HouseCase):
    """With a user, and ways to answer it."""

    def setUp(self) -> None:
        super().setUp()
        self.asked = Asked()

    def send(self, method: str = "INVITE") -> ClientTransaction:
        return self.house.transactions.send(ours(method), self.way, self.asked)

    def sent(self, method: str) -> Request:
        """The first of that method."""
        found = [message for message in self.way.messages if isinstance(message, Request)]
        return next(message for message in found if message.method == method)

    def gets(self, status: int, method: str = "INVITE", tag: str = "them") -> None:
        """A response of theirs arrives."""
        response = parse(self.sent(method).answer(status, to_tag=tag).encode())
        self.house.transactions.received(response, self.way)


class InviteTests(Tests):
    """INVITE over UDP."""

    def test_as_it_is_sent(self) -> None:
        """Our Via is on top: where we are, rport, and a new branch each time."""
        self.send()
        self.send()
        first, second = (message.via for message in self.way.messages)
        self.assertEqual((first.transport, first.host, first.port), ("UDP", "203.0.113.10", 5090))
        self.assertIn("rport", first.parameters)
        self.assertTrue(first.branch.startswith("z9hG4bK"))
        self.assertNotEqual(first.branch, second.branch)
        self.assertTrue(self.way.sent[0][1].splitlines()[1].startswith(b"Via: "))

    def test_ipv6(self) -> None:
        """An address of IPv6 stands in brackets."""
        self.way.local = ("2001:db8::1", 5090)
        self.send()
        self.assertIn(b"Via: SIP/2.0/UDP [2001:db8::1]:5090;rport;", self.way.sent[0][1])

    def test_nobody_answers(self) -> None:
        """Seven times in 32 s, then the user is told, once."""
        self.send()
        self.house.advance(31.9)
        self.assertEqual(self.asked.failures, [])
        self.house.advance(10)
        self.assertEqual(self.way.times("INVITE"), DOUBLING)
        self.assertEqual(self.asked.failures, ["timeout"])

    def test_ringing(self) -> None:
        """A provisional response ends the repetitions; ringing may last."""
        self.send()
        self.house.advance(1)
        self.gets(180)
        self.house.advance(100)
        self.assertEqual(self.way.times("INVITE"), [0, 0.5])
        self.gets(180)
        self.gets(486)
        self.assertEqual((self.asked.statuses, self.asked.failures), ([180, 180, 486], []))

    def test_refused(self) -> None:
        """Each repeated failure is acknowledged for the user, who is told of the first."""
        self.send()
        self.gets(486, tag="b")
        self.house.advance(30)
        self.gets(486, tag="b")
        self.assertEqual(self.asked.statuses, [486])
        self.assertEqual(self.way.times("ACK"), [0, 30])
        ack, invite = self.sent("ACK"), self.sent("INVITE")
        self.assertEqual(ack.via, invite.via)
        self.assertEqual((ack.to.tag, ack.cseq), ("b", (1, "ACK")))

    def test_forks(self) -> None:
        """Every 2xx is the user's for 32 s, repeated ones and other forks' ones too (RFC 6026)."""
        self.send()
        self.gets(200, tag="a")
        self.gets(200, tag="b")
        self.house.advance(31)
        self.gets(200, tag="a")
        self.assertEqual(self.asked.statuses, [200, 200, 200])
        self.assertEqual(self.way.methods, ["INVITE"])
        self.house.advance(2)
        self.gets(200, tag="a")
        self.assertEqual(self.asked.statuses, [200, 200, 200])
        self.assertEqual([stray.status for stray in self.house.strays], [200])

    def test_ack_of_2xx(self) -> None:
        """It has a branch of its own, and keeps it when it is sent again."""
        self.send()
        ack = ours("ACK")
        self.house.transactions.send_ack(ack, self.way)
        self.house.transactions.send_ack(ack, self.way)
        self.assertEqual(self.way.sent[1][1], self.way.sent[2][1])
        self.assertNotEqual(self.sent("ACK").via.branch, self.sent("INVITE").via.branch)

    def test_strays(self) -> None:
        """Responses to nothing, of other branches or with two Vias are dropped and counted."""
        before = dropped.value("stray-response")
        self.send()
        answer = self.sent("INVITE").answer(200, to_tag="b")
        for via in (
            "SIP/2.0/UDP h;branch=z9hG4bKother",
            str(answer.via).replace("z9hG4bK", "z9hg4bk"),
            f"{answer.via}, SIP/2.0/UDP h;branch=z9hG4bK2",
        ):
            answer.headers.set("Via", via)
            self.house.transactions.received(parse(answer.encode()), self.way)
        self.gets(404, "INVITE")
        stray = self.sent("INVITE").answer(404)
        stray.headers.set("CSeq", "1 BYE")
        self.house.transactions.received(parse(stray.encode()), self.way)
        self.assertEqual(self.asked.statuses, [404])
        self.assertEqual(self.house.strays, [])
        self.assertEqual(dropped.value("stray-response"), before + 4)

    def test_user_fails(self) -> None:
        """An error of the user's is written down, and the failure acknowledged."""

        def fails(response: Response, flow: object) -> None:
            raise RuntimeError

        self.asked.response_received = fails  # type: ignore[method-assign]
        self.send()
        self.gets(486)
        self.assertEqual(self.way.methods, ["INVITE", "ACK"])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


class CancelTests(Tests):
    """Giving an INVITE up."""

    def test_waits(self) -> None:
        """CANCEL waits for a provisional response, and then has the INVITE's way (9.1)."""
        transaction = self.send()
        transaction.cancel("SIP;cause=200")
        transaction.cancel()
        self.assertEqual(self.way.methods, ["INVITE"])
        self.gets(100)
        cancel, invite = self.sent("CANCEL"), self.sent("INVITE")
        self.assertEqual((cancel.via, cancel.uri, cancel.cseq[0]), (invite.via, invite.uri, 1))
        self.assertEqual(cancel.headers.values("Route"), invite.headers.values("Route"))
        self.gets(200, "CANCEL")
        self.gets(487)
        self.assertEqual(self.asked.statuses, [100, 487])
        self.assertEqual(self.way.methods, ["INVITE", "CANCEL", "ACK"])

    def test_reason(self) -> None:
        """The reason is told (RFC 3326)."""
        transaction = self.send()
        self.gets(180)
        transaction.cancel("SIP;cause=200")
        self.assertEqual(self.sent("CANCEL").headers.get("Reason"), "SIP;cause=200")

    def test_too_late(self) -> None:
        """A 200 that was faster is the user's; afterwards there is nothing to cancel."""
        transaction = self.send()
        self.gets(180)
        transaction.cancel()
        self.gets(200)
        transaction.cancel()
        self.gets(200, "CANCEL")
        self.assertEqual(self.asked.statuses, [180, 200])
        self.assertEqual(self.way.methods, ["INVITE", "CANCEL"])

    def test_refused_meanwhile(self) -> None:
        """A failure before anything provisional: no CANCEL is needed."""
        self.send().cancel()
        self.gets(486)
        self.assertEqual(self.way.methods, ["INVITE", "ACK"])

    def test_no_answer(self) -> None:
        """The CANCEL is repeated; without a 487 it is over 32 s later."""
        transaction = self.send()
        self.gets(180)
        self.house.advance(50)
        transaction.cancel()
        self.house.advance(33)
        self.assertEqual(self.way.times("CANCEL"), [50 + time for time in TO_T2])
        self.assertEqual(self.asked.failures, ["timeout"])

    def test_nobody_there(self) -> None:
        """Without any response the INVITE ends as if it had not been given up."""
        self.send().cancel()
        self.house.advance(33)
        self.assertEqual(self.way.times("INVITE"), DOUBLING)
        self.assertEqual(self.asked.failures, ["timeout"])


class OtherTests(Tests):
    """Requests that are no INVITE."""

    def test_nobody_answers(self) -> None:
        """Repeated up to every 4 s, then the user is told."""
        self.send("BYE")
        self.house.advance(33)
        self.assertEqual(self.way.times("BYE"), TO_T2)
        self.assertEqual(self.asked.failures, ["timeout"])

    def test_provisional(self) -> None:
        """After a 100 each 4 s, and the end stays where it was."""
        self.send("BYE")
        self.house.advance(1)
        self.gets(100, "BYE")
        self.house.advance(33)
        self.assertEqual(self.way.times("BYE"), [0, 0.5, *(1.5 + 4 * n for n in range(8))])
        self.assertEqual((self.asked.statuses, self.asked.failures), ([100], ["timeout"]))

    def test_answered(self) -> None:
        """A repeated answer is not heard again."""
        self.send("BYE")
        self.gets(200, "BYE")
        self.gets(200, "BYE")
        self.house.advance(40)
        self.assertEqual((self.asked.statuses, self.way.methods), ([200], ["BYE"]))

    def test_full_buffer(self) -> None:
        """One datagram that did not leave is repeated like a lost one."""
        self.way.works = False
        self.send("BYE")
        self.house.advance(0.1)
        self.way.works = True
        self.house.advance(1)
        self.assertEqual((self.way.times("BYE"), self.asked.failures), ([0.5], []))

    def test_no_way(self) -> None:
        """A second one in a row means that there is no way."""
        self.way.works = False
        self.send("BYE")
        self.house.advance(1)
        self.assertEqual(self.asked.failures, ["it could not be sent"])

    def test_now_and_then(self) -> None:
        """Single datagrams that did not leave, with others between them, are no end."""
        self.send("BYE")
        for seconds, works in ((1, False), (2, True), (4, False), (4, True)):
            self.way.works = works
            self.house.advance(seconds)
        self.assertEqual((self.way.times("BYE"), self.asked.failures), ([0, 1.5, 7.5], []))

    def test_asking_again(self) -> None:
        """A user may send the next request while it is told of the end of one."""
        self.asked.request_failed = lambda reason: self.gives_it_to_another()  # type: ignore
        self.send("BYE")
        self.house.advance(33)
        self.assertEqual(self.way.methods[-1], "OPTIONS")

    def gives_it_to_another(self) -> None:
        self.house.transactions.send(ours("OPTIONS"), self.way, Asked())


class StreamTests(Tests):
    """Over TCP nothing is sent twice."""

    transport = "TCP"

    def test_invite(self) -> None:
        """Once, and the user waits 32 s at most for the first word."""
        self.send()
        self.house.advance(33)
        self.assertEqual((self.way.methods, self.asked.failures), (["INVITE"], ["timeout"]))

    def test_ends_at_once(self) -> None:
        """Nothing is awaited behind an answer."""
        self.send("BYE")
        self.gets(200, "BYE")
        self.send()
        self.gets(486)
        self.assertEqual(len(self.house.transactions), 0)

    def test_closed(self) -> None:
        """The user is told soon, but not before `send` has returned."""
        self.way.open = False
        self.send()
        self.assertEqual(self.asked.failures, [])
        self.house.advance(0.1)
        self.assertEqual(self.asked.failures, ["it could not be sent"])

    def test_connection_lost(self) -> None:
        """What waits for its first answer over it has failed; what rings may be answered yet."""
        other = Asked()
        self.house.transactions.send(ours(), Way(self.house.clock, "TCP"), other)
        ringing = Asked()
        self.house.transactions.send(ours(), self.way, ringing)
        self.gets(180)
        self.send("BYE")
        self.house.transactions.flow_lost(self.way)
        self.assertEqual(self.asked.failures, ["it could not be sent"])
        self.assertEqual((ringing.failures, other.failures), ([], []))
        self.gets(200)
        self.assertEqual(ringing.statuses, [180, 200])
