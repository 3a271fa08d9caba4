"""The counters, over HTTP."""

from __future__ import annotations

from tests.web.case import WebCase


class MetricsTests(WebCase):
    def test_text(self) -> None:
        """Prometheus reads them without a key."""
        response = self.get("/metrics", key=None)
        self.assertEqual(response.status, 200)
        self.assertIn("version=0.0.4", response.headers["content-type"])

    def test_requests_are_counted(self) -> None:
        """By pattern, not by path: no client can make the metrics grow."""
        line = b'rapida_http_requests_total{route="/v1/assistants/<assistant_id>",status="404"} '

        def counted() -> float:
            text = self.get("/metrics", key=None).body
            return float((text.partition(line)[2] or b"0").split()[0])

        before = counted()
        for number in range(1, 4):
            self.get(f"/v1/assistants/{number}")
        self.assertEqual(counted() - before, 3)

    def test_switched_off(self) -> None:
        """`[metrics] enabled = false`: there is nothing."""
        self.make_site(metrics=False)
        self.assertEqual(self.get("/metrics", key=None).status, 404)
