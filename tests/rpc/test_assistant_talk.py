"""AssistantTalk: a conversation over a stream, in text."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.messaging.visits import Visit, Visitor
from rapida_tw.models.base import ToolCall
from rapida_tw.rpc.assistant_talk import (
    IDLE_WITHIN,
)
from rapida_tw.rpc.messages.shared_pb2 import AssistantDefinition, Metadata, Metric
from rapida_tw.rpc.messages.talk_pb2 import (
    ConversationDisconnection,
    ConversationInitialization,
    ConversationInterruption,
    ConversationMetadata,
    ConversationMetric,
    ConversationUserMessage,
    ToolCallAction,
    WebIdentity,
)
from rapida_tw.rpc.values import to_any
from rapida_tw.simulation import done
from rapida_tw.store.records import Assistant
from rapida_tw.wire.grpc import Status
from tests.rpc.talk_case import SORRY, Ends, TalkCase


class TextTests(TalkCase):
    def test_began(self) -> None:
        """The initialization comes back with the conversation's id, and then the greeting."""
        stream = self.begin(web=WebIdentity(userId="mary"), metadata={"order": to_any("17")})
        (told,) = stream.sent
        conversation = self.conversation()
        self.assertEqual(told.initialization.assistantConversationId, conversation.id)
        self.assertEqual((told.code, told.success), (200, True))
        self.assertEqual(
            (conversation.source, conversation.identifier, conversation.status),
            ("web-plugin", "mary", "active"),
        )
        self.assertIn(("order", "17"), self.entries("metadata"))

    def test_turn(self) -> None:
        """Words as they are written, then the whole, with the message's id."""
        stream = self.begin()
        stream.take()
        self.say(stream, "Hello?", "m7")
        self.model.run.write("Good ")
        self.model.run.write("day.")
        self.assertEqual(stream.sent[-1].assistant.id, "m7")
        self.model.run.finish()
        self.assertEqual(stream.take(), ["words: Good ", "words: day.", "whole: Good day."])
        said = [("user", "Hello?"), ("assistant", "Good day.")]
        self.assertEqual(self.entries("message"), said)

    def test_options(self) -> None:
        """Options lie over the deployment, arguments are for the templates."""
        stream = self.begin(
            options={"experience.greeting": to_any("Hello {{ name }}.")},
            args={"name": to_any("Ada")},
        )
        self.assertEqual(stream.take()[1:], ["words: Hello Ada.", "whole: Hello Ada."])

    def test_interrupted(self) -> None:
        """A message that comes while the assistant writes interrupts it."""
        stream = self.begin()
        self.say(stream, "Tell me all.", "t1")
        self.model.run.write("Once upon ")
        stream.take()
        self.say(stream, "Stop.", "t2")
        (told,) = stream.sent
        self.assertEqual(told.interruption.id, "t1")
        self.assertEqual(told.interruption.type, ConversationInterruption.INTERRUPTION_TYPE_WORD)
        self.assertEqual(self.model.runs[-1].messages[-1], ("user", "Stop."))

    def test_tools(self) -> None:
        """Tools are told, and a goodbye ends the stream."""
        stream = self.begin()
        self.say(stream, "Bye")
        self.model.run.answer("Goodbye.", ToolCall("c1", "end_call"))
        called = next(one.toolCall for one in stream.sent if one.HasField("toolCall"))
        self.assertEqual(called.action, ToolCallAction.TOOL_CALL_ACTION_END_CONVERSATION)
        self.assertEqual(stream.sent[-1].disconnection.type, Ends.DISCONNECTION_TYPE_TOOL)
        self.assertIs(stream.status, Status.OK)
        self.assertEqual(self.conversation().status, "ended")

    def test_failure(self) -> None:
        """A model that fails is told as an error, and the deployment's words follow."""
        stream = self.begin()
        stream.take()
        self.say(stream, "Hello?")
        self.model.run.fail()
        self.assertEqual(
            stream.take(), ["error 502: out of order", f"words: {SORRY}", f"whole: {SORRY}"]
        )

    def test_goodbye(self) -> None:
        """The client's disconnection ends it by the user."""
        stream = self.begin()
        stream.receive(disconnection=ConversationDisconnection())
        self.assertEqual(stream.sent[-1].disconnection.type, Ends.DISCONNECTION_TYPE_USER)
        self.assertIn(("call.disconnected_by", "user"), self.entries("metric"))

    def test_half_closed(self) -> None:
        """A client that sends nothing more gets its answer, and then the end."""
        stream = self.begin()
        self.say(stream, "Hello?")
        stream.half_close()
        self.assertIsNone(stream.status)
        self.model.run.answer("Good day.")
        self.wait(0.1)
        self.assertEqual(stream.take()[-2:], ["whole: Good day.", "disconnection"])
        self.assertIs(stream.status, Status.OK)

    def test_gone(self) -> None:
        """A client that is gone leaves nothing running."""
        stream = self.begin()
        self.say(stream, "Hello?")
        stream.handler.cancelled()
        self.assertTrue(self.model.run.cancelled)
        self.assertEqual(self.conversation().status, "ended")

    def test_idle(self) -> None:
        """One that says nothing for half an hour is disconnected."""
        stream = self.begin()
        self.wait(IDLE_WITHIN)
        self.assertEqual(stream.sent[-1].disconnection.type, Ends.DISCONNECTION_TYPE_IDLE_TIMEOUT)

    def test_notes(self) -> None:
        """Metadata and metrics are stored, the latter as custom ones."""
        stream = self.begin()
        stream.receive(metadata=ConversationMetadata(metadata=[Metadata(key="a", value="b")]))
        stream.receive(metric=ConversationMetric(metrics=[Metric(name="csat", value="5")]))
        self.assertIn(("a", "b"), self.entries("metadata"))
        self.assertIn(("custom.csat", "5"), self.entries("metric"))

    def test_again(self) -> None:
        """A conversation of before goes on: the model knows it, nobody is greeted."""
        stream = self.begin()
        self.say(stream, "Hello?")
        self.model.run.answer("Good day.")
        conversation = self.conversation()
        stream.handler.cancelled()
        again = self.begin(assistantConversationId=conversation.id)
        self.say(again, "And now?")
        self.assertEqual(
            self.model.run.messages[:2], [("user", "Hello?"), ("assistant", "Good day.")]
        )


class GreetedTests(TalkCase):
    options = {"greeting": "Welcome!"}

    def test_greeting(self) -> None:
        """The deployment's greeting comes first."""
        self.assertEqual(
            self.begin().take(), ["initialization", "words: Welcome!", "whole: Welcome!"]
        )


class MistakeTests(TalkCase):
    def test_not_initialized(self) -> None:
        """What comes before the initialization is a mistake."""
        with self.assertRaises(RemoteProtocolError):
            self.say(self.open(), "Hello?")

    def test_twice(self) -> None:
        """So is a second one."""
        stream = self.begin()
        with self.assertRaises(RemoteProtocolError):
            stream.receive(initialization=ConversationInitialization())

    def test_garbage(self) -> None:
        """So are bytes that are no request."""
        with self.assertRaises(RemoteProtocolError):
            self.open().handler.message_received(b"\xff\xff")

    def test_nothing(self) -> None:
        """So is a stream without anything."""
        with self.assertRaises(RemoteProtocolError):
            self.open().half_close()

    def test_assistant(self) -> None:
        """An assistant of nobody's, and none at all, are told by an error; then it is over."""
        for number, code in ((99, 404), (0, 400)):
            stream = self.begin(assistant=AssistantDefinition(assistantId=number))
            self.assertEqual((stream.sent[-1].code, stream.sent[-1].success), (code, False))
            self.assertIs(stream.status, Status.OK)
        self.assertEqual(self.server.latest(), 0)

    def test_conversation(self) -> None:
        """So is a conversation that is not there, or another assistant's."""
        self.begin()
        mine = self.server.latest()
        made = self.server.assistants.create(Assistant(0, self.server.project_id, "Another"))
        another = AssistantDefinition(assistantId=done(made).id)
        own = AssistantDefinition(assistantId=self.server.assistant_id)
        for number, assistant in ((5, own), (mine, another)):
            stream = self.begin(assistantConversationId=number, assistant=assistant)
            self.assertEqual(stream.sent[-1].code, 404)

    def test_options(self) -> None:
        """Options that cannot be: the conversation has failed."""
        stream = self.begin(options={"experience.colour": to_any("red")})
        self.assertEqual(stream.sent[-1].code, 400)
        self.assertEqual(self.conversation().status, "failed")

    def test_audio_in_text(self) -> None:
        """Sound in text mode is an error that ends nothing."""
        stream = self.begin()
        stream.receive(message=ConversationUserMessage(audio=bytes(640)))
        self.assertEqual(stream.take()[-1], "error 400: audio is not taken in text mode")
        self.assertIsNone(stream.status)

    def test_early(self) -> None:
        """What comes while it opens waits."""
        begin, waiting = self.method.visits.begin, Deferred[Any]()

        async def slowly(visitor: Visitor) -> Visit:
            await waiting
            return await begin(visitor)

        self.method.visits.begin = slowly  # type: ignore[method-assign]
        stream = self.begin()
        self.say(stream, "Hello?")
        stream.half_close()
        self.assertEqual((stream.sent, stream.status), ([], None))
        waiting.callback(None)
        self.model.run.answer("Good day.")
        self.wait(0.1)
        self.assertEqual(stream.take()[-2:], ["whole: Good day.", "disconnection"])

    def test_gone_while_opening(self) -> None:
        """A client that goes before it began leaves nothing."""
        waiting: Deferred[Any] = Deferred()
        self.method.visits.begin = lambda visitor: waiting  # type: ignore[method-assign,assignment,return-value]
        stream = self.begin()
        stream.handler.cancelled()
        self.assertEqual((stream.sent, self.method.running), ([], set()))
