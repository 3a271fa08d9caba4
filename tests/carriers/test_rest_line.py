"""Calls steered and hung up by REST, over a network in memory, whatever the carrier answers."""

from __future__ import annotations

from twisted.internet.defer import CancelledError

from rapida_tw.account import Account
from rapida_tw.carriers.exotel_control import ExotelControl
from rapida_tw.carriers.outbound import (
    CarrierRefused,
    RemoteCall,
)
from rapida_tw.carriers.rest_exchange import requests
from rapida_tw.errors import IDLE_TIMEOUT, TRANSFERRED, BadRequest, NotSupported, VendorFailed
from tests.carriers.rest_case import ACCOUNT, CALL, REMOTE, TAKEN, TOKEN, RestCase


class HangUpTests(RestCase):
    def hang_up(self) -> None:
        line = self.telephone.line(REMOTE)
        assert line is not None
        line.hang_up(IDLE_TIMEOUT)
        self.run_for()

    def test_told_until_heard(self) -> None:
        """What was not heard is said again: it ends one call, however often."""
        self.hang_up()
        self.answer(500)
        self.run_for(1.0)
        self.reply.drop()
        self.run_for(4.1)
        self.answer(200, TAKEN)
        self.assertEqual(len(self.fakes.asked), 3)
        self.run_for(10.0)
        self.assertEqual(len(self.fakes.asked), 3)

    def test_gone(self) -> None:
        """A call that is over already is no error."""
        before = requests.value("twilio", "hang-up", "gone")
        self.hang_up()
        self.answer(400, {"code": 21220, "message": "Call is not in-progress."})
        self.assertEqual(requests.value("twilio", "hang-up", "gone"), before + 1)
        self.assertEqual(len(self.fakes.asked), 1)

    def test_refused(self) -> None:
        """A refusal stays one: it is not asked again."""
        self.hang_up()
        self.answer(401, {"code": 20003})
        self.run_for(10.0)
        self.assertEqual(len(self.fakes.asked), 1)

    def test_nobody_waits(self) -> None:
        """A call whose hang-up is not answered holds nobody up, and ends in time."""
        self.hang_up()
        other = self.telephone.line(REMOTE)
        assert other is not None
        sending = other.transfer("+15550100009")
        self.run_for()
        self.answer(200, TAKEN)
        self.successResultOf(sending)

    def test_what_cannot_be_steered(self) -> None:
        """Without keys, or with an id that leads elsewhere, closing the media was all."""
        for call in (RemoteCall(CALL, Account("twilio")), RemoteCall("../x", ACCOUNT)):
            line = self.telephone.line(call)
            assert line is not None
            line.hang_up(IDLE_TIMEOUT)
            self.run_for()
        self.assertEqual(len(self.fakes.asked), 0)

    def test_an_unknown_call(self) -> None:
        """Without an id there is no line."""
        self.assertIsNone(self.telephone.line(RemoteCall("", ACCOUNT)))


class LineTests(RestCase):
    def setUp(self) -> None:
        super().setUp()
        line = self.telephone.line(REMOTE)
        assert line is not None
        self.line = line

    def test_transfer(self) -> None:
        """It has happened when it fires; whoever was transferred is not hung up then."""
        moving = self.line.transfer("+15550100009")
        self.run_for()
        self.assertNoResult(moving)
        (twiml,) = self.form()["Twiml"]
        self.assertIn("+15550100009</Number>", twiml)
        self.answer(200, TAKEN)
        self.successResultOf(moving)
        self.line.hang_up(TRANSFERRED)
        self.run_for()
        self.assertEqual(len(self.fakes.asked), 1)

    def test_refused(self) -> None:
        """The call goes on, and may be hung up."""
        for status, body in ((400, {"code": 21220}), (401, {"code": 20003}), (500, "")):
            moving = self.line.transfer("+15550100009")
            self.run_for()
            self.answer(status, body)
            self.failureResultOf(moving, CarrierRefused)
        self.line.hang_up(IDLE_TIMEOUT)
        self.run_for()
        self.assertEqual(self.form()["Status"], ["completed"])
        self.answer(200, TAKEN)

    def test_bad_target(self) -> None:
        """Nobody is asked."""
        self.failureResultOf(self.line.transfer("911<Number>"), BadRequest)
        self.assertEqual(len(self.fakes.asked), 0)

    def test_late(self) -> None:
        """5 s."""
        moving = self.line.transfer("+15550100009")
        self.run_for(5.1)
        self.assertIn("5 s", str(self.failureResultOf(moving, VendorFailed).value))

    def test_given_up(self) -> None:
        """Cancelling gives up the answer; the request is not broken off in the middle."""
        moving = self.line.transfer("+15550100009")
        self.run_for()
        moving.cancel()
        self.failureResultOf(moving, CancelledError)
        self.run_for()
        self.assertFalse(self.reply.gone)
        self.answer(200, TAKEN)

    def test_not_supported(self) -> None:
        """Digits go into the audio, and held callers hear silence."""
        self.failureResultOf(self.line.send_digits("12#"), NotSupported)
        self.failureResultOf(self.line.hold(True), NotSupported)

    def test_check(self) -> None:
        """A sentence of whose account it is; it must hold no secret when it is wrong."""
        checking = self.telephone.check(ACCOUNT)
        self.run_for()
        self.answer(200, {"friendly_name": "My company", "status": "active"})
        sentence = self.successResultOf(checking)
        self.assertEqual(sentence, "twilio knows the account 'My company' (active)")
        checking = self.telephone.check(ACCOUNT)
        self.run_for()
        self.answer(401, {"code": 20003, "message": f"Authenticate {TOKEN}"})
        error = self.failureResultOf(checking, CarrierRefused).value
        self.assertEqual(str(error), "Authenticate *** (20003)")

    def test_stop(self) -> None:
        """Hang-ups get three seconds, then nothing is open."""
        self.line.hang_up(IDLE_TIMEOUT)
        self.dial()
        stopping = self.telephone.stop()
        self.run_for(2.9)
        self.assertNoResult(stopping)
        self.run_for(0.2)
        self.successResultOf(stopping)
        self.assertTrue(all(reply.gone for reply in self.vendor.replies))
        self.assertEqual(self.user.told, [])


class NoHangUpTests(RestCase):
    control = ExotelControl()

    def test_nothing_to_be_told(self) -> None:
        """Where a carrier has no hang-up, closing the media is all."""
        line = self.telephone.line(REMOTE)
        assert line is not None
        line.hang_up(IDLE_TIMEOUT)
        self.run_for()
        self.assertEqual(len(self.fakes.asked), 0)
