"""`rapida calls`: see, steer and end the calls that are on the phone."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from rapida_tw.cli.conversations import seconds
from rapida_tw.cli.opening import Nouns, an_id, command, noun
from rapida_tw.cli.output import Output, facts, when
from rapida_tw.cli.running import running
from rapida_tw.cli.source import MOST


def add(nouns: Nouns, common: ArgumentParser) -> None:
    verbs = noun(nouns, "calls", "the calls that are on the phone")
    command(verbs, common, "list", run_list, "newest first")
    for name, run, what, more in (
        ("show", run_show, "one of them", ""),
        ("hangup", run_hang_up, "end it, ringing or answered", ""),
        ("transfer", run_transfer, "connect the caller with somebody else", "to"),
        ("dtmf", run_send_digits, "press keys towards the far side", "digits"),
        ("say", run_say, "the assistant says it next", "text"),
    ):
        verb = command(verbs, common, name, run, what)
        verb.add_argument("id", type=an_id)
        if more:
            verb.add_argument(more)
    hold = command(verbs, common, "hold", run_hold, "nobody speaks or listens")
    hold.add_argument("id", type=an_id)
    hold.add_argument("--off", action="store_true", help="both again")


def run_list(arguments: Namespace, out: Output) -> int:
    with running(arguments) as server:
        page = server.calls.list(page_size=MOST)
    rows = [
        (
            call.id,
            when(call.started_date),
            call.direction,
            call.data["from"] or "anonymous",
            call.to or "-",
            call.carrier,
            seconds(call.duration),
            call.status,
        )
        for call in page
    ]
    head = ("id", "began", "direction", "from", "to", "carrier", "lasts", "state")
    out.table([call.data for call in page], head, rows)
    if page.total > len(rows):
        out.line(f"and {page.total - len(rows)} older ones")
    return 0


def run_show(arguments: Namespace, out: Output) -> int:
    with running(arguments) as server:
        call = server.calls.get(arguments.id)
    lines = [
        ("call", call.id),
        ("assistant", call.assistant_id),
        ("from", call.data["from"] or "anonymous"),
        ("to", call.to),
        ("carrier", f"{call.carrier}, {call.direction}"),
        ("began", when(call.started_date)),
        ("lasts", seconds(call.duration)),
        ("turns", call.turns),
        ("state", call.status),
    ]
    out.document(call.data, facts(lines))
    return 0


def run_hang_up(arguments: Namespace, out: Output) -> int:
    with running(arguments) as server:
        server.calls.hang_up(arguments.id)
    return _done(arguments, out, "is ended")


def run_transfer(arguments: Namespace, out: Output) -> int:
    with running(arguments) as server:
        server.calls.transfer(arguments.id, arguments.to)
    return _done(arguments, out, f"is transferred to {arguments.to}")


def run_send_digits(arguments: Namespace, out: Output) -> int:
    with running(arguments) as server:
        server.calls.send_digits(arguments.id, arguments.digits)
    return _done(arguments, out, "is sent the digits")


def run_hold(arguments: Namespace, out: Output) -> int:
    with running(arguments) as server:
        server.calls.hold(arguments.id, not arguments.off)
    return _done(arguments, out, "is taken up again" if arguments.off else "is put on hold")


def run_say(arguments: Namespace, out: Output) -> int:
    with running(arguments) as server:
        server.calls.say(arguments.id, arguments.text)
    return _done(arguments, out, "is told")


def _done(arguments: Namespace, out: Output, what: str) -> int:
    out.document({"id": str(arguments.id)}, f"call {arguments.id} {what}")
    return 0
