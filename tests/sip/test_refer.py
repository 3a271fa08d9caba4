"""REFER out: blind transfers, and what is heard of them (RFC 3515)."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred

from rapida_tw.errors import TRANSFERRED, NotSupported
from rapida_tw.wire.sip_message import Response
from tests.sip.session_case import SessionCase

NUMBER = "+1 (555) 987-6543"


class TransferTests(SessionCase):
    def setUp(self) -> None:
        super().setUp()
        self.up()

    def transfer(self, target: str = NUMBER) -> Deferred[None]:
        return self.session.transfer(target)

    def accepted(self) -> Deferred[None]:
        result = self.transfer()
        self.reply(self.ask("REFER"), 202)
        return result

    def notify(self, line: str, state: str = "active;expires=60", event: str = "refer") -> Response:
        fields = (
            ("Event", event),
            ("Subscription-State", state),
            ("Content-Type", "message/sipfrag;version=2.0"),
        )
        return self.answer_to("NOTIFY", line.encode(), fields)

    def said(self, result: Deferred[None]) -> str:
        return str(self.failureResultOf(result, NotSupported).value)

    def test_request(self) -> None:
        """A number is dialled at the far side, by us."""
        result = self.transfer()
        refer = self.ask("REFER")
        self.reply(refer, 603)
        self.said(result)
        self.assertEqual(refer.headers.get("Refer-To"), "<sip:+15559876543@198.51.100.7:5060>")
        self.assertEqual(refer.headers.get("Referred-By"), "<sip:15551234567@203.0.113.10>")
        self.assertEqual(refer.headers.get("Contact"), "<sip:203.0.113.10:5090>")
        self.assertEqual(refer.to.tag, "147a")

    def test_answered(self) -> None:
        """Tried, rings, answered: then it has worked, and the call hangs up."""
        result = self.accepted()
        for line in ("SIP/2.0 100 Trying", "SIP/2.0 180 Ringing\r\n"):
            self.assertEqual(self.notify(line).status, 200)
            self.assertNoResult(result)
        self.assertEqual(self.notify("SIP/2.0 200 OK\r\n", "terminated").status, 200)
        self.successResultOf(result)
        self.assertEqual(self.listener.ends, [])

    def test_not_reached(self) -> None:
        """What the far side says is told, and the call goes on."""
        result = self.accepted()
        self.notify("SIP/2.0 486 Busy Here", "terminated;reason=noresource")
        self.assertEqual(self.said(result), "the far side could not be connected: 486 Busy Here")
        self.assertEqual((self.listener.ends, self.stream.closed), ([], 0))

    def test_refused(self) -> None:
        """So is a far side that takes no REFER."""
        result = self.transfer()
        self.reply(self.ask("REFER"), 405)
        self.assertIn("405 Method Not Allowed", self.said(result))
        self.assertEqual(self.listener.ends, [])

    def test_notify_before_the_answer(self) -> None:
        """NOTIFY may overtake the 202."""
        result = self.transfer()
        self.notify("SIP/2.0 100 Trying")
        self.reply(self.ask("REFER"), 202)
        self.notify("SIP/2.0 200 OK")
        self.successResultOf(result)

    def test_silence(self) -> None:
        """30 s without NOTIFY: given up, the call is kept."""
        result = self.accepted()
        self.clock.advance(29.9)
        self.assertNoResult(result)
        self.clock.advance(0.2)
        self.assertIn("not said", self.said(result))
        self.assertEqual(self.listener.ends, [])

    def test_rings_long(self) -> None:
        """While it rings there, a minute is waited."""
        result = self.accepted()
        self.notify("SIP/2.0 180 Ringing")
        self.clock.advance(59)
        self.assertNoResult(result)
        self.clock.advance(2)
        self.said(result)

    def test_bye_during_it(self) -> None:
        """Their BYE means that they have gone there: the transfer worked, the call is over."""
        result = self.accepted()
        result.addCallback(lambda _: self.session.hang_up())
        self.assertEqual(self.answer_to("BYE").status, 200)
        self.successResultOf(result)
        self.assertEqual((self.asked("BYE"), self.listener.ends), ([], []))

    def test_bye_and_nobody_hangs_up(self) -> None:
        """Who does not end the call by itself is told that it was transferred."""
        result = self.accepted()
        self.answer_to("BYE")
        self.successResultOf(result)
        self.assertEqual(self.listener.ends, [TRANSFERRED])

    def test_bye_after_it(self) -> None:
        """After the 200 it is theirs to hang up, or ours."""
        self.successResultOf(self.final("SIP/2.0 200 OK"))
        self.answer_to("BYE")
        self.assertEqual(self.listener.ends, [TRANSFERRED])

    def final(self, line: str) -> Deferred[None]:
        result = self.accepted()
        self.notify(line)
        return result

    def test_hang_up_after_it(self) -> None:
        """Ours is an ordinary BYE; a last NOTIFY is still answered."""
        self.successResultOf(self.final("SIP/2.0 200 OK"))
        self.session.hang_up()
        self.ask("BYE")
        self.assertEqual(self.notify("SIP/2.0 200 OK", "terminated").status, 200)

    def test_bye_after_a_failure(self) -> None:
        """A transfer that failed does not make of a hang-up a transfer."""
        self.said(self.final("SIP/2.0 404 Not Found"))
        self.answer_to("BYE")
        self.assertEqual(self.listener.ends[0].reason, "remote_hangup")

    def test_no_subscription(self) -> None:
        """`Refer-Sub: false`: there will be no news, so the 202 is all (RFC 4488)."""
        result = self.transfer()
        self.reply(self.ask("REFER"), 202, (("Refer-Sub", "false"),))
        self.successResultOf(result)

    def test_second(self) -> None:
        """One at a time; after it has failed, another."""
        first = self.accepted()
        self.assertIn("another", self.said(self.transfer()))
        self.notify("SIP/2.0 503 Service Unavailable")
        self.said(first)
        second = self.transfer("tel:+15550001111")
        self.reply(self.asked("REFER")[1], 202)
        self.notify("SIP/2.0 200 OK", event="refer;id=2")
        self.successResultOf(second)

    def test_cancelled(self) -> None:
        """Nobody waits any more: nothing is left, later news are answered."""
        result = self.accepted()
        result.cancel()
        self.failureResultOf(result, CancelledError)
        self.assertEqual(self.notify("SIP/2.0 200 OK").status, 200)

    def test_hung_up_meanwhile(self) -> None:
        """The end of the call is the end of the waiting."""
        result = self.accepted()
        self.session.hang_up()
        self.assertIn("over", self.said(result))

    def test_lost_meanwhile(self) -> None:
        """481 to the REFER: the call is lost, and the transfer with it."""
        result = self.transfer()
        self.reply(self.ask("REFER"), 481)
        self.assertIn("481", self.said(result))
        self.assertEqual(len(self.listener.ends), 1)

    def test_challenged_without_password(self) -> None:
        """407 is a refusal like any other, if we have no password."""
        result = self.transfer()
        challenge = ("Proxy-Authenticate", 'Digest realm="t", nonce="n"')
        self.reply(self.ask("REFER"), 407, (challenge,))
        self.assertIn("407", self.said(result))

    def test_notify_of_nothing(self) -> None:
        """No REFER of ours, another event, or no status line."""
        self.assertEqual(self.notify("SIP/2.0 200 OK").status, 481)
        self.assertEqual(self.notify("SIP/2.0 200 OK", event="presence").status, 489)
        result = self.accepted()
        self.assertEqual(self.notify("HTTP/1.1 200 OK").status, 400)
        self.assertNoResult(result)
        self.assertEqual(self.notify("").status, 200)
        self.assertNoResult(result)
        self.notify("SIP/2.0 200 OK")
        self.successResultOf(result)

    def test_bad_target(self) -> None:
        """What is no target is told, and nothing is sent."""
        for target in (
            "",
            "Bob Smith",
            "sip:",
            "http://x",
            "+1\r\nX: y",
            "sip:a@h\r\nX: y",
            "1" * 99,
        ):
            with self.subTest(target=target):
                self.said(self.transfer(target))
        self.assertEqual(self.asked("REFER"), [])

    def test_over(self) -> None:
        """A call that has ended, or does not run yet, is not transferred."""
        self.request("BYE")
        self.said(self.transfer())
