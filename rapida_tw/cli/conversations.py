"""`rapida conversations`: the history of calls."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from datetime import datetime

from rapida_tw.cli.opening import Nouns, an_id, command, noun, source
from rapida_tw.cli.output import Output, facts, plain, table, when
from rapida_tw.cli.source import MOST, Document

_SPEAKERS = {"user": "caller"}


def add(nouns: Nouns, common: ArgumentParser) -> None:
    verbs = noun(nouns, "conversations", "the history of calls")
    every = command(verbs, common, "list", run_list, "newest first")
    every.add_argument("--assistant", type=an_id, metavar="ID", help="of this one only")
    every.add_argument(
        "--count", type=int, choices=range(1, MOST + 1), default=20, metavar=f"1..{MOST}"
    )
    show = command(verbs, common, "show", run_show, "what was said, and how the call went")
    show.add_argument("id", type=an_id)


def run_list(arguments: Namespace, out: Output) -> int:
    with source(arguments) as books:
        listing = books.conversations(arguments.count, arguments.assistant)
    rows = [
        (
            one["id"],
            when(one["createdDate"]),
            one["identifier"] or "anonymous",
            one["carrier"],
            seconds(one["duration"]),
            one["status"],
            one["endReason"] or "-",
        )
        for one in listing.items
    ]
    head = ("id", "began", "number", "carrier", "lasted", "state", "end")
    out.table(listing.items, head, rows)
    if listing.total > len(rows):
        out.line(f"and {listing.total - len(rows)} older ones")
    return 0


def run_show(arguments: Namespace, out: Output) -> int:
    with source(arguments) as books:
        found = books.conversation(arguments.id)
    out.document(found, "\n\n".join(part for part in _parts(found) if part))
    return 0


def seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def split(latency: Document) -> str:
    """`812 ms: endpointing 520, recognizer 90, ...` of one answered turn."""
    parts = {k: v for k, v in latency.items() if isinstance(v, int | float) and k != "turn"}
    total = parts.pop("total", None)
    shares = ", ".join(f"{name} {value:.0f}" for name, value in parts.items())
    return (f"{total:.0f} ms: " if total is not None else "") + shares


def _parts(found: Document) -> Iterator[str]:
    yield facts(
        [
            ("conversation", found["id"]),
            ("assistant", found["assistantId"]),
            ("number", found["identifier"] or "anonymous"),
            ("carrier", f"{found['carrier']}, {found['direction']}"),
            ("began", when(found["createdDate"])),
            ("lasted", seconds(found["duration"])),
            ("state", found["status"]),
            ("end", found["endReason"]),
            ("recording", found["recordings"].get("stereo")),
        ]
    )
    yield "\n".join(_dialogue(found))
    if found["latency"]:
        yield "answered after\n" + "\n".join(
            f"  turn {latency['turn']}: {split(latency)}" for latency in found["latency"]
        )
    metrics = [one for one in found["metrics"] if one["name"] != "turn.latency"]
    if metrics:
        yield facts([(one["name"], one["value"]) for one in metrics])
    events = [
        (_into_call(found, one["createdDate"]), one["name"], _data(one)) for one in found["events"]
    ]
    if events:
        yield table(("at", "event", "what"), events)


def _dialogue(found: Document) -> Iterator[str]:
    for message in found["messages"]:
        data = message["data"]
        marks = ["by keys"] if data.get("by") == "keys" else []
        marks += ["interrupted"] if data.get("interrupted") else []
        role = _SPEAKERS.get(message["role"], message["role"])
        mark = f"  ({', '.join(marks)})" if marks else ""
        text = " ".join(plain(message["text"]).split())
        yield f"{_into_call(found, message['createdDate'])}  {role:<9}  {text}{mark}"


def _into_call(found: Document, stamp: str) -> str:
    """How long after the beginning, m:ss."""
    began = datetime.fromisoformat(found["createdDate"])
    past = max(0.0, (datetime.fromisoformat(stamp) - began).total_seconds())
    return f"{int(past) // 60}:{int(past) % 60:02d}"


def _data(event: Document) -> str:
    return ", ".join(f"{name} {value}" for name, value in event["data"].items() if value != "")
