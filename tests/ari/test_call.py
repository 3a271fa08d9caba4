"""A call in Stasis mode, from the request to its end, by whoever ends it."""

from __future__ import annotations

import pytest

from rapida_tw.ari.call import CONNECTED_WITHIN
from rapida_tw.carriers.outbound import Reach
from rapida_tw.errors import IDLE_TIMEOUT, BadRequest, MisconfiguredAssistant
from rapida_tw.sim.ari_channels import Channel
from tests.ari.case import CONTEXT, NUMBER, AriCase, account, order


class Answered(AriCase):
    """Calls that are answered."""

    def test_request(self) -> None:
        """One request dials, with all that Asterisk is to know."""
        call = self.dial()
        [query] = self.asked("POST", "/channels")
        self.assertEqual(
            query,
            {
                "endpoint": f"PJSIP/{NUMBER}@trunk",
                "channelId": call.plan.channel,
                "app": "rapida",
                "callerId": "+15550001111",
                "timeout": "30",
            },
        )

    def test_told(self) -> None:
        """The user is told of each state once, in its order, and of what was dialled."""
        call = self.connected()
        [placed] = self.user.placed
        self.assertEqual(placed.call_id, call.plan.channel)
        name, data = self.user.history[0]
        self.assertEqual(name, "asterisk.dialled")
        self.assertEqual(data["endpoint"], f"PJSIP/{NUMBER}@trunk")

    def test_nothing_before_it_returns(self) -> None:
        """Who asks is told nothing before `dial` has returned."""
        self.telephone.dial(order(), self.user)
        self.assertEqual(self.asterisk.asked, [])

    def test_events_first(self) -> None:
        """The application is there before anybody is rung up."""
        self.dial()
        self.assertIn("rapida", self.asterisk.sessions)
        self.assertEqual(self.asterisk.asked[0][:2], ("POST", "/channels"))

    def test_media(self) -> None:
        """Asterisk is told where to bring the audio, and of which call it is."""
        call = self.connected()
        [query] = self.asked("POST", "/externalMedia")
        self.assertEqual(
            query,
            {
                "app": "rapida",
                "channelId": call.plan.media_channel,
                "external_host": "voice.test:4573",
                "encapsulation": "audiosocket",
                "transport": "tcp",
                "format": "slin",
                "data": CONTEXT,
            },
        )

    def test_websocket_media(self) -> None:
        """Or by chan_websocket, whose client is configured there."""
        self.connected(options={"media": "websocket", "websocket_client": "rapida"})
        [query] = self.asked("POST", "/externalMedia")
        self.assertEqual(query["external_host"], "rapida")
        self.assertEqual(query["transport"], "websocket")
        self.assertEqual(query["format"], "ulaw")
        self.assertEqual(query["transport_data"], f"f(json)v(contextId={CONTEXT})")

    def test_customer_hangs_up(self) -> None:
        """Nothing of it stays: no media channel, no bridge."""
        self.person(hangs_up=3)
        self.connected()
        self.run_for(4)
        self.assertEqual(dict(self.channels), {})
        self.assertEqual(self.asterisk.channels.bridges, {})
        self.assertEqual(self.telephone.calls, {})
        self.assertEqual(self.user.outcomes, [])

    def test_we_hang_up(self) -> None:
        """The line's hang-up ends the customer's channel too."""
        call = self.connected()
        self.line(call).hang_up(IDLE_TIMEOUT)
        self.run_for(1)
        self.assertEqual(dict(self.channels), {})
        self.assertEqual(self.asterisk.channels.bridges, {})

    def test_our_media_ends(self) -> None:
        """Our side has ended, and the customer is not left in a silent bridge."""
        call = self.connected()
        media = self.channels[call.plan.media_channel]
        self.asterisk.channels.hang_up(media, 16)
        self.run_for(1)
        self.assertEqual(dict(self.channels), {})
        self.assertEqual(self.user.outcomes, [])

    def test_longest(self) -> None:
        """It lasts no longer than it may."""
        self.connected(most_seconds=10)
        self.run_for(10)
        self.assertEqual(dict(self.channels), {})

    def test_media_before_the_answer(self) -> None:
        """We are connected while our own request still waits for its answer."""
        self.asterisk.ignoring = {("POST", "/externalMedia")}
        call = self.dial(seconds=2)
        self.assertEqual(self.members(), {call.plan.channel, call.plan.media_channel})
        self.run_for(20)
        self.assertEqual(self.user.outcomes, [])
        self.assertEqual(len(self.channels), 2)

    def test_media_unreachable(self) -> None:
        """Asterisk cannot connect to us: the customer is hung up, and the reason told."""
        self.asterisk.reach = lambda channel: False
        self.dial(seconds=2)
        [outcome] = self.user.outcomes
        self.assertEqual(outcome.status, "media_failed")
        self.assertIn("internal error", outcome.reason)
        self.assertEqual(dict(self.channels), {})

    def test_websocket_unreachable(self) -> None:
        """The same where Asterisk tells it by an event."""
        self.asterisk.reach = lambda channel: False
        self.dial(seconds=2, options={"media": "websocket"})
        [outcome] = self.user.outcomes
        self.assertEqual(outcome.status, "media_failed")
        self.assertEqual(dict(self.channels), {})

    def test_media_never_comes(self) -> None:
        """The customer does not wait for ever."""
        enter = self.asterisk.channels.enter

        def late(channel: Channel) -> None:
            if not channel.id.endswith("-media"):
                enter(channel)

        self.asterisk.channels.enter = late  # type: ignore[method-assign]
        self.dial(seconds=5)
        self.assertEqual(self.user.told, ["accepted", "ringing", "answered"])
        self.run_for(CONNECTED_WITHIN + 1)
        self.assertEqual(self.user.told[-1], "media_failed")
        self.assertEqual(dict(self.channels), {})

    def test_hung_up_before_the_media(self) -> None:
        """Answered, and gone before we were there: that is no call."""
        self.asterisk.ignoring_before = {("POST", "/bridges")}
        self.person(hangs_up=1)
        self.dial(seconds=3)
        [outcome] = self.user.outcomes
        self.assertEqual((outcome.status, outcome.code), ("media_failed", "16"))
        self.assertIn("Normal Clearing", outcome.reason)

    def test_two_calls(self) -> None:
        """One call that waits for Asterisk does not hold another."""
        self.asterisk.ignoring_before = {("POST", "/bridges")}
        first = self.dial(seconds=2)
        self.asterisk.ignoring_before = set()
        second = self.dial(number=8, context_id=CONTEXT.replace("66", "77"), seconds=2)
        self.assertEqual(self.members(), {second.plan.channel, second.plan.media_channel})
        self.assertNotIn(first.plan.media_channel, self.channels)


class NotAnswered(AriCase):
    """Calls that come to nothing."""

    def test_declined(self) -> None:
        """Asterisk's last event says why; each cause has its outcome."""
        for number, (cause, sip, status, retryable) in enumerate(OUTCOMES, 1):
            self.user = type(self.user)()
            self.person(rings=None, answers=1, cause=cause, sip=sip)
            self.dial(number=number, seconds=2)
            [outcome] = self.user.outcomes
            told = outcome.status, outcome.code, outcome.retryable
            self.assertEqual(told, (status, str(cause or ""), retryable), cause)
            self.assertEqual(outcome.reach, Reach.CARRIER)

    def test_words(self) -> None:
        """They are Asterisk's own."""
        self.person(cause=17, sip=486)
        self.dial(seconds=2)
        self.assertEqual(self.user.outcomes[0].reason, "User busy (SIP 486)")
        self.assertEqual(self.user.told, ["accepted", "ringing", "busy"])

    def test_no_answer(self) -> None:
        """Asterisk gives up after the time that it was told."""
        self.person(answers=None)
        self.dial(seconds=31)
        self.assertEqual(self.user.told, ["accepted", "ringing", "no_answer"])

    def test_cancelled(self) -> None:
        """It stops ringing, and nothing more is told."""
        self.person(answers=None)
        call = self.dial(seconds=1)
        call.cancel()
        call.cancel()
        self.run_for(1)
        self.assertEqual(dict(self.channels), {})
        self.assertEqual(self.user.told, ["accepted", "ringing"])

    def test_cancelled_at_once(self) -> None:
        """Nobody is asked for anything."""
        self.telephone.dial(order(), self.user).cancel()
        self.run_for(1)
        self.assertEqual(self.asterisk.asked, [])
        self.assertEqual(self.user.told, [])

    def test_cancelled_while_it_is_asked_for(self) -> None:
        """It is hung up as soon as it is known to be there."""
        call = self.telephone.dial(order(), self.user)
        self.net.site.telling = lambda asked: call.cancel() if asked.method == "POST" else None
        self.run_for(1)
        self.assertEqual(len(self.asked("POST", "/channels")), 1)
        self.assertEqual(dict(self.channels), {})
        self.assertEqual(self.user.told, [])

    def test_cancelled_when_connected(self) -> None:
        """A call that has its audio is not given up."""
        call = self.connected()
        call.cancel()
        self.run_for(1)
        self.assertEqual(len(self.channels), 2)

    def test_refused(self) -> None:
        """What Asterisk answers to the request: nobody was rung up."""
        for number, (status, body, wanted, retryable) in enumerate(REFUSALS, 1):
            self.user = type(self.user)()
            self.asterisk.refusals = {("POST", "/channels"): (status, body)}
            self.dial(number=number)
            [outcome] = self.user.outcomes
            told = outcome.status, outcome.code, outcome.retryable, outcome.reach
            self.assertEqual(told, (wanted, str(status), retryable, Reach.NOBODY))
            self.assertIn(next(iter(body.values())), outcome.reason)

    def test_allocation_failed(self) -> None:
        """The published dial string is none that Asterisk takes; the answer names it."""
        self.dial(options={"endpoint_form": "literal"})
        [outcome] = self.user.outcomes
        self.assertEqual(outcome.status, "configuration_failed")
        self.assertIn(
            f"Allocation failed: Asterisk cannot dial PJSIP/trunk/{NUMBER}", outcome.reason
        )

    def test_not_there(self) -> None:
        """Nothing listens: nobody was asked."""
        self.net.down.add("asterisk.test")
        self.dial(seconds=1)
        [outcome] = self.user.outcomes
        self.assertEqual((outcome.status, outcome.reach), ("unreachable", Reach.NOBODY))
        self.assertTrue(outcome.retryable)

    def test_wrong_password(self) -> None:
        """The event socket is refused already."""
        self.dial(account=account(ari_password="wrong"), seconds=1)
        [outcome] = self.user.outcomes
        self.assertEqual(outcome.status, "authentication_failed")
        self.assertNotIn("wrong", outcome.reason)
        self.assertEqual(self.asked("POST", "/channels"), [])

    def test_bad_orders(self) -> None:
        """What cannot be dialled is said at once."""
        for error, changes in BAD_ORDERS:
            with pytest.raises(error):
                self.telephone.dial(order(**changes), self.user)
        self.assertEqual(self.telephone.calls, {})


OUTCOMES = (
    (17, 486, "busy", True),
    (19, 480, "no_answer", True),
    (21, 403, "rejected", False),
    (1, 404, "bad_number", False),
    (3, 0, "unreachable", False),
    (18, 408, "unreachable", True),
    (20, 0, "unreachable", True),
    (27, 502, "unreachable", True),
    (34, 503, "capacity_exceeded", True),
    (38, 500, "failed", True),
    (42, 0, "capacity_exceeded", True),
    (58, 488, "media_failed", False),
    (88, 0, "media_failed", False),
    (0, 0, "failed", True),
)
REFUSALS = (
    (400, {"message": "Endpoint must be specified"}, "configuration_failed", False),
    (401, {"message": "Authentication required"}, "authentication_failed", False),
    (403, {"message": "Write access denied"}, "authentication_failed", False),
    (404, {"message": "Resource not found"}, "configuration_failed", False),
    (500, {"error": "Allocation failed"}, "configuration_failed", False),
    (500, {"message": "Internal error"}, "failed", True),
    (503, {"message": "Not ready"}, "unreachable", True),
)
BAD_ORDERS = (
    (BadRequest, {"callee": "+1555&PJSIP/+1900@trunk"}),
    (BadRequest, {"callee": "15551234567@elsewhere"}),
    (BadRequest, {"callee": "1555/1234567"}),
    (BadRequest, {"callee": ""}),
    (BadRequest, {"caller": "+1555\r\nX: y"}),
    (MisconfiguredAssistant, {"account": account(trunk="a/b")}),
    (MisconfiguredAssistant, {"account": account(ari_url="asterisk.test")}),
    (MisconfiguredAssistant, {"account": account(ari_url="http://u:p@asterisk.test")}),
    (MisconfiguredAssistant, {"account": account(ari_password="")}),
    (MisconfiguredAssistant, {"options": {"media": "rtp"}}),
    (MisconfiguredAssistant, {"options": {"endpoint_technology": "SCCP"}}),
    (MisconfiguredAssistant, {"options": {"context": "a,b"}}),
    (MisconfiguredAssistant, {"options": {**{"context": "a"}, "extension": "s,1"}}),
    (MisconfiguredAssistant, {"options": {"caller_id": "a\nb"}}),
    (MisconfiguredAssistant, {"audiosocket": ""}),
)
