"""`rapida talk`: a simulated caller talks with an assistant of a running server."""

from __future__ import annotations

import os
import re
from argparse import Action, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rapida_tw.cli.line import Target, add_target, target
from rapida_tw.cli.local import configuration
from rapida_tw.cli.opening import Nouns, command
from rapida_tw.cli.output import Output
from rapida_tw.cli.reacting import run as run_reactor
from rapida_tw.cli.source import Usage
from rapida_tw.errors import CallError, MisconfiguredAssistant
from rapida_tw.log import wall_clock
from rapida_tw.net.service import RealNet
from rapida_tw.sim.farm import SIGNING
from rapida_tw.sim.phone import CallFailed
from rapida_tw.sim.talk import SIP, TRANSPORTS, Outcome, Play, Press, Say, TalkOptions
from rapida_tw.sim.talk import talk as make_call
from rapida_tw.speech.base import Host, Registry, SynthesizerProvider

Step = Say | Play | Press


_SECRET = "RAPIDA_CARRIER_SECRET"


class NoCall(CallError):
    """The call could not be made."""


def add(nouns: Nouns, common: ArgumentParser) -> None:
    about = "call an assistant of a running server; what happens is told live"
    parser = command(nouns, common, "talk", run, about)
    parser.set_defaults(noun="talk", steps=())
    parser.epilog = (
        "By a carrier's transport, the server's documents name its public host. The caller goes to "
        "the host and port of --url all the same, over TLS only if that is https."
    )
    add_target(parser, TRANSPORTS, assistant=True)
    steps = parser.add_argument_group("what the caller does, in this order, each in its turn")
    steps.add_argument("--say", action=_Step, metavar="TEXT", type=Say, help="by the local voice")
    steps.add_argument("--wav", action=_Step, metavar="FILE", type=_play, help="16 bit, any rate")
    steps.add_argument("--dtmf", action=_Step, metavar="KEYS", type=_press, help="0-9 A-D * #")
    parser.add_argument("--from", dest="caller", default="+15550100", metavar="NUMBER")
    parser.add_argument(
        "--carrier-secret",
        metavar="SECRET",
        help=f"sign as the carrier does ({', '.join(SIGNING)}), for the address of --url;"
        f" better: ${_SECRET}",
    )
    parser.add_argument("--heard", type=Path, metavar="WAV", help="write what the caller heard")
    parser.add_argument("--longest", type=float, default=120.0, metavar="SECONDS")


class _Step(Action):
    """Several options, one list: their order on the command line is the order in the call."""

    def __call__(self, parser: object, namespace: Namespace, values: Any, option: Any = "") -> None:
        namespace.steps = (*namespace.steps, values)


def _play(name: str) -> Play:
    return Play(Path(name))


def _press(keys: str) -> Press:
    if not re.fullmatch(r"[0-9A-Da-d*#]+", keys):
        raise ArgumentTypeError(f"{keys!r}: a phone has the keys 0-9 A-D * #")
    return Press(keys.upper())


def run(arguments: Namespace, out: Output) -> int:
    config = configuration(arguments)
    steps: Sequence[Step] = arguments.steps
    with target(arguments) as server:
        options = _options(arguments, server)

        async def call(reactor: Any) -> Outcome:
            voice = None
            net = RealNet(reactor)
            if any(isinstance(step, Say) for step in steps):
                host = Host(reactor, config.server.data_dir, net, wall_clock)
                voice = _voice(host, config.speech.synthesizer, out)
            try:
                return await make_call(reactor, options, out.line, wall_clock, voice)
            except CallFailed as error:
                raise NoCall(str(error)) from error
            except ValueError as error:  # of a WAV file
                raise NoCall(str(error)) from error
            finally:
                if voice is not None:
                    await voice.stop()
                await net.stop()

        outcome = run_reactor(call)
    if out.json:
        out.document(_document(outcome), "")
    elif not outcome.was_heard:
        out.line("not every turn was answered")
    return 0 if outcome.was_heard else 1


def _options(arguments: Namespace, server: Target) -> TalkOptions:
    host, port = server.sip if arguments.transport == SIP else (server.host, server.port)
    return TalkOptions(
        server.url,
        server.api_key,
        str(arguments.assistant),
        host,
        port,
        arguments.transport,
        arguments.caller,
        tuple(arguments.steps),
        arguments.heard,
        longest=arguments.longest,
        secret=_secret(arguments),
    )


def _secret(arguments: Namespace) -> str:
    given = arguments.carrier_secret
    if given and arguments.transport not in SIGNING:
        raise Usage(f"there is nothing to sign with --carrier-secret by {arguments.transport}")
    return given or os.environ.get(_SECRET, "")


def _voice(host: Host, name: str, out: Output) -> SynthesizerProvider | None:
    """The local voice; without one the caller hums, and is told so."""
    try:
        voice = Registry[SynthesizerProvider]("rapida_tw.synthesizers", host).get(name)
    except (MisconfiguredAssistant, ImportError) as error:
        out.line(f"no voice here ({error}): the caller hums")
        return None
    out.line(f"caller's voice: {voice.description}")
    return voice


def _document(outcome: Outcome) -> dict[str, Any]:
    return {
        "ending": outcome.ending.reason.value,
        "detail": outcome.ending.detail,
        "duration": round(outcome.duration, 3),
        "answered": outcome.was_heard,
        "complaints": list(outcome.complaints),
        "turns": [asdict(turn) | {"latency": turn.latency} for turn in outcome.turns],
        "heard": [{"start": one.start, "end": one.end} for one in outcome.heard],
    }
