from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.calls import Plan, measure_with
from benchmarks.report import Report
from benchmarks.server import Server, ServerFailed
from benchmarks.through import through


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


class ReportTests(SynchronousTestCase):
    def test_json(self) -> None:
        """Into a file or a pipe goes one JSON object a line, without remarks."""
        out = StringIO()
        report = Report(out)
        report.say("a remark")
        report.add({"calls": 1, "p99_ms": 0.5})
        report.add({"calls": 2})
        rows = [json.loads(line) for line in out.getvalue().splitlines()]
        self.assertEqual(rows, [{"calls": 1, "p99_ms": 0.5}, {"calls": 2}])

    def test_table(self) -> None:
        """On a terminal it is a table, one heading above all, and remarks."""
        out = Terminal()
        report = Report(out)
        report.say("a remark")
        report.add({"measures": "load", "calls": 100, "p99_ms": 0.5, "contexts_per_second": 7.0})
        report.add({"measures": "load", "calls": 200})
        remark, heading, first, more, second = out.getvalue().splitlines()
        self.assertEqual(remark, "a remark")
        self.assertIn("p99 ms", heading)
        self.assertEqual(first.split(), ["load", "100", "0.50"])
        self.assertEqual(more.strip(), "contexts per second: 7.00")
        self.assertEqual(second.split(), ["load", "200"])

    def test_peer(self) -> None:
        """Rows of another server say whose they are."""
        out = StringIO()
        Report(out).named("acme").add({"calls": 1})
        self.assertEqual(json.loads(out.getvalue()), {"peer": "acme", "calls": 1})

    def test_json_on_a_terminal(self) -> None:
        """A terminal gets JSON when it asks for it."""
        out = Terminal()
        Report(out, as_json=True).add({"calls": 1})
        self.assertEqual(out.getvalue(), '{"calls": 1}\n')


class ThroughTests(SynchronousTestCase):
    def test_every_packet(self) -> None:
        """Each packet is heard in the turn in which it is received."""

        def build(heard: Callable[[], None]) -> Callable[[bytes], None]:
            return lambda packet: heard()

        row: Any = through(build, b"", packets=50)
        self.assertEqual(row["lost"], 0)
        self.assertGreaterEqual(row["max_ms"], row["p50_ms"])

    def test_unheard(self) -> None:
        """Packets that the recogniser never hears are lost, not quick."""
        row = through(lambda heard: lambda packet: None, b"", packets=50)
        self.assertEqual(row["lost"], 50)


class FakeGenerator:
    """A server that loses packets above so many calls, as the generator would report it."""

    def __init__(self, held_up_to: int) -> None:
        self.tried: list[int] = []
        self._held_up_to = held_up_to

    def run(self, calls: int, *more: str) -> dict[str, Any]:
        if not more:
            self.tried.append(calls)
        pacing = {"packets": 1, "p50_ms": 0.1, "p99_ms": 1.0, "max_ms": 2.0, "late": 0}
        return {
            "calls": calls,
            "pacing": {**pacing, "lost": int(calls > self._held_up_to)},
            "ended_early": 0,
            "calls_per_second": 100.0,
            "contexts_per_second": None,
            "cpu_us_per_tick": 20.0,
            "memory_per_call": 1024.0,
            "memory_base": 2**20,
            "own_late_p99_ms": 0.1,
            "stopped_ms": [80.0, 90.0],
            "answered_ms": [],
            "answer_p50_ms": 5.0,
            "answer_p95_ms": 12.34,
        }


class MeasureTests(SynchronousTestCase):
    def measure(self, held_up_to: int, **plan: Any) -> tuple[int, list[int]]:
        generator = FakeGenerator(held_up_to)
        self.report = Report(StringIO())
        return measure_with("audiosocket", generator, Plan(**plan), self.report), generator.tried

    def test_climbs(self) -> None:
        """It climbs by steps, tries a failed step twice, and then half a step below."""
        self.assertEqual(self.measure(360), (350, [100, 200, 300, 400, 400, 350]))

    def test_stops(self) -> None:
        """It does not climb for ever."""
        self.assertEqual(self.measure(10_000, most=200), (200, [100, 200]))

    def test_nothing_held(self) -> None:
        """A server that fails at once holds nothing."""
        self.assertEqual(self.measure(0), (0, [100, 100]))

    def test_rows(self) -> None:
        """There is a row for each measurement, and the capacity at the end."""
        self.measure(150)
        kinds = [row["measures"] for row in self.report.rows]
        self.assertEqual(kinds, ["idle", "probe", "load", "load", "load", "capacity"])
        self.assertEqual(self.report.rows[1]["barge_in_p50_ms"], 85.0)

    def test_sip(self) -> None:
        """By SIP calls are answered: there is a row for how soon."""
        report = Report(StringIO())
        measure_with("sip", FakeGenerator(100), Plan(most=100), report)
        kinds = [row["measures"] for row in report.rows]
        self.assertEqual(kinds, ["idle", "answers", "probe", "load", "capacity"])
        self.assertEqual(report.rows[1]["answer_p95_ms"], 12.3)


class ServerTests(SynchronousTestCase):
    def test_ends_at_once(self) -> None:
        """A server that does not start is told with its last words."""
        folder = Path(self.mktemp())
        folder.mkdir()
        server = Server(folder, 0, "sh -c 'echo no such option; exit 2'", bare=True)
        with self.assertRaisesRegex(ServerFailed, "(?s)ended at once.*no such option"):
            server.start()
