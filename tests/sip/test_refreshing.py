"""Session timers in time: refreshes by either side, 422, and the end without one (RFC 4028)."""

from __future__ import annotations

from rapida_tw.errors import NETWORK_FAILED
from rapida_tw.wire.sip_message import Request
from tests.sip.session_case import Fields, SessionCase, sdp


def timer(value: str, allow: str = "INVITE, BYE, UPDATE") -> Fields:
    return (("Supported", "timer"), ("Session-Expires", value), ("Allow", allow))


OURS = (("Session-Expires", "90;refresher=uac"),)  # in an answer: whoever asked refreshes


class TheirsTests(SessionCase):
    """The far side refreshes."""

    def test_header(self) -> None:
        """Our 200 repeats the interval and names who refreshes."""
        response = self.responses(self.call(headers=timer("1800")))[-1]
        self.assertEqual(response.headers.get("Session-Expires"), "1800;refresher=uac")
        self.assertIn("timer", response.headers.tokens("Require"))

    def test_none(self) -> None:
        """Without a timer of theirs a call lives as long as it lives."""
        self.up()
        self.clock.pump([3600.0] * 24)
        self.assertEqual((self.flow.sent, self.listener.ends), ([], []))

    def test_expired(self) -> None:
        """No refresh until a third (32 s at most) before the end: BYE, and the reason."""
        self.up(timer("90;refresher=uac"))
        self.clock.advance(59.9)
        self.assertEqual(self.asked("BYE"), [])
        self.clock.advance(0.2)
        self.assertIn("session timer expired", self.ask("BYE").headers.get("Reason"))
        (end,) = self.listener.ends
        self.assertEqual((end.reason, end.detail), (NETWORK_FAILED.reason, "session timer expired"))
        self.assertEqual(self.stream.closed, 1)

    def test_refreshed(self) -> None:
        """Each refresh begins anew, by UPDATE and by re-INVITE."""
        self.up(timer("90;refresher=uac"))
        for method in ("UPDATE", "INVITE", "UPDATE"):
            self.clock.advance(50)
            body = sdp() if method == "INVITE" else b""
            number = self.request(method, body, timer("90;refresher=uac"))
            self.assertEqual(self.responses(number)[0].status, 200)
            if method == "INVITE":
                self.request("ACK", cseq=number)
        self.assertEqual(self.listener.ends, [])
        self.clock.advance(61)
        self.assertEqual(len(self.listener.ends), 1)

    def test_too_small(self) -> None:
        """A refresh below 90 s is refused, and the old timer runs on."""
        self.up(timer("90;refresher=uac"))
        self.clock.advance(50)
        refused = self.answer_to("UPDATE", headers=timer("30;refresher=uac"))
        self.assertEqual((refused.status, refused.headers.get("Min-SE")), (422, "90"))
        self.clock.advance(11)
        self.assertEqual(len(self.listener.ends), 1)

    def test_compact_form(self) -> None:
        """`x` is Session-Expires."""
        fields = (("k", "timer"), ("x", "100;refresher=uac"))
        response = self.responses(self.call(headers=fields))[-1]
        self.assertEqual(response.headers.get("Session-Expires"), "100;refresher=uac")

    def test_given_up(self) -> None:
        """A refresh without timer ends the timer."""
        self.up(timer("90;refresher=uac"))
        self.answer_to("UPDATE")
        self.clock.advance(600)
        self.assertEqual(self.listener.ends, [])


class OursTests(SessionCase):
    """We refresh."""

    def refresh(self, allow: str = "INVITE, BYE, UPDATE") -> Request:
        self.up(timer("90;refresher=uas", allow))
        self.clock.advance(44.9)
        self.assertEqual(self.flow.sent, [])
        self.clock.advance(0.2)
        return self.ask("UPDATE" if "UPDATE" in allow else "INVITE")

    def test_by_update(self) -> None:
        """At half time, by UPDATE without a description where they take that."""
        update = self.refresh()
        self.assertEqual((update.sdp, self.asked("INVITE")), (b"", []))
        self.assertEqual(update.headers.get("Session-Expires"), "90;refresher=uac")
        self.assertEqual(update.headers.get("Contact"), "<sip:203.0.113.10:5090>")

    def test_again_and_again(self) -> None:
        """Each answer begins anew."""
        self.reply(self.refresh(), 200, OURS)
        for count in (2, 3, 4):
            self.clock.advance(45)
            self.assertEqual(len(self.tries("UPDATE")), count)
            self.reply(self.asked("UPDATE")[-1], 200, OURS)
        self.assertEqual(self.listener.ends, [])

    def test_handed_over(self) -> None:
        """Their answer may take the refreshing from us."""
        self.reply(self.refresh(), 200, (("Session-Expires", "90;refresher=uas"),))
        self.clock.advance(59)
        self.assertEqual(len(self.tries("UPDATE")), 1)
        self.clock.advance(2)
        self.assertEqual(len(self.listener.ends), 1)

    def test_too_small(self) -> None:
        """422 teaches us their least interval, at once."""
        self.reply(self.refresh(), 422, (("Min-SE", "300"),))
        second = self.asked("UPDATE")[-1]
        self.assertEqual(second.headers.get("Session-Expires"), "300;refresher=uac")
        self.assertEqual(second.headers.get("Min-SE"), "300")

    def test_always_too_small(self) -> None:
        """Who raises it for ever is not asked for ever."""
        self.reply(self.refresh(), 422, (("Min-SE", "100"),))
        for least in range(200, 2_000, 100):
            self.reply(self.asked("UPDATE")[-1], 422, (("Min-SE", str(least)),))
        self.assertEqual(len(self.tries("UPDATE")), 4)

    def test_update_not_taken(self) -> None:
        """405 in spite of their Allow: by re-INVITE then, now and later."""
        self.reply(self.refresh(), 405)
        self.reply(self.ask("INVITE"), 200, OURS, sdp())
        self.clock.advance(45)
        self.assertEqual(len(self.tries("INVITE")), 2)
        self.assertEqual(len(self.tries("UPDATE")), 1)

    def test_refused(self) -> None:
        """Another failure is tried again while there is time; then the call ends."""
        self.reply(self.refresh(), 500)
        self.clock.advance(10)
        self.reply(self.asked("UPDATE")[-1], 500)
        self.assertEqual((len(self.tries("UPDATE")), self.listener.ends), (2, []))
        self.clock.advance(6)
        self.assertEqual(self.listener.ends[0].detail, "session timer expired")

    def test_dialog_unknown(self) -> None:
        """481 to a refresh: they have lost the call."""
        self.reply(self.refresh(), 481)
        self.assertEqual(self.listener.ends[0].reason, NETWORK_FAILED.reason)
        self.ask("BYE")

    def test_no_answer(self) -> None:
        """A dead far side is found out by its silence, once."""
        self.refresh()
        self.clock.pump([0.5] * 100)
        self.assertEqual(len(self.listener.ends), 1)
        self.assertEqual(len(self.tries("BYE")), 1)

    def test_call_is_over(self) -> None:
        """After a hang-up nothing is refreshed."""
        self.up(timer("90;refresher=uas"))
        self.request("BYE")
        self.clock.advance(200)
        self.assertEqual(self.asked("UPDATE"), [])

    def test_asked_by_us(self) -> None:
        """We have called: what their 2xx says holds, though we never asked for a timer."""
        self.connected(headers=(("Session-Expires", "90;refresher=uac"),))
        self.clock.advance(45)
        self.ask("INVITE")
