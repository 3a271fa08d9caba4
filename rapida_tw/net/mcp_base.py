"""The port of Model Context Protocol servers: what a call wants of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from rapida_tw.errors import CallError, Fault


@dataclass(frozen=True, slots=True)
class McpServer:
    """Where it is; its repr hides the headers, which hold secrets."""

    url: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class McpTool:
    """One tool as its server describes it; `schema` is JSON Schema of the arguments."""

    name: str
    description: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict)


class McpFailed(CallError):
    """The server did not answer, or answered with an error; the model is told."""

    fault, reason, status = Fault.VENDOR, "tool-failed", 502


class McpClient(Protocol):
    """Speaks with servers. Its Deferreds errback with McpFailed and can be cancelled."""

    def list_tools(self, server: McpServer) -> Deferred[Sequence[McpTool]]: ...
    def call(self, server: McpServer, name: str, arguments: Mapping[str, Any]) -> Deferred[str]:
        """The result as text."""
