"""A Model Context Protocol server by the protocol's own library: `python -m ... PORT`."""

from __future__ import annotations

import asyncio
import sys

from mcp.server import MCPServer

server = MCPServer("shop")


@server.tool(name="opening.hours", description="When the shop is open.")
def opening_hours(day: str) -> str:
    return f"On {day} from nine to six."


@server.tool()
def fails() -> str:
    raise ValueError("the shop has burnt down")


@server.tool()
async def slow() -> str:
    await asyncio.sleep(30)
    return "late"


if __name__ == "__main__":
    server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
