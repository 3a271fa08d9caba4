"""What is done to a call in Stasis mode while the assistant talks: transfer, digits, hold."""

from __future__ import annotations

from twisted.internet.defer import CancelledError

from rapida_tw.ari.transfer import LEAVE_WITHIN
from rapida_tw.carriers.outbound import CarrierRefused
from rapida_tw.errors import IDLE_TIMEOUT, TRANSFERRED, NotSupported
from tests.ari.case import AriCase

AGENT = "+15559990000"


class Transfers(AriCase):
    """To a person with a number."""

    def setUp(self) -> None:
        super().setUp()
        self.call = self.connected()
        self.talk = self.line(self.call)
        self.customer = self.call.plan.channel
        self.target = f"{self.customer}-transfer-1"

    def test_answered(self) -> None:
        """The two are in the bridge, our audio is not; only then it has happened."""
        self.person(AGENT, answers=3)
        moving = self.talk.transfer(AGENT)
        self.run_for(2)
        self.assertNoResult(moving)
        self.run_for(2)
        self.successResultOf(moving)
        self.assertEqual(self.members(), {self.customer, self.target})

    def test_request(self) -> None:
        """The target is shown the number that it shall see, and dialled like any other."""
        self.talk.transfer(AGENT).addErrback(lambda _: None)
        self.run_for(0.1)
        query = self.asked("POST", "/channels")[-1]
        self.assertEqual(query["endpoint"], f"PJSIP/{AGENT}@trunk")
        self.assertEqual(query["callerId"], "+15550001111")
        self.assertEqual(query["app"], "rapida")

    def test_music(self) -> None:
        """The customer hears some while it rings."""
        self.person(AGENT, answers=3)
        self.talk.transfer(AGENT)
        self.run_for(2)
        self.assertEqual(self.channels[self.customer].sounds, ["moh"])
        self.run_for(2)
        self.assertEqual(self.channels[self.customer].sounds, [])

    def test_conversation_ends(self) -> None:
        """The assistant's part ends, and the two go on talking."""
        moving = self.talk.transfer(AGENT)
        self.run_for(2)
        self.successResultOf(moving)
        self.talk.hang_up(TRANSFERRED)
        self.run_for(10)
        self.assertEqual(set(self.channels), {self.customer, self.target})

    def test_nobody_ends_it(self) -> None:
        """Our audio goes by itself after a while."""
        moving = self.talk.transfer(AGENT)
        self.run_for(2)
        self.successResultOf(moving)
        self.run_for(LEAVE_WITHIN)
        self.assertEqual(set(self.channels), {self.customer, self.target})

    def test_one_leaves(self) -> None:
        """Whoever of the two leaves, the other is hung up, and nothing stays."""
        for number, leaving in enumerate((self.customer, self.target)):
            with self.subTest(leaving=leaving):
                if number:
                    self.user = type(self.user)()
                    call = self.connected(number=8)
                    self.talk, leaving = self.line(call), f"{call.plan.channel}-transfer-1"
                moving = self.talk.transfer(AGENT)
                self.run_for(2)
                self.successResultOf(moving)
                self.talk.hang_up(TRANSFERRED)
                self.run_for(1)
                self.asterisk.channels.hang_up(self.channels[leaving], 16)
                self.run_for(1)
                self.assertEqual(dict(self.channels), {})
                self.assertEqual(self.asterisk.channels.bridges, {})
                self.assertEqual(self.telephone.calls, {})

    def test_not_answered(self) -> None:
        """Why, is told; the customer is with the assistant as before."""
        reasons = (({"cause": 17}, "busy"), ({"cause": 21}, "rejected"), ({"answers": None}, "no_"))
        for manner, status in reasons:
            self.person(AGENT, **manner)
            moving = self.talk.transfer(AGENT)
            self.run_for(50)
            error = self.failure(moving, CarrierRefused)
            assert isinstance(error, CarrierRefused)
            self.assertTrue(error.outcome.status.startswith(status), error)
            self.assertEqual(self.members(), {self.customer, self.call.plan.media_channel})
            self.assertEqual(self.channels[self.customer].sounds, [])

    def test_refused(self) -> None:
        """What Asterisk cannot dial."""
        self.asterisk.trunks.clear()
        moving = self.talk.transfer(AGENT)
        self.run_for(1)
        self.assertIn("Allocation failed", str(self.failure(moving, CarrierRefused)))
        self.assertEqual(len(self.channels), 2)

    def test_no_target(self) -> None:
        """What can be none is told at once."""
        for target in ("", "a b", "1&2", "sip:x", "PJSIP/trunk/1"):
            self.failure(self.talk.transfer(target), NotSupported)

    def test_again(self) -> None:
        """After one that failed, another may be tried; not two at once."""
        self.person(AGENT, cause=17)
        first = self.talk.transfer(AGENT)
        self.failure(self.talk.transfer(AGENT), NotSupported)
        self.run_for(2)
        self.failure(first, CarrierRefused)
        self.person(AGENT)
        second = self.talk.transfer(AGENT)
        self.run_for(2)
        self.successResultOf(second)
        self.failure(self.talk.transfer(AGENT), NotSupported)

    def test_cancelled(self) -> None:
        """The target's telephone stops ringing."""
        self.person(AGENT, answers=None)
        moving = self.talk.transfer(AGENT)
        self.run_for(2)
        moving.cancel()
        self.failure(moving, CancelledError)
        self.run_for(1)
        self.assertEqual(self.members(), {self.customer, self.call.plan.media_channel})
        self.assertEqual(len(self.channels), 2)
        self.assertEqual(self.channels[self.customer].sounds, [])

    def test_withdrawn(self) -> None:
        """The call ends otherwise: nobody is left ringing."""
        self.person(AGENT, answers=None)
        moving = self.talk.transfer(AGENT)
        self.run_for(2)
        self.talk.withdraw()
        self.talk.hang_up(IDLE_TIMEOUT)
        self.failure(moving, NotSupported)
        self.run_for(1)
        self.assertEqual(dict(self.channels), {})

    def test_customer_leaves(self) -> None:
        """While it rings."""
        self.person(AGENT, answers=None)
        moving = self.talk.transfer(AGENT)
        self.run_for(2)
        self.asterisk.channels.hang_up(self.channels[self.customer], 16)
        self.run_for(1)
        self.failure(moving, NotSupported)
        self.assertEqual(dict(self.channels), {})

    def test_answered_while_events_were_lost(self) -> None:
        """They are connected when the socket is back."""
        self.person(AGENT, answers=3)
        moving = self.talk.transfer(AGENT)
        self.run_for(2.8)
        self.asterisk.cut()
        # The application is gone, and who answers would be hung up; so it stays there.
        self.run_for(0.1)
        self.asterisk.sessions["rapida"] = _Deaf()  # type: ignore[assignment]
        self.run_for(5)
        self.successResultOf(moving)
        self.assertEqual(self.members(), {self.customer, self.target})

    def test_the_server_stops(self) -> None:
        """The two go on talking."""
        moving = self.talk.transfer(AGENT)
        self.run_for(2)
        self.successResultOf(moving)
        self.talk.hang_up(TRANSFERRED)
        self.run_for(1)
        stopping = self.telephone.stop()
        self.run_for(1)
        self.successResultOf(stopping)
        self.assertEqual(self.members(), {self.customer, self.target})


class _Deaf:
    """An application that is there, and whose reader is not."""

    class line:
        @staticmethod
        def send(message: object) -> None:
            """Lost."""


class Others(AriCase):
    """Digits and hold."""

    def test_digits(self) -> None:
        """Asterisk sends them to the customer."""
        call = self.connected()
        sending = self.line(call).send_digits("12#d")
        self.run_for(1)
        self.successResultOf(sending)
        self.assertEqual(self.channels[call.plan.channel].digits, "12#D")

    def test_bad_digits(self) -> None:
        """What is no digit is not sent."""
        line = self.line(self.connected())
        for digits in ("", "x", "1 2", "1" * 65):
            self.failure(line.send_digits(digits), NotSupported)

    def test_hold(self) -> None:
        """The customer hears music."""
        call = self.connected()
        line = self.line(call)
        sounds = self.channels[call.plan.channel].sounds
        line.hold(True)
        self.run_for(1)
        self.assertEqual(sounds, ["moh"])
        line.hold(False)
        self.run_for(1)
        self.assertEqual(self.channels[call.plan.channel].sounds, [])

    def test_the_server_stops(self) -> None:
        """Its calls are hung up."""
        self.connected()
        stopping = self.telephone.stop()
        self.run_for(1)
        self.successResultOf(stopping)
        self.assertEqual(dict(self.channels), {})

    def test_after_the_end(self) -> None:
        """Nothing can be done to a call that is gone, and nothing is broken by it."""
        call = self.connected()
        line = self.line(call)
        line.hang_up(IDLE_TIMEOUT)
        line.hang_up(IDLE_TIMEOUT)
        self.run_for(1)
        self.failure(line.transfer(AGENT), NotSupported)
        sending = line.send_digits("1")
        self.run_for(1)
        self.failure(sending, NotSupported)
