"""Is anybody there?"""

from __future__ import annotations

from tests.web.case import WebCase


class HealthTests(WebCase):
    def test_alive(self) -> None:
        """The process answers, with and without the slash, and asks for no key."""
        for path in ("/healthz/", "/healthz"):
            response = self.get(path, key=None)
            self.assertEqual((response.status, response.json), (200, {"status": "ok"}))

    def test_ready(self) -> None:
        """A node that takes calls says so."""
        response = self.get("/readiness/", key=None)
        self.assertEqual((response.status, response.json), (200, {"status": "ok"}))

    def test_not_ready(self) -> None:
        """A node that takes none is out of the load balancer, and says why."""
        self.calls.ready = "draining"
        response = self.get("/readiness", key=None)
        self.assertEqual(response.status, 503)
        self.assertEqual(response.json["reason"], "draining")

    def test_alive_while_not_ready(self) -> None:
        """A draining process must not be killed."""
        self.calls.ready = "draining"
        self.assertEqual(self.get("/healthz/", key=None).status, 200)

    def test_front_page(self) -> None:
        """The brief's `curl -I` of the host finds somebody."""
        response = self.send("HEAD", "/", key=None)
        self.assertEqual((response.status, response.body), (200, b""))
        self.assertGreater(int(response.headers["content-length"]), 0)

    def test_front_page_names_the_product(self) -> None:
        """Who opens it in a browser learns what answers."""
        self.assertIn(b"rapida_tw", self.get("/", key=None).body)
