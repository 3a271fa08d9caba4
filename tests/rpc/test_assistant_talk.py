"""AssistantTalk: a conversation over a stream, in text and by sound."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.messaging.messaging import Messaging
from rapida_tw.models.base import ToolCall
from rapida_tw.rpc.assistant_talk import (
    GOODBYE_WITHIN,
    IDLE_WITHIN,
    AssistantTalk,
    Talk,
)
from rapida_tw.rpc.base import Caller, RpcStream
from rapida_tw.rpc.messages.shared_pb2 import AssistantDefinition, Metadata, Metric
from rapida_tw.rpc.messages.talk_pb2 import (
    AssistantTalkRequest,
    AssistantTalkResponse,
    ConversationConfiguration,
    ConversationDisconnection,
    ConversationInitialization,
    ConversationInterruption,
    ConversationMetadata,
    ConversationMetric,
    ConversationUserMessage,
    StreamMode,
    ToolCallAction,
    WebIdentity,
)
from rapida_tw.rpc.talk_leg import LARGEST
from rapida_tw.rpc.values import to_any
from rapida_tw.simulation import VirtualServer, done
from rapida_tw.store.records import ApiKey, Conversation
from rapida_tw.store.threads import Threads
from rapida_tw.wire.grpc import Status
from tests.messaging.case import HeldModels
from tests.messaging.fakes import HeldModel, no_makers

SORRY = "Sorry, that did not work."
TEXT, AUDIO, BOTH = (
    StreamMode.STREAM_MODE_TEXT,
    StreamMode.STREAM_MODE_AUDIO,
    StreamMode.STREAM_MODE_BOTH,
)
_Ends = ConversationDisconnection


class Stream:
    """An RpcStream whose client is the test."""

    path = "/talk_api.TalkService/AssistantTalk"
    metadata: Mapping[str, str] = {}

    def __init__(self) -> None:
        self.handler: Talk
        self.sent: list[AssistantTalkResponse] = []
        self.status: Status | None = None
        self._paused = False
        self._waiting: deque[bytes] = deque()
        self._half_closed = False

    def send(self, message: bytes) -> None:
        if self.status is None:
            self.sent.append(AssistantTalkResponse.FromString(message))

    def end(self, status: Status = Status.OK, text: str = "") -> None:
        if self.status is None:
            self.status = status

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self._take()

    def receive(self, **request: Any) -> None:
        """From the client."""
        self._waiting.append(AssistantTalkRequest(**request).SerializeToString())
        self._take()

    def half_close(self) -> None:
        self._half_closed = True
        self._take()

    def _take(self) -> None:
        while self._waiting and not self._paused and self.status is None:
            self.handler.message_received(self._waiting.popleft())
        if self._half_closed and not self._paused and self.status is None:
            self._half_closed = False
            self.handler.half_closed()

    def take(self) -> list[str]:
        """What was sent since the last time, in short."""
        sent, self.sent = self.sent, []
        return [_short(one) for one in sent]


def _short(told: AssistantTalkResponse) -> str:
    kind = told.WhichOneof("data")
    if kind == "assistant" and told.assistant.WhichOneof("message") == "audio":
        return "audio"
    if kind == "assistant":
        return f"{'whole' if told.assistant.completed else 'words'}: {told.assistant.text}"
    if kind == "user":
        return f"user: {told.user.text}"
    if kind == "error":
        return f"error {told.code}: {told.error.message}"
    return str(kind)


class TalkCase(SynchronousTestCase):
    options: dict[str, Any] = {}

    def setUp(self) -> None:
        self.models = HeldModels()
        self.server = server = self.make_server()
        self.clock = server.clock
        messaging = Messaging(
            server.clock,
            server.assistants,
            server.credentials,
            server.conversations,
            Threads(server.database, server.now),
            server.journal,
            server.vendors,
            no_makers(),
            server.net,
            server.ids,
            server.now,
            server.calls,
        )
        self.method = AssistantTalk(server.clock, messaging.visits, messaging.overheard, server.now)
        self.caller = Caller(ApiKey(1, server.project_id, "k", "rpd-1", 1.0), source="web-plugin")
        self.streams: list[Stream] = []

    def make_server(self) -> VirtualServer:
        deployment = {"error_message": SORRY, **self.options}
        return VirtualServer({}, deployment, model_provider=self.models)

    def tearDown(self) -> None:
        for stream in self.streams:
            if stream.status is None:
                stream.handler.cancelled()
        self.wait(2)
        self.assertEqual(self.server.leftovers(), [])
        self.assertEqual(self.method.running, set())

    def open(self) -> Stream:
        self.streams.append(Stream())
        stream = self.streams[-1]
        handler = self.method.open(stream, self.caller)
        assert isinstance(handler, Talk)
        stream.handler = handler
        return stream

    def begin(self, mode: StreamMode = TEXT, **more: Any) -> Stream:
        stream = self.open()
        more.setdefault("assistant", AssistantDefinition(assistantId=self.server.assistant_id))
        stream.receive(initialization=ConversationInitialization(streamMode=mode, **more))
        return stream

    def say(self, stream: Stream, text: str, id: str = "t1") -> None:
        stream.receive(message=ConversationUserMessage(id=id, text=text, completed=True))

    def wait(self, seconds: float = 1.0) -> None:
        self.clock.run(self.clock.seconds() + seconds)

    @property
    def model(self) -> HeldModel:
        return self.models.opened[-1]

    def conversation(self) -> Conversation:
        self.wait()
        found: Conversation = done(self.server.conversations.get(self.server.latest()))
        return found

    def entries(self, kind: str) -> list[tuple[str, str]]:
        return [(one.name, one.value) for one in self.conversation().entries if one.kind == kind]


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
        self.assertEqual(stream.sent[-1].disconnection.type, _Ends.DISCONNECTION_TYPE_TOOL)
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
        self.assertEqual(stream.sent[-1].disconnection.type, _Ends.DISCONNECTION_TYPE_USER)
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
        self.assertEqual(stream.sent[-1].disconnection.type, _Ends.DISCONNECTION_TYPE_IDLE_TIMEOUT)

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
        """So is a conversation that is not there."""
        stream = self.begin(assistantConversationId=5)
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

    def test_gone_while_opening(self) -> None:
        """A client that goes before it began leaves nothing."""
        waiting: Deferred[Any] = Deferred()
        self.method.visits.begin = lambda visitor: waiting  # type: ignore[method-assign,assignment,return-value]
        stream = self.begin()
        stream.handler.cancelled()
        self.assertEqual((stream.sent, self.method.running), ([], set()))


class SoundTests(TalkCase):
    """By sound: the virtual speech, whose recogniser is told what it understands."""

    options = {"greeting": "Welcome."}

    def make_server(self) -> VirtualServer:
        return VirtualServer({"otherwise": "Pardon me?"}, {"error_message": SORRY, **self.options})

    def talk(self, mode: StreamMode = AUDIO, *understood: str) -> Stream:
        self.server.ears.scripts.append(deque(understood))
        stream = self.begin(mode)
        self.wait(3)
        return stream

    def speak(self, stream: Stream, seconds: float, level: int = 8_000) -> None:
        """A loud tone, frame by frame."""
        frame = (
            level.to_bytes(2, "little", signed=True) + (-level).to_bytes(2, "little", signed=True)
        ) * 160
        for _ in range(int(seconds / 0.02)):
            stream.receive(message=ConversationUserMessage(audio=frame))
            self.wait(0.02)

    def test_greeting(self) -> None:
        """The greeting is heard, and told in words when it was."""
        told = self.talk().take()
        self.assertEqual(told[0], "initialization")
        self.assertGreater(told.count("audio"), 20)
        self.assertIn("whole: Welcome.", told)

    def test_frames(self) -> None:
        """Audio is 20 ms of 16 kHz, 16 bits, and no silence is sent."""
        stream = self.talk()
        sizes = {len(one.assistant.audio) for one in stream.sent if one.assistant.audio}
        self.assertEqual(sizes, {640})
        stream.take()
        self.wait(2)
        self.assertNotIn("audio", stream.take())

    def test_turn(self) -> None:
        """What the user said is told, and answered by sound and in words."""
        stream = self.talk(AUDIO, "hello")
        stream.take()
        self.speak(stream, 0.8)
        self.speak(stream, 4.0, level=0)
        told = stream.take()
        self.assertIn("user: hello", told)
        self.assertIn("whole: Pardon me?", told)
        self.assertIn("audio", told)

    def test_written_down(self) -> None:
        """It is a call like any other."""
        stream = self.talk()
        (live,) = self.server.calls.live(self.server.project_id)
        self.assertEqual(live.carrier, "stream")
        stream.handler.cancelled()
        self.assertEqual(self.conversation().source, "web-plugin")
        self.assertIn(("call.disconnected_by", "user"), self.entries("metric"))

    def test_hung_up(self) -> None:
        """The end of the call is told with its reason, and ends the stream."""
        stream = self.talk()
        self.server.calls.hang_up(self.server.latest(), self.server.project_id)
        self.assertEqual(stream.take()[-1], "disconnection")
        self.assertIs(stream.status, Status.OK)

    def test_goodbye(self) -> None:
        """The client's goodbye ends the call by the user."""
        stream = self.talk()
        stream.receive(disconnection=ConversationDisconnection())
        self.assertEqual(stream.sent[-1].disconnection.type, _Ends.DISCONNECTION_TYPE_USER)
        self.assertEqual(len(self.server.calls), 0)

    def test_half_closed(self) -> None:
        """A client that sends nothing more hears its answer for some seconds."""
        stream = self.talk()
        stream.half_close()
        self.assertIsNone(stream.status)
        self.wait(GOODBYE_WITHIN)
        self.assertIs(stream.status, Status.OK)

    def test_text(self) -> None:
        """Digits are keys; other text is an error that ends nothing."""
        stream = self.talk(BOTH)
        self.say(stream, "12#")
        self.say(stream, "Hello?")
        self.assertEqual(stream.sent[-1].code, 400)
        self.wait()
        keys = [one.data["digit"] for one in self.conversation().entries if one.name == "dtmf"]
        self.assertEqual("".join(keys), "12#")

    def test_flood(self) -> None:
        """More than two seconds in one message is a mistake; what comes too fast is dropped."""
        stream = self.talk()
        with self.assertRaises(RemoteProtocolError):
            stream.receive(message=ConversationUserMessage(audio=bytes(LARGEST + 1)))
        for _ in range(30):
            stream.receive(message=ConversationUserMessage(audio=bytes(LARGEST)))
        self.wait(1)
        self.assertIsNone(stream.status)

    def test_odd_bytes(self) -> None:
        """Half a sample waits for its other half."""
        stream = self.talk()
        for size in (1, 639, 3, 637):
            stream.receive(message=ConversationUserMessage(audio=bytes(size)))
        self.wait()
        self.assertIsNone(stream.status)

    def test_full(self) -> None:
        """A client that reads nothing for some seconds has stalled, and is told so."""
        stream = self.talk()
        for free in (False, True):
            stream.handler.writable(free)
            self.wait(3)
        self.assertEqual(len(self.server.calls), 1)
        stream.handler.writable(False)
        self.wait(6)
        self.assertEqual(stream.sent[-1].disconnection.type, _Ends.DISCONNECTION_TYPE_ERROR)

    def test_both_and_audio(self) -> None:
        """Between the two modes with sound nothing changes."""
        stream = self.talk()
        stream.take()
        stream.receive(configuration=ConversationConfiguration(streamMode=BOTH))
        self.assertEqual(stream.take(), ["configuration"])
        self.assertEqual(len(self.server.calls), 1)

    def test_to_text(self) -> None:
        """Changed to text, the call is over and the conversation goes on."""
        stream = self.talk()
        stream.take()
        stream.receive(configuration=ConversationConfiguration(streamMode=TEXT))
        self.assertEqual((stream.take(), len(self.server.calls)), (["configuration"], 0))
        self.say(stream, "Hello?")
        self.assertIn("whole: Pardon me?", stream.take())

    def test_to_sound(self) -> None:
        """Changed to sound, nobody is greeted again."""
        stream = self.begin(TEXT)
        self.say(stream, "Hello?")
        stream.take()
        self.server.ears.scripts.append(deque())
        stream.receive(configuration=ConversationConfiguration(streamMode=AUDIO))
        self.wait(3)
        self.assertEqual(len(self.server.calls), 1)
        self.assertEqual(stream.take(), ["configuration"])


_stream: type[RpcStream] = Stream
