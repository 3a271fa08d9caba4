"""An agent that Rapida's own library serves, as the model of a call of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from rapida_tw.account import Account
from rapida_tw.errors import VendorFailed
from rapida_tw.log import wall_clock
from rapida_tw.models.agentkit import AgentKitProvider
from rapida_tw.models.base import Completion, Message
from rapida_tw.net.service import RealNet
from rapida_tw.speech.base import Host
from tests.interop.certificate import self_signed
from tests.interop.server import free_port
from tests.interop.vendors.fakes import fake

rapida = pytest.importorskip("rapida", reason="the package rapida-python is not installed")

TOKEN = "token-of-a-test-0123"
PATIENCE = 10.0  # seconds


class Agent(rapida.AgentKitAgent):  # type: ignore[misc,name-defined]
    """As the library's documentation writes one."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[Any] = []
        self.interrupted: list[str] = []
        self.over = 0

    def Talk(self, request_iterator: Any, context: Any) -> Any:
        for request in request_iterator:
            if request.HasField("initialization"):
                self.begun.append(request.initialization)
                yield self.initialization_response(request.initialization)
            elif request.HasField("message"):
                yield from self.answer(request.message)
            elif request.HasField("interruption"):
                self.interrupted.append(request.interruption.id)
        self.over += 1

    def answer(self, message: Any) -> Any:
        said = message.text
        if said == "fail":
            yield self.error_response(500, "the brain is out")
            return
        if said == "wait":
            return
        yield self.tool_call(message.id, "1", "weather", {"town": "Bonn"})
        yield self.tool_call_result(message.id, "1", "weather", {"sun": 1})
        yield self.assistant_response(message.id, "You said: ", completed=False)
        yield self.assistant_response(message.id, said, completed=False)
        yield self.assistant_response(message.id, f"You said: {said}", completed=True)
        if said == "bye":
            yield self.terminate_call(message.id, {"reason": "bye"})
        elif said == "boss":
            yield self.transfer_call(message.id, {"to": "+15550100"})


class AgentKitServerTests(TestCase):
    timeout = 60

    def setUp(self) -> None:
        self.net = RealNet(reactor)
        folder = Path(self.mktemp())
        folder.mkdir()
        files = self_signed(folder)
        self.agent = Agent()
        self.port = free_port()
        self.server = rapida.AgentKitServer(
            agent=self.agent,
            port=self.port,
            ssl_config={"cert_path": str(files.certificate), "key_path": str(files.key)},
            auth_config={"enabled": True, "token": TOKEN},
        )
        self.server.start()
        self.certificate = files.certificate.read_text()
        self.model = self.open(TOKEN)

    def open(self, token: str) -> Any:
        host = Host(reactor, Path(), self.net, wall_clock)
        options = {
            "agentkit.url": f"localhost:{self.port}",
            "agentkit.certificate": self.certificate,
            "agentkit.args": {"customer": "7"},
        }
        return AgentKitProvider(host).open(options, Account("agentkit", {"token": token}))

    def tearDown(self) -> Deferred[None]:  # type: ignore[override]  # as trial has it
        async def stop() -> None:
            await self.model.stop()
            await self.net.stop()
            await deferLater(_time(), 0.05)
            await deferToThread(self.server.stop, 0)

        return Deferred.fromCoroutine(stop())

    def say(self, text: str, said: list[str] | None = None) -> Deferred[Completion]:
        heard = [] if said is None else said
        replying: Deferred[Completion] = self.model.reply([Message("user", text)], (), heard.append)
        return replying

    async def until(self, condition: Callable[[], object]) -> None:
        waited = 0.0
        while not condition():
            self.assertLess(waited, PATIENCE)
            await deferLater(_time(), 0.01)
            waited += 0.01

    async def test_dialogue(self) -> None:
        """Turns on one stream, a hang-up, a transfer, and the end."""
        said: list[str] = []
        completion = await self.say("hello", said)
        self.assertEqual((completion.text, said), ("You said: hello", ["You said: ", "hello"]))
        self.assertEqual(completion.tool_calls, ())
        completion = await self.say("bye")
        self.assertEqual([call.name for call in completion.tool_calls], ["end_call"])
        (call,) = (await self.say("boss")).tool_calls
        self.assertEqual((call.name, call.arguments), ("transfer_call", {"to": "+15550100"}))
        (begun,) = self.agent.begun
        self.assertGreater(begun.assistantConversationId, 0)
        self.assertIn(b"7", begun.args["customer"].value)
        await self.model.stop()
        await self.until(lambda: self.agent.over)

    async def test_interruption(self) -> None:
        """The agent is told of it, and the dialogue goes on."""
        replying = self.say("wait")
        await self.until(lambda: self.agent.begun)
        await deferLater(_time(), 0.1)
        replying.cancel()
        with pytest.raises(CancelledError):
            await replying
        self.assertEqual((await self.say("hello")).text, "You said: hello")
        self.assertEqual(len(self.agent.interrupted), 1)

    async def test_failure(self) -> None:
        """Its own words."""
        with pytest.raises(VendorFailed, match="the brain is out"):
            await self.say("fail")

    async def test_wrong_token(self) -> None:
        """Its interceptor's."""
        self.model = self.open("wrong")
        with pytest.raises(VendorFailed, match="Invalid authorization token") as caught:
            await self.say("hello")
        self.assertFalse(caught.value.retryable)


def test_the_fake() -> None:
    """The library's own client talks to our fake as to an agent."""
    grpc = pytest.importorskip("grpc")
    stubs = pytest.importorskip("rapida.clients.protos.agentkit_pb2_grpc")
    kit = pytest.importorskip("rapida.clients.protos.agentkit_pb2")
    talk = pytest.importorskip("rapida.clients.protos.talk_api_pb2")
    begin = talk.ConversationInitialization(assistantConversationId=2**62, streamMode=1)
    begin.time.GetCurrentTime()
    message = talk.ConversationUserMessage(id="m1", completed=True, text="hello")
    inputs: Queue[Any] = Queue()
    with (
        fake("agentkit", token=TOKEN) as port,
        grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        metadata = [("authorization", TOKEN)]
        answers = stubs.AgentKitStub(channel).Talk(iter(inputs.get, None), metadata=metadata)
        inputs.put(kit.TalkInput(initialization=begin))
        assert next(answers).initialization.assistantConversationId == 2**62
        inputs.put(kit.TalkInput(message=message))
        pieces = [next(answers).assistant for _ in range(2)]
        assert [(one.id, one.text, one.completed) for one in pieces] == [
            ("m1", "You said: hello", False),
            ("m1", "You said: hello", True),
        ]
        inputs.put(kit.TalkInput(initialization=begin))
        with pytest.raises(grpc.RpcError, match="a second initialization"):
            next(answers)
        inputs.put(None)


def _time() -> Any:
    return reactor
