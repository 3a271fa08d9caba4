"""Calls placed by REST, over a network in memory, whatever the carrier answers."""

from __future__ import annotations

from typing import Any

from rapida_tw.carriers.outbound import (
    Order,
    Outcome,
    Placed,
    Reach,
)
from rapida_tw.carriers.rest_exchange import requests
from rapida_tw.errors import BadRequest
from tests.carriers.asking import CONTEXT
from tests.carriers.rest_case import ACCOUNT, CALL, MEDIA, ORDER, TAKEN, TOKEN, RestCase
from tests.net.case import HOST


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
