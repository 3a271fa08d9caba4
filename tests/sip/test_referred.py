"""REFER in: where we let ourselves be sent, and how a call goes on there (RFC 3515, 5589, 3891)."""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.defer import Deferred

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.errors import NETWORK_FAILED, REMOTE_HANGUP
from rapida_tw.sip.placing import Declined, Invitation, Placed
from rapida_tw.sip.referred import referrals
from rapida_tw.wire.sip_dialog import Dialog
from rapida_tw.wire.sip_message import Request, Response
from tests.sip.session_case import SOUND, THEM, Fields, SessionCase, sdp

THERE = f"<sip:200@{THEM};transport=udp?Replaces=c%40h%3Bto-tag%3Da%3Bfrom-tag%3Db>"


class ReferralCase(SessionCase):
    def setUp(self) -> None:
        super().setUp()
        self.placing: list[tuple[Invitation, Deferred[Placed]]] = []
        self.gave_up = 0
        self.place = self.placed
        self.up()

    def placed(self, invitation: Invitation) -> Deferred[Placed]:
        def cancelled(result: Deferred[Placed]) -> None:
            self.gave_up += 1

        result: Deferred[Placed] = Deferred(cancelled)
        self.placing.append((invitation, result))
        return result

    def refer(self, to: str = THERE, headers: Fields = ()) -> Response:
        return self.answer_to("REFER", headers=(("Refer-To", to), *headers))

    def picked_up(self, body: bytes = b"", contact: str = f"<sip:200@{THEM}:5060>") -> None:
        """The new INVITE is answered."""
        invitation, result = self.placing[-1]
        invite = Request("INVITE", invitation.uri)
        for name, value in (
            ("Via", "SIP/2.0/UDP 203.0.113.10:5090;branch=z9hG4bKnew"),
            ("From", "<sip:assistant@203.0.113.10>;tag=new"),
            ("To", f"<{invitation.uri}>"),
            ("Call-ID", "second"),
            ("CSeq", "1 INVITE"),
        ):
            invite.headers.add(name, value)
        response = invite.answer(200, to_tag="there")
        response.headers.add("Contact", contact)
        response.headers.add("Allow", "INVITE, BYE")
        response.body = body
        response.headers.add("Content-Type", "application/sdp")
        dialog = Dialog.asked(invite, response)
        result.callback(Placed(dialog, invitation.flow, invite, response))

    def news(self) -> list[tuple[str, bytes]]:
        """State of the subscription and status line of each NOTIFY."""
        return [
            (each.headers.get("Subscription-State").partition(";")[0], each.body.strip())
            for each in self.tries("NOTIFY")
        ]

    def settle(self) -> None:
        """They answer all that we have asked."""
        for method in ("NOTIFY", "BYE"):
            for request in self.tries(method):
                self.reply(request, 200)


class FollowedTests(ReferralCase):
    def test_invitation(self) -> None:
        """The INVITE goes to the peer over the dialog's way, with Replaces and our media."""
        answer = self.refer(headers=(("Referred-By", "<sip:bob@x>"),))
        self.assertEqual(answer.status, 202)
        ((invitation, _),) = self.placing
        self.assertEqual(invitation.uri, f"sip:200@{THEM};transport=udp")
        self.assertIs(invitation.flow, self.flow)
        self.assertIn(b"m=audio 10042 RTP/AVP 0 8", invitation.offer)
        self.assertEqual(
            dict(invitation.headers),
            {"Replaces": "c@h;to-tag=a;from-tag=b", "Referred-By": "<sip:bob@x>"},
        )
        self.assertEqual(self.news(), [("active", b"SIP/2.0 100 Trying")])
        notify = self.ask("NOTIFY")
        self.assertEqual(notify.headers.get("Event"), "refer")
        self.assertEqual(notify.headers.get("Content-Type"), "message/sipfrag;version=2.0")

    def test_moves(self) -> None:
        """Answered there: media follow, the old dialog is told and left, the call hears nothing."""
        self.refer()
        invitation, _ = self.placing[0]
        ringing = Request("INVITE", "sip:x@h")
        ringing.headers = self.invite.request.headers.copy()
        invitation.progress(ringing.answer(180))
        self.picked_up(sdp("8 101", port=20000))
        self.assertEqual(
            self.news(),
            [
                ("active", b"SIP/2.0 100 Trying"),
                ("active", b"SIP/2.0 180 Ringing"),
                ("terminated", b"SIP/2.0 200 OK"),
            ],
        )
        bye = self.ask("BYE")
        self.assertEqual((bye.call_id, bye.from_.tag), ("9bf1@10.0.0.5", "f3b1c9d2"))
        agreed, host = self.stream.agreements[-1]
        self.assertEqual((agreed.port, host), (20000, THEM))
        self.assertEqual((self.stream.closed, self.listener.ends), (0, []))
        self.assertEqual(self.session.format.encoding, Encoding.ALAW)
        self.session.send_audio(SOUND)
        self.assertEqual(self.stream.payloads, [SOUND])
        self.settle()
        self.assertEqual(len(self.board.dialogs), 1)

    def test_goes_on_there(self) -> None:
        """Then the new dialog is the call: what comes in it counts, and it is hung up."""
        self.refer()
        self.picked_up(sdp())
        self.settle()
        self.flow.sent.clear()
        self.session.hang_up()
        bye = self.ask("BYE")
        self.assertEqual((bye.call_id, bye.uri), ("second", f"sip:200@{THEM}:5060"))
        self.reply(bye, 200)
        self.assertEqual(len(self.board.dialogs), 0)

    def test_old_dialog_is_nothing_to_it(self) -> None:
        """The old dialog's timer and a 481 to its BYE do not touch the call."""
        timer = (("Supported", "timer"), ("Session-Expires", "90;refresher=uac"))
        self.answer_to("UPDATE", headers=timer)
        self.refer()
        self.picked_up(sdp())
        self.reply(self.ask("BYE"), 481)
        self.clock.pump([1.0] * 100)
        self.assertEqual(self.listener.ends, [])
        self.assertIn("second", [call_id for call_id, _, _ in self.board.calls])

    def test_changed_there(self) -> None:
        """A re-INVITE of the new dialog whose 200 is never acknowledged ends the call."""
        self.refer()
        self.picked_up(sdp())
        self.settle()
        dialog = self.session._parts.usage.dialog
        dialog.remote_cseq, self.our_tag, self.cseq = 1, "new", 900
        self.call_id, self.their_tag = "second", "there"
        self.request("INVITE", sdp("8", version=2))
        self.assertEqual(self.listener.told, [AudioFormat(Encoding.ALAW)])
        self.clock.pump([0.5] * 66)
        self.assertEqual(self.listener.ends[0].reason, NETWORK_FAILED.reason)
        self.assertEqual(self.asked("BYE")[-1].call_id, "second")

    def test_their_bye_of_the_old_one(self) -> None:
        """The transferor's BYE crosses ours: answered, and the call goes on."""
        self.refer()
        self.picked_up(sdp())
        self.assertEqual(self.answer_to("BYE").status, 200)
        self.assertEqual((self.listener.ends, len(self.board.dialogs)), ([], 1))

    def test_left_before(self) -> None:
        """They hang up before it is decided: the call waits, and goes on where it was sent."""
        self.refer()
        self.assertEqual(self.answer_to("BYE").status, 200)
        self.assertEqual((self.listener.ends, self.stream.closed), ([], 0))
        self.picked_up(sdp())
        self.assertEqual((self.listener.ends, self.asked("BYE")), ([], []))
        self.assertEqual(len(self.tries("NOTIFY")), 1)

    def test_left_and_patient(self) -> None:
        """Meanwhile nothing of the dialog that was left ends the call."""
        timer = (("Supported", "timer"), ("Session-Expires", "90;refresher=uac"))
        self.answer_to("UPDATE", sdp("0"), timer)
        self.session.send_digits("1")
        self.refer()
        self.request("BYE")
        self.reply(self.ask("INFO"), 481)
        self.clock.pump([1.0] * 65)
        self.assertEqual((self.listener.ends, self.stream.closed), ([], 0))

    def test_left_and_stranded(self) -> None:
        """They have hung up, and nobody answers there: the call is over."""
        self.refer()
        self.request("BYE")
        self.placing[0][1].errback(Declined(486, "Busy Here"))
        self.assertEqual(self.listener.ends[0].reason, REMOTE_HANGUP.reason)
        self.assertEqual((self.asked("BYE"), self.stream.closed), ([], 1))

    def test_left_and_hung_up(self) -> None:
        """The call ends meanwhile: the INVITE is given up, and no dialog is left to say BYE in."""
        self.refer()
        self.request("BYE")
        self.session.hang_up()
        self.assertEqual((self.gave_up, self.asked("BYE")), (1, []))

    def test_second(self) -> None:
        """From there it may be sent on."""
        self.refer()
        self.picked_up(sdp())
        self.settle()
        self.our_tag, self.cseq = "f3b1c9d2", self.cseq + 1
        self.assertEqual(self.refer().status, 481)  # the old dialog is no more

    def test_without_news(self) -> None:
        """`Refer-Sub: false`: no NOTIFY, and the 202 says so."""
        answer = self.refer(headers=(("Refer-Sub", "false"),))
        self.assertEqual(answer.headers.get("Refer-Sub"), "false")
        self.picked_up(sdp())
        self.assertEqual(self.asked("NOTIFY"), [])

    def test_told_apart(self) -> None:
        """The second REFER of a dialog has its CSeq in Event."""
        self.refer()
        self.placing[0][1].errback(Declined(404, "Not Found"))
        self.refer()
        event = self.tries("NOTIFY")[-1].headers.get("Event")
        self.assertEqual(event, f"refer;id={self.cseq}")


class FailedTests(ReferralCase):
    def test_declined(self) -> None:
        """They hear what came of it, and the call goes on as it was."""
        self.refer()
        self.placing[0][1].errback(Declined(486, "Busy Here"))
        self.assertEqual(self.news()[-1], ("terminated", b"SIP/2.0 486 Busy Here"))
        self.assertEqual((self.listener.ends, self.asked("BYE")), ([], []))
        self.assertEqual(self.answer_to("UPDATE", sdp()).status, 200)
        self.assertEqual(self.refer().status, 202)

    def test_too_long(self) -> None:
        """What rings for ever is given up."""
        self.refer()
        self.clock.pump([1.0] * 71)
        self.assertEqual(self.gave_up, 1)
        self.assertEqual(self.news()[-1][0], "terminated")

    def test_no_media_there(self) -> None:
        """An answer that fits nothing: that dialog is left again, the call stays."""
        for body in (b"", sdp("18")):
            with self.subTest(body=body):
                self.setUp()
                self.refer()
                self.picked_up(body)
                self.assertEqual(
                    self.news()[-1], ("terminated", b"SIP/2.0 488 Not Acceptable Here")
                )
                self.assertEqual(self.ask("BYE").call_id, "second")
                self.assertEqual((self.listener.ends, len(self.stream.agreements)), ([], 1))
                self.assertEqual(self.answer_to("OPTIONS").status, 200)

    def test_call_ends(self) -> None:
        """The INVITE is given up with the call, and no news are sent any more."""
        self.refer()
        self.session.hang_up()
        self.assertEqual((self.gave_up, len(self.tries("NOTIFY"))), (1, 1))
        self.ask("BYE")

    def test_unwanted_news(self) -> None:
        """481 to a NOTIFY ends the news, not the call."""
        self.refer()
        self.reply(self.ask("NOTIFY"), 481)
        self.placing[0][1].errback(Declined(486))
        self.assertEqual((len(self.tries("NOTIFY")), self.listener.ends), (1, []))


class RefusedTests(ReferralCase):
    def test_elsewhere(self) -> None:
        """Any other host, scheme or method is refused and counted; nothing is placed."""
        before = referrals.value("refused")
        targets = (
            "<sip:+15559876543@premium.example>",
            "<sip:200@203.0.113.66>",
            "<tel:+15559876543>",
            "<http://198.51.100.7/>",
            f"<sip:200@{THEM};method=BYE>",
        )
        for target in targets:
            with self.subTest(target=target):
                self.assertEqual(self.refer(target).status, 403)
        self.assertEqual(referrals.value("refused"), before + len(targets))
        self.assertEqual((self.placing, self.asked("NOTIFY")), ([], []))

    def test_malformed(self) -> None:
        """None, several, or what is no URI: 400."""
        self.assertEqual(self.answer_to("REFER").status, 400)
        for target in ("<sip:>", f"{THERE}, {THERE}", "<sip:a b@c>"):
            with self.subTest(target=target):
                self.assertEqual(self.refer(target).status, 400)

    def test_header_injection(self) -> None:
        """Replaces cannot carry another header along, and others are not passed on."""
        bad = f"<sip:200@{THEM}?Replaces=a%0d%0aX%3a%20y>"
        self.assertIn(self.refer(bad).status, (400, 403))
        self.refer(f"<sip:200@{THEM}?Route=%3Csip%3Ax%3E&Replaces=a>")
        self.assertEqual(self.placing[0][0].headers, (("Replaces", "a"),))

    def test_password(self) -> None:
        """A password in it goes nowhere."""
        self.refer(f"<sip:200:secret@{THEM}>")
        self.assertEqual(self.placing[0][0].uri, f"sip:200@{THEM}")

    def test_while_one_is_under_way(self) -> None:
        """One at a time."""
        self.refer()
        self.assertEqual((self.refer().status, len(self.placing)), (491, 1))

    def test_many(self) -> None:
        """A peer that sends us round and round is refused in the end."""
        for _ in range(10):
            self.assertEqual(self.refer().status, 202)
            self.placing[-1][1].errback(Declined(486))
        self.assertEqual(self.refer().status, 403)

    def test_policy(self) -> None:
        """An operator may refuse them all."""
        self.board.settings = replace(self.board.settings, refer_in=False)
        self.assertEqual(self.refer().status, 403)

    def test_before_the_answer(self) -> None:
        """A call that is not up is sent nowhere."""
        self.setUp()
        self.board.dialogs.remove(self.session._parts.usage.dialog)
        self.our_tag, self.cseq = "", 500
        number = self.request("INVITE", sdp())
        self.assertEqual(self.refer().status, 491)
        self.session.answer(self.invite)
        self.assertEqual(self.refer().status, 491)
        self.request("ACK", cseq=number)
        self.assertEqual(self.refer().status, 202)


class NoPlaceTests(SessionCase):
    def test_refused(self) -> None:
        """Where nobody can call out, nobody is sent."""
        self.up()
        self.assertEqual(self.answer_to("REFER", headers=(("Refer-To", THERE),)).status, 403)
