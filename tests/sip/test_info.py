"""Digits by INFO, in and out, and beside telephone-event."""

from __future__ import annotations

from rapida_tw.errors import NotSupported
from rapida_tw.sip.info import EVENT, INFO, Presses
from tests.sip.session_case import SessionCase, sdp

RELAY = (("Content-Type", "application/dtmf-relay"),)
BARE = (("Content-Type", "application/dtmf"),)


class InTests(SessionCase):
    def test_relay(self) -> None:
        """A signal with its duration is one digit."""
        self.up()
        answer = self.answer_to("INFO", b"Signal=5\r\nDuration=160\r\n", RELAY)
        self.assertEqual((answer.status, self.listener.told), (200, ["5"]))

    def test_bare(self) -> None:
        """So is a digit alone."""
        self.up()
        self.answer_to("INFO", b"#", (("Content-Type", "Application/DTMF; charset=x"),))
        self.assertEqual(self.listener.told, ["#"])

    def test_nothing(self) -> None:
        """An empty INFO is a ping."""
        self.up()
        self.assertEqual(self.answer_to("INFO").status, 200)
        self.assertEqual(self.listener.told, [])

    def test_flash(self) -> None:
        """A hook flash is understood, and is no digit."""
        self.up()
        self.assertEqual(self.answer_to("INFO", b"Signal=16\r\n", RELAY).status, 200)
        self.assertEqual(self.listener.told, [])

    def test_other_type(self) -> None:
        """415 names what we take."""
        self.up()
        kind = (("Content-Type", "application/media_control+xml"),)
        refused = self.answer_to("INFO", b"<x/>", kind)
        self.assertEqual(refused.status, 415)
        self.assertEqual(refused.headers.get("Accept"), "application/dtmf-relay, application/dtmf")

    def test_broken(self) -> None:
        """What is no digit is refused, and the call goes on."""
        self.up()
        self.assertEqual(self.answer_to("INFO", b"Signal=99\r\n", RELAY).status, 400)
        self.assertEqual((self.listener.told, self.listener.ends), ([], []))

    def test_both_ways(self) -> None:
        """The same press by telephone-event and INFO is one digit, whichever is first."""
        self.up()
        assert self.stream.listener is not None
        self.stream.listener.digit_received("7")
        self.clock.advance(0.2)
        self.answer_to("INFO", b"7", BARE)
        self.answer_to("INFO", b"8", BARE)
        self.stream.listener.digit_received("8")
        self.assertEqual(self.listener.told, ["7", "8"])

    def test_hung_up_by_it(self) -> None:
        """A digit may end the call; the INFO is answered all the same."""
        self.up()
        self.listener.digit_received = lambda digit: self.session.hang_up()  # type: ignore[method-assign]
        self.assertEqual(self.answer_to("INFO", b"1", BARE).status, 200)
        self.ask("BYE")


class OutTests(SessionCase):
    def test_events_first(self) -> None:
        """Where telephone-event is agreed on, no INFO is sent."""
        self.up()
        self.session.send_digits("12")
        self.assertEqual((self.stream.digits, self.asked("INFO")), ("12", []))

    def without_events(self, allow: str = "INVITE, BYE, INFO") -> None:
        number = self.call(sdp("0"), (("Allow", allow),))
        self.request("ACK", cseq=number)
        self.session.listen(self.listener)

    def test_one_by_one(self) -> None:
        """Each digit waits for the answer to the one before: requests may overtake each other."""
        self.without_events()
        self.session.send_digits("1#")
        first = self.ask("INFO")
        self.assertEqual(first.body, b"Signal=1\r\nDuration=160\r\n")
        self.assertEqual(first.headers.get("Content-Type"), "application/dtmf-relay")
        self.session.send_digits("2")
        self.reply(first, 200)
        self.assertEqual(self.asked("INFO")[1].body[:8], b"Signal=#")
        self.assertEqual(len(self.asked("INFO")), 2)

    def test_other_type(self) -> None:
        """415: the same digit as application/dtmf, and so from then on."""
        self.without_events()
        self.session.send_digits("12")
        for status in (415, 200, 200):
            self.reply(self.asked("INFO")[-1], status)
        bodies = [info.body for info in self.asked("INFO")]
        self.assertEqual(bodies, [b"Signal=1\r\nDuration=160\r\n", b"1", b"2"])

    def test_refused(self) -> None:
        """Who refuses a digit is not sent the rest."""
        self.without_events()
        self.session.send_digits("123")
        self.reply(self.ask("INFO"), 415)
        self.reply(self.asked("INFO")[-1], 415)
        self.assertEqual(len(self.asked("INFO")), 2)

    def test_no_way(self) -> None:
        """Neither the one nor the other: the model is told."""
        self.without_events("INVITE, BYE")
        self.assertRaises(NotSupported, self.session.send_digits, "1")
        self.session.hang_up()
        self.session.send_digits("1")  # nobody is left to be told

    def test_no_digits(self) -> None:
        """What is no key of a phone is not sent."""
        self.without_events()
        for digits in ("5\r\nSignal=6", "x", "١"):
            with self.subTest(digits=digits):
                self.assertRaises(NotSupported, self.session.send_digits, digits)
        self.assertEqual(self.asked("INFO"), [])

    def test_bounded(self) -> None:
        """What nobody will ever hear is not kept."""
        self.without_events()
        self.session.send_digits("1" * 10_000)
        for _ in range(100):
            self.reply(self.asked("INFO")[-1], 200)
        self.assertEqual(len(self.asked("INFO")), 64)

    def test_call_is_over(self) -> None:
        """No digit after the end."""
        self.without_events()
        self.session.send_digits("12")
        self.session.hang_up()
        self.reply(self.ask("INFO"), 200)
        self.session.send_digits("3")
        self.assertEqual(len(self.asked("INFO")), 1)


class PressesTests(SessionCase):
    """Without a call."""

    def test_pairs(self) -> None:
        """A fast "55" told both ways, in any order, is two digits."""
        for order in ("eiei", "eeii", "ieie", "iiee", "eiie", "eii", "iie"):
            with self.subTest(order=order):
                presses = Presses(self.clock.seconds)
                ways = [EVENT if way == "e" else INFO for way in order]
                self.assertEqual([presses.new("5", way) for way in ways].count(True), 2)

    def test_late(self) -> None:
        """After 300 ms it is another press."""
        presses = Presses(self.clock.seconds)
        self.assertTrue(presses.new("5", EVENT))
        self.clock.advance(0.31)
        self.assertTrue(presses.new("5", INFO))

    def test_different(self) -> None:
        """Another digit is another press."""
        presses = Presses(self.clock.seconds)
        self.assertTrue(presses.new("5", EVENT))
        self.assertTrue(presses.new("6", INFO))
