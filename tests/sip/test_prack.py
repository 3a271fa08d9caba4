"""Reliable provisional responses, both roles (RFC 3262)."""

from __future__ import annotations

from rapida_tw.errors import NETWORK_FAILED, PROTOCOL_ERROR
from rapida_tw.wire.sip_dialog import Dialog
from rapida_tw.wire.sip_message import Response
from tests.sip.session_case import SessionCase, sdp

REQUIRED = (("Require", "100rel"), ("Allow", "INVITE, BYE, PRACK"))


class RingingTests(SessionCase):
    """They require it."""

    def ring(self, body: bytes | None = None) -> Response:
        self.invited = self.request("INVITE", sdp() if body is None else body, REQUIRED)
        self.session.ring(self.invite)
        return self.responses(self.invited)[0]

    def prack(self, ringing: Response, body: bytes = b"", rack: str = "") -> Response:
        rack = rack or f"{ringing.headers.get('RSeq')} {self.invited} INVITE"
        return self.answer_to("PRACK", body, (("RAck", rack),))

    def statuses(self) -> list[int]:
        return [each.status for each in self.responses(self.invited)]

    def test_numbered(self) -> None:
        """The 180 requires 100rel, with a number that is below 2**31."""
        ringing = self.ring()
        self.assertEqual((ringing.status, ringing.sdp), (180, b""))
        self.assertIn("100rel", ringing.headers.tokens("Require"))
        self.assertIn(int(ringing.headers.get("RSeq")), range(1, 2**31))

    def test_only_supported(self) -> None:
        """Who only supports it gets a plain 180."""
        self.request("INVITE", sdp(), (("Supported", "100rel"),))
        self.session.ring(self.invite)
        (ringing,) = self.responses(self.cseq)
        self.assertEqual((ringing.headers.get("RSeq"), ringing.headers.get("Require")), ("", ""))

    def test_repeated(self) -> None:
        """It is sent again after 0.5, 1.5, 3.5 s, until the PRACK is there."""
        ringing = self.ring()
        for count, quarters in enumerate((2, 4, 8), 2):
            self.clock.pump([0.25] * (quarters - 1))
            self.assertEqual(self.statuses(), [180] * (count - 1))
            self.clock.advance(0.25)
            self.assertEqual(self.statuses(), [180] * count)
        self.assertEqual(self.prack(ringing).status, 200)
        self.clock.advance(30)
        self.assertEqual(self.statuses(), [180] * 4)

    def test_never(self) -> None:
        """No PRACK for 32 s: the INVITE is refused, and the owner told."""
        self.ring()
        self.clock.pump([0.5] * 64)
        self.assertEqual(self.statuses()[-1], 504)
        self.assertEqual(self.ended[0].reason, NETWORK_FAILED.reason)
        self.assertEqual((self.stream.closed, len(self.board.dialogs)), (1, 0))

    def test_other(self) -> None:
        """A PRACK of something else, or the same one again, is 481 and changes nothing."""
        ringing = self.ring()
        sequence = int(ringing.headers.get("RSeq"))
        wrong = (
            f"{sequence + 1} {self.invited} INVITE",
            f"{sequence} {self.invited + 1} INVITE",
            f"{sequence} {self.invited} UPDATE",
            f"{sequence} {self.invited}",
            "9" * 5_000,
            "x",
        )
        for rack in wrong:
            with self.subTest(rack=rack[:30]):
                self.assertEqual(self.prack(ringing, rack=rack).status, 481)
        self.assertEqual(self.prack(ringing).status, 200)
        self.assertEqual(self.prack(ringing).status, 481)

    def test_prack_of_nothing(self) -> None:
        """PRACK in a call that has no reliable response."""
        self.up()
        self.assertEqual(self.answer_to("PRACK", headers=(("RAck", "1 1 INVITE"),)).status, 481)

    def test_one_after_the_other(self) -> None:
        """The next one waits for the PRACK of the one before, and counts on."""
        first = self.ring()
        self.session.ring(self.invite, 183)
        self.assertEqual(self.statuses(), [180])
        self.prack(first)
        self.assertEqual(self.statuses(), [180, 183])
        second = self.responses(self.invited)[1]
        self.assertEqual(int(second.headers.get("RSeq")), int(first.headers.get("RSeq")) + 1)
        self.assertEqual(self.prack(second).status, 200)

    def test_answered_before(self) -> None:
        """Our 200 does not wait for the PRACK of a 180 without description, and ends repeating."""
        ringing = self.ring()
        self.session.answer(self.invite)
        self.assertEqual(self.statuses(), [180, 200])
        self.clock.advance(0.4)
        self.assertEqual(self.prack(ringing).status, 200)
        self.request("ACK", cseq=self.invited)
        self.clock.pump([0.5] * 20)
        self.assertEqual(self.statuses(), [180, 200])

    def test_late_offer(self) -> None:
        """Without an offer of theirs the 180 has ours, the PRACK the answer, the 200 nothing."""
        ringing = self.ring(b"")
        self.assertIn(b"RTP/AVP 0 8", ringing.sdp)
        self.session.answer(self.invite)
        self.assertEqual(self.statuses(), [180])
        self.assertEqual(self.prack(ringing, sdp("8")).status, 200)
        self.assertEqual(self.stream.agreements[0][0].codec.name, "PCMA")
        answer = self.responses(self.invited)[-1]
        self.assertEqual((answer.status, answer.sdp), (200, b""))
        self.request("ACK", cseq=self.invited)
        self.assertEqual((self.established, self.ended), (1, []))

    def test_late_offer_unanswered(self) -> None:
        """A PRACK that should have the answer and has none."""
        ringing = self.ring(b"")
        self.prack(ringing)
        self.assertEqual(self.ended[0].reason, PROTOCOL_ERROR.reason)
        self.assertEqual(self.asked("BYE"), [])  # there is nothing to say it in yet

    def test_offer_in_prack(self) -> None:
        """After our answer a PRACK may offer anew (5); before it, not yet. No timer hangs on it."""
        timer = (("Supported", "timer"), ("Session-Expires", "90;refresher=uac"))
        for answered, status in ((True, 200), (False, 500)):
            with self.subTest(answered=answered):
                self.setUp()
                self.invited = self.request("INVITE", sdp(), (*REQUIRED, *timer))
                self.session.ring(self.invite)
                ringing = self.responses(self.invited)[0]
                if answered:
                    self.session.answer(self.invite)
                answer = self.prack(ringing, sdp("8", version=2))
                self.assertEqual(answer.status, status)
                self.assertEqual(b"RTP/AVP 8" in answer.sdp, answered)
                self.assertEqual(answer.headers.get("Session-Expires"), "")
                self.session.answer(self.invite)
                self.request("ACK", cseq=self.invited)
                self.clock.pump([0.5] * 130)
                self.assertEqual(self.ended[0].detail, "session timer expired")

    def test_cancelled(self) -> None:
        """After CANCEL nothing is repeated."""
        self.ring()
        self.request("CANCEL", cseq=self.invited)
        self.clock.pump([0.5] * 20)
        self.assertEqual((self.statuses().count(180), self.statuses()[2]), (1, 487))


class CallingTests(SessionCase):
    """They send reliable ones."""

    def ringing(self, sequence: str, status: int = 180, body: bytes = b"") -> Response:
        fields = (("Require", "100rel"), ("RSeq", sequence))
        return self.provisional(self.first, status, fields, body)

    def setUp(self) -> None:
        super().setUp()
        self.first = self.calling()
        self.make(Dialog.asked(self.first, self.ringing("7")), self.offers, self.first)

    def test_pracked(self) -> None:
        """Each gets a PRACK within the early dialog, a repeated one does not."""
        for response in (self.ringing("7"), self.ringing("7"), self.ringing("8")):
            self.session.provisional_received(response)
        pracks = self.asked("PRACK")
        racks = [prack.headers.get("RAck") for prack in pracks]
        self.assertEqual(racks, ["7 1 INVITE", "8 1 INVITE"])
        self.assertEqual([prack.cseq[0] for prack in pracks], [2, 3])
        self.assertEqual(pracks[0].to.tag, "147a")
        for prack in pracks:
            self.reply(prack, 200)

    def test_out_of_order(self) -> None:
        """One that comes before its turn waits to be repeated (4)."""
        self.session.provisional_received(self.ringing("7"))
        self.session.provisional_received(self.ringing("9", body=sdp()))
        self.assertEqual(len(self.asked("PRACK")), 1)
        self.assertEqual(self.stream.agreements, [])
        self.reply(self.ask("PRACK"), 200)

    def test_not_reliable(self) -> None:
        """A plain 18x, and one without a number, get none."""
        self.session.provisional_received(self.provisional(self.first, 180))
        self.session.provisional_received(self.ringing("x"))
        self.assertEqual(self.asked("PRACK"), [])

    def test_refused(self) -> None:
        """481 to a PRACK is about the response, not about the call."""
        self.session.provisional_received(self.ringing("7"))
        self.reply(self.ask("PRACK"), 481)
        self.assertEqual(self.ended, [])

    def test_answer_in_it(self) -> None:
        """A reliable answer counts: the 200 needs none, and an UPDATE may follow before it."""
        self.session.provisional_received(self.ringing("7", 183, sdp()))
        self.reply(self.ask("PRACK"), 200)
        self.assertEqual(self.answer_to("UPDATE", sdp(direction="sendonly", version=2)).status, 200)
        self.session.established(self.provisional(self.first, 200))
        self.assertEqual((self.established, self.ended), (1, []))
