"""A call in dialplan mode: Asterisk's dialplan has it, and we only watch."""

from __future__ import annotations

from rapida_tw.account import NOBODY
from rapida_tw.ari.call import LOOK_EVERY, PATIENCE
from rapida_tw.carriers.outbound import RemoteCall
from rapida_tw.errors import IDLE_TIMEOUT, TRANSFERRED, NotSupported
from rapida_tw.sim.vendors.base import Refusal
from tests.ari.case import CONTEXT, DIALPLAN, NUMBER, AriCase, account


class Dialplan(AriCase):
    def no_events(self) -> None:
        """Requests are answered, event sockets are not."""
        self.asterisk.connect = self.refuse  # type: ignore[method-assign]

    def refuse(self, asked: object, line: object) -> Refusal:
        return Refusal(404, "")

    def test_request(self) -> None:
        """Context, extension and priority, and the variable that the dialplan wants."""
        call = self.dial(options=DIALPLAN)
        [query] = self.asked("POST", "/channels")
        self.assertEqual(query["context"], "rapida-outbound")
        self.assertEqual((query["extension"], query["priority"]), ("s", "1"))
        self.assertNotIn("app", query)
        variables = self.channels[call.plan.channel].variables
        self.assertEqual(variables, {"RAPIDA_CONTEXT_ID": CONTEXT})

    def test_extension(self) -> None:
        """Another one than s."""
        self.dial(options={**DIALPLAN, "extension": "assistant"})
        self.assertEqual(self.asked("POST", "/channels")[0]["extension"], "assistant")

    def test_local(self) -> None:
        """Through a Local channel, the variable is inherited, and the sound is 8 kHz."""
        options = {**DIALPLAN, "endpoint_technology": "Local", "trunk": "people"}
        call = self.dial(options=options)
        channel = self.channels[call.plan.channel]
        self.assertEqual(channel.variables, {"__RAPIDA_CONTEXT_ID": CONTEXT})
        self.assertEqual(channel.asked["endpoint"], f"Local/{NUMBER}@people/n")
        self.assertEqual(channel.asked["formats"], "slin")

    def test_watched(self) -> None:
        """It is subscribed to, and every state is told."""
        self.dial(options=DIALPLAN, seconds=2)
        self.assertEqual(self.user.told, ["accepted", "ringing", "answered"])
        self.assertEqual(self.asterisk.channels.bridges, {})
        self.assertEqual(self.asked("POST", "/externalMedia"), [])

    def test_busy(self) -> None:
        """So its end is, with the cause."""
        self.person(cause=17, answers=1)
        self.dial(options=DIALPLAN, seconds=2)
        self.assertEqual(self.user.told, ["accepted", "ringing", "busy"])

    def test_busy_at_once(self) -> None:
        """Before a channel could be subscribed to: the trunk has been."""
        self.person(rings=None, cause=17, answers=0.0001)
        self.dial(options=DIALPLAN, seconds=1)
        self.assertEqual(self.user.told, ["accepted", "busy"])
        [source] = self.asked("POST", "/subscription")
        self.assertEqual(source["eventSource"], "endpoint:PJSIP/trunk")

    def test_subscribed_once(self) -> None:
        """All calls of a trunk share its events."""
        self.dial(options=DIALPLAN)
        self.dial(options=DIALPLAN, number=8)
        self.assertEqual(len(self.asked("POST", "/subscription")), 1)

    def test_no_such_source(self) -> None:
        """Where the trunk's events cannot be had, the channel's are."""
        options = {**DIALPLAN, "endpoint_technology": "Local", "trunk": "people"}
        self.dial(options=options, seconds=2)
        self.assertEqual(self.user.told, ["accepted", "ringing", "answered"])

    def test_over_before_it_is_watched(self) -> None:
        """The subscription comes too late, and the channel is looked for."""
        self.person(rings=None, cause=1, answers=0.0001)
        self.asterisk.refusals = {("POST", "/subscription"): (422, {"message": "no such"})}
        self.dial(options=DIALPLAN, seconds=0)
        self.run_for(LOOK_EVERY + 1)
        self.assertEqual(len(self.user.outcomes), 1)
        self.assertEqual(self.telephone.calls, {})

    def test_dialplan_hangs_up(self) -> None:
        """Answered, and no audio came: the context or its extension is not there."""
        self.person(hangs_up=0.1)
        self.dial(options=DIALPLAN, seconds=3)
        [outcome] = self.user.outcomes
        self.assertEqual((outcome.status, outcome.code), ("media_failed", "16"))
        self.assertIn("before our audio was connected", outcome.reason)

    def test_without_events(self) -> None:
        """The call is placed all the same, a little later."""
        self.no_events()
        self.dial(options=DIALPLAN, seconds=PATIENCE + 1)
        self.assertEqual(self.user.told[0], "accepted")

    def test_looked_for(self) -> None:
        """Without events the channel is looked for now and then, so that nothing is kept."""
        self.no_events()
        self.person(hangs_up=5)
        self.dial(options=DIALPLAN, seconds=1)
        self.run_for(LOOK_EVERY + 5)
        self.assertEqual(self.telephone.calls, {})
        self.assertEqual(len(self.user.outcomes), 1)

    def test_with_audio(self) -> None:
        """When the audio is there, its end says nothing any more."""
        self.person(hangs_up=5)
        call = self.dial(options=DIALPLAN, seconds=2)
        self.line(call)
        self.run_for(10)
        self.assertEqual(self.user.outcomes, [])
        self.assertEqual(self.telephone.calls, {})

    def test_given_up(self) -> None:
        """Its channel is hung up."""
        self.person(answers=None)
        call = self.dial(options=DIALPLAN, seconds=2)
        call.cancel()
        self.run_for(1)
        self.assertEqual(dict(self.channels), {})

    def test_subscribed_again(self) -> None:
        """After the socket was lost."""
        self.person(rings=0.5, answers=10)
        self.dial(options=DIALPLAN, seconds=1)
        self.asterisk.cut()
        self.run_for(2)
        for channel in self.channels.values():
            channel.watchers.clear()
        self.asterisk.cut()
        self.run_for(10)
        self.assertEqual(self.user.told, ["accepted", "ringing", "answered"])

    def test_line(self) -> None:
        """It is hung up by ARI; what only applications can, is not done."""
        call = self.dial(options=DIALPLAN, seconds=2)
        line = self.line(call)
        for asked in (line.transfer("123"), line.send_digits("1"), line.hold(True)):
            self.run_for(1)
            self.failure(asked, NotSupported)
        line.hang_up(TRANSFERRED)
        self.run_for(1)
        self.assertEqual(len(self.channels), 1)
        line.hang_up(IDLE_TIMEOUT)
        self.run_for(1)
        self.assertEqual(dict(self.channels), {})

    def test_no_credential(self) -> None:
        """Inbound calls need none, and have no line then."""
        self.assertIsNone(self.telephone.line(RemoteCall("1795196486.2", NOBODY)))
        self.assertIsNone(self.telephone.line(RemoteCall("", account())))
        self.assertIsNotNone(self.telephone.line(RemoteCall("1795196486.2", account())))
