"""The load generator as a process: `python -m rapida_tw.sim.load_process --calls 100 ...`.

Prints its outcome as one JSON object. With `--url` each call goes through phase 1 as its carrier's
does; without, its UUID is a random one. By SIP there is no phase 1: `--assistant` is called.
"""

from __future__ import annotations

import json
import os
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict, replace
from http.client import HTTPConnection, HTTPSConnection
from time import perf_counter
from urllib.parse import quote, urlsplit
from uuid import UUID, uuid4

from rapida_tw.sim import load_rtp
from rapida_tw.sim.load import Load, Outcome, run
from rapida_tw.sim.load_rtp import SipLoad
from rapida_tw.sim.load_wires import SIP, wire

_HTTP_TIMEOUT = 10.0  # seconds
# The one thing in every carrier's document that looks like it.
_CONTEXT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class NoContext(Exception):
    """The server registered no call; the text is its answer."""


def register(
    url: str, assistant_id: str, api_key: str, count: int, transport: str = "audiosocket"
) -> list[UUID]:
    """Phase 1 for so many calls, one after the other on one connection; `OSError`, `NoContext`."""
    parts = urlsplit(url)
    carrier = "asterisk" if transport == "audiosocket" else transport
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_HTTP_TIMEOUT)
    contexts = []
    try:
        for number in range(count):
            caller = 15550000 + number
            fields = f"from={caller}&From={caller}&to=100&To=100"
            path = f"/v1/talk/{carrier}/call/{quote(assistant_id, '')}?{fields}"
            connection.request("GET", path, headers={"x-api-key": api_key})
            response = connection.getresponse()
            body = response.read().decode("ascii", "replace")
            found = _CONTEXT.search(body)
            if response.status != 200 or found is None:
                reason = response.headers.get("x-rapida-error") or body[:200]
                raise NoContext(f"HTTP {response.status}: {reason}")
            contexts.append(UUID(found[0]))
    finally:
        connection.close()
    return contexts


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0, or 1 with a sentence on standard error."""
    parser = ArgumentParser("rapida_tw.sim.load_process", description=__doc__)
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4_573)
    parser.add_argument("--seconds", type=float, default=5.0, help="of measurement")
    parser.add_argument("--settle", type=float, default=2.0, help="seconds before it")
    parser.add_argument("--talk", type=float, default=1.0, help="seconds of voice in each --every")
    parser.add_argument("--every", type=float, default=8.0)
    parser.add_argument("--probe", action="store_true", help="speak once, see what comes of it")
    parser.add_argument("--pid", type=int, default=0, help="of the server, to measure it")
    parser.add_argument("--core", type=int, default=-1, help="to run on")
    parser.add_argument("--url", default="", help="of the server's HTTP port, for phase 1")
    parser.add_argument("--assistant", default="")
    parser.add_argument("--transport", default="audiosocket")
    parser.add_argument("--rate", type=float, default=50.0, help="new calls a second by sip")
    parser.add_argument("--path", default="", help="of another server's WebSocket, with {context}")
    options = parser.parse_args(arguments)
    if options.core >= 0:
        os.sched_setaffinity(0, {options.core})
    try:
        outcome, registered = _run(options)
    except (OSError, NoContext, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    contexts_per_second = options.calls / registered if registered else None
    print(json.dumps({**asdict(outcome), "contexts_per_second": contexts_per_second}))
    return 0


def _run(options: Namespace) -> tuple[Outcome, float]:
    """What was measured; seconds that phase 1 took, 0 without one."""
    # The key by the environment: arguments are seen by everybody on the machine.
    key = os.environ.get("RAPIDA_API_KEY", "")
    calls, transport, registered = options.calls, options.transport, 0.0
    contexts = [uuid4() for _ in range(calls)]
    if options.url and transport != SIP:
        started = perf_counter()
        contexts = register(options.url, options.assistant, key, calls, transport)
        registered = perf_counter() - started
    load = Load(
        contexts,
        options.host,
        options.port,
        options.seconds,
        options.settle,
        options.talk,
        options.every,
        options.probe,
        options.pid,
    )
    if transport == SIP:
        return load_rtp.run(load, SipLoad(options.assistant, key, options.rate)), registered
    return run(replace(load, wire=wire(transport, options.path))), registered


if __name__ == "__main__":
    sys.exit(main())
