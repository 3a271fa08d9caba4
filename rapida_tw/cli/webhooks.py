"""`rapida webhooks`: what assistants' webhooks were told, and what came of it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from rapida_tw.cli.opening import Nouns, an_id, command, noun, source
from rapida_tw.cli.output import Output, facts, plain, table, to_json, when
from rapida_tw.cli.source import MOST, Document
from rapida_tw.store.deliveries import STATES

_HEAD = ("id", "created", "event", "to", "state", "attempts", "next")


def add(nouns: Nouns, common: ArgumentParser) -> None:
    verbs = noun(nouns, "webhooks", "what assistants' webhooks were told")
    every = command(verbs, common, "list", run_list, "newest first")
    every.add_argument("--conversation", type=an_id, metavar="ID", help="of this one only")
    every.add_argument("--assistant", type=an_id, metavar="ID", help="of this one only")
    every.add_argument("--state", choices=STATES, default="", help="in this state only")
    every.add_argument(
        "--count", type=int, choices=range(1, MOST + 1), default=20, metavar=f"1..{MOST}"
    )
    show = command(verbs, common, "show", run_show, "what was sent, and each attempt")
    show.add_argument("id", type=an_id)
    retry = command(verbs, common, "retry", run_retry, "send it again, now")
    retry.add_argument("id", type=an_id)
    test = command(verbs, common, "test", run_test, "send a ping to an assistant's webhooks")
    test.add_argument("--assistant", type=an_id, metavar="ID", required=True)


def run_list(arguments: Namespace, out: Output) -> int:
    with source(arguments) as books:
        listing = books.deliveries(
            arguments.count, arguments.conversation, arguments.assistant, arguments.state
        )
    out.table(listing.items, _HEAD, _rows(listing.items))
    if listing.total > len(listing.items):
        out.line(f"and {listing.total - len(listing.items)} older ones")
    return 0


def run_show(arguments: Namespace, out: Output) -> int:
    with source(arguments) as books:
        found = books.delivery(arguments.id)
    parts = [
        facts(
            [
                ("delivery", found["id"]),
                ("event", f"{found['event']} ({found['eventId']})"),
                ("assistant", found["assistantId"]),
                ("conversation", found["conversationId"]),
                ("to", found["url"]),
                ("state", found["state"]),
                ("next", when(found["nextAttemptDate"])),
            ]
        ),
        plain(to_json(found["body"])),
    ]
    attempts = [
        (when(one["date"]), one["status"] or "-", f"{one['seconds']:.2f} s", one["error"] or "-")
        for one in found["attempts"]
    ]
    if attempts:
        parts.append(table(("at", "status", "took", "error"), attempts))
    out.document(found, "\n\n".join(parts))
    return 0


def run_retry(arguments: Namespace, out: Output) -> int:
    with source(arguments) as books:
        found = books.retry_delivery(arguments.id)
    out.document(found, f"delivery {found['id']} is sent again")
    return 0


def run_test(arguments: Namespace, out: Output) -> int:
    with source(arguments) as books:
        made = books.ping_webhooks(arguments.assistant)
    out.table(made, _HEAD, _rows(made))
    if not made:
        out.line("this assistant has no webhook that is switched on")
        return 1
    out.line("the running server sends them; `rapida webhooks show ID` tells what came of it")
    return 0


def _rows(deliveries: Sequence[Document]) -> list[tuple[object, ...]]:
    return [
        (
            one["id"],
            when(one["createdDate"]),
            one["event"],
            one["url"],
            one["state"],
            one["attemptCount"],
            when(one["nextAttemptDate"]),
        )
        for one in deliveries
    ]
