"""`rapida campaign`: have an assistant call many, one after the other."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from typing import Any

from rapida_tw.cli.campaign_calls import batches, read_file
from rapida_tw.cli.opening import Nouns, an_id, command, noun
from rapida_tw.cli.output import Output, facts, to_json, when
from rapida_tw.cli.running import running
from rapida_tw.cli.source import MOST, Usage
from rapida_tw.client import Rapida
from rapida_tw.client.records import Campaign

PAUSE = 2.0  # seconds between two looks of --watch
_HEAD = ("id", "to", "state", "attempts", "outcome", "conversation", "due")
_DONE = {"pause": "paused", "resume": "running", "cancel": "cancelled"}


def add(nouns: Nouns, common: ArgumentParser) -> None:
    verbs = noun(nouns, "campaign", "have an assistant call many, one after the other")
    _add_create(verbs, common)
    every = command(verbs, common, "list", run_list, "newest first")
    show = command(verbs, common, "show", run_show, "how far it is")
    show.add_argument("id", type=an_id)
    show.add_argument("--watch", action="store_true", help="until it is over")
    calls = command(verbs, common, "calls", run_calls, "who is called, in order")
    calls.add_argument("id", type=an_id)
    for listing in (every, calls):
        listing.add_argument(
            "--count", type=int, choices=range(1, MOST + 1), default=20, metavar=f"1..{MOST}"
        )
        listing.add_argument("--page", type=int, default=1, metavar="N")
    for verb, what in (
        ("pause", "nobody more is rung up"),
        ("resume", "it goes on where it was"),
        ("cancel", "for good; who rings is given up"),
    ):
        parser = command(verbs, common, verb, run_steer, what)
        parser.add_argument("id", type=an_id)
        parser.set_defaults(verb=verb)
    delete = command(verbs, common, "delete", run_delete, "cancelled, and forgotten")
    delete.add_argument("id", type=an_id)


def _add_create(verbs: Nouns, common: ArgumentParser) -> None:
    parser = command(verbs, common, "create", run_create, "it runs at once")
    parser.add_argument("--assistant", type=an_id, metavar="ID", required=True)
    parser.add_argument(
        "--file",
        metavar="CSV",
        help="its first line names the columns: to, from, and arguments for the templates; "
        "- is standard input",
    )
    parser.add_argument("--to", nargs="+", metavar="NUMBER", default=[], help="E.164")
    parser.add_argument("--name", default="")
    pace = parser.add_argument_group("how fast")
    pace.add_argument("--per-second", type=float, metavar="CALLS")
    pace.add_argument("--simultaneous", type=int, metavar="CALLS", help="at once")
    hours = parser.add_argument_group("when they may be called; at any time unless it is given")
    hours.add_argument("--from", dest="first", metavar="HH:MM")
    hours.add_argument("--until", dest="last", metavar="HH:MM")
    hours.add_argument(
        "--time-zone", metavar="ZONE", help="of these hours; as the number tells, unless given"
    )
    retries = parser.add_argument_group("who is busy or does not answer")
    retries.add_argument("--attempts", type=int, metavar="N", help="at most so many calls")
    retries.add_argument("--retry-after", type=float, metavar="SECONDS", help="then longer")


def run_create(arguments: Namespace, out: Output) -> int:
    calls: list[str | dict[str, Any]] = [*arguments.to]
    if arguments.file:
        calls += read_file(arguments.file)
    if not calls:
        raise Usage("nobody is to be called: give --to NUMBER or --file CSV")
    first, *rest = batches(calls)
    with running(arguments) as server:
        made = server.campaigns.create(
            arguments.assistant, first, arguments.name, **_settings(arguments)
        )
        for batch in rest:
            made = server.campaigns.add(made.id, batch)
    count = f"{len(calls)} {'call' if len(calls) == 1 else 'calls'}"
    what = f"campaign {made.id} with {count} is {made.state}"
    out.document(made.data, f"{what}\nmore: rapida campaign show {made.id}")
    return 0


def _settings(arguments: Namespace) -> dict[str, Any]:
    """What was given, as the API has it."""
    hours = {"from": arguments.first, "to": arguments.last, "timeZone": arguments.time_zone}
    retries = {"attempts": arguments.attempts, "after": arguments.retry_after}
    settings = {
        "callsPerSecond": arguments.per_second,
        "simultaneous": arguments.simultaneous,
        "hours": _given(hours),
        "retries": _given(retries),
    }
    return _given(settings)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, {})}


def run_list(arguments: Namespace, out: Output) -> int:
    with running(arguments) as server:
        page = server.campaigns.list(arguments.page, arguments.count)
    rows = [(one.id, one.name, one.state, one.assistant_id, when(one.created_date)) for one in page]
    head = ("id", "name", "state", "assistant", "created")
    out.table([one.data for one in page], head, rows)
    return 0


def run_show(arguments: Namespace, out: Output) -> int:
    with running(arguments) as server:
        campaign = server.campaigns.get(arguments.id)
        if arguments.watch:
            campaign = _watched(server, campaign, out)
    settings = campaign.settings
    pairs = [
        ("campaign", campaign.id),
        ("name", campaign.name),
        ("assistant", campaign.assistant_id),
        ("state", campaign.state),
        ("calls", _counts(campaign)),
        ("outcomes", _listed(campaign.progress["outcomes"])),
        ("settings", to_json(settings) if settings else ""),
        ("created", when(campaign.created_date)),
    ]
    out.document(campaign.data, facts(pairs))
    return 0


def _watched(server: Rapida, campaign: Campaign, out: Output) -> Campaign:
    """When it is over: each change is a line, on a terminal in the place of the one before."""
    on_terminal = not out.json and sys.stdout.isatty()
    told = ""
    while True:
        line = f"{campaign.state}: {_counts(campaign)}"
        if line != told and on_terminal:
            sys.stdout.write(f"\r\x1b[K{line}")
            sys.stdout.flush()
        elif line != told:
            out.line(line)
        told = line
        if campaign.is_over:
            break
        time.sleep(PAUSE)
        campaign = server.campaigns.get(campaign.id)
    if on_terminal:
        out.line()
    return campaign


def _counts(campaign: Campaign) -> str:
    progress = campaign.progress
    return f"{progress['total']} ({_listed(progress['states'])})"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def run_calls(arguments: Namespace, out: Output) -> int:
    with running(arguments) as server:
        page = server.campaigns.calls(arguments.id, arguments.page, arguments.count)
    rows = [
        (
            one.id,
            one.to,
            one.state,
            one.attempts,
            one.outcome or "-",
            one.conversation_id,
            when(one.due_date),
        )
        for one in page
    ]
    out.table([one.data for one in page], _HEAD, rows)
    left = page.total - (page.number - 1) * arguments.count - len(page)
    if left > 0:
        out.line(f"and {left} more: --page {page.number + 1}")
    return 0


def run_steer(arguments: Namespace, out: Output) -> int:
    """0 when it is as it was asked for: what is over cannot be resumed."""
    with running(arguments) as server:
        campaign: Campaign = getattr(server.campaigns, arguments.verb)(arguments.id)
    out.document(campaign.data, f"campaign {campaign.id} is {campaign.state}")
    return 0 if campaign.state == _DONE[arguments.verb] else 1


def run_delete(arguments: Namespace, out: Output) -> int:
    with running(arguments) as server:
        server.campaigns.delete(arguments.id)
    out.document({"id": str(arguments.id)}, f"campaign {arguments.id} is deleted")
    return 0
