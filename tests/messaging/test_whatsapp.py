"""A person writes by WhatsApp, and an assistant answers."""

from __future__ import annotations

from dataclasses import replace

from rapida_tw.carriers.twilio_messages import LONGEST
from rapida_tw.errors import CapacityExceeded, MisconfiguredAssistant
from rapida_tw.messaging import whatsapp
from rapida_tw.messaging.chat import INLINE_WITHIN
from rapida_tw.messaging.text_session import REPLY_WITHIN
from rapida_tw.messaging.threads import WINDOW
from rapida_tw.messaging.whatsapp import IDLE_AFTER, LOOK_EVERY
from rapida_tw.models.base import ToolCall
from rapida_tw.sim.rest_faults import Fault
from rapida_tw.store.records import PromptMessage
from tests.messaging.case import NUMBER, PERSON, SORRY, MessagingCase


class ReplyTests(MessagingCase):
    def test_reply(self) -> None:
        """The webhook is answered at once; the reply is sent when it is there."""
        self.assertEqual(self.successResultOf(self.write("Hello?")), ())
        self.assertEqual(self.model.run.messages, [("user", "Hello?")])
        self.model.run.answer("Good day.")
        self.wait()
        (message,) = self.rest.messages.sent
        self.assertEqual(
            (message.body, message.to, message.sender),
            ("Good day.", f"whatsapp:{PERSON}", f"whatsapp:{NUMBER}"),
        )
        self.assertEqual(self.said(), [("user", "Hello?"), ("assistant", "Good day.")])

    def test_conversation(self) -> None:
        """It is kept as any other: by the channel, with the person, active."""
        self.write("Hello?")
        self.wait()
        (conversation,) = self.conversations()
        self.assertEqual(
            (conversation.source, conversation.direction, conversation.identifier),
            ("whatsapp", "inbound", PERSON),
        )
        self.assertEqual((conversation.carrier, conversation.status), ("twilio", "active"))

    def test_prompt(self) -> None:
        """The prompt knows how it is talked with, and with whom."""
        assistant = self.successResultOf(self.server.assistants.get(self.server.assistant_id))
        prompt = PromptMessage("system", "{{ conversation.source }} {{ conversation.identifier }}")
        self.server.assistants.update(replace(assistant, prompt=(prompt,)))
        self.write("Hello?")
        self.assertEqual(self.model.run.messages[0], ("system", f"whatsapp {PERSON}"))

    def test_goes_on(self) -> None:
        """The next message belongs to the same conversation."""
        self.write("Hello?")
        self.model.run.answer("Good day.")
        self.wait(3600)
        self.write("And now?")
        self.assertEqual(
            self.model.run.messages,
            [("user", "Hello?"), ("assistant", "Good day."), ("user", "And now?")],
        )
        self.assertEqual(len(self.conversations()), 1)

    def test_long(self) -> None:
        """A long reply goes in pieces, in their order, each when the one before was taken."""
        self.write("Tell me all.")
        text = " ".join(f"Sentence number {number} is here." for number in range(120))
        self.model.run.answer(text)
        self.wait()
        self.assertEqual(" ".join(self.read), text)
        self.assertEqual(len(self.read), 3)
        self.assertLessEqual(max(map(len, self.read)), LONGEST)

    def test_together(self) -> None:
        """What is written while a reply is being made is answered together."""
        self.write("One")
        self.write("Two")
        self.write("Three")
        self.model.run.answer("First.")
        self.assertEqual(self.model.run.messages[-1], ("user", "Two\nThree"))
        self.model.run.answer("Second.")
        self.wait()
        self.assertEqual(self.read, ["First.", "Second."])

    def test_at_once(self) -> None:
        """Two that come in the same moment open one conversation."""
        received = self.messaging.whatsapp.received
        ids = self.server.assistant_id, self.server.project_id
        for text in ("One", "Two"):
            received(self.message(text), *ids, lambda _: "")
        self.wait(0.1)
        self.assertEqual((len(self.conversations()), len(self.models.opened)), (1, 1))

    def test_twice(self) -> None:
        """A message that Twilio sends again is answered once; by another worker, too."""
        other = self.worker()
        for worker in (self.messaging, self.messaging, other):
            self.assertEqual(self.successResultOf(self.write("Hi", worker, MessageSid="SM1")), ())
        self.assertEqual([len(model.runs) for model in self.models.opened], [1])
        self.wait()
        self.assertEqual(self.said(), [("user", "Hi")])

    def test_media(self) -> None:
        """The model is told what it cannot see."""
        self.write("Look!", NumMedia="1", MediaContentType0="image/jpeg", MediaUrl0="https://x/1")
        asked = self.model.run.messages[-1][1]
        self.assertEqual(asked, "Look!\n[the user sent a picture, which cannot be seen here]")

    def test_nothing(self) -> None:
        """A message of nothing (a reaction) asks nobody."""
        self.assertEqual(self.successResultOf(self.write("")), ())
        self.assertEqual(self.model.runs, [])

    def test_names(self) -> None:
        """Our messages are found by Twilio's names."""
        self.write("Hello?")
        self.model.run.answer("Good day.")
        self.wait()
        sid = self.rest.messages.sent[0].sid
        found = self.successResultOf(self.server.conversations.named("twilio", [sid]))
        assert found is not None
        self.assertEqual(found.conversation_id, self.conversations()[0].id)

    def test_end(self) -> None:
        """After a goodbye the next message begins another conversation."""
        self.write("Bye")
        self.model.run.answer("Goodbye.", ToolCall("c1", "end_call"))
        self.wait()
        self.assertEqual((self.read, self.conversations()[0].status), (["Goodbye."], "ended"))
        self.write("Hello?")
        self.assertEqual(self.model.run.messages, [("user", "Hello?")])
        self.assertEqual(len(self.conversations()), 2)


class FailureTests(MessagingCase):
    def test_model(self) -> None:
        """When the model fails, the person reads the deployment's words."""
        self.write("Hello?")
        self.model.run.fail()
        self.wait()
        self.assertEqual(self.read, [SORRY])

    def test_slow_model(self) -> None:
        """When it takes too long, too."""
        self.write("Hello?")
        self.wait(REPLY_WITHIN + 1)
        self.assertEqual(self.read, [SORRY])

    def test_no_model(self) -> None:
        """An assistant that cannot write is told to the webhook, with the words for the person."""
        assistant = self.successResultOf(self.server.assistants.get(self.server.assistant_id))
        self.models.open = _misconfigured  # type: ignore[assignment, method-assign]
        failure = self.failureResultOf(self.write("Hello?"), MisconfiguredAssistant)
        self.assertEqual(failure.value.spoken, SORRY)
        self.assertEqual(assistant.id, self.server.assistant_id)

    def test_busy_twilio(self) -> None:
        """A message that Twilio refuses for the moment is sent again."""
        self.rest.troubles.faults.append(Fault.TOO_MANY)
        self.write("Hello?")
        self.model.run.answer("Good day.")
        self.wait(60)
        self.assertEqual(self.read, ["Good day."])

    def test_lost_answer(self) -> None:
        """One whose answer is lost may have been sent: it is not sent again."""
        self.rest.troubles.faults.append(Fault.LOST)
        self.write("Hello?")
        self.model.run.answer("Good day.")
        self.wait(120)
        self.assertEqual(self.read, ["Good day."])
        self.assertIn("message.failed", self.events())

    def test_refused(self) -> None:
        """What Twilio does not take is in the history, and the rest of the reply stays here."""
        self.rest.troubles.faults += [Fault.HTML]
        self.write("Hello?")
        self.model.run.answer("x " * 1500)
        self.wait(10)
        self.assertEqual((self.read, self.events()), ([], ["message.failed"]))
        self.write("Hello again?")
        self.model.run.answer("Here I am.")
        self.wait()
        self.assertEqual(self.read, ["Here I am."])

    def test_away(self) -> None:
        """Where Twilio is not reached nothing was sent: tried three times, then given up."""
        self.server.net.down.add("api.twilio.com")
        self.write("Hello?")
        self.model.run.answer("Good day.")
        self.wait(20)
        (failed,) = [one for one in self.conversations()[0].entries if one.name == "message.failed"]
        self.assertEqual(failed.data["reach"], "nobody")

    def test_no_secret_shown(self) -> None:
        """The account's token is in nothing that is kept."""
        self.rest.troubles.faults += [Fault.HTML]
        self.write("Hello?")
        self.model.run.answer("Good day.")
        self.wait(20)
        self.assertNotIn(self.rest.account.token, repr(self.conversations()))


class RestartTests(MessagingCase):
    def test_restart(self) -> None:
        """After a restart the conversation goes on, with all that was said."""
        self.write("Hello?")
        self.model.run.answer("Good day.")
        self.wait()
        self.messaging.stop()
        self.successResultOf(self.server.conversations.close_unfinished(self.server.now()))
        self.write("And now?", self.worker())
        self.assertEqual(
            self.model.run.messages,
            [("user", "Hello?"), ("assistant", "Good day."), ("user", "And now?")],
        )

    def test_two_workers(self) -> None:
        """Messages that come to two workers in turn: each knows what the other has said."""
        other = self.worker()
        self.write("One")
        self.model.run.answer("First.")
        self.wait()
        self.write("Two", other)
        self.model.run.answer("Second.")
        self.wait()
        self.write("Three")
        said = [text for _, text in self.model.run.messages]
        self.assertEqual(said, ["One", "First.", "Two", "Second.", "Three"])

    def test_same_worker(self) -> None:
        """Where nobody else has said anything the model goes on as it was."""
        self.write("One")
        self.model.run.answer("First.")
        self.wait()
        self.write("Two")
        self.assertEqual(len(self.models.opened), 1)

    def test_day(self) -> None:
        """After a day in silence another conversation begins."""
        self.write("Hello?")
        self.model.run.answer("Good day.")
        self.wait(WINDOW + 1)
        self.write("Hello?")
        self.assertEqual(self.model.run.messages, [("user", "Hello?")])
        newest, old = self.conversations()
        self.assertEqual((newest.status, old.status, old.end_reason), ("active", "ended", "idle"))

    def test_idle(self) -> None:
        """A chat in which nobody writes is let go of; it goes on from the history."""
        self.write("Hello?")
        self.model.run.answer("Good day.")
        self.wait(IDLE_AFTER + LOOK_EVERY)
        self.assertEqual(self.model.stopped, 1)
        self.write("And now?")
        self.assertEqual(self.model.run.messages[0], ("user", "Hello?"))

    def test_stop(self) -> None:
        """At the server's stop a reply that is being made still goes out; nothing new is taken."""
        self.write("Hello?")
        stopping = self.messaging.stop()
        self.failureResultOf(self.write("More?"), CapacityExceeded)
        self.model.run.answer("Good day.")
        self.wait()
        self.successResultOf(stopping)
        self.assertEqual(self.read, ["Good day."])

    def test_stop_in_time(self) -> None:
        """One that takes too long does not hold the server up."""
        self.write("Hello?")
        stopping = self.messaging.stop()
        self.wait(whatsapp.FINISH_WITHIN + 1)
        self.successResultOf(stopping)
        self.assertTrue(self.model.run.cancelled)

    def test_crowd(self) -> None:
        """When too many are at hand, the longest silent one is let go of."""
        self.patch(whatsapp, "MOST_CHATS", 1)
        self.write("Hello?")
        self.model.run.answer("Good day.")
        self.wait()
        first = self.model
        other = self.message("Hi")
        object.__setattr__(other, "sender", "+15550100009")
        received = self.messaging.whatsapp.received
        received(other, self.server.assistant_id, self.server.project_id, lambda _: "")
        self.wait(0.1)
        self.assertEqual((first.stopped, len(self.model.runs)), (1, 1))


class InlineTests(MessagingCase):
    """Without an account to send with, the webhook's answer is the reply."""

    credential = False

    def test_reply(self) -> None:
        """The answer waits for the reply."""
        answer = self.write("Hello?")
        self.assertNoResult(answer)
        self.model.run.answer("Good day.")
        self.assertEqual(self.successResultOf(answer), ("Good day.",))
        self.wait()
        self.assertEqual(self.read, [])

    def test_together(self) -> None:
        """Of several that are answered together the first has the reply."""
        answers = [self.write(text) for text in ("One", "Two", "Three")]
        self.model.run.answer("First.")
        self.model.run.answer("Second.")
        texts = [self.successResultOf(answer) for answer in answers]
        self.assertEqual(texts, [("First.",), ("Second.",), ()])

    def test_slow(self) -> None:
        """Twilio does not wait for ever: then the answer is the error message."""
        answer = self.write("Hello?")
        self.wait(INLINE_WITHIN)
        self.assertEqual(self.successResultOf(answer), (SORRY,))
        self.assertTrue(self.model.run.cancelled)


def _misconfigured(options: object, account: object = None) -> object:
    raise MisconfiguredAssistant("no such model")
