"""`rapida sim load`: many simulated callers at once against a running server."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from urllib.parse import urlsplit

from rapida_tw.cli.line import Target, add_target, target
from rapida_tw.cli.opening import Nouns, command, noun
from rapida_tw.cli.output import Output, facts, progress
from rapida_tw.cli.source import Usage
from rapida_tw.errors import Unavailable
from rapida_tw.sim.load import Load, Outcome
from rapida_tw.sim.load import run as run_load
from rapida_tw.sim.load_process import NoContext, register
from rapida_tw.sim.load_wires import AUDIOSOCKET, TRANSPORTS, wire


def add(nouns: Nouns, common: ArgumentParser) -> None:
    verbs = noun(nouns, "sim", "simulated callers")
    load = command(verbs, common, "load", run, "many calls at once; how well they were served")
    load.set_defaults(noun="sim load")
    add_target(load, TRANSPORTS, assistant=True)
    load.add_argument("--calls", type=int, default=10)
    load.add_argument("--seconds", type=float, default=5.0, help="of measurement")


def run(arguments: Namespace, out: Output) -> int:
    calls, seconds, transport = arguments.calls, arguments.seconds, arguments.transport
    with target(arguments) as server:
        host, port = _address(server, transport)
        try:
            with progress(f"telling the server of {calls} calls"):
                contexts = register(
                    server.url, str(arguments.assistant), server.api_key, calls, transport
                )
            load = Load(contexts, host, port, seconds, wire=wire(transport))
            with progress(f"{calls} calls by {transport}, {load.settle + seconds:g} s"):
                outcome = run_load(load)
        except NoContext as error:
            raise Unavailable(f"the server takes no call: {error}") from None
        except OSError as error:
            reason = error.strerror or error
            raise Unavailable(f"no server answers at {server.url}: {reason}") from None
    out.document(asdict(outcome), _facts(outcome))
    return 0 if _served(outcome) else 1


def _address(server: Target, transport: str) -> tuple[str, int]:
    """Where the media goes: to AudioSocket's own port, or by WebSocket to that of HTTP."""
    if transport == AUDIOSOCKET:
        return server.host, server.port
    parts = urlsplit(server.url)
    if parts.scheme == "https":
        raise Usage(f"a load by {transport} goes without TLS: give an --url with http")
    return parts.hostname or "", parts.port or 80


def _served(outcome: Outcome) -> bool:
    return not outcome.ended_early and outcome.pacing.packets > 0


def _facts(outcome: Outcome) -> str:
    pacing = outcome.pacing
    return facts(
        [
            ("calls", outcome.calls),
            ("ended early", outcome.ended_early),
            ("set up", f"{outcome.calls_per_second:.0f} calls/s"),
            *((name, value) for name, value in asdict(pacing).items()),
            ("not taken", f"{outcome.blocked} packets"),
            ("own lateness", f"{outcome.own_late_p99_ms:.2f} ms (99 %)"),
        ]
    )
