"""The tools of a Model Context Protocol server: listed when a call is announced, then used.

Definition: `executionMethod` mcp, `options` with `tool.server_url` (streamable HTTP) and, where
wanted, `tool.headers` (an object) and `tool.allowed` (names joined with `<|||>`; all by default).
What the protocol itself needs is the kept client library's (net/mcp.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import CallError, MisconfiguredAssistant
from rapida_tw.models.base import Tool
from rapida_tw.net.mcp_base import McpClient, McpFailed, McpServer, McpTool
from rapida_tw.pipeline.tools import Result, Runner, answer

TIMEOUT = 15.0  # seconds for one use, as for every tool of a service
LISTED_WITHIN = 10.0  # seconds
FRESH = 300.0  # seconds for which a server's list of tools is believed
_AGAIN = 10.0  # seconds after a failed listing
MOST = 64  # tools of a server; more confuse a model
LONGEST = 16_384  # characters of a result that a model can use
_UNUSUAL = re.compile(r"[^A-Za-z0-9_]")
_LONGEST_NAME = 64


class Toolkits:
    """The tools of all servers that assistants name: one a process, asked once for many calls."""

    _log = Logger()

    def __init__(self, client: McpClient, clock: IReactorTime) -> None:
        self._client = client
        self._clock = clock
        self._known: dict[McpServer, tuple[Sequence[McpTool], float]] = {}  # and until when
        self._asking: set[McpServer] = set()

    def toolkit(self, definition: Mapping[str, Any]) -> Toolkit:
        """Of one definition; `MisconfiguredAssistant` says what is wrong with it."""
        options = definition.get("options") or {}
        if not isinstance(options, Mapping):
            raise MisconfiguredAssistant("tools: options must be an object")
        url = str(options.get("tool.server_url") or "")
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise MisconfiguredAssistant("tools: an mcp tool needs tool.server_url, an http(s) URL")
        headers = options.get("tool.headers") or {}
        if not isinstance(headers, Mapping):
            raise MisconfiguredAssistant("tools: mcp: tool.headers must be an object")
        given = sorted((str(name), str(value)) for name, value in headers.items())
        allowed = str(options.get("tool.allowed") or "").split("<|||>")
        names = frozenset(name.strip() for name in allowed if name.strip())
        return Toolkit(self, McpServer(url, tuple(given)), names)

    def known(self, server: McpServer) -> Sequence[McpTool]:
        """What is known by now; asks when that is old or nothing."""
        tools, until = self._known.get(server, ((), 0.0))
        if self._clock.seconds() >= until and server not in self._asking:
            self._ask(server)
            tools, _ = self._known.get(server, (tools, 0.0))
        return tools

    def use(self, server: McpServer, name: str, arguments: Mapping[str, Any]) -> Deferred[str]:
        using = self._client.call(server, name, arguments)
        return using.addTimeout(TIMEOUT, self._clock)

    def _ask(self, server: McpServer) -> None:
        self._asking.add(server)
        asking = self._client.list_tools(server).addTimeout(LISTED_WITHIN, self._clock)
        asking.addCallbacks(
            self._listed, self._not_listed, callbackArgs=(server,), errbackArgs=(server,)
        )
        asking.addBoth(lambda _: self._asking.discard(server))

    def _listed(self, tools: Sequence[McpTool], server: McpServer) -> None:
        self._keep(server, tuple(tools)[:MOST], FRESH)

    def _not_listed(self, failure: Failure, server: McpServer) -> None:
        why = failure.getErrorMessage() or "no answer in time"
        self._log.warn("{server} lists no tools: {why}", server=server, why=why)
        tools, _ = self._known.get(server, ((), 0.0))
        self._keep(server, tools, _AGAIN)

    def _keep(self, server: McpServer, tools: Sequence[McpTool], seconds: float) -> None:
        now = self._clock.seconds()
        for old in [one for one, (_, until) in self._known.items() if until + FRESH < now]:
            del self._known[old]
        self._known[server] = tools, now + seconds


class Toolkit:
    """One server's tools in one call."""

    def __init__(self, toolkits: Toolkits, server: McpServer, allowed: frozenset[str]) -> None:
        self._toolkits = toolkits
        self._server = server
        self._allowed = allowed
        self._runners: dict[str, McpRunner] = {}

    def runners(self) -> Sequence[Runner]:
        """Those that are known by now: none while the server has not answered."""
        for tool in self._toolkits.known(self._server):
            if tool.name not in self._runners and (not self._allowed or tool.name in self._allowed):
                self._runners[tool.name] = McpRunner(self._toolkits, self._server, tool)
        return tuple(self._runners.values())


class McpRunner:
    """One tool of a server. Models want names without dots and dashes: the server's own is kept."""

    def __init__(self, toolkits: Toolkits, server: McpServer, tool: McpTool) -> None:
        self._toolkits = toolkits
        self._server = server
        self._name = tool.name
        name = _UNUSUAL.sub("_", tool.name)[:_LONGEST_NAME]
        schema = tool.schema or {"type": "object", "properties": {}}
        self.tool = Tool(name, tool.description or tool.name, schema)

    def use(self, arguments: Mapping[str, Any]) -> Deferred[Result]:
        """Fires with `{"result": text}`; errbacks with McpFailed."""
        return Deferred.fromCoroutine(self._use(arguments))

    async def _use(self, arguments: Mapping[str, Any]) -> Result:
        try:
            text = await self._toolkits.use(self._server, self._name, arguments)
        except TimeoutError:
            raise McpFailed(f"no answer within {TIMEOUT:.0f} s") from None
        except (CancelledError, CallError):
            raise
        return answer({"result": text[:LONGEST]})


_conforms: type[Runner] = McpRunner
