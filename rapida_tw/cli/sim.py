"""`rapida sim`: many simulated callers against a running server, and carriers that it calls by."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict, replace
from urllib.parse import urlsplit
from uuid import uuid4

from rapida_tw.cli import sim_carrier
from rapida_tw.cli.line import Target, add_target, target
from rapida_tw.cli.opening import Nouns, command, noun
from rapida_tw.cli.output import Output, facts, progress
from rapida_tw.cli.source import Usage
from rapida_tw.errors import Unavailable
from rapida_tw.sim import load_rtp
from rapida_tw.sim.load import Load, Outcome
from rapida_tw.sim.load import run as run_load
from rapida_tw.sim.load_process import NoContext, register
from rapida_tw.sim.load_rtp import SipLoad
from rapida_tw.sim.load_wires import AUDIOSOCKET, SIP, TRANSPORTS, wire


def add(nouns: Nouns, common: ArgumentParser) -> None:
    verbs = noun(nouns, "sim", "simulated callers and carriers")
    load = command(verbs, common, "load", run, "many calls at once; how well they were served")
    load.set_defaults(noun="sim load")
    add_target(load, TRANSPORTS, assistant=True)
    load.add_argument("--calls", type=int, default=10)
    load.add_argument("--seconds", type=float, default=5.0, help="of measurement")
    sim_carrier.add(verbs, common)


def run(arguments: Namespace, out: Output) -> int:
    calls, seconds, transport = arguments.calls, arguments.seconds, arguments.transport
    with target(arguments) as server:
        host, port = _address(server, transport)
        assistant = str(arguments.assistant)
        try:
            if transport == SIP:
                contexts = [uuid4() for _ in range(calls)]
            else:
                with progress(f"telling the server of {calls} calls"):
                    contexts = register(server.url, assistant, server.api_key, calls, transport)
            load = Load(contexts, host, port, seconds)
            with progress(f"{calls} calls by {transport}, {load.settle + seconds:g} s"):
                if transport == SIP:
                    outcome = load_rtp.run(load, SipLoad(assistant, server.api_key))
                else:
                    outcome = run_load(replace(load, wire=wire(transport)))
        except NoContext as error:
            raise Unavailable(f"the server takes no call: {error}") from None
        except OSError as error:
            reason = error.strerror or error
            raise Unavailable(f"no server answers at {server.url}: {reason}") from None
    out.document(asdict(outcome), _facts(outcome))
    return 0 if _served(outcome) else 1


def _address(server: Target, transport: str) -> tuple[str, int]:
    """Where the calls go: to AudioSocket's or SIP's own port, or by WebSocket to that of HTTP."""
    if transport == SIP:
        return server.sip
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
            *_answers(outcome),
            *((name, value) for name, value in asdict(pacing).items()),
            ("not taken", f"{outcome.blocked} packets"),
            ("own lateness", f"{outcome.own_late_p99_ms:.2f} ms (99 %)"),
        ]
    )


def _answers(outcome: Outcome) -> list[tuple[str, object]]:
    """Only SIP has calls that are answered."""
    if not outcome.answer_p95_ms:
        return []
    return [("answered in", f"{outcome.answer_p50_ms:.1f} ms, 95 % {outcome.answer_p95_ms:.1f} ms")]
