"""Re-INVITE and UPDATE, both ways: hold, codecs, addresses, refreshes, glare (RFC 3261 14)."""

from __future__ import annotations

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.errors import NETWORK_FAILED, PROTOCOL_ERROR
from rapida_tw.wire.sip_dialog import Dialog
from rapida_tw.wire.sip_message import Request, Response
from tests.sip.session_case import THEM, MemoryFlow, SessionCase, sdp

TIMER = (
    ("Supported", "timer"),
    ("Session-Expires", "90;refresher=uas"),
    ("Allow", "INVITE, BYE"),
)


def origin(response: Response | Request) -> bytes:
    """The o= line of what it describes."""
    return response.sdp.split(b"\r\n")[1]


class OffersTests(SessionCase):
    def reinvite(self, body: bytes = b"", **options: MemoryFlow) -> Response:
        """A re-INVITE with its ACK."""
        number = self.request("INVITE", body, **options)  # type: ignore[arg-type]
        (response,) = self.responses(number)
        if response.status < 300:
            self.request("ACK", cseq=number)
        return response

    def test_hold_and_resume(self) -> None:
        """They hold us and take us back; each change counts the version on, and is told once."""
        self.up()
        held = self.reinvite(sdp(direction="sendonly", version=2))
        resumed = self.reinvite(sdp(version=3))
        self.assertIn(b"a=recvonly", held.sdp)
        self.assertIn(b"a=sendrecv", resumed.sdp)
        self.assertEqual(self.listener.told, [("held", True), ("held", False)])
        self.assertEqual(origin(held)[:-15], b"o=- 8812 2 IN I")
        self.assertEqual(origin(resumed)[:-15], b"o=- 8812 3 IN I")

    def test_old_hold(self) -> None:
        """0.0.0.0 is a hold, too."""
        self.up()
        self.reinvite(sdp(host="0.0.0.0", version=2))
        self.assertEqual(self.listener.told, [("held", True)])

    def test_codec(self) -> None:
        """The call is told the new format before anything comes in it."""
        self.up()
        self.assertIn(b"RTP/AVP 8", self.reinvite(sdp("8 101", version=2)).sdp)
        self.assertEqual(self.listener.told, [AudioFormat(Encoding.ALAW)])
        self.assertEqual(self.session.format, AudioFormat(Encoding.ALAW))

    def test_codec_without_a_word(self) -> None:
        """What the media find out by themselves is the leg's format, too."""
        self.up()
        assert self.stream.listener is not None
        self.stream.listener.format_changed(AudioFormat(Encoding.ALAW))
        self.assertEqual(self.listener.told, [AudioFormat(Encoding.ALAW)])
        self.assertEqual(self.session.format, AudioFormat(Encoding.ALAW))

    def test_refresh(self) -> None:
        """The same description again gets the same answer, and the call hears nothing."""
        number = self.call()
        self.request("ACK", cseq=number)
        first = self.responses(number)[-1]
        self.assertEqual(self.reinvite(sdp()).sdp, first.sdp)
        self.assertEqual(self.listener.told, [])

    def test_address(self) -> None:
        """Their media may move, and so may the host that signals."""
        self.up()
        way = MemoryFlow(host="198.51.100.8")
        number = self.request("INVITE", sdp(port=20000, version=2), flow=way)
        self.request("ACK", cseq=number, flow=way)
        agreed, host = self.stream.agreements[-1]
        self.assertEqual((agreed.port, host), (20000, "198.51.100.8"))
        self.assertEqual([*self.board.calls.values()], [way])
        self.session.hang_up()
        self.assertEqual(len(way.sent), 2)  # the 200, the BYE

    def test_target(self) -> None:
        """A new Contact is where requests of ours go."""
        self.up()
        contact = ("Contact", f"<sip:bob@{THEM}:7000>")
        number = self.request("INVITE", sdp(), (contact,))
        self.request("ACK", cseq=number)
        self.session.hang_up()
        self.assertEqual(self.ask("BYE").uri, f"sip:bob@{THEM}:7000")

    def test_late_offer(self) -> None:
        """A re-INVITE without description is offered all that we can do; the ACK decides."""
        self.up()
        number = self.request("INVITE")
        (response,) = self.responses(number)
        self.assertIn(b"RTP/AVP 0 8", response.sdp)
        self.assertEqual(len(self.stream.agreements), 1)
        self.request("ACK", sdp("8 101", version=2), cseq=number)
        self.assertEqual(self.session.format.encoding, Encoding.ALAW)

    def test_late_offer_unanswered(self) -> None:
        """An ACK that should answer and does not ends the call."""
        self.up()
        number = self.request("INVITE")
        self.request("ACK", cseq=number)
        self.assertEqual(self.listener.ends[0].reason, PROTOCOL_ERROR.reason)
        self.ask("BYE")

    def test_nothing_in_common(self) -> None:
        """488 says why, and the call goes on as it was."""
        self.up()
        refused = self.reinvite(sdp("18", version=2))
        self.assertEqual(refused.status, 488)
        self.assertTrue(refused.headers.get("Warning").startswith('305 rapida_tw "'))
        self.assertEqual(self.answer_to("OPTIONS").status, 200)
        self.assertEqual((len(self.stream.agreements), self.listener.ends), (1, []))

    def test_broken(self) -> None:
        """What is no description is refused, of another type by name."""
        self.up()
        self.assertEqual(self.reinvite(b"hello").status, 400)
        kind = ("Content-Type", "text/plain")
        refused = self.answer_to("UPDATE", b"hello", (kind,))
        self.assertEqual((refused.status, refused.headers.get("Accept")), (415, "application/sdp"))

    def test_update(self) -> None:
        """UPDATE changes the same things, without an ACK."""
        self.up()
        answer = self.answer_to("UPDATE", sdp(direction="inactive", version=2))
        self.assertEqual(answer.status, 200)
        self.assertIn(b"a=inactive", answer.sdp)
        self.assertEqual(self.listener.told, [("held", True)])

    def test_update_without_description(self) -> None:
        """It only refreshes."""
        self.up()
        answer = self.answer_to("UPDATE")
        self.assertEqual((answer.status, answer.sdp), (200, b""))
        self.assertEqual(answer.headers.get("Contact"), "<sip:203.0.113.10:5090>")

    def test_not_acknowledged(self) -> None:
        """The 200 to a re-INVITE is repeated for 32 s, and then the call is over."""
        self.up()
        number = self.request("INVITE", sdp())
        self.clock.pump([0.5] * 66)
        self.assertGreater(len(self.responses(number)), 5)
        self.assertEqual(self.listener.ends[0].reason, NETWORK_FAILED.reason)

    def test_bye_ends_repeating(self) -> None:
        """After their BYE the 200 to their re-INVITE is not sent again."""
        self.up()
        number = self.request("INVITE", sdp())
        self.request("BYE")
        self.clock.pump([0.5] * 66)
        self.assertEqual(len(self.responses(number, "INVITE")), 1)


class GlareTests(SessionCase):
    def test_before_the_answer(self) -> None:
        """Their offer has no answer yet: a second one waits (RFC 3311 5.2, RFC 3261 14.2)."""
        self.request("INVITE", sdp())
        self.session.ring(self.invite)
        for method in ("UPDATE", "INVITE"):
            refused = self.answer_to(method, sdp())
            self.assertEqual(refused.status, 500)
            self.assertIn(int(refused.headers.get("Retry-After")), range(11))
        self.session.answer(self.invite)

    def test_while_our_offer_is_open(self) -> None:
        """Our offer in the 200 to an empty re-INVITE has no answer yet."""
        self.up()
        number = self.request("INVITE")
        self.assertEqual(self.answer_to("UPDATE", sdp()).status, 491)
        self.assertEqual(self.answer_to("UPDATE").status, 200)
        self.request("ACK", sdp(), cseq=number)
        self.assertEqual(self.answer_to("UPDATE", sdp()).status, 200)

    def test_while_our_first_offer_is_open(self) -> None:
        """The same for the offer in the 200 to a late one."""
        number = self.call(b"")
        for method in ("UPDATE", "INVITE"):
            self.assertEqual(self.answer_to(method, sdp()).status, 491)
        self.request("ACK", sdp(), cseq=number)
        self.assertEqual(self.answer_to("UPDATE", sdp()).status, 200)

    def test_while_we_ask(self) -> None:
        """Our re-INVITE has no answer: theirs gets 491, and works afterwards."""
        self.up(TIMER)
        self.clock.advance(45)
        ours = self.ask("INVITE")
        self.assertEqual(self.answer_to("INVITE", sdp()).status, 491)
        self.reply(ours, 200, (("Session-Expires", "90;refresher=uac"),), sdp())
        number = self.request("INVITE", sdp())
        self.assertEqual(self.responses(number)[0].status, 200)
        self.request("ACK", cseq=number)

    def test_many_unacknowledged(self) -> None:
        """Who never acknowledges gets no more of them."""
        self.up()
        statuses = [self.responses(self.request("INVITE", sdp()))[0].status for _ in range(5)]
        self.assertEqual(statuses, [200, 200, 200, 200, 500])

    def test_early_and_calling(self) -> None:
        """While our first offer has no answer, an offer of theirs is 491."""
        invite = self.calling()
        response = self.provisional(invite, 180)
        self.make(Dialog.asked(invite, response), self.offers, invite)
        self.assertEqual(self.answer_to("UPDATE", sdp()).status, 491)


class OursTests(SessionCase):
    """Our re-INVITE, where they take no UPDATE: a refresh."""

    def refreshed(self) -> Request:
        self.up(TIMER)
        self.clock.advance(45)
        return self.ask("INVITE")

    def test_unchanged(self) -> None:
        """It says what our answer said, in the same version."""
        self.up(TIMER)
        self.clock.advance(45)
        ours = self.ask("INVITE")
        self.assertEqual(origin(ours)[:10], b"o=- 8812 1")
        self.assertEqual(ours.headers.get("Contact"), "<sip:203.0.113.10:5090>")
        self.assertEqual(ours.headers.get("Session-Expires"), "90;refresher=uac")

    def test_acknowledged(self) -> None:
        """Each 2xx of theirs gets the ACK, the same one; the answer counts once."""
        ours = self.refreshed()
        expires = (("Session-Expires", "90;refresher=uac"),)
        for _ in range(3):
            self.reply(ours, 200, expires, sdp(direction="sendonly", version=2))
        acks = self.asked("ACK")
        self.assertEqual({ack.via.branch for ack in acks}, {acks[0].via.branch})
        self.assertEqual([ack.cseq for ack in acks], [(ours.cseq[0], "ACK")] * 3)
        self.assertEqual(self.listener.told, [("held", True)])

    def test_unusable(self) -> None:
        """An answer that fits nothing ends the call, after its ACK."""
        self.reply(self.refreshed(), 200, (), sdp("18"))
        self.assertEqual(len(self.asked("ACK")), 1)
        self.assertEqual(self.listener.ends[0].reason, PROTOCOL_ERROR.reason)

    def test_glare(self) -> None:
        """491: they called, so we try again within two seconds (14.1)."""
        self.reply(self.refreshed(), 491)
        self.assertEqual(len(self.asked("INVITE")), 1)
        self.clock.pump([0.1] * 21)
        self.assertEqual(len(self.tries("INVITE")), 2)

    def test_glare_in_a_call_of_ours(self) -> None:
        """491: we called, so we wait for two seconds and more."""
        self.connected(headers=(("Session-Expires", "90;refresher=uac"),))
        self.clock.advance(45)
        self.reply(self.ask("INVITE"), 491)
        self.clock.pump([0.1] * 20)
        self.assertEqual(len(self.asked("INVITE")), 1)
        self.clock.pump([0.1] * 21)
        self.assertEqual(len(self.tries("INVITE")), 2)

    def test_not_while_theirs_is_open(self) -> None:
        """After a glare theirs waits for its ACK: ours waits for that (14.1)."""
        self.reply(self.refreshed(), 491)
        number = self.request("INVITE", sdp(), TIMER)
        self.clock.pump([0.5] * 10)
        self.assertEqual(len(self.tries("INVITE")), 1)
        self.request("ACK", cseq=number)
        self.clock.pump([0.5] * 3)
        self.assertEqual(len(self.tries("INVITE")), 2)

    def test_call_is_over(self) -> None:
        """Nothing is tried again for a call that has ended."""
        self.reply(self.refreshed(), 491)
        self.request("BYE")
        self.clock.pump([0.5] * 10)
        self.assertEqual(len(self.tries("INVITE")), 1)
