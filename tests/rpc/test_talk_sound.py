"""AssistantTalk: a conversation over a stream, by sound."""

from __future__ import annotations

from collections import deque

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.rpc.assistant_talk import (
    GOODBYE_WITHIN,
)
from rapida_tw.rpc.messages.talk_pb2 import (
    ConversationConfiguration,
    ConversationDisconnection,
    ConversationUserMessage,
    StreamMode,
)
from rapida_tw.rpc.talk_leg import LARGEST, dropped
from rapida_tw.simulation import VirtualServer
from rapida_tw.wire.grpc import Status
from tests.rpc.talk_case import AUDIO, BOTH, SORRY, TEXT, Ends, Stream, TalkCase


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
        self.assertEqual(stream.sent[-1].disconnection.type, Ends.DISCONNECTION_TYPE_USER)
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
        before = dropped.value()
        for _ in range(30):
            stream.receive(message=ConversationUserMessage(audio=bytes(LARGEST)))
        self.wait(1)
        self.assertIsNone(stream.status)
        # Some ten seconds, and the three that the greeting took.
        self.assertEqual(dropped.value() - before, (30 - 6) * LARGEST)

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
        self.assertEqual(stream.sent[-1].disconnection.type, Ends.DISCONNECTION_TYPE_ERROR)

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
