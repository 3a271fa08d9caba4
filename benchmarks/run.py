"""`python -m benchmarks.run`: every transport's figures, as JSON lines or a table."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import inside
from benchmarks.calls import GeneratorFailed, Plan, measure
from benchmarks.report import Report
from benchmarks.server import Server, ServerFailed

TRANSPORTS = ("audiosocket", "twilio", "vonage", "sip")


@dataclass(frozen=True, slots=True)
class Peer:
    """A server of somebody else's: the Python it is installed in, our module that runs it."""

    python: str
    module: str
    transport: str
    path: str  # of its WebSocket


PEERS = {
    "pipecat": Peer(".cache/pipecat/bin/python", "pipecat_twilio", "twilio", "/calls/{context}")
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0, or 1 with a sentence on standard error."""
    usual = Plan()
    parser = ArgumentParser("benchmarks.run", description=__doc__)
    parser.add_argument("transport", nargs="*", help=f"of {', '.join(TRANSPORTS)} (default: all)")
    parser.add_argument("--server", default="", help="another server: a command with {port}")
    parser.add_argument("--bare", action="store_true", help="it takes any UUID, without HTTP")
    parser.add_argument("--peer", choices=[*PEERS], help="the same load on another server, too")
    parser.add_argument("--step", type=int, default=usual.step, help="calls more each time")
    parser.add_argument("--most", type=int, default=usual.most, help="calls to stop at")
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="of each measurement")
    parser.add_argument("--json", action="store_true", help="JSON lines on a terminal too")
    options = parser.parse_args(arguments)
    unknown = set(options.transport) - set(TRANSPORTS)
    if unknown:
        parser.error(f"no such transport: {', '.join(sorted(unknown))}")
    cores = sorted(os.sched_getaffinity(0))
    report = Report(sys.stdout, options.json)
    if len(cores) < 2:
        report.say("only one core: the generator and the server disturb each other")
    plan = Plan(options.step, options.most, options.seconds, core=cores[-1])
    if not options.server:
        report.add(inside.measure())
    for name in options.transport or TRANSPORTS:
        try:
            with (
                TemporaryDirectory(prefix="rapida-bench-") as folder,
                Server(Path(folder), cores[0], options.server, options.bare) as target,
            ):
                measure(name, target, plan, report)
        except (ServerFailed, GeneratorFailed, OSError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
    return _run_peer(options.peer, cores[0], plan, report) if options.peer else 0


def _run_peer(name: str, core: int, plan: Plan, report: Report) -> int:
    """The peer's own transport, on the same core, after ours."""
    peer = PEERS[name]
    if not Path(peer.python).exists():
        print(f"{name} is not installed: sh benchmarks/peers/install.sh {name}", file=sys.stderr)
        return 1
    command = f"{peer.python} -m benchmarks.peers.{peer.module} {{port}}"
    try:
        with (
            TemporaryDirectory(prefix="rapida-bench-") as folder,
            Server(Path(folder), core, command, bare=True) as target,
        ):
            steps = replace(plan, path=peer.path)
            measure(peer.transport, target, steps, report.named(name))
    except (ServerFailed, GeneratorFailed, OSError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
