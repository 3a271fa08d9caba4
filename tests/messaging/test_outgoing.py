"""Messages that programs send, and what Twilio tells of all of them."""

from __future__ import annotations

from rapida_tw.carriers.outbound import CarrierRefused, Reach
from rapida_tw.carriers.twilio_whatsapp import MessageStatus
from rapida_tw.errors import AssistantNotFound, BadRequest, Conflict, MisconfiguredAssistant
from rapida_tw.messaging import deliveries as module
from rapida_tw.messaging.messaging import Messaging
from rapida_tw.messaging.threads import WINDOW
from rapida_tw.sim.rest_faults import Fault
from tests.messaging.case import NUMBER, PERSON, MessagingCase, status_url

TEMPLATE = "HX" + "a" * 32


class SendTests(MessagingCase):
    def test_sent(self) -> None:
        """The answer has Twilio's name, and the conversation, which has the message."""
        self.write("Hello?")
        self.model.run.answer("Good day.")
        self.wait()
        sending = self.send("Your table is ready.", metadata={"order": "17"})
        self.wait()
        sent = self.successResultOf(sending)
        message = self.rest.messages.sent[-1]
        self.assertEqual((sent.sid, sent.status), (message.sid, "queued"))
        self.assertEqual(message.sender, f"whatsapp:{NUMBER}")
        (conversation,) = self.conversations()
        self.assertEqual(sent.conversation_id, conversation.id)
        self.assertEqual(self.said()[-1], ("assistant", "Your table is ready."))
        self.assertIn(
            ("order", "17"),
            [(one.name, one.value) for one in conversation.entries if one.kind == "metadata"],
        )

    def test_known(self) -> None:
        """The model knows what was sent, when the person answers."""
        self.write("Hello?")
        self.model.run.answer("Good day.")
        self.wait()
        self.send("Your table is ready.")
        self.wait()
        self.write("Which?")
        self.assertIn(("assistant", "Your table is ready."), self.model.run.messages)
        self.assertEqual(len(self.models.opened), 1)

    def test_first(self) -> None:
        """The assistant may write first, by a template; the person's answer goes on with it."""
        sending = self.send("", content_sid=TEMPLATE, variables={"1": "Ada"})
        self.wait()
        self.successResultOf(sending)
        (conversation,) = self.conversations()
        self.assertEqual((conversation.direction, conversation.identifier), ("outbound", PERSON))
        message = self.rest.messages.sent[0]
        self.assertEqual((message.content, message.variables), (TEMPLATE, {"1": "Ada"}))
        self.write("Yes, please.")
        self.assertEqual(
            self.model.run.messages,
            [("assistant", f"[template {TEMPLATE} (1: Ada)]"), ("user", "Yes, please.")],
        )
        self.assertEqual(len(self.conversations()), 1)

    def test_sender(self) -> None:
        """The deployment's WhatsApp number goes before its phone; the request's before both."""
        self.send("", content_sid=TEMPLATE, sender="+15550109999")
        self.wait()
        self.assertEqual(self.rest.messages.sent[0].sender, "whatsapp:+15550109999")

    def test_bad(self) -> None:
        """What cannot be sent is sent nowhere, and leaves no conversation."""
        request = self.send("Hi", sender="nobody")
        self.failureResultOf(request, BadRequest)
        self.deploy(credential=False)
        self.failureResultOf(self.send("Hi"), MisconfiguredAssistant)
        self.assertEqual((self.conversations(), self.rest.messages.sent), ([], []))

    def test_other_project(self) -> None:
        """Other projects' assistants are not found."""
        self.server.project_id += 1
        self.failureResultOf(self.send("Hi"), AssistantNotFound)
        self.server.project_id -= 1

    def test_refused(self) -> None:
        """Twilio's refusal is the answer, and in the history."""
        self.rest.troubles.faults.append(Fault.HTML)
        sending = self.send("Hi")
        self.wait()
        error = self.failureResultOf(sending, CarrierRefused).value
        self.assertIs(error.outcome.reach, Reach.UNKNOWN)
        self.wait()
        self.assertEqual(self.events(), ["message.requested", "message.failed"])


class IdempotencyTests(MessagingCase):
    def again(self, worker: Messaging | None = None, text: str = "Hi") -> object:
        self.messaging = worker or self.messaging
        sending = self.send(text, idempotency_key="k1")
        self.wait()
        return self.successResultOf(sending)

    def test_once(self) -> None:
        """The same key sends once: at the same time, later, and by another worker."""
        self.write("Hello?")
        both = [self.send("Hi", idempotency_key="k1") for _ in range(2)]
        self.wait()
        first, second = map(self.successResultOf, both)
        self.assertEqual(first, second)
        self.assertEqual(self.again(), first)
        self.assertEqual(self.again(self.worker()), first)
        self.assertEqual(len(self.rest.messages.sent), 1)

    def test_after_a_failure(self) -> None:
        """What became of it is told again; nothing is sent."""
        self.rest.troubles.faults.append(Fault.LOST)
        self.send("Hi", content_sid="", idempotency_key="k1").addErrback(lambda _: None)
        self.wait(30)
        self.messaging = self.worker()
        sending = self.send("Hi", idempotency_key="k1")
        self.wait()
        self.failureResultOf(sending, CarrierRefused)
        self.assertEqual(len(self.rest.messages.sent), 1)

    def test_in_between(self) -> None:
        """When a worker dies while it sends, nobody knows: that is the answer."""
        self.server.net.unanswering.add("api.twilio.com")
        sending = self.send("Hi", idempotency_key="k1")
        self.wait(0.5)
        other = self.worker()
        waiting, self.messaging = self.messaging, other
        again = self.send("Hi", idempotency_key="k1")
        self.wait(0.5)
        self.assertEqual(self.successResultOf(again).status, "unknown")
        self.messaging = waiting
        self.wait(30)
        self.failureResultOf(sending, CarrierRefused)

    def test_conflict(self) -> None:
        """The key of another message is a mistake, on every worker."""
        self.write("Hello?")
        self.again()
        for worker in (self.messaging, self.worker()):
            self.messaging = worker
            sending = self.send("Something else", idempotency_key="k1")
            self.wait()
            self.failureResultOf(sending, Conflict)


class StatusTests(MessagingCase):
    def tell(
        self, sid: str, *statuses: str, worker: Messaging | None = None, code: str = ""
    ) -> None:
        deliveries = (worker or self.messaging).deliveries
        conversation_id = self.conversations()[0].id
        for status in statuses:
            told = MessageStatus(sid, status, code, "why" if code else "")
            ids = self.server.assistant_id, self.server.project_id
            self.successResultOf(deliveries.told(told, *ids, conversation_id))
        self.wait()

    def test_life(self) -> None:
        """What becomes of a reply is in the history."""
        self.write("Hello?")
        self.model.run.answer("Good day.")
        self.wait(5)
        self.assertEqual(
            self.events(),
            ["message.queued", "message.sent", "message.delivered", "message.read"],
        )

    def test_window(self) -> None:
        """More than a day after the person's last message: that a template is needed is told."""
        self.write("Hello?")
        self.model.run.answer("Good day.")
        self.wait(WINDOW + 60)
        self.send("Still there?")
        self.wait(5)
        (failed,) = [one for one in self.conversations()[0].entries if one.name == "message.failed"]
        self.assertEqual(failed.data["code"], "63016")
        self.assertIn("template", failed.data["reason"])

    def test_order(self) -> None:
        """Late and repeated ones change nothing."""
        self.write("Hello?")
        self.tell("SM9", "sent", "delivered", "sent", "queued", "delivered", "failed", "read")
        self.assertEqual(self.events(), ["message.sent", "message.delivered", "message.read"])

    def test_other_worker(self) -> None:
        """Neither do they on a worker that has not seen the others."""
        self.write("Hello?")
        self.tell("SM9", "delivered")
        self.tell("SM9", "sent", "read", worker=self.worker())
        self.assertEqual(self.events(), ["message.delivered", "message.read"])

    def test_bounded(self) -> None:
        """Whoever tells of many messages what changes nothing does not fill the memory."""
        self.patch(module, "REMEMBERED", 3)
        self.write("Hello?")
        for number in range(9):
            self.tell(f"SM{number}", "unheard-of")
        self.assertEqual(len(self.messaging.deliveries._ranks), 3)

    def test_strangers(self) -> None:
        """A status of another assistant's conversation is left out."""
        self.write("Hello?")
        conversation_id = self.conversations()[0].id
        told = MessageStatus("SM9", "read")
        for assistant, project, number in (
            (self.server.assistant_id + 1, self.server.project_id, conversation_id),
            (self.server.assistant_id, self.server.project_id + 1, conversation_id),
            (self.server.assistant_id, self.server.project_id, 12345),
            (self.server.assistant_id, self.server.project_id, 0),
        ):
            telling = self.messaging.deliveries.told(told, assistant, project, number)
            self.successResultOf(telling)
        self.wait()
        self.assertEqual(self.events(), [])

    def test_address(self) -> None:
        """Twilio is told where."""
        self.write("Hello?")
        self.model.run.answer("Good day.")
        self.wait()
        url = self.rest.messages.sent[0].status_url
        self.assertEqual(url, status_url(self.conversations()[0].id))
