"""AssistantTalk by Rapida's own stubs, with a server in another process: in text and by sound."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Queue
from time import monotonic, sleep
from typing import Any

import grpc
import numpy as np
import pytest

from rapida_tw.demo.voice import recorded
from tests.interop.asterisk import wait_until
from tests.interop.rpc.sdk import rapida, talk_api_pb2, talk_api_pb2_grpc
from tests.interop.server import Server
from tests.interop.sound import voiced

WITHIN = 90.0  # seconds for a whole stream; the recogniser's first start takes some
_TICK = 0.02  # seconds


class Conversation:
    """One stream: what is put in is sent, what comes is kept."""

    def __init__(self, server: Server, key: str = "") -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{server.http}")
        self._requests: Queue[Any] = Queue()
        stub = talk_api_pb2_grpc.TalkServiceStub(self._channel)
        metadata = (("x-api-key", key or server.api_key), ("x-auth-id", ""))
        self.call = stub.AssistantTalk(iter(self._requests.get, None), WITHIN, metadata)
        self.came: list[Any] = []
        self._answers = iter(self.call)

    def send(self, **request: Any) -> None:
        self._requests.put(talk_api_pb2.AssistantTalkRequest(**request))

    def begin(self, assistant_id: str, mode: int) -> int:
        """The conversation's id."""
        self.send(
            initialization=talk_api_pb2.ConversationInitialization(
                assistant=rapida.AssistantDefinition(assistantId=int(assistant_id)),
                streamMode=mode,
            )
        )
        told = self.next("initialization")
        return int(told.initialization.assistantConversationId)

    def half_close(self) -> None:
        self._requests.put(None)

    def next(self, kind: str) -> Any:
        """The next answer of that kind; those before it are kept as well."""
        for answer in self._answers:
            self.came.append(answer)
            if answer.WhichOneof("data") == kind:
                return answer
        raise AssertionError(f"no {kind} came: {self.came}")

    def rest(self) -> None:
        self.came += list(self._answers)

    def close(self) -> None:
        self.call.cancel()
        self._channel.close()

    @property
    def words(self) -> list[str]:
        """What the assistant has said, as wholes."""
        said = (one.assistant for one in self.came if one.WhichOneof("data") == "assistant")
        return [one.text for one in said if one.completed and one.text]

    @property
    def sound(self) -> np.ndarray[Any, np.dtype[np.int16]]:
        audio = (one.assistant.audio for one in self.came if one.WhichOneof("data") == "assistant")
        return np.frombuffer(b"".join(audio), "<i2")


@pytest.fixture
def talk(server: Server) -> Iterator[Conversation]:
    made = Conversation(server)
    yield made
    made.close()


def test_text(server: Server, talk: Conversation) -> None:
    """A turn in text, whose words come as they are written; then both sides close."""
    conversation_id = talk.begin(server.assistant_id, talk_api_pb2.STREAM_MODE_TEXT)
    talk.send(
        message=talk_api_pb2.ConversationUserMessage(
            id="m1", text="what are your opening hours", completed=True
        )
    )
    talk.half_close()
    talk.rest()
    assert talk.call.code() is grpc.StatusCode.OK
    assert "open" in talk.words[-1].lower()
    pieces = [one.assistant.text for one in talk.came if one.assistant.id == "m1"][:-1]
    assert len(pieces) > 3
    assert "".join(pieces).strip() == talk.words[-1]
    kinds = talk_api_pb2.ConversationDisconnection
    assert talk.came[-1].disconnection.type == kinds.DISCONNECTION_TYPE_USER

    def over() -> bool:
        return bool(server.data(f"/v1/conversations/{conversation_id}")["status"] == "ended")

    wait_until(over, 5, "the end in the history", lambda: "")
    history = server.data(f"/v1/conversations/{conversation_id}")
    assert [one["role"] for one in history["messages"]][-2:] == ["user", "assistant"]


def test_sound(server: Server, talk: Conversation) -> None:
    """A turn by sound: the greeting is heard, the question understood, the answer heard."""
    talk.begin(server.assistant_id, talk_api_pb2.STREAM_MODE_AUDIO)
    talk.next("assistant")
    line = recorded("what are your opening hours")
    silence = np.zeros(16_000 * 4, np.int16)
    said = np.concatenate((silence[: 16_000 * 2], line, silence)).astype("<i2").tobytes()
    due = monotonic()
    for start in range(0, len(said), 640):
        frame = said[start : start + 640]
        talk.send(message=talk_api_pb2.ConversationUserMessage(audio=frame))
        due += _TICK
        sleep(max(due - monotonic(), 0))
    understood = talk.next("user").user.text
    assert "hours" in understood
    while not any("we are open" in one.lower() for one in talk.words):
        talk.next("assistant")
    talk.send(disconnection=talk_api_pb2.ConversationDisconnection())
    talk.rest()
    assert talk.call.code() is grpc.StatusCode.OK
    assert voiced(talk.sound).sum() > 50


def test_wrong_key(server: Server) -> None:
    """Who has no key hears so by the status."""
    talk = Conversation(server, "rpd-wrong")
    try:
        with pytest.raises(grpc.RpcError) as refused:
            talk.begin(server.assistant_id, talk_api_pb2.STREAM_MODE_TEXT)
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    finally:
        talk.close()
