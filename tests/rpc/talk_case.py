"""What the tests of AssistantTalk share: a stream by hand, and a server in virtual time."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.messaging.messaging import Messaging
from rapida_tw.rpc.assistant_talk import (
    AssistantTalk,
    Talk,
)
from rapida_tw.rpc.base import Caller, RpcStream
from rapida_tw.rpc.messages.shared_pb2 import AssistantDefinition
from rapida_tw.rpc.messages.talk_pb2 import (
    AssistantTalkRequest,
    AssistantTalkResponse,
    ConversationDisconnection,
    ConversationInitialization,
    ConversationUserMessage,
    StreamMode,
)
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
Ends = ConversationDisconnection


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


_stream: type[RpcStream] = Stream
