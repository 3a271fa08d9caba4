"""AgentKit: calls of a user's own agent, before a fake of it."""

from __future__ import annotations

import contextlib  # trial has a meaning for a module's `suppress`
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.account import NOBODY, Account
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError, VendorFailed
from rapida_tw.models.agentkit import AgentKitProvider
from rapida_tw.models.agentkit_wire import (
    Failure,
    HangUp,
    Other,
    Said,
    Transfer,
    Working,
    read,
    rest_of,
)
from rapida_tw.models.base import Completion, Message
from rapida_tw.net.base import Nowhere
from rapida_tw.sim.vendors import agentkit_pb2 as vendor
from rapida_tw.sim.vendors.agentkit import AgentKit, AgentStream, AgentTurn
from rapida_tw.simulation.clock import VirtualClock
from rapida_tw.simulation.vendor_net import FakeVendorNet
from rapida_tw.speech.base import Host

URL = "http://agent.test:50051"
TOKEN = "token-of-a-test-0123"


class AgentKitCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = VirtualClock()
        self.agent = AgentKit(token=TOKEN)
        self.net = FakeVendorNet(self.clock, self.agent)
        now = 1_700_000_000.0
        self.host = Host(self.clock, Path(), self.net, lambda: now + self.clock.seconds())
        self.model = self.open()
        self.said: list[str] = []

    def open(self, token: str = TOKEN, **options: Any) -> Any:
        account = Account("agentkit", {"token": token})
        return AgentKitProvider(self.host).open({"agentkit.url": URL, **options}, account)

    def tearDown(self) -> None:
        stopping = self.model.stop()
        self.run_for(1.1)
        self.successResultOf(stopping)
        self.assertEqual(self.net.leftovers(), [])
        self.net.stop()
        self.run_for(1.1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def run_for(self, seconds: float) -> None:
        self.clock.run(self.clock.seconds() + seconds)

    def turns(self, *turns: AgentTurn) -> None:
        self.agent.turns.extend(turns)

    def begin(self, *messages: Message) -> Deferred[Completion]:
        self.said.clear()
        asked: Sequence[Message] = messages or (Message("user", "Hello."),)
        replying: Deferred[Completion] = self.model.reply(asked, (), self.said.append)
        return replying

    def reply(self, *messages: Message, within: float = 2.0) -> Completion:
        replying = self.begin(*messages)
        self.run_for(within)
        completion: Completion = self.successResultOf(replying)
        self.assertEqual("".join(self.said), completion.text)
        return completion

    def failure(self, *messages: Message, within: float = 2.0) -> VendorFailed:
        replying = self.begin(*messages)
        self.run_for(within)
        error: VendorFailed = self.failureResultOf(replying, VendorFailed).value
        return error

    @property
    def stream(self) -> AgentStream:
        return self.agent.streams[-1]


class ReplyTests(AgentKitCase):
    def test_beginning(self) -> None:
        """A stream is opened with what the agent is to know, and its token."""
        self.model = self.open(**{"agentkit.args": '{"customer": "7"}'})
        self.model.prepare()
        self.run_for(0.1)
        self.assertGreater(self.stream.conversation, 0)
        self.assertEqual(self.stream.args, {"customer": "7"})
        self.assertEqual(self.stream.asked.headers["authorization"], TOKEN)
        self.assertEqual(self.stream.told, [])

    def test_pieces(self) -> None:
        """Words are said when they come, and not again when the last piece repeats them all."""
        self.turns(AgentTurn(["One ", "two ", "three."], pause=0.5))
        replying = self.begin()
        self.run_for(1.1)
        self.assertEqual(self.said, ["One ", "two "])
        self.run_for(1.1)
        self.assertEqual(self.successResultOf(replying), Completion("One two three."))
        self.assertEqual(self.said, ["One ", "two ", "three."])

    def test_last_pieces(self) -> None:
        """The end may also be the rest, nothing, or all there is."""
        for pieces, last, text in (
            (["One "], "two.", "One two."),
            (["One two."], "", "One two."),
            ([], "One two.", "One two."),
            ([], "", ""),
        ):
            self.turns(AgentTurn(pieces, last))
            self.assertEqual(self.reply().text, text)

    def test_one_stream(self) -> None:
        """All turns of a call are on one stream; only what the caller said last is told."""
        self.reply(Message("system", "Be brief."), Message("user", "Hello."))
        history = [Message("user", "Hello."), Message("assistant", "You said: Hello.")]
        completion = self.reply(*history, Message("user", "12"))
        self.assertEqual(completion.text, "You said: 12")
        self.assertEqual(len(self.agent.streams), 1)
        self.assertEqual([text for _, text in self.stream.told], ["Hello.", "12"])
        self.assertEqual(len({id for id, _ in self.stream.told}), 2)

    def test_nothing_to_tell(self) -> None:
        """Before the caller has spoken, and behind a tool's result, there is nothing to ask."""
        self.assertEqual(self.reply(Message("system", "Be brief.")).text, "")
        tool = Message("tool", "{}", tool_call_id="call_1")
        self.assertEqual(self.reply(Message("user", "Hi."), tool).text, "")
        self.assertEqual(self.agent.streams, [])

    def test_interrupted(self) -> None:
        """The agent is told, what it still says is not said, and the stream goes on."""
        self.turns(AgentTurn(["One ", "two ", "three."], pause=0.5))
        replying = self.begin()
        self.run_for(0.6)
        replying.cancel()
        self.failureResultOf(replying, CancelledError)
        self.run_for(0.1)
        self.assertEqual(self.stream.interrupted, [self.stream.told[0][0]])
        self.stream._piece(self.stream.told[0][0], "late", False)
        self.assertEqual(self.reply(Message("user", "Stop.")).text, "You said: Stop.")
        self.assertEqual(len(self.agent.streams), 1)

    def test_end(self) -> None:
        """The agent hangs up: before its goodbye, behind it, or without one."""
        for turn in (
            AgentTurn(["Bye."], ending="end"),
            AgentTurn(["Bye."], ending="end", after=True),
            AgentTurn(["Bye."], ending="end", trouble="endless"),
        ):
            self.turns(turn)
            completion = self.reply()
            self.assertEqual(completion.text, "Bye.")
            self.assertEqual([call.name for call in completion.tool_calls], ["end_call"])

    def test_transfer(self) -> None:
        """Whatever the agent calls the target."""
        for args, arguments in (
            ({"to": "+15550100"}, {"to": "+15550100"}),
            ({"phone": "100"}, {"to": "100"}),
            ({"desk": "sales"}, {"to": "sales"}),
            ({}, {}),
        ):
            self.turns(AgentTurn(["One moment."], ending="transfer", args=args))
            (call,) = self.reply().tool_calls
            self.assertEqual((call.name, call.arguments), ("transfer_call", arguments))

    def test_late_end(self) -> None:
        """What the agent wants between two replies is done with the next one."""
        self.reply()
        self.stream.act("end")
        self.stream.leave()
        self.run_for(0.1)
        completion = self.reply(Message("user", "And?"))
        self.assertEqual([call.name for call in completion.tool_calls], ["end_call"])
        self.assertEqual(self.reply(Message("user", "So?")).tool_calls, ())

    def test_end_of_an_interrupted_reply(self) -> None:
        """Who interrupts a goodbye is not hung up on."""
        self.turns(AgentTurn(["Good", "bye."], pause=0.5))
        replying = self.begin()
        self.run_for(0.6)
        replying.cancel()
        self.failureResultOf(replying, CancelledError)
        self.stream.act("end")
        self.run_for(0.1)
        self.assertEqual(self.reply(Message("user", "Wait.")).tool_calls, ())

    def test_tools_of_its_own(self) -> None:
        """They are the agent's business, and a sign of life."""
        self.turns(AgentTurn(trouble="silence"))
        replying = self.begin()
        for _ in range(3):
            self.run_for(9.0)
            self.stream.tool("weather")
        self.run_for(0.1)
        self.assertNoResult(replying)
        self.stream._piece(self.stream.told[0][0], "Sunny.", True)
        self.run_for(0.2)
        self.assertEqual(self.successResultOf(replying).text, "Sunny.")

    def test_an_agent_that_forgets_to_complete(self) -> None:
        """The end of the stream is the end of its reply, too."""
        self.turns(AgentTurn(["That is all."], trouble="close"))
        self.assertEqual(self.reply().text, "That is all.")
        self.reply()
        first, second = self.agent.streams
        self.assertEqual(first.conversation, second.conversation)


class TroubleTests(AgentKitCase):
    def test_silence(self) -> None:
        """Ten seconds for the first word, fifteen for each other; the agent is told."""
        self.turns(AgentTurn(trouble="silence"))
        error = self.failure(within=10.1)
        self.assertIn("nothing for 10 s", str(error))
        self.run_for(0.1)
        self.assertEqual(len(self.stream.interrupted), 1)
        self.turns(AgentTurn(["One "], trouble="endless"))
        self.assertIn("nothing for 15 s", str(self.failure(within=15.1)))

    def test_error(self) -> None:
        """The agent's own words; it is not asked again, and the stream goes on."""
        self.reply()
        self.turns(AgentTurn(trouble="error"))
        error = self.failure()
        self.assertEqual(str(error), "AgentKit: the brain is out")
        self.assertEqual((error.code, error.retryable), (503, True))
        self.assertEqual(len(self.stream.told), 2)
        self.assertEqual(self.reply().text, "You said: Hello.")
        self.assertEqual(len(self.agent.streams), 1)

    def test_garbage(self) -> None:
        """What is no message ends the stream."""
        self.turns(AgentTurn(trouble="garbage"))
        self.assertIn("no message of AgentKit", str(self.failure()))
        self.assertEqual(self.reply().text, "You said: Hello.")

    def test_dropped(self) -> None:
        """In a reply it is a failure; between two a new stream takes over, unnoticed."""
        self.turns(AgentTurn(["One "], trouble="drop"))
        self.assertTrue(self.failure().retryable)
        self.assertEqual(self.reply().text, "You said: Hello.")
        self.stream._line.drop()
        self.assertEqual(self.reply().text, "You said: Hello.")
        self.assertEqual(len({one.conversation for one in self.agent.streams}), 1)

    def test_lost_with_the_question(self) -> None:
        """A stream that was kept, and breaks before a word, is replaced once."""
        self.reply()
        self.turns(AgentTurn(trouble="drop"), AgentTurn(["Still here."]))
        self.assertEqual(self.reply().text, "Still here.")
        self.turns(AgentTurn(trouble="drop"), AgentTurn(trouble="drop"))
        self.assertTrue(self.failure().retryable)

    def test_wrong_token(self) -> None:
        """The agent's refusal is told; it does not get better."""
        self.model = self.open("wrong")
        error = self.failure()
        self.assertEqual((error.code, error.retryable), (401, False))
        self.assertIn("Invalid authorization token", str(error))

    def test_not_there(self) -> None:
        """As with every vendor."""
        self.net.down.add("agent.test")
        error = self.failure()
        self.assertIn("nothing listens", str(error))
        self.assertTrue(error.retryable)
        self.net.down.clear()
        self.assertEqual(self.reply().text, "You said: Hello.")

    def test_prepared_in_vain(self) -> None:
        """A stream that could not be opened beforehand is opened for the first reply."""
        self.net.down.add("agent.test")
        self.model.prepare()
        self.run_for(0.1)
        self.net.down.clear()
        self.assertEqual(self.reply().text, "You said: Hello.")

    def test_stopped(self) -> None:
        """The agent sees the end of the call, at whatever point; one that stays is left."""
        self.reply()
        stopping = self.model.stop()
        self.run_for(0.1)
        self.successResultOf(stopping)
        self.assertEqual(self.stream.closed_by, "half")
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)  # the idle connection's
        self.model = self.open()
        self.model.prepare()
        self.model.stop()
        self.run_for(0.1)
        self.model = self.open()
        self.model.prepare()
        self.run_for(0.1)
        self.stream.half_closed = lambda: None  # type: ignore[method-assign]
        stopping = self.model.stop()
        self.run_for(0.9)
        self.assertNoResult(stopping)
        self.run_for(0.2)
        self.successResultOf(stopping)
        self.assertEqual(self.stream.closed_by, "cancel")


# -- the wire --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "last", "rest"),
    [
        ("", "All.", "All."),
        ("One two.", "One two.", ""),
        ("One ", "One two.", "two."),
        ("One ", "two.", "two."),
        ("One two.", "", ""),
        ("Onetwo.", "One two. Three.", " Three."),
        ("One  two.\n", "One two. Three.", " Three."),
        ("One.", " ", " "),
    ],
)
def test_rest(said: str, last: str, rest: str) -> None:
    """Nothing is said twice, and nothing left out."""
    assert rest_of(said, last) == rest


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (vendor.Output(assistant=vendor.Turn(id="a", text="x")), Said("a", "x", False)),
        (vendor.Output(toolCall=vendor.Tool(id="a", action=1)), HangUp("a")),
        (vendor.Output(toolCall=vendor.Tool(id="a", action=2)), Transfer("a", "")),
        (vendor.Output(toolCall=vendor.Tool(id="a", name="weather")), Working()),
        (vendor.Output(toolCallResult=vendor.ToolResult(id="a")), Working()),
        (vendor.Output(code=200, success=True), Other()),
        (vendor.Output(initialization=vendor.Begin()), Other()),
        (vendor.Output(code=500), Failure(500, "it gave no reason")),
        (vendor.Output(error=vendor.Error(errorCode=1002008)), Failure(599, "it gave no reason")),
        (vendor.Output(error=vendor.Error(humanMessage="no")), Failure(0, "no")),
    ],
)
def test_read(output: vendor.Output, told: object) -> None:
    """What an agent may say."""
    assert read(output.SerializeToString()) == told


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    """Never another exception than RemoteProtocolError."""
    with contextlib.suppress(RemoteProtocolError):
        read(data)


# -- options ---------------------------------------------------------------------------------------


def provider() -> AgentKitProvider:
    return AgentKitProvider(Host(VirtualClock(), Path(), Nowhere()))


@pytest.mark.parametrize(
    ("options", "base"),
    [
        ({"agentkit.url": "agent.test:50051"}, "http://agent.test:50051"),
        ({"model.agentkit.url": "grpc://agent.test"}, "http://agent.test"),
        ({"url": "grpcs://agent.test"}, "https://agent.test"),
        ({"agentkit.url": "agent.test:443"}, "https://agent.test:443"),
        ({"agentkit.url": "https://agent.test/"}, "https://agent.test"),
    ],
)
def test_addresses(options: dict[str, str], base: str) -> None:
    """With a scheme, or as gRPC's clients have it."""
    model: Any = provider().open({**options, "model.credential_id": "7"})
    assert model._base == base


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"agentkit.url": "wss://agent.test"},
        {"agentkit.url": "https://"},
        {"agentkit.url": URL, "agentkit.metadata": '{"a b": "c"}'},
        {"agentkit.url": URL, "agentkit.metadata": '{"grpc-timeout": "1S"}'},
        {"agentkit.url": URL, "agentkit.metadata": '{"a": "b\\nc"}'},
        {"agentkit.url": URL, "agentkit.certificate": "none"},
        {"agentkit.url": URL, "agentkit.colour": "blue"},
    ],
)
def test_wrong_options(options: dict[str, str]) -> None:
    """Told before there is a call."""
    with pytest.raises(MisconfiguredAssistant, match="AgentKit"):
        provider().open(options, NOBODY)
