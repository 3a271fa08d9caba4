"""The registry of counters, and Prometheus' text of it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw import metrics
from rapida_tw.metrics import Counter, Gauge, Histogram, exposition


class MetricsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.patch(metrics, "_registry", {})

    def lines(self) -> list[str]:
        text = exposition()
        self.assertTrue(text.endswith("\n"))
        return text.splitlines()

    def test_counter(self) -> None:
        """A counter without labels is there from the start."""
        counter = Counter("calls_total", "Calls.")
        expected = ["# HELP calls_total Calls.", "# TYPE calls_total counter"]
        self.assertEqual(self.lines(), [*expected, "calls_total 0"])
        counter.inc()
        counter.inc(by=2.5)
        self.assertEqual(self.lines(), [*expected, "calls_total 3.5"])
        self.assertEqual(counter.value(), 3.5)

    def test_labels(self) -> None:
        """Each combination counts for itself."""
        counter = Counter("calls_total", "Calls.", ("carrier", "status"))
        counter.inc("asterisk", "ended")
        counter.inc("asterisk", "failed")
        counter.inc("asterisk", "ended")
        self.assertEqual(
            self.lines()[2:],
            [
                'calls_total{carrier="asterisk",status="ended"} 2',
                'calls_total{carrier="asterisk",status="failed"} 1',
            ],
        )

    def test_escaped(self) -> None:
        """A label's value cannot end its line."""
        Counter("a", "A.", ("b",)).inc('x"\\\n}')
        self.assertEqual(self.lines()[2:], ['a{b="x\\"\\\\\\n}"} 1'])

    def test_wrong_labels(self) -> None:
        """Who counts with too few or too many labels is told; the page stays whole."""
        counter = Counter("calls_total", "Calls.", ("carrier",))
        gauge = Gauge("running", "Running.")
        histogram = Histogram("late", "Late.", (1,), ("kind",))
        before = self.lines()
        for count in (
            counter.inc,
            lambda: counter.inc("a", "b"),
            lambda: gauge.inc("a"),
            lambda: gauge.set(1, "a"),
            lambda: histogram.observe(1),
        ):
            self.assertRaises(TypeError, count)
        self.assertEqual(self.lines(), before)

    def test_no_text(self) -> None:
        """A label's value that is no text does not cost the page."""
        Counter("a", "A.", ("b",)).inc(404)  # type: ignore[arg-type]
        self.assertEqual(self.lines()[2:], ['a{b="404"} 1'])

    def test_gauge(self) -> None:
        """Goes up and down."""
        gauge = Gauge("running", "Running.")
        gauge.set(5)
        gauge.inc(by=-2)
        self.assertEqual(self.lines()[1:], ["# TYPE running gauge", "running 3"])

    def test_histogram(self) -> None:
        """Buckets are cumulative, bounds belong to the bucket below them."""
        histogram = Histogram("late", "Late.", (0.01, 0.001), ("kind",))
        for value in (0.0005, 0.001, 0.005, 7):
            histogram.observe(value, "beat")
        self.assertEqual(
            self.lines()[2:],
            [
                'late_bucket{kind="beat",le="0.001"} 2',
                'late_bucket{kind="beat",le="0.01"} 3',
                'late_bucket{kind="beat",le="+Inf"} 4',
                'late_sum{kind="beat"} 7.0065',
                'late_count{kind="beat"} 4',
            ],
        )

    def test_twice(self) -> None:
        """One name, one metric."""
        Counter("a", "A.")
        self.assertRaises(ValueError, Gauge, "a", "Another.")
