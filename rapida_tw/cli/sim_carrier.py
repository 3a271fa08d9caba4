"""`rapida sim carrier`: a carrier on this machine, to call by without an account."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError

from rapida_tw.cli.line import own_url
from rapida_tw.cli.local import configuration
from rapida_tw.cli.opening import Nouns, command
from rapida_tw.cli.output import Output
from rapida_tw.cli.reacting import run as run_reactor
from rapida_tw.cli.remote import checked_url
from rapida_tw.cli.source import Usage
from rapida_tw.errors import Unavailable
from rapida_tw.log import wall_clock
from rapida_tw.sim.carrier_port import CarrierOptions, CarrierPort
from rapida_tw.sim.habits import Habit, Reaction
from rapida_tw.sim.rest_carriers import REST_CARRIERS, credential, public_key

_REACTIONS = {
    "busy": "the line is busy",
    "no-answer": "it rings, and nobody answers",
    "declines": "the call is declined",
    "fails": "there is no such number",
    "machine": "an answering machine: a greeting, and a beep",
}
_MEANING = {
    "busy": Reaction.BUSY,
    "no-answer": Reaction.NOBODY,
    "declines": Reaction.DECLINES,
    "fails": Reaction.FAILED,
    "machine": Reaction.MACHINE,
}


def add(verbs: Nouns, common: ArgumentParser) -> None:
    """Below `rapida sim`."""
    about = "a carrier to call by without an account: a credential with its base_url leads there"
    parser = command(verbs, common, "carrier", run, about)
    parser.epilog = (
        "Whom the server calls by it answers, says hello, and hangs up after a while. Callbacks "
        "and media go to --url, whatever public host the server names. Until it is interrupted."
    )
    parser.add_argument("--carrier", choices=REST_CARRIERS, required=True)
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1; 0: any that is free")
    account = parser.add_argument_group("the account; what is not given is made up and told")
    account.add_argument("--account-sid", metavar="SID", help="of Twilio or Exotel")
    account.add_argument("--account-token", metavar="TOKEN", help="of Twilio")
    account.add_argument(
        "--set",
        metavar="KEY=VALUE",
        type=_pair,
        action="append",
        default=[],
        help="another field of the credential, as api_key, api_secret, signature_secret",
    )
    account.add_argument(
        "--private-key", type=Path, metavar="PEM", help="a file with Vonage's application key"
    )
    habit = parser.add_argument_group("who is called")
    habit.add_argument("--answer-after", type=float, default=2.0, metavar="SECONDS")
    habit.add_argument("--talks", type=float, default=20.0, metavar="SECONDS")
    others = habit.add_mutually_exclusive_group()
    for name, meaning in _REACTIONS.items():
        others.add_argument(
            f"--{name}", dest="reaction", action="store_const", const=name, help=meaning
        )
    habit.add_argument("--flow", default="", metavar="URL", help="that a flow of Exotel's asks")


def run(arguments: Namespace, out: Output) -> int:
    url = checked_url(arguments.url) if arguments.url else own_url(configuration(arguments))
    fields = credential(arguments.carrier, _given(arguments))
    reaction = _MEANING.get(arguments.reaction, Reaction.ANSWERS)
    habit = Habit(reaction, arguments.answer_after)
    options = CarrierOptions(arguments.carrier, fields, url, habit, arguments.talks, arguments.flow)

    async def work(reactor: Any) -> None:
        port = CarrierPort(reactor, options, out.line, wall_clock)
        try:
            number = port.start(arguments.port)
        except CannotListenError as error:
            raise Unavailable(f"port {arguments.port}: {error.socketError}") from None
        base_url = f"http://127.0.0.1:{number}"
        value = {**fields, "base_url": base_url}
        out.document(
            value, f"{arguments.carrier} is at {base_url}; its callbacks and media go to {url}"
        )
        out.line("Its credential:")
        out.line(json.dumps(value, indent=2))
        try:
            await Deferred()  # until it is interrupted
        finally:
            await port.stop()

    run_reactor(work)
    return 0


def _given(arguments: Namespace) -> dict[str, str]:
    given = dict(arguments.set)
    for name in ("account_sid", "account_token"):
        if getattr(arguments, name):
            given[name] = getattr(arguments, name)
    if arguments.private_key is not None:
        try:
            given["private_key"] = arguments.private_key.read_text("ascii")
            public_key(given["private_key"])
        except (OSError, ValueError) as error:
            raise Usage(f"--private-key: {error}") from None
    return given


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise ArgumentTypeError("give KEY=VALUE")
    return key, value
