"""The agent that docs/agents.rst shows, run as it stands there, over a real socket."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from rapida_tw.account import Account
from rapida_tw.errors import VendorFailed
from rapida_tw.models.base import Completion, Message, Tool
from rapida_tw.models.websocket_agent import WebSocketAgentProvider
from rapida_tw.net.endpoints import RealEndpoints
from rapida_tw.net.service import RealNet
from rapida_tw.speech.base import Host
from tests.process import ended

pytest.importorskip("websockets", reason="the package websockets is not installed")

DOCUMENT = Path(__file__).parents[3] / "docs" / "agents.rst"
TOOLS = [Tool("end_call", "Hang up.")]


def shown() -> str:
    """The program of the document."""
    found = re.search(
        r"::\n\n(    import asyncio\n.*?asyncio\.run\(main\(\)\)\n)",
        DOCUMENT.read_text("utf-8"),
        re.DOTALL,
    )
    assert found is not None
    return dedent(found[1])


class TheDocument(TestCase):
    timeout = 60

    def setUp(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = {**os.environ, "PORT": str(self.port)}
        self.agent = subprocess.Popen([sys.executable, "-c", shown()], env=environment)
        self.net = RealNet(reactor, RealEndpoints(reactor))
        host = Host(reactor, Path(self.mktemp()), self.net)
        url = f"ws://127.0.0.1:{self.port}"
        self.model = WebSocketAgentProvider(host).open({}, Account("websocket", {"url": url}))

    def tearDown(self) -> Deferred[None]:  # type: ignore[override]  # as trial has it
        async def stop() -> None:
            await self.model.stop()
            await self.net.stop()
            ended(self.agent)

        return Deferred.fromCoroutine(stop())

    async def ask(self, *messages: Message) -> tuple[list[str], Completion]:
        said: list[str] = []
        time: Any = reactor
        for _ in range(100):  # until the program listens
            try:
                return said, await self.model.reply(messages, TOOLS, said.append)
            except VendorFailed:
                await deferLater(time, 0.1)
        raise AssertionError("nobody answers")

    async def test_it(self) -> None:
        """It answers in pieces, turn for turn, and hangs up when it should."""
        hello, goodbye = Message("user", "Hello"), Message("user", "Goodbye")
        said, completion = await self.ask(hello)
        self.assertEqual(said, ["You ", "said: ", "Hello. "])
        self.assertFalse(completion.tool_calls)
        answer = Message("assistant", completion.text)
        said, completion = await self.ask(hello, answer, goodbye)
        self.assertEqual("".join(said).strip(), "You said: Goodbye.")
        self.assertEqual([one.name for one in completion.tool_calls], ["end_call"])
