"""A key with scopes at every address of the API."""

from __future__ import annotations

import re

from rapida_tw.store.scopes import SCOPES
from tests.web.case import WebCase
from tests.web.fakes import ASSISTANT, CONTEXT_ID

OPEN = {"/v1/carriers", "/v1/speech", "/v1/models"}  # for every living key


class ScopeTests(WebCase):
    def addresses(self) -> list[tuple[str, str]]:
        """Method and path of all that the API has, with an id where there is one."""
        rules = self.site.resource._app.url_map.iter_rules()
        found = {
            (method, re.sub(r"<[^>]*>", "1", rule.rule))
            for rule in rules
            for method in rule.methods - {"HEAD", "OPTIONS"}
            if rule.rule.startswith("/v1/") and not rule.rule.startswith("/v1/talk/<")
        }
        return sorted(found)

    def refused(self, method: str, path: str) -> bool:
        response = self.get(path) if method == "GET" else self.send(method, path, {})
        return response.status == 403 and response.error == "forbidden"

    def test_nothing_allowed(self) -> None:
        """A key without any scope is refused everywhere, and asks for nothing before that."""
        self.keys.scopes = ()
        addresses = self.addresses()
        self.assertGreater(len(addresses), 25)
        for method, path in addresses:
            self.assertIs(self.refused(method, path), path not in OPEN, f"{method} {path}")

    def test_everything_allowed(self) -> None:
        """No address needs a scope that there is not."""
        self.keys.scopes = tuple(SCOPES)
        for method, path in self.addresses():
            self.assertFalse(self.refused(method, path), f"{method} {path}")

    def test_read_and_write(self) -> None:
        """Who may read does not change anything; who may write may read."""
        one = f"/v1/assistants/{ASSISTANT}"
        self.keys.scopes = ("assistants:read",)
        self.assertEqual(self.get(one).status, 200)
        for method, path in (("PATCH", one), ("DELETE", one), ("PUT", f"{one}/phone-deployment")):
            self.assertTrue(self.refused(method, path))
        self.assertTrue(self.refused("GET", "/v1/credentials"))
        self.keys.scopes = ("assistants:write",)
        self.assertEqual(self.get(one).status, 200)
        self.assertEqual(self.send("PATCH", one, {"name": "Eve"}).status, 200)

    def test_webhooks(self) -> None:
        """A carrier's key needs `talk`, and no more; a wrong one is told so in plain text."""
        path = f"/v1/talk/asterisk/call/{ASSISTANT}?from=1555"
        self.keys.scopes = ("talk",)
        self.assertEqual(self.get(path).status, 200)
        self.assertTrue(self.refused("GET", "/v1/calls"))
        self.keys.scopes = ("calls:write", "assistants:write")
        for target in (path, f"/v1/talk/asterisk/ctx/{CONTEXT_ID}/next"):
            self.assertEqual(self.get(target).status, 403, target)
        self.assertEqual(len(self.calls.registered), 1)
