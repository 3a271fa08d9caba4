"""The tools of a call, out of an assistant's definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from treq.client import HTTPClient
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import Agent

from rapida_tw.calls.context import CallContext, MemoryContexts
from rapida_tw.calls.line import DialplanLine
from rapida_tw.calls.toolset import Makers, toolset
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.media.playout import Playout
from rapida_tw.net.mcp_base import McpTool
from rapida_tw.pipeline.http_tool import HttpTool
from rapida_tw.pipeline.keypad import Keypad
from rapida_tw.pipeline.mcp_tools import Toolkits
from tests.pipeline.test_mcp_tools import DEFINITION, HeldClient

TRANSFER = {"name": "transfer_call", "options": {"tool.transfer_to": "200"}}
REQUEST = {
    "name": "orders",
    "executionMethod": "api_request",
    "options": {"tool.endpoint": "https://shop.example/orders"},
}


class ToolsetTests(SynchronousTestCase):
    """Names in, runners out."""

    def setUp(self) -> None:
        self.client = HeldClient()
        self.toolkits = Toolkits(self.client, Clock())

    def names(self, *definitions: Mapping[str, Any]) -> list[str]:
        clock = Clock()
        line = DialplanLine(CallContext(1, 2, 3, "asterisk"), MemoryContexts(clock))
        http = HTTPClient(Agent(MemoryReactorClock()))
        tools = toolset(
            definitions,
            Keypad(clock, lambda _: None),
            Playout(),
            line,
            Makers(lambda definition: HttpTool(definition, http, clock), self.toolkits.toolkit),
        )
        return [tool.name for tool in tools.offered()]

    def test_always(self) -> None:
        """Ending the call and collecting digits need no definition, and may have one."""
        both = ["end_call", "collect_digits"]
        self.assertEqual(self.names(), both)
        defined = ({"executionMethod": "end_of_conversation"}, {"name": "collect_digits"})
        self.assertEqual(self.names(*defined), both)

    def test_defined(self) -> None:
        """Transfers and requests are added, by method or by name."""
        self.assertEqual(self.names(TRANSFER, REQUEST)[2:], ["transfer_call", "orders"])

    def test_servers(self) -> None:
        """A server's tools come when it has told them, but take nobody's name away."""
        self.assertEqual(self.names(DEFINITION), ["end_call", "collect_digits"])
        self.client.listing[0][1].callback([McpTool("find"), McpTool("end.call")])
        self.assertEqual(self.names(DEFINITION), ["find", "end_call", "collect_digits"])

    def test_mistakes(self) -> None:
        """A definition that cannot work is named before a caller waits for it."""
        for bad in (
            {"name": "fly"},
            {},
            {"name": "transfer_call"},
            {"name": "transfer_call", "options": "200"},
            {"name": "orders", "executionMethod": "api_request"},
            {"name": "crm", "executionMethod": "mcp"},
            {"name": "orders", "executionMethod": "api_request", "options": [1]},
        ):
            self.assertRaises(MisconfiguredAssistant, self.names, bad)
