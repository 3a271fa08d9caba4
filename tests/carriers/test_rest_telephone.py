"""Calls placed and steered by REST, over a network in memory, whatever the carrier answers."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

from twisted.internet.defer import CancelledError

from rapida_tw.account import Account
from rapida_tw.carriers.exotel_control import ExotelControl
from rapida_tw.carriers.outbound import (
    CarrierRefused,
    Dialling,
    Order,
    Outcome,
    Placed,
    Progress,
    Reach,
    RemoteCall,
    RestControl,
)
from rapida_tw.carriers.rest_exchange import requests
from rapida_tw.carriers.rest_telephone import RestTelephone
from rapida_tw.carriers.twilio_control import TwilioControl
from rapida_tw.errors import IDLE_TIMEOUT, TRANSFERRED, BadRequest, NotSupported, VendorFailed
from rapida_tw.sim.vendors.base import Reply
from tests.carriers.asking import CONTEXT
from tests.net.case import HOST, NetCase

SID, TOKEN = "AC00000000000000000000000000000001", "a-token-that-nobody-may-see"
ACCOUNT = Account(
    "twilio",
    {"account_sid": SID, "account_token": TOKEN, "base_url": f"https://{HOST}"},
)
CALL = "CA00000000000000000000000000000001"
MEDIA = f"wss://voice.example.com/v1/talk/twilio/ctx/{CONTEXT}"
ORDER = Order(1, 2, 3, CONTEXT, "+15550100001", "+15550100002", MEDIA, f"{MEDIA}/event", ACCOUNT)
REMOTE = RemoteCall(CALL, ACCOUNT, caller="+15550100002")
TAKEN = {"sid": CALL, "status": "queued"}


class User:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def accepted(self, placed: Placed) -> None:
        self.told.append(placed)

    def progressed(self, progress: Progress) -> None:
        self.told.append(progress)

    def attach(self, leg: Any) -> Any:
        raise AssertionError("its media comes by itself")

    def happened(self, name: str, **data: Any) -> None:
        self.told.append((name, data))

    def failed(self, outcome: Outcome) -> None:
        self.told.append(outcome)


class RestCase(NetCase):
    control: RestControl = TwilioControl()

    def setUp(self) -> None:
        super().setUp()
        self.telephone = RestTelephone(self.control, self.net, self.clock, lambda: 1e9)
        self.user = User()

    def tearDown(self) -> None:
        self.run_for(20.0)
        self.successResultOf(self.telephone.stop())
        super().tearDown()

    def dial(self) -> Dialling:
        dialling = self.telephone.dial(ORDER, self.user)
        self.run_for()
        return dialling

    @property
    def reply(self) -> Reply:
        return self.vendor.replies[-1]

    def answer(self, status: int, body: Any = "", headers: dict[str, str] | None = None) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self.reply.head(status, headers or {})
        self.reply.write(text.encode())
        self.reply.end()
        self.run_for()

    def form(self, request: int = -1) -> dict[str, list[str]]:
        return parse_qs(self.fakes.asked[request].body.decode())


class DialTests(RestCase):
    def test_nothing_before_it_returns(self) -> None:
        """Neither is the user told anything, nor the carrier."""
        self.telephone.dial(ORDER, self.user)
        self.assertEqual((self.user.told, len(self.fakes.asked)), ([], 0))
        self.run_for()
        self.assertEqual(len(self.fakes.asked), 1)
        self.answer(201, TAKEN)

    def test_accepted(self) -> None:
        """The carrier has it; the request went out once, and tells it which number."""
        self.dial()
        self.answer(201, TAKEN)
        self.assertEqual(self.user.told, [Placed(CALL)])
        self.assertEqual(self.form()["To"], ["+15550100001"])
        self.assertEqual(len(self.fakes.asked), 1)

    def test_bad_order(self) -> None:
        """What can be no number is told at once, and nobody is asked."""
        bad = Order(1, 2, 3, CONTEXT, "5550\r\nX: y", "+1555010", MEDIA, MEDIA, ACCOUNT)
        self.assertRaises(BadRequest, self.telephone.dial, bad, self.user)
        self.run_for()
        self.assertEqual(len(self.fakes.asked), 0)

    def test_refused(self) -> None:
        """With the carrier's code and words, and nobody's phone rings."""
        self.dial()
        self.answer(400, {"code": 21211, "message": "The 'To' number is not valid", "status": 400})
        words = "The 'To' number is not valid"
        self.assertEqual(
            self.user.told, [Outcome("bad_number", words, "21211", False, Reach.NOBODY)]
        )

    def test_no_secret_comes_back(self) -> None:
        """A carrier that says the token back is not quoted with it."""
        self.dial()
        sent = self.fakes.asked[0].headers["authorization"]
        self.answer(401, {"code": 20003, "message": f"wrong: {TOKEN}, {sent}"})
        (outcome,) = self.user.told
        self.assertEqual((outcome.status, outcome.code), ("authentication_failed", "20003"))
        self.assertNotIn(TOKEN, outcome.reason)
        self.assertNotIn(sent.split()[1], outcome.reason)

    def test_unsure(self) -> None:
        """Where the call may exist nothing has failed, and nobody asks again."""
        bad: tuple[tuple[int, Any], ...] = (
            (500, {"code": 20500, "message": "oops"}),
            (503, "<html>no</html>"),
            (201, ""),
            (201, "[]"),
            (200, {"sid": None}),
            (200, {"sid": "x" * 500}),
        )
        for status, body in bad:
            self.user.told.clear()
            before = len(self.fakes.asked)
            dialling = self.dial()
            self.answer(status, body)
            ((name, _),) = self.user.told
            self.assertEqual(name, "outbound.unsure", body)
            dialling.cancel()
            self.run_for(20.0)
            self.assertEqual((len(self.fakes.asked), len(self.user.told)), (before + 1, 1))

    def test_cut_off(self) -> None:
        """Nor where the connection breaks before or in the answer."""
        self.dial()
        self.reply.drop()
        self.run_for()
        self.dial()
        self.reply.head(201, {"Content-Length": "100"})
        self.reply.write(b"{")
        self.reply.drop()
        self.run_for()
        self.assertEqual([told[0] for told in self.user.told], ["outbound.unsure"] * 2)

    def test_a_refusal_that_breaks_off(self) -> None:
        """It is one all the same."""
        self.dial()
        self.reply.head(404, {"Content-Length": "100"})
        self.run_for()
        self.reply.drop()
        self.run_for()
        (outcome,) = self.user.told
        self.assertEqual((outcome.status, outcome.reach), ("configuration_failed", Reach.NOBODY))

    def test_late(self) -> None:
        """15 s are waited for an answer; then it is not known."""
        self.dial()
        self.run_for(14.9)
        self.assertEqual(self.user.told, [])
        self.run_for(0.2)
        ((name, data),) = self.user.told
        self.assertEqual(name, "outbound.unsure")
        self.assertIn("15 s", data["reason"])
        self.assertTrue(self.reply.gone)

    def test_not_sent(self) -> None:
        """Nobody was reached, so the same call may be tried again."""
        self.fakes.down.add(HOST)
        before = requests.value("twilio", "place", "unreached")
        self.dial()
        (outcome,) = self.user.told
        self.assertEqual(
            (outcome.status, outcome.retryable, outcome.reach),
            ("unreachable", True, Reach.NOBODY),
        )
        self.assertEqual(requests.value("twilio", "place", "unreached"), before + 1)

    def test_asked_too_often(self) -> None:
        """A carrier that wants a moment gets it, once."""
        self.dial()
        self.answer(429, {"code": 20429, "message": "slow"}, {"Retry-After": "2"})
        self.assertEqual((self.user.told, len(self.fakes.asked)), ([], 1))
        self.run_for(2.0)
        self.answer(429, {"code": 20429, "message": "slow"}, {"Retry-After": "2"})
        (outcome,) = self.user.told
        self.assertEqual((outcome.status, outcome.retryable), ("capacity_exceeded", True))
        self.assertEqual((outcome.reach, len(self.fakes.asked)), (Reach.NOBODY, 2))

    def test_a_longer_moment(self) -> None:
        """Is for whoever asked for the call to wait."""
        for headers in ({"Retry-After": "3"}, {}):
            self.user.told.clear()
            self.dial()
            self.answer(429, {"code": 20429}, headers)
            self.assertEqual(self.user.told[0].status, "capacity_exceeded")


class CancelTests(RestCase):
    def test_before_it_is_sent(self) -> None:
        """Then nobody is asked at all."""
        self.telephone.dial(ORDER, self.user).cancel()
        self.run_for()
        self.assertEqual((self.user.told, len(self.fakes.asked)), ([], 0))

    def test_while_it_rings(self) -> None:
        """The carrier is told, once; the user hears nothing more."""
        dialling = self.dial()
        self.answer(201, TAKEN)
        dialling.cancel()
        dialling.cancel()
        self.run_for()
        self.assertEqual(self.form()["Status"], ["completed"])
        self.assertIn(CALL, self.fakes.asked[-1].path)
        self.answer(200, TAKEN)
        self.assertEqual((len(self.fakes.asked), len(self.user.told)), (2, 1))

    def test_while_it_is_asked_for(self) -> None:
        """The answer is awaited, because it tells which call must be hung up."""
        dialling = self.dial()
        dialling.cancel()
        self.run_for(3.0)
        self.answer(201, TAKEN)
        self.assertEqual(self.form()["Status"], ["completed"])
        self.answer(200, TAKEN)
        self.assertEqual(self.user.told, [])

    def test_while_it_waits(self) -> None:
        """A call that was given up is not asked for again."""
        dialling = self.dial()
        self.answer(429, "", {"Retry-After": "2"})
        dialling.cancel()
        self.run_for(3.0)
        self.assertEqual((len(self.fakes.asked), self.user.told), (1, []))

    def test_refused_meanwhile(self) -> None:
        """Then there is nothing to hang up, and nobody to tell."""
        dialling = self.dial()
        dialling.cancel()
        self.answer(400, {"code": 21211})
        self.assertEqual((len(self.fakes.asked), self.user.told), (1, []))


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
