"""From the journal to the receiver: what it is told, in which order, and how often it is tried."""

from __future__ import annotations

import hmac
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from typing import Any

from twisted.internet.defer import Deferred

from rapida_tw.errors import ChangedMeanwhile, InUse, NotFound
from rapida_tw.store.conversations import CRASHED
from rapida_tw.store.credentials import delete_credential
from rapida_tw.store.deliveries import IN_ORDER
from tests.webhooks.case import HOST, START, URL, WebhookCase

SECRET = "a-secret-of-sixteen"


class TellingTests(WebhookCase):
    def test_body(self) -> None:
        """An event says whose call it is, and from whom to whom."""
        made = self.deploy()
        id = self.call(made)
        self.run_for(1)
        (body,) = self.receiver.bodies
        event_id = f"evt_{id}_call_received"
        self.assertEqual(
            body,
            {
                "event": "call.received",
                "eventId": event_id,
                "timestamp": "2027-01-15T08:00:00.000Z",
                "assistant": {"id": str(made.id)},
                "conversation": {"id": str(id)},
                "data": {
                    "version": "1",
                    "provider": "twilio",
                    "callId": "CA1",
                    "from": "+15550100",
                    "to": "+15550199",
                    "direction": "inbound",
                    "contextId": "c0ffee",
                    "status": "pending",
                    "reason": "",
                    "durationMs": None,
                    "details": {"carrier": "twilio", "caller": "+15550100"},
                },
            },
        )
        headers = self.receiver.asked[0].headers
        self.assertEqual(headers["x-rapida-event"], "call.received")
        self.assertEqual(headers["x-rapida-delivery"], event_id)
        self.assertEqual(headers["content-type"], "application/json")
        self.assertTrue(headers["user-agent"].startswith("rapida_tw"))

    def test_outbound(self) -> None:
        """Of a call that we placed, the assistant's number is where it comes from."""
        id = self.call(self.deploy(), "outbound")
        self.journal.of(id).event("call.ringing")
        self.run_for(1)
        data = self.receiver.bodies[0]["data"]
        self.assertEqual((data["from"], data["to"]), ("+15550199", "+15550100"))

    def test_life(self) -> None:
        """A placed call's life, each event once, the whole conversation last."""
        id = self.call(self.deploy(), "outbound")
        note = self.journal.of(id)
        for name in (
            *("call.queued", "call.outbound_requested", "channel_created", "call.ringing"),
            *("call.ringing", "call.answered", "call.connected"),
        ):
            note.event(name)
        note.event("machine.detected", verdict="human")
        note.event("dtmf", digit="5")
        note.message("user", "Hello?")
        note.metric("call.duration", "3.250")
        note.event("call.ended", reason="transferred", detail="", status="completed")
        note.status("ended", "transferred", 3.25)
        self.run_for(5)
        self.assertEqual(
            self.receiver.events,
            [
                "call.queued",
                "call.outbound_requested",
                "call.outbound_dispatched",
                "call.ringing",
                "call.answered",
                "call.connected",
                "machine.human",
                "call.transferred",
                "call.ended",
                "conversation.completed",
            ],
        )
        ended, completed = (one["data"] for one in self.receiver.bodies[-2:])
        self.assertEqual((ended["status"], ended["reason"]), ("completed", "transferred"))
        self.assertEqual(ended["durationMs"], 3250)
        self.assertEqual([m["text"] for m in completed["messages"]], ["Hello?"])
        self.assertIn({"name": "call.duration", "value": "3.250"}, completed["metrics"])
        self.assertEqual(completed["metadata"]["client.context_id"], "c0ffee")

    def test_never_dispatched(self) -> None:
        """A call that its carrier did not take: so it is told, and that it failed."""
        note = self.journal.of(self.call(self.deploy(), "outbound"))
        note.event("call.outbound_requested")
        note.event("call.failed", reason="authentication_failed", retryable=False)
        self.run_for(3)
        self.assertEqual(
            self.receiver.events,
            ["call.outbound_requested", "call.outbound_dispatch_failed", "call.failed"],
        )

    def test_signature(self) -> None:
        """Time and body are signed with the webhook's secret; its headers go along."""
        made = self.deploy({"secret": SECRET, "headers": {"Authorization": "Bearer planted"}})
        self.call(made)
        self.run_for(1)
        (asked,) = self.receiver.asked
        when, mark = asked.headers["x-rapida-signature"].split(",")
        self.assertEqual(when, f"t={int(START)}")
        text = f"{int(START)}.".encode() + asked.body
        expected = hmac.new(SECRET.encode(), text, sha256).hexdigest()
        self.assertEqual(mark, f"v1={expected}")
        self.assertEqual(asked.headers["authorization"], "Bearer planted")

    def test_rotation(self) -> None:
        """For a day after it was replaced, the secret before signs too."""
        made = self.deploy({"secret": SECRET})
        self.redeploy(made, {"secret": "another-secret-0002"})
        self.call(made)
        self.run_for(1)
        self.assertEqual(self.receiver.asked[0].headers["x-rapida-signature"].count("v1="), 2)
        self.run_for(24 * 3600)
        self.call(made)
        self.run_for(1)
        self.assertEqual(self.receiver.asked[1].headers["x-rapida-signature"].count("v1="), 1)

    def test_get(self) -> None:
        """A GET has no body: what it is about is in the query, which is signed."""
        made = self.deploy({"method": "GET", "url": URL + "?team=7", "secret": SECRET})
        id = self.call(made)
        self.run_for(1)
        (asked,) = self.receiver.asked
        self.assertEqual((asked.method, asked.body, asked.one("team")), ("GET", b"", "7"))
        self.assertEqual(asked.one("conversationId"), str(id))
        query = (
            f"event=call.received&eventId=evt_{id}_call_received"
            f"&assistantId={made.id}&conversationId={id}"
        )
        text = f"{int(START)}.{query}".encode()
        mark = hmac.new(SECRET.encode(), text, sha256).hexdigest()
        self.assertIn(mark, asked.headers["x-rapida-signature"])

    def test_chosen(self) -> None:
        """A webhook hears what it asked for; one that is switched off hears nothing."""
        other = "http://other0.example.test/"
        made = self.deploy({"events": ["call.ended"]}, {"url": other, "enabled": False})
        self.journal.of(self.call(made)).event("call.ended", reason="remote_hangup")
        self.run_for(1)
        self.assertEqual(self.receiver.events, ["call.ended"])
        self.assertEqual(self.others[0].asked, [])

    def test_no_webhooks(self) -> None:
        """Of assistants without any, nothing is written."""
        made = self.deploy()
        self.redeploy(made)
        self.call(made)
        self.run_for(2)
        self.assertEqual(self.logged(), [])

    def test_ping(self) -> None:
        """Somebody asks whether it works."""
        made = self.deploy({"events": ["call.ended"]})
        (delivery,) = self.successResultOf(self.webhooks.ping(made))
        self.run_for(1)
        self.assertEqual(self.receiver.events, ["ping"])
        self.assertIsNone(self.receiver.bodies[0]["conversation"]["id"])
        found = self.successResultOf(self.webhooks.get(delivery.id, self.project))
        self.assertEqual(found.delivery.state, "delivered")


class RetryTests(WebhookCase):
    def test_until_it_is_there(self) -> None:
        """A receiver that fails is tried again, with the same event id and a new signature."""
        self.receiver.status, self.receiver.text = 503, "in a minute"
        self.call(self.deploy())
        self.run_for(1)
        self.receiver.status = 200
        self.run_for(10)
        self.assertEqual(len(self.receiver.asked), 2)
        first, second = self.receiver.asked
        self.assertEqual(first.body, second.body)
        self.assertNotEqual(
            first.headers["x-rapida-signature"], second.headers["x-rapida-signature"]
        )
        (logged,) = self.logged()
        self.assertEqual(logged.delivery.state, "delivered")
        tried = [(one.status, one.error, one.response) for one in logged.attempts]
        self.assertEqual(tried, [(503, "HTTP 503", "in a minute"), (200, "", "in a minute")])

    def test_back_off(self) -> None:
        """Ten attempts, from seconds to hours apart; then it is given up."""
        self.receiver.status = 500
        self.call(self.deploy())
        self.run_for(3 * 86_400)
        self.assertEqual(len(self.receiver.asked), 10)
        self.assertEqual(self.states(), ["failed"])
        times = self.receiver.times
        pauses = [later - before for before, later in pairwise(times)]
        self.assertLess(pauses[0], 9)
        self.assertGreater(pauses[-1], 4 * 3600)
        self.assertEqual(pauses, sorted(pauses))

    def test_retry_after(self) -> None:
        """A receiver that names a time is not asked before it."""
        self.receiver.status, self.receiver.headers = 429, {"Retry-After": "120"}
        self.call(self.deploy())
        self.run_for(119)
        self.assertEqual(len(self.receiver.asked), 1)
        self.run_for(5)
        self.assertEqual(len(self.receiver.asked), 2)

    def test_refused(self) -> None:
        """What the receiver calls a mistake is not sent again, unless its webhook says so."""
        self.receiver.status = 404
        self.call(self.deploy())
        self.call(self.deploy({"retryStatusCodes": [404], "maxRetries": 1}))
        self.run_for(60)
        self.assertEqual(self.states(), ["failed", "failed"])
        self.assertEqual(len(self.receiver.asked), 3)

    def test_redirect(self) -> None:
        """A redirect is followed by nobody: it could lead inside."""
        self.receiver.status = 302
        self.receiver.headers = {"Location": "http://other0.example.test/"}
        self.call(self.deploy())
        self.run_for(60)
        self.assertEqual(self.states(), ["failed"])
        self.assertEqual(self.others[0].asked, [])

    def test_gone(self) -> None:
        """410 switches the webhook off, and it says why."""
        self.receiver.status = 410
        made = self.deploy()
        self.call(made)
        self.run_for(60)
        self.assertEqual(self.states(), ["failed"])
        (stored,) = self.successResultOf(self.assistants.get(made.id)).webhooks
        self.assertEqual(stored["enabled"], False)
        self.assertIn("410", stored["disabledReason"])
        # Who had read the assistant before does not switch it on again by renaming it.
        stale = self.assistants.update(replace(made, name="Eve"))
        self.failureResultOf(stale, ChangedMeanwhile)
        self.call(made)
        self.run_for(60)
        self.assertEqual(len(self.receiver.asked), 1)

    def test_long_answer(self) -> None:
        """Of an endless answer only the beginning is read, and less of it kept."""
        self.receiver.text = "x" * 1_000_000
        self.call(self.deploy())
        self.run_for(5)
        (logged,) = self.logged()
        self.assertEqual(logged.delivery.state, "delivered")
        self.assertEqual(len(logged.attempts[0].response), 1_000)

    def test_by_hand(self) -> None:
        """What was given up is sent again when somebody asks for it; not by other projects."""
        self.receiver.status = 400
        self.call(self.deploy())
        self.run_for(2)
        (logged,) = self.logged()
        self.receiver.status = 200
        self.failureResultOf(self.webhooks.retry(logged.delivery.id, 1), NotFound)
        self.successResultOf(self.webhooks.retry(logged.delivery.id, self.project))
        self.run_for(1)
        (logged,) = self.logged()
        self.assertEqual(logged.delivery.state, "delivered")
        self.assertEqual([one.status for one in logged.attempts], [400, 200])

    def test_not_while_it_is_sent(self) -> None:
        """What is under way is not begun a second time."""
        self.receiver.hanging = True
        self.call(self.deploy())
        self.run_for(1)
        (logged,) = self.logged()
        self.failureResultOf(self.webhooks.retry(logged.delivery.id, self.project), InUse)

    def test_secret_gone(self) -> None:
        """Nothing is sent without a signature."""
        made = self.deploy()
        credential = int(made.webhooks[0]["credentialId"])
        self.database.write_now(lambda c: delete_credential(c, credential, self.project))
        self.call(made)
        self.run_for(5)
        self.assertEqual((self.states(), self.receiver.asked), (["failed"], []))

    def test_swept(self) -> None:
        """What is over is forgotten after some days, what waits is not."""
        self.call(self.deploy())
        self.run_for(6 * 86_400)
        self.assertEqual(self.states(), ["delivered"])
        self.run_for(2 * 86_400)
        self.assertEqual(self.states(), [])


class OrderTests(WebhookCase):
    def events_of(self, receiver: Any, id: int) -> list[str]:
        found = zip(receiver.events, receiver.bodies, strict=True)
        return [event for event, body in found if body["conversation"]["id"] == str(id)]

    def test_in_order(self) -> None:
        """A later event waits for the first attempts of an earlier one."""
        self.receiver.status = 503
        id = self.call(self.deploy())
        self.journal.of(id).event("call.connected")
        self.run_for(4)
        self.assertEqual(set(self.receiver.events), {"call.received"})
        self.receiver.status = 200
        self.run_for(10)
        self.assertEqual(
            self.events_of(self.receiver, id)[-2:], ["call.received", "call.connected"]
        )

    def test_not_for_ever(self) -> None:
        """After three attempts it goes past."""
        self.receiver.status = 503
        id = self.call(self.deploy())
        self.journal.of(id).event("call.connected")
        self.run_for(60)
        found = self.events_of(self.receiver, id)
        self.assertEqual(found[: IN_ORDER + 1], ["call.received"] * IN_ORDER + ["call.connected"])

    def test_hanging(self) -> None:
        """A receiver that hangs holds four connections, and nobody else."""
        self.receiver.hanging = True
        hanging = self.deploy()
        fine = self.deploy({"url": "http://other0.example.test/"})
        for _ in range(300):
            self.call(hanging)
        self.run_for(1)
        self.assertEqual(len(self.receiver.asked), 4)
        before = self.clock.seconds()
        for _ in range(20):
            self.call(fine)
        self.run_for(1)
        self.assertEqual(len(self.others[0].asked), 20)
        self.assertLess(max(self.others[0].times) - before, 0.5)

    def test_sick(self) -> None:
        """After some time-outs it is tried by one connection only."""
        self.receiver.hanging = True
        made = self.deploy()
        for _ in range(50):
            self.call(made)
        self.run_for(11)
        before = len(self.receiver.asked)
        self.run_for(25)
        self.assertLessEqual(len(self.receiver.asked) - before, 4)


class RestartTests(WebhookCase):
    def test_killed(self) -> None:
        """What was being sent when the worker died is sent by its next run, as the same event."""
        self.receiver.hanging = True
        self.call(self.deploy())
        self.run_for(1)
        dead = self.webhooks
        self.receiver.hanging = False
        self.begin()
        self.run_for(1)
        self.assertEqual(self.states(), ["delivered"])
        # Had it only been slow, what it notes at last would not count.
        stopping = Deferred.fromCoroutine(dead.stop())
        self.run_for(15)
        self.successResultOf(stopping)
        (logged,) = self.logged()
        self.assertEqual([one.status for one in logged.attempts], [200])
        first, second = self.receiver.asked
        self.assertEqual(first.headers["x-rapida-delivery"], second.headers["x-rapida-delivery"])

    def test_cut_off(self) -> None:
        """Of calls that a crash ended, receivers hear when the worker is back."""
        id = self.call(self.deploy())
        self.run_for(1)
        self.successResultOf(self.conversations.set_status(id, "active"))
        self.successResultOf(self.conversations.close_unfinished(self.now()))
        stopping = Deferred.fromCoroutine(self.webhooks.stop())
        self.run_for(3)
        self.successResultOf(stopping)
        starting = Deferred.fromCoroutine(self.webhooks.start(self.now() - 3.0))
        self.successResultOf(starting)
        self.run_for(1)
        self.assertEqual(self.receiver.events, ["call.received", "call.failed"])
        self.assertEqual(self.receiver.bodies[1]["data"]["reason"], CRASHED)

    def test_stopped(self) -> None:
        """What cannot be sent within two seconds of the stop waits for the next start."""
        self.receiver.hanging = True
        self.call(self.deploy())
        stopping = Deferred.fromCoroutine(self.webhooks.stop())
        self.run_for(1)
        self.assertEqual(len(self.receiver.asked), 1)
        self.assertNoResult(stopping)
        self.run_for(1.5)
        self.successResultOf(stopping)
        self.assertEqual(self.states(), ["waiting"])

    def test_host(self) -> None:
        """A host that is not there is tried again."""
        self.net.down.add(HOST)
        self.call(self.deploy())
        self.run_for(1)
        self.net.down.clear()
        self.run_for(10)
        (logged,) = self.logged()
        self.assertEqual([one.status for one in logged.attempts], [0, 200])
        self.assertIn("nothing listens", logged.attempts[0].error)
