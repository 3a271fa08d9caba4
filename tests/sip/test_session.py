"""Sessions: taking a call, ends by either side, and what is left of a dialog (RFC 3261 13, 15)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.errors import MEDIA_TIMEOUT, NETWORK_FAILED, PROTOCOL_ERROR, REMOTE_HANGUP
from rapida_tw.sip.login import Login
from rapida_tw.wire.sip_dialog import Dialog
from rapida_tw.wire.sip_message import Malformed
from tests.sip.session_case import SOUND, US, MemoryFlow, SessionCase, sdp

# What the parts read of a request.
NAMES = (
    *("Refer-To", "Referred-By", "Refer-Sub", "Event", "Subscription-State", "RAck", "Reason"),
    *("Session-Expires", "Min-SE", "Supported", "Content-Type", "Allow"),
)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40).map(str.strip)


class AnsweringTests(SessionCase):
    def test_ringing_and_answer(self) -> None:
        """180 and 200 carry our tag, Contact and methods; the 200 alone the description."""
        ringing, answer = self.responses(self.call())
        self.assertEqual((ringing.status, answer.status), (180, 200))
        for response in (ringing, answer):
            self.assertEqual(response.to.tag, "f3b1c9d2")
            self.assertEqual(response.headers.get("Contact"), f"<sip:{US}:5090>")
            self.assertIn("update", response.headers.tokens("Allow"))
        self.assertEqual(ringing.sdp, b"")
        self.assertIn(b"m=audio 10042 RTP/AVP 0 101", answer.sdp)
        self.assertEqual(self.established, 0)

    def test_acknowledged(self) -> None:
        """The ACK establishes it once, and the 200 is not sent again."""
        number = self.call()
        self.request("ACK", cseq=number)
        self.request("ACK", cseq=number)
        self.flow.sent.clear()
        self.clock.pump([0.5] * 70)
        self.assertEqual(self.responses(number), [])
        self.assertEqual((self.established, self.ended), (1, []))

    def test_media_as_agreed(self) -> None:
        """The stream knows their address before the call is answered, and who signals."""
        self.request("INVITE", sdp("8"))
        ((agreed, host),) = self.stream.agreements
        self.assertEqual((agreed.codec.name, agreed.port, host), ("PCMA", 14680, "198.51.100.7"))
        self.assertEqual(self.session.format, AudioFormat(Encoding.ALAW))

    def test_never_acknowledged(self) -> None:
        """The 200 is repeated for 32 s; then BYE, and the owner hears of it."""
        number = self.call()
        self.clock.pump([0.5] * 66)
        self.assertEqual(len(self.responses(number)), 12)
        self.assertEqual(self.ended[0].reason, NETWORK_FAILED.reason)
        self.assertEqual(self.asked("BYE")[0].cseq, (1, "BYE"))

    def test_late_offer(self) -> None:
        """An INVITE without a description gets our offer; the ACK has the answer."""
        number = self.call(b"")
        self.assertIn(b"m=audio 10042 RTP/AVP 0 8", self.responses(number)[-1].sdp)
        self.assertEqual(self.stream.agreements, [])
        self.request("ACK", sdp("8 101"), cseq=number)
        self.assertEqual(self.stream.agreements[0][0].codec.name, "PCMA")
        self.assertEqual((self.established, self.session.format.encoding), (1, Encoding.ALAW))

    def test_late_offer_unanswered(self) -> None:
        """An ACK without the answer, or with one that is none, is the end: it cannot be refused."""
        for answer in (b"", sdp("18"), b"nonsense"):
            with self.subTest(answer=answer):
                self.setUp()
                number = self.call(b"")
                self.request("ACK", answer, cseq=number)
                self.assertEqual(self.ended[0].reason, PROTOCOL_ERROR.reason)
                self.assertEqual(self.established, 0)
                self.assertIn("cause=111", self.ask("BYE").headers.get("Reason"))

    def test_given_up(self) -> None:
        """CANCEL before the answer leaves nothing, and nobody is told."""
        self.request("INVITE", sdp())
        self.session.ring(self.invite)
        self.request("CANCEL", cseq=self.cseq)
        self.assertEqual((self.stream.closed, len(self.board.dialogs)), (1, 0))
        self.assertEqual((self.ended, self.asked("BYE")), ([], []))

    def test_early_bye(self) -> None:
        """BYE instead of CANCEL is answered, and so is the INVITE."""
        self.request("INVITE", sdp())
        number = self.cseq
        self.session.ring(self.invite)
        self.assertEqual(self.answer_to("BYE").status, 200)
        self.assertEqual([each.status for each in self.responses(number)], [180, 487])
        self.assertEqual(self.ended, [REMOTE_HANGUP])

    def test_hung_up_before_the_answer(self) -> None:
        """A dialog that is not confirmed gets no BYE; the INVITE's refusal is its owner's."""
        self.request("INVITE", sdp())
        self.session.ring(self.invite)
        self.session.hang_up()
        self.session.answer(self.invite)
        self.assertEqual((self.asked("BYE"), len(self.board.dialogs)), ([], 0))
        self.assertFalse(self.invite.answered)


class ByeTests(SessionCase):
    def test_theirs(self) -> None:
        """It is answered first; media stop, and the call hears why."""
        self.up()
        reason = ("Reason", 'SIP;cause=200;text="Call completed", Q.850;cause=16')
        self.assertEqual(self.answer_to("BYE", headers=(reason,)).status, 200)
        self.assertEqual(self.stream.closed, 1)
        (end,) = self.listener.ends
        self.assertEqual((end.reason, end.detail), ("remote_hangup", "Call completed (SIP 200)"))
        self.assertEqual((self.asked("BYE"), self.ended), ([], []))

    def test_theirs_repeated(self) -> None:
        """The same BYE again is answered the same; another one has no dialog."""
        self.up()
        number = self.request("BYE")
        self.request("BYE", cseq=number)
        self.assertEqual([each.status for each in self.responses(number)], [200, 200])
        self.assertEqual(self.answer_to("BYE").status, 481)
        self.assertEqual(len(self.listener.ends), 1)

    def test_theirs_without_ack(self) -> None:
        """BYE for a 200 whose ACK was lost: the 200 is not repeated any more."""
        number = self.call()
        self.request("BYE")
        self.flow.sent.clear()
        self.clock.pump([1.0] * 40)
        self.assertEqual(self.responses(number, "INVITE"), [])

    def test_ours(self) -> None:
        """Media stop at once, the dialog is kept until the answer, and the call is told nothing."""
        self.up()
        self.session.hang_up()
        self.session.send_audio(SOUND)
        self.assertEqual((self.stream.closed, self.stream.payloads), (1, []))
        bye = self.ask("BYE")
        self.assertEqual(bye.uri, "sip:bob@198.51.100.7:5060")
        self.assertEqual(bye.headers.get("Reason"), 'Q.850;cause=16;text="Normal call clearing"')
        self.assertEqual(len(self.board.dialogs), 1)
        self.reply(bye, 200)
        self.assertEqual((len(self.board.dialogs), self.listener.ends), (0, []))

    def test_ours_twice(self) -> None:
        """Hanging up again does nothing."""
        self.up()
        self.session.hang_up()
        self.session.hang_up()
        self.ask("BYE")

    def test_ours_waits_for_the_ack(self) -> None:
        """Before the ACK of our 200 there must be no BYE (15)."""
        number = self.call()
        self.session.hang_up()
        self.assertEqual((self.asked("BYE"), self.stream.closed), ([], 1))
        self.request("ACK", cseq=number)
        self.ask("BYE")

    def test_ours_without_ack(self) -> None:
        """No ACK within 64*T1: BYE all the same, once."""
        self.call()
        self.session.hang_up()
        self.clock.pump([0.25] * 126)
        self.assertEqual(self.asked("BYE"), [])
        self.clock.pump([0.25] * 3)
        self.ask("BYE")

    def test_crossing(self) -> None:
        """Both at once: theirs is answered, and the dialog is over."""
        self.up()
        self.session.hang_up()
        self.assertEqual(self.answer_to("BYE").status, 200)
        self.assertEqual(len(self.board.dialogs), 0)

    def test_anything_else_after_ours(self) -> None:
        """The call is no more."""
        self.up()
        self.session.hang_up()
        self.assertEqual(self.answer_to("INVITE", sdp()).status, 481)
        self.assertEqual(self.answer_to("INFO").status, 481)

    def test_answers_to_ours(self) -> None:
        """Whatever they answer is the end, and no answer is, too."""
        for status in (200, 401, 408, 481, 500):
            with self.subTest(status=status):
                self.setUp()
                self.up()
                self.session.hang_up()
                self.reply(self.ask("BYE"), status)
                self.assertEqual(len(self.board.dialogs), 0)

    def test_challenged(self) -> None:
        """Some trunks want the password for a BYE; once, and only if there is one."""
        self.login = Login("trunk", "secret")
        self.up()
        self.session.hang_up()
        challenge = ("WWW-Authenticate", 'Digest realm="t", nonce="n1", qop="auth"')
        self.reply(self.ask("BYE"), 401, (challenge,))
        first, second = self.asked("BYE")
        self.assertEqual(second.cseq[0], first.cseq[0] + 1)
        self.assertIn('username="trunk"', second.headers.get("Authorization"))
        self.assertIn("nonce", second.headers.get("Authorization"))
        self.reply(second, 401, (challenge,))
        self.assertEqual((len(self.asked("BYE")), len(self.board.dialogs)), (2, 0))

    def test_stale_nonce(self) -> None:
        """One more round when only the nonce was too old."""
        self.login = Login("trunk", "secret")
        self.up()
        self.session.hang_up()
        challenge = 'Digest realm="t", nonce="n1", qop="auth"'
        self.reply(self.ask("BYE"), 407, (("Proxy-Authenticate", challenge),))
        stale = f"{challenge}, stale=true"
        for _ in range(2):
            self.reply(self.asked("BYE")[-1], 407, (("Proxy-Authenticate", stale),))
        self.assertEqual(len(self.asked("BYE")), 3)


class LegTests(SessionCase):
    def test_audio(self) -> None:
        """What the call says goes to the media, what those hear to the call."""
        self.up()
        self.session.send_audio(SOUND)
        self.session.clear()
        self.session.mark("1")
        assert self.stream.listener is not None
        self.stream.listener.audio_received(SOUND)
        self.assertEqual(self.stream.payloads, [SOUND])
        self.assertEqual(self.listener.told, [("mark", "1"), SOUND])
        self.assertEqual(self.session.measures(), self.stream.measures())

    def test_media_end(self) -> None:
        """When the media end, the session does: BYE says why, and the call hears it."""
        self.up()
        assert self.stream.listener is not None
        self.stream.listener.leg_ended(MEDIA_TIMEOUT)
        self.assertIn('text="RTP timeout"', self.ask("BYE").headers.get("Reason"))
        self.assertEqual((self.listener.ends, self.stream.closed), ([MEDIA_TIMEOUT], 1))

    def test_over_before_it_is_listened_to(self) -> None:
        """Who comes late is told at once."""
        number = self.call()
        self.request("ACK", cseq=number)
        self.request("BYE")
        self.session.listen(self.listener)
        self.assertEqual((len(self.ended), len(self.listener.ends)), (1, 1))
        self.assertIsNone(self.stream.listener)


class WithinTests(SessionCase):
    def test_methods(self) -> None:
        """OPTIONS is answered, other methods are told what there is."""
        self.up()
        self.assertEqual(self.answer_to("OPTIONS").status, 200)
        refused = self.answer_to("MESSAGE")
        self.assertEqual(refused.status, 405)
        self.assertIn("refer", refused.headers.tokens("Allow"))
        self.assertEqual(self.answer_to("FROBNICATE").status, 501)

    def test_extension(self) -> None:
        """What they require and we do not know is refused by name; never a BYE."""
        self.up()
        refused = self.answer_to("INFO", headers=(("Require", "timer, frob"),))
        self.assertEqual((refused.status, refused.headers.get("Unsupported")), (420, "frob"))
        self.assertEqual(self.answer_to("BYE", headers=(("Require", "frob"),)).status, 200)

    def test_old_request(self) -> None:
        """A lower CSeq than the latest is out of order (12.2.2)."""
        self.up()
        self.request("OPTIONS")
        number = self.request("INFO", cseq=self.cseq - 1)
        self.assertEqual(self.responses(number, "INFO")[0].status, 500)

    def test_dialog_unknown_there(self) -> None:
        """481 or no answer to a request of ours: the far side has lost the call."""
        for status in (481, 408):
            with self.subTest(status=status):
                self.setUp()
                self.up()
                self.stream.events = False
                self.session.send_digits("1")
                self.reply(self.ask("INFO"), status)
                (end,) = self.listener.ends
                self.assertEqual(end.reason, NETWORK_FAILED.reason)
                self.assertIn(str(status), end.detail)
                self.ask("BYE")

    def test_phrase(self) -> None:
        """What is told of a mistake of theirs cannot begin another header."""
        self.up()
        request = self.invite.request
        response = self.session._parts.usage.response(request, 400, "a\r\nVia: b" + "c" * 900)
        self.assertEqual(response.phrase, "a  Via: b" + "c" * 91)

    def test_route(self) -> None:
        """Requests of ours follow the recorded route, over the way that the call came."""
        route = "<sip:proxy.example.com;lr>"
        number = self.call(headers=(("Record-Route", route),))
        self.assertEqual(self.responses(number)[-1].headers.get("Record-Route"), route)
        self.request("ACK", cseq=number)
        self.session.hang_up()
        self.assertEqual(self.ask("BYE").headers.get("Route"), route)

    @given(
        st.sampled_from(("INVITE", "UPDATE", "INFO", "REFER", "NOTIFY", "PRACK", "BYE", "X")),
        st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=4),
        st.binary(max_size=60) | st.builds(sdp, st.text("0123456789 ", max_size=9)),
    )
    @settings(max_examples=150)
    def test_anything(self, method: str, headers: list[tuple[str, str]], body: bytes) -> None:
        """Whatever comes within a dialog is answered, and no error of ours is found by it."""
        self.setUp()
        self.up()
        try:
            number = self.request(method, body, headers)
        except Malformed:
            return  # the agent's to answer
        self.assertEqual(len(self.responses(number)), 1)
        self.assertEqual(self.flushLoggedErrors(), [])
        self.tearDown()


class ConnectionTests(SessionCase):
    transport = "TCP"

    def test_gone(self) -> None:
        """A connection that is gone is opened again, to where it came from."""
        self.up()
        self.flow.open = False
        again = MemoryFlow("TCP")
        self.flows.next = again
        self.session.hang_up()
        self.assertEqual(self.flows.asked, [("198.51.100.7", 5060, "TCP")])
        self.assertEqual(len(again.sent), 1)

    def test_gone_and_not_refused(self) -> None:
        """Nobody says anything there: given up after 32 s."""
        self.up()
        self.flow.open = False
        self.flows.silent = True
        self.session.hang_up()
        self.clock.advance(31)
        self.assertEqual(len(self.board.dialogs), 1)
        self.clock.advance(2)
        self.assertEqual(len(self.board.dialogs), 0)

    def test_gone_for_good(self) -> None:
        """Nobody listens there: the dialog is over, without a BYE."""
        self.up()
        self.flow.open = False
        self.session.hang_up()
        self.assertEqual(len(self.board.dialogs), 0)


class CallingTests(SessionCase):
    def test_connected(self) -> None:
        """Their 2xx brings media and the call."""
        self.connected()
        self.assertEqual((self.established, len(self.stream.agreements)), (1, 1))
        self.assertEqual(self.session.format.encoding, Encoding.MULAW)

    def test_early_media(self) -> None:
        """A 183 with a description is heard before the answer, which may differ."""
        invite = self.calling()
        response = self.provisional(invite, 183, body=sdp())
        session = self.make(Dialog.asked(invite, response), self.offers, invite)
        session.provisional_received(response)
        self.assertEqual((len(self.stream.agreements), self.established), (1, 0))
        session.established(self.provisional(invite, 200, body=sdp("8", port=20000)))
        self.assertEqual(self.stream.agreements[-1][0].port, 20000)
        self.assertEqual(self.established, 1)

    def test_early_media_and_no_more(self) -> None:
        """A 200 that leaves the description to an unreliable 183 is taken as it is meant."""
        invite = self.calling()
        response = self.provisional(invite, 183, body=sdp())
        session = self.make(Dialog.asked(invite, response), self.offers, invite)
        session.provisional_received(response)
        self.assertEqual(self.answer_to("UPDATE", sdp()).status, 491)
        session.established(self.provisional(invite, 200))
        self.assertEqual((self.established, self.ended), (1, []))
        self.assertEqual(self.answer_to("UPDATE", sdp()).status, 200)

    def test_no_answer_in_it(self) -> None:
        """A 2xx without a description, or with one that does not fit, ends in a BYE."""
        for body in (b"", sdp("18")):
            with self.subTest(body=body):
                self.setUp()
                invite = self.calling()
                response = self.provisional(invite, 200, body=body)
                session = self.make(Dialog.asked(invite, response), self.offers, invite)
                session.established(response)
                self.assertEqual(self.ended[0].reason, PROTOCOL_ERROR.reason)
                self.assertEqual((self.established, len(self.asked("BYE"))), (0, 1))

    def test_hung_up_while_it_rings(self) -> None:
        """The CANCEL is the owner's; the dialog is forgotten."""
        invite = self.calling()
        response = self.provisional(invite, 180)
        session = self.make(Dialog.asked(invite, response), self.offers, invite)
        session.hang_up()
        self.assertEqual((len(self.board.dialogs), self.flow.sent), (0, []))
