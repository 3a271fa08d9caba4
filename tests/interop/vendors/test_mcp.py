"""Our side of the Model Context Protocol with a server by the protocol's own library."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Queue
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rapida_tw.net.mcp import McpThread
from rapida_tw.net.mcp_base import McpFailed, McpServer
from tests.interop.server import free_port
from tests.process import ended

pytest.importorskip("mcp", reason="the package mcp is not installed")

PATIENCE = 30.0  # seconds


class Threads:
    """The reactor, as much as is needed: what other threads want done waits here."""

    def __init__(self) -> None:
        self._wanted: Queue[tuple[Callable[..., object], tuple[Any, ...]]] = Queue()

    def callFromThread(self, function: Callable[..., object], *args: Any) -> None:
        self._wanted.put((function, args))

    def result(self, asked: Deferred[Any]) -> Any:
        """What it fires with; its error is raised."""
        results: list[Any] = []
        asked.addBoth(results.append)
        while not results:
            function, args = self._wanted.get(timeout=PATIENCE)
            function(*args)
        if isinstance(results[0], Failure):
            results[0].raiseException()
        return results[0]


@pytest.fixture(scope="module")
def server() -> Iterator[McpServer]:
    port = free_port()
    command = [sys.executable, "-m", "tests.interop.vendors.mcp_server", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE
        while not _listens(port):
            assert process.poll() is None, "the server has ended"
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield McpServer(f"http://127.0.0.1:{port}/mcp", (("X-Key", "k"),))
    finally:
        ended(process)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
        return True
    return False


@pytest.fixture
def threads() -> Threads:
    return Threads()


@pytest.fixture
def client(threads: Threads) -> Iterator[McpThread]:
    client = McpThread(threads)
    yield client
    threads.result(client.stop())


def test_listed(client: McpThread, threads: Threads, server: McpServer) -> None:
    """Names, descriptions and schemas."""
    tools = {tool.name: tool for tool in threads.result(client.list_tools(server))}
    assert sorted(tools) == ["fails", "opening.hours", "slow"]
    hours = tools["opening.hours"]
    assert hours.description == "When the shop is open."
    assert hours.schema["properties"]["day"]["type"] == "string"


def test_used(client: McpThread, threads: Threads, server: McpServer) -> None:
    """The text of the result; twice, by the same session."""
    for day in ("Monday", "Sunday"):
        text = threads.result(client.call(server, "opening.hours", {"day": day}))
        assert text == f"On {day} from nine to six."


def test_fails(client: McpThread, threads: Threads, server: McpServer) -> None:
    """The tool's own error, and one that there is not."""
    with pytest.raises(McpFailed, match="fails"):
        threads.result(client.call(server, "fails", {}))
    with pytest.raises(McpFailed):
        threads.result(client.call(server, "nothing", {}))


def test_cancelled(client: McpThread, threads: Threads, server: McpServer) -> None:
    """Given up in mid-call; the session serves the next one."""
    asked = client.call(server, "slow", {})
    asked.addErrback(lambda failure: None)
    asked.cancel()
    assert threads.result(client.call(server, "opening.hours", {"day": "Monday"}))


def test_nobody_there(client: McpThread, threads: Threads) -> None:
    """A server that is not there is an error in plain words."""
    with pytest.raises(McpFailed, match="connect"):
        threads.result(client.list_tools(McpServer(f"http://127.0.0.1:{free_port()}/mcp")))


def test_never_used(threads: Threads) -> None:
    """Where no assistant has such tools, there is no thread."""
    client = McpThread(threads)
    assert client.stop().called
