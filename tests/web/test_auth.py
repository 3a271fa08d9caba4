"""Who may ask."""

from __future__ import annotations

from tests.web.case import WebCase
from tests.web.fakes import KEY

PATH = "/v1/assistants"


class AuthTests(WebCase):
    def test_header(self) -> None:
        """The key in its own header."""
        self.assertEqual(self.get(PATH, key=None, X_Api_Key=KEY).status, 200)

    def test_bearer(self) -> None:
        """The key as a bearer token; the scheme in any case (RFC 9110, section 11.1)."""
        for scheme in ("Bearer", "bearer"):
            self.assertEqual(self.get(PATH, key=None, Authorization=f"{scheme} {KEY}").status, 200)

    def test_query(self) -> None:
        """The key in the URL."""
        self.assertEqual(self.get(f"{PATH}?x-api-key={KEY}", key=None).status, 200)

    def test_another_scheme(self) -> None:
        """Another scheme's words are not taken for a key."""
        self.assertEqual(self.get(PATH, key=None, Authorization=f"Basic {KEY}").status, 403)
        self.assertEqual(self.keys.checked, [])

    def test_none(self) -> None:
        """Without a key: 403, and the store is not asked."""
        response = self.get(PATH, key=None)
        self.assertEqual((response.status, response.error), (403, "unauthenticated"))
        self.assertIn("Unauthenticated request", response.json["error"]["errorMessage"])
        self.assertEqual(self.keys.checked, [])

    def test_unknown(self) -> None:
        """A wrong key: 403, and it is not repeated."""
        response = self.get(PATH, key="rpd-wrong")
        self.assertEqual(response.status, 403)
        self.assertNotIn(b"rpd-wrong", response.body)

    def test_everything_is_locked(self) -> None:
        """Each address of the management API asks for a key."""
        one = "/v1/assistants/1", "/v1/calls/1", "/v1/conversations/1"
        more = "/recording.wav", "/timeline.png"
        lists = "/v1/assistants", "/v1/calls", "/v1/conversations"
        for path in (
            *one,
            *lists,
            *(f"{one[2]}{end}" for end in more),
            f"{one[0]}/phone-deployment",
            *("/v1/speech", "/v1/models", "/v1/carriers"),
        ):
            self.assertEqual(self.get(path, key=None).status, 403, path)
        for action in ("hangup", "transfer", "dtmf", "say"):
            self.assertEqual(self.send("POST", f"{one[1]}/{action}", {}, key=None).status, 403)
