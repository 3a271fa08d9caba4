"""How many calls of a transport are held in time, what one costs, how quick the server is.

The server has one core and the generator (`rapida_tw.sim.load_process`) another. Calls are held
when the p99 of pacing jitter is under 5 ms and no packet is late or lost.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Protocol

from benchmarks.report import Report
from benchmarks.server import Target

MOST_JITTER_MS = 5.0
# The generator's own lateness from which a figure says more about the machine than the server.
_BUSY_MS = 10.0
_PROBES = 20  # calls
_WARM_UP = 5  # calls: few, because the next ones use the memory of these again
# New calls a second by SIP before their pacing is measured: what they cost is measured apart, and a
# server that is nearly full would refuse some.
_SLOWLY = 20
_NEW_CALLS = 250  # by SIP, at the generator's usual rate: five seconds of fifty a second
_TRIES = 2  # a step that fails once may have been the machine's fault


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how far: `step` calls more each time, up to `most`."""

    step: int = 100
    most: int = 2_000
    seconds: float = 6.0
    core: int = 1  # of the generator
    path: str = ""  # of another server's WebSocket


class GeneratorFailed(Exception):
    """The load generator gave no result; the text is what it said."""


class Generator(Protocol):
    """Runs so many calls, with more arguments of `load_process`, and returns what it printed."""

    def run(self, calls: int, *more: str) -> dict[str, Any]: ...


def measure(transport: str, target: Target, plan: Plan, report: Report) -> int:
    """Run all measurements; returns the greatest number of calls held."""
    generator = _Process(transport, target, plan)
    return measure_with(transport, generator, plan, report, target.silent_id, target.talker_id)


def measure_with(
    transport: str,
    generator: Generator,
    plan: Plan,
    report: Report,
    silent: str = "",
    talker: str = "",
) -> int:
    """The same with any generator; `silent` is the assistant that does not greet.

    A WebSocket carries no silence: there the load is on `talker`, which speaks without a pause and
    is not to be interrupted, while the callers talk.
    """
    generator.run(_WARM_UP, "--seconds", "1")  # what is loaded once is no call's memory

    def add(row: dict[str, object]) -> None:
        report.add({"transport": transport, **row})

    by_sip = transport == "sip"
    add(_idle(generator, silent, ("--rate", "0") if by_sip else ()))
    if by_sip:
        add(_answers(generator, silent))
    add(_probe(generator))
    continuous = transport in ("audiosocket", "sip") or not talker
    more = () if continuous else ("--assistant", talker)
    if by_sip:
        more += ("--rate", str(_SLOWLY))
    held = 0
    for row in _steps(generator, plan, more):
        add(row)
        if row["held"]:
            held = max(held, int(str(row["calls"])))
    add({"measures": "capacity", "calls": held})
    return held


class _Process:
    """The load generator as a process."""

    def __init__(self, transport: str, target: Target, plan: Plan) -> None:
        self._transport, self._target, self._plan = transport, target, plan

    def run(self, calls: int, *more: str) -> dict[str, Any]:
        return run_generator(self._transport, self._target, self._plan, calls, *more)


def run_generator(
    transport: str, target: Target, plan: Plan, calls: int, *more: str
) -> dict[str, Any]:
    """So many calls, by a process of their own; what it found. `GeneratorFailed`."""
    command = [sys.executable, "-m", "rapida_tw.sim.load_process", "--calls", str(calls)]
    ports = {"audiosocket": target.port, "sip": target.sip}
    port = ports.get(transport, target.http) or target.port
    command += ["--transport", transport, "--path", plan.path]
    command += ["--port", str(port), "--pid", str(target.pid)]
    command += ["--core", str(plan.core), "--seconds", str(plan.seconds)]
    if target.url:
        command += ["--url", target.url, "--assistant", target.assistant_id]
    environment = {**os.environ, "RAPIDA_API_KEY": target.api_key}
    done = subprocess.run([*command, *more], capture_output=True, text=True, env=environment)
    if done.returncode:
        raise GeneratorFailed(done.stderr.strip()[-500:])
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def load_row(measures: str, result: Mapping[str, Any]) -> dict[str, object]:
    """One run as a line of the report."""
    pacing = result["pacing"]
    row: dict[str, object] = {
        "measures": measures,
        "calls": result["calls"],
        "p50_ms": round(pacing["p50_ms"], 3),
        "p99_ms": round(pacing["p99_ms"], 3),
        "max_ms": round(pacing["max_ms"], 3),
        "late": pacing["late"],
        "lost": pacing["lost"],
        "cpu_us_per_tick": round(result["cpu_us_per_tick"], 1),
        "own_late_p99_ms": round(result["own_late_p99_ms"], 3),
    }
    if result["ended_early"]:
        row["ended_early"] = result["ended_early"]
    if result["own_late_p99_ms"] > _BUSY_MS:
        row["machine_busy"] = True
    return row


def _idle(generator: Generator, silent: str, more: tuple[str, ...]) -> dict[str, object]:
    """A hundred silent calls: memory beyond the base, and how fast calls are set up."""
    assistant = ("--assistant", silent) if silent else ()
    result = generator.run(100, "--talk", "0", *assistant, *more)
    row = load_row("idle", result)
    if not result["pacing"]["packets"]:  # a transport without silence
        for name in ("p50_ms", "p99_ms", "max_ms", "late", "lost"):
            del row[name]
    row["memory_kb_per_call"] = round(result["memory_per_call"] / 1024, 1)
    row["base_mb"] = round(result["memory_base"] / 2**20, 1)
    row["set_up_per_second"] = round(result["calls_per_second"], 1)
    if result["contexts_per_second"] is not None:
        row["contexts_per_second"] = round(result["contexts_per_second"], 1)
    return row


def _answers(generator: Generator, silent: str) -> dict[str, object]:
    """New calls at a steady rate while those before them run: from INVITE to 200."""
    assistant = ("--assistant", silent) if silent else ()
    result = generator.run(_NEW_CALLS, "--settle", "0", "--seconds", "1", *assistant)
    row = load_row("answers", result)
    row["new_per_second"] = round(result["calls_per_second"], 1)
    row["answer_p50_ms"] = round(result["answer_p50_ms"], 1)
    row["answer_p95_ms"] = round(result["answer_p95_ms"], 1)
    return row


def _probe(generator: Generator) -> dict[str, object]:
    """A few callers speak once: into the assistant's words, or to an echo."""
    result = generator.run(_PROBES, "--probe", "--settle", "1", "--seconds", "4")
    row = load_row("probe", result)
    for name, field in (("barge_in", "stopped_ms"), ("added_latency", "answered_ms")):
        if times := result[field]:
            row[f"{name}_p50_ms"] = round(median(times), 1)
            row[f"{name}_max_ms"] = round(max(times), 1)
    return row


def _steps(generator: Generator, plan: Plan, more: tuple[str, ...]) -> Iterator[dict[str, object]]:
    """Climb until calls are not held any more, then look once half a step below."""
    calls = plan.step
    while calls <= plan.most:
        row = _held(generator, calls, more)
        yield row
        if not row["held"]:
            if calls > plan.step:
                yield _held(generator, calls - plan.step // 2, more)
            return
        calls += plan.step


def _held(generator: Generator, calls: int, more: tuple[str, ...]) -> dict[str, object]:
    for _ in range(_TRIES):
        result = generator.run(calls, *more)
        pacing = result["pacing"]
        row = load_row("load", result)
        row["held"] = (
            pacing["p99_ms"] < MOST_JITTER_MS
            and not pacing["late"]
            and not pacing["lost"]
            and not result["ended_early"]
        )
        if row["held"]:
            break
    return row
