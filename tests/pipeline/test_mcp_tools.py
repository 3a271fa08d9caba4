"""Tools of a Model Context Protocol server, without one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.net.mcp_base import McpFailed, McpServer, McpTool
from rapida_tw.pipeline.mcp_tools import (
    FRESH,
    LISTED_WITHIN,
    LONGEST,
    MOST,
    TIMEOUT,
    Toolkit,
    Toolkits,
)

DEFINITION = {
    "name": "crm",
    "executionMethod": "mcp",
    "options": {"tool.server_url": "https://crm.example/mcp", "tool.headers": {"X-Key": "s3cret"}},
}
SCHEMA = {"type": "object", "properties": {"day": {"type": "string"}}}


class HeldClient:
    """An McpClient that answers when told to."""

    def __init__(self) -> None:
        self.listing: list[tuple[McpServer, Deferred[Sequence[McpTool]]]] = []
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.calling: list[Deferred[str]] = []
        self.given_up: list[str] = []

    def list_tools(self, server: McpServer) -> Deferred[Sequence[McpTool]]:
        self.listing.append((server, Deferred()))
        return self.listing[-1][1]

    def call(self, server: McpServer, name: str, arguments: Mapping[str, Any]) -> Deferred[str]:
        self.calls.append((name, arguments))
        self.calling.append(Deferred(lambda _: self.given_up.append(name)))
        return self.calling[-1]


class ToolkitTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.client = HeldClient()
        self.toolkits = Toolkits(self.client, self.clock)
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))

    def toolkit(self, **options: object) -> Toolkit:
        given = {**DEFINITION["options"], **{f"tool.{k}": v for k, v in options.items()}}  # type: ignore[dict-item]
        return self.toolkits.toolkit({**DEFINITION, "options": given})

    def list(self, *tools: McpTool) -> None:
        self.client.listing[-1][1].callback(tools)

    def names(self, toolkit: Toolkit) -> list[str]:
        return [runner.tool.name for runner in toolkit.runners()]

    def test_listed(self) -> None:
        """Nothing at first; what the server has when it has answered, with schemas."""
        toolkit = self.toolkit()
        self.assertEqual(self.names(toolkit), [])
        self.list(McpTool("book.table", "Books.", SCHEMA), McpTool("find"))
        self.assertEqual(self.names(toolkit), ["book_table", "find"])
        book, find = (runner.tool for runner in toolkit.runners())
        self.assertEqual((book.description, book.parameters), ("Books.", SCHEMA))
        self.assertEqual(find.parameters["type"], "object")

    def test_asked_once(self) -> None:
        """The next call finds them known, until they are old."""
        self.names(self.toolkit())
        self.names(self.toolkit())
        self.list(McpTool("find"))
        self.assertEqual(self.names(self.toolkit()), ["find"])
        self.assertEqual(len(self.client.listing), 1)
        self.clock.advance(FRESH)
        self.assertEqual(self.names(self.toolkit()), ["find"])
        self.assertEqual(len(self.client.listing), 2)
        self.list(McpTool("find"))

    def test_allowed(self) -> None:
        """Only what the assistant may use."""
        toolkit = self.toolkit(allowed="find<|||>book")
        toolkit.runners()
        self.list(McpTool("find"), McpTool("delete"))
        self.assertEqual(self.names(toolkit), ["find"])

    def test_flood(self) -> None:
        """A server with very many tools gives the first of them."""
        toolkit = self.toolkit()
        toolkit.runners()
        self.list(*(McpTool(f"t{number}") for number in range(MOST + 5)))
        self.assertEqual(len(toolkit.runners()), MOST)

    def test_not_listed(self) -> None:
        """A server that does not answer is left alone for a while, then asked again."""
        toolkit = self.toolkit()
        toolkit.runners()
        self.clock.advance(LISTED_WITHIN)
        toolkit.runners()
        self.assertEqual(len(self.client.listing), 1)
        self.clock.advance(10.0)
        toolkit.runners()
        self.client.listing[-1][1].errback(McpFailed("no"))
        self.assertEqual(len(self.client.listing), 2)

    def use(self) -> Deferred[Any]:
        toolkit = self.toolkit()
        toolkit.runners()
        self.list(McpTool("book.table", "", SCHEMA))
        return toolkit.runners()[0].use({"day": "mon"})

    def test_used(self) -> None:
        """By the server's own name; the text is the result, no more of it than a model can use."""
        using = self.use()
        self.assertEqual(self.client.calls, [("book.table", {"day": "mon"})])
        self.client.calling[0].callback("x" * (LONGEST + 9))
        result = json.loads(self.successResultOf(using).text)
        self.assertEqual(len(result["result"]), LONGEST)

    def test_fails(self) -> None:
        """The server's own reason, for the model."""
        using = self.use()
        self.client.calling[0].errback(McpFailed("no such table"))
        self.assertIn("no such table", self.failureResultOf(using, McpFailed).getErrorMessage())

    def test_too_slow(self) -> None:
        """Nobody waits for ever."""
        using = self.use()
        self.clock.advance(TIMEOUT)
        self.assertIn("15 s", self.failureResultOf(using, McpFailed).getErrorMessage())

    def test_cancelled(self) -> None:
        """The caller has gone on: the server is told."""
        using = self.use()
        using.cancel()
        self.failureResultOf(using, CancelledError)
        self.assertEqual(self.client.given_up, ["book.table"])

    def test_misconfigured(self) -> None:
        """What is wrong is told when the call is announced."""
        for options in ({"server_url": ""}, {"server_url": "ftp://x"}, {"headers": "X: y"}):
            self.assertRaises(MisconfiguredAssistant, self.toolkit, **options)
        self.assertRaises(MisconfiguredAssistant, self.toolkits.toolkit, {"options": "x"})

    def test_secret(self) -> None:
        """Headers hold keys."""
        self.toolkit().runners()
        server, listing = self.client.listing[0]
        self.assertEqual(dict(server.headers), {"X-Key": "s3cret"})
        self.assertNotIn("s3cret", repr(server))
        listing.callback(())
