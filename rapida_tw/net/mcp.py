"""Model Context Protocol, by the client library that its authors keep (the package `mcp`).

The library is written for asyncio. It has an event loop of its own in a thread of its own, which
is started when a server is first asked; what it finds out comes back by `callFromThread`. A session
with a server stays open for a while, because the next call will want it too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from importlib import import_module
from importlib.util import find_spec
from threading import Thread
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from rapida_tw.net.mcp_base import McpClient, McpFailed, McpServer, McpTool

T = TypeVar("T")

IDLE = 60.0  # seconds for which an unused session stays open
WITHIN = 20.0  # seconds for whatever is asked; the pipeline asks for less
_STOPPED_WITHIN = 2.0  # seconds for open sessions to say goodbye
_SHOWN = 200  # characters of a server's reason


class McpThread:
    """The McpClient of a process."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._sessions: dict[McpServer, _Session] = {}  # touched in the thread only

    # -- McpClient: in the reactor's thread -------------------------------------------------------

    def list_tools(self, server: McpServer) -> Deferred[Sequence[McpTool]]:
        return self._ask(server, _list)

    def call(self, server: McpServer, name: str, arguments: Mapping[str, Any]) -> Deferred[str]:
        return self._ask(server, lambda client: _call(client, name, dict(arguments)))

    def stop(self) -> Deferred[None]:
        """Close all sessions and end the thread; fires when it has ended."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return succeed(None)
        self._loop = None
        ended: Deferred[None] = Deferred()

        def over() -> None:
            thread.join(_STOPPED_WITHIN)
            ended.callback(None)

        def finish(_: object) -> None:
            loop.call_soon_threadsafe(loop.stop)
            self._reactor.callFromThread(over)

        asyncio.run_coroutine_threadsafe(self._close_all(), loop).add_done_callback(finish)
        return ended

    def _ask(self, server: McpServer, work: Callable[[Any], Awaitable[T]]) -> Deferred[T]:
        if find_spec("mcp") is None:
            return fail(McpFailed("MCP needs the package mcp (the extra `mcp`)"))
        asking = asyncio.run_coroutine_threadsafe(self._do(server, work), self._running())
        asked: Deferred[T] = Deferred(lambda _: _give_up(asking))
        asking.add_done_callback(lambda _: self._reactor.callFromThread(_tell, asking, asked))
        return asked

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = Thread(target=_run, args=(self._loop,), name="mcp", daemon=True)
            self._thread.start()
        return self._loop

    # -- in the library's thread ------------------------------------------------------------------

    async def _do(self, server: McpServer, work: Callable[[Any], Awaitable[T]]) -> T:
        """Use the open session; when it turns out to be dead, a new one, once."""
        kept = self._sessions.get(server)
        async with asyncio.timeout(WITHIN):
            if kept is not None:
                try:
                    return await kept.use(work)
                except McpFailed:
                    raise
                except Exception:
                    kept.close()
            session = self._sessions[server] = _Session(server, self._closed)
            return await session.use(work)

    def _closed(self, session: _Session) -> None:
        if self._sessions.get(session.server) is session:
            del self._sessions[session.server]

    async def _close_all(self) -> None:
        open_now = list(self._sessions.values())
        for session in open_now:
            session.close()
        if open_now:
            await asyncio.wait([one.task for one in open_now], timeout=_STOPPED_WITHIN)


class _Session:
    """One server's session. It is entered and left by one task, as the library demands."""

    def __init__(self, server: McpServer, closed: Callable[[_Session], None]) -> None:
        loop = asyncio.get_running_loop()
        self.server = server
        self._closed = closed
        self._client: asyncio.Future[Any] = loop.create_future()
        self._client.add_done_callback(_seen)
        self._closing = asyncio.Event()
        self._in_use = 0
        self._idle = loop.call_later(IDLE, self.close)
        self.task = loop.create_task(self._hold())

    async def use(self, work: Callable[[Any], Awaitable[T]]) -> T:
        self._idle.cancel()
        self._in_use += 1
        try:
            return await work(await asyncio.shield(self._client))
        finally:
            self._in_use -= 1
            if not self._in_use:
                self._idle = asyncio.get_running_loop().call_later(IDLE, self.close)

    def close(self) -> None:
        self._idle.cancel()
        self._closed(self)
        self._closing.set()

    async def _hold(self) -> None:
        try:
            library: Any = import_module("mcp")
            transports: Any = import_module("mcp.client.streamable_http")
            http = transports.create_mcp_http_client(headers=dict(self.server.headers))
            transport = transports.streamable_http_client(self.server.url, http_client=http)
            async with http, library.Client(transport) as client:
                self._client.set_result(client)
                await self._closing.wait()
        except BaseException as error:
            if not self._client.done():
                self._client.set_exception(McpFailed(_reason(error)))
            if not isinstance(error, Exception):
                raise
        finally:
            self.close()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """What the thread does."""
    loop.run_forever()
    loop.close()


async def _list(client: Any) -> Sequence[McpTool]:
    found: list[McpTool] = []
    cursor = None
    while True:
        page = await client.list_tools(cursor=cursor)
        found += [McpTool(one.name, one.description or "", one.input_schema) for one in page.tools]
        cursor = page.next_cursor
        if not cursor or len(found) > 500:
            return found


async def _call(client: Any, name: str, arguments: dict[str, Any]) -> str:
    result = await client.call_tool(name, arguments)
    text = "\n".join(part.text for part in result.content if part.type == "text")
    if result.is_error:
        raise McpFailed(text[:_SHOWN] or "the tool failed")
    return text


def _give_up(asking: Future[Any]) -> None:
    asking.cancel()


def _tell(asking: Future[T], asked: Deferred[T]) -> None:
    """In the reactor's thread: what came of it."""
    if asked.called:
        return
    if asking.cancelled():
        asked.errback(McpFailed("given up"))
        return
    error = asking.exception()
    if error is None:
        asked.callback(asking.result())
    elif isinstance(error, McpFailed):
        asked.errback(Failure(error))
    else:
        asked.errback(Failure(McpFailed(_reason(error))))


def _reason(error: BaseException) -> str:
    """In a few words; of a group of errors, the first one's."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    return f"{type(error).__name__}: {error}"[:_SHOWN]


def _seen(future: asyncio.Future[Any]) -> None:
    """Nobody may have waited for it."""
    if not future.cancelled():
        future.exception()


_conforms: type[McpClient] = McpThread
