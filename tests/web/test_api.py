"""What the management API takes for a request."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import BadRequest, NotFound
from rapida_tw.web.api import parse_json, read_id
from tests.web.case import WebCase

PATH = "/v1/assistants"
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
)


class JsonTests(SynchronousTestCase):
    @given(PLAIN)
    def test_round_trip(self, value: object) -> None:
        """JSON is read as it was meant, escaped or not."""
        for ascii_only in (True, False):
            encoded = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8")
            self.assertEqual(parse_json(encoded), value)

    @given(st.binary())
    def test_garbage(self, body: bytes) -> None:
        """Bytes are a value or a `BadRequest`, and nothing else."""
        try:
            parse_json(body)
        except BadRequest as error:
            self.assertIn("JSON", str(error))

    def test_refused(self) -> None:
        """What other parsers take, no database keeps, or is meant to hurt."""
        for body in (
            b"",
            b"NaN",
            b"[Infinity]",
            b'"\\ud800"',
            b'{"\\u0000": 1}',
            b'["\\u0000"]',
            b'"\xff"',
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b"1" * 5000,
            b"[1e400]",
            b"-1e999",
        ):
            self.assertRaises(BadRequest, parse_json, body)

    def test_quotes_nothing(self) -> None:
        """The refusal names the place and repeats nothing of the document."""
        error = self.assertRaises(BadRequest, parse_json, b'{"secret": rpd-secret}')
        self.assertNotIn("rpd", str(error))
        self.assertIn("line 1 column 12", str(error))


class IdTests(SynchronousTestCase):
    def test_ids(self) -> None:
        """Up to 63 bits."""
        self.assertEqual(read_id("1"), 1)
        self.assertEqual(read_id(str(2**63 - 1)), 2**63 - 1)

    def test_no_ids(self) -> None:
        """What can be no id is not there."""
        for text in ("0", "-1", "x", "1.0", "", " 1", "٣", str(2**63), "9" * 100):
            self.assertRaises(NotFound, read_id, text)


class BodyTests(WebCase):
    def test_content_type(self) -> None:
        """A form or a text is not taken for JSON."""
        for kind in ("application/x-www-form-urlencoded", "text/plain"):
            response = self.send("POST", PATH, b'{"name": "Eve"}', Content_Type=kind)
            self.assertEqual((response.status, response.error), (400, "bad-request"))
        self.assertEqual(self.send("POST", PATH, b'{"name": "Eve"}').status, 400)

    def test_kinds_of_json(self) -> None:
        """Parameters and structured suffixes (RFC 6839) are JSON too."""
        for kind in ("application/json; charset=utf-8", "application/merge-patch+json"):
            response = self.send("POST", PATH, b'{"name": "Eve"}', Content_Type=kind)
            self.assertEqual(response.status, 200, kind)

    def test_malformed(self) -> None:
        """400 in JSON."""
        response = self.send("POST", PATH, b"{", Content_Type="application/json")
        self.assertEqual((response.status, response.error), (400, "bad-request"))

    def test_pages(self) -> None:
        """Numbers that are no pages: 400, each named."""
        for query in ("page=-1", "page=x", "pageSize=9999999", "pageSize=-1", "page=", "page=1.5"):
            response = self.get(f"{PATH}?{query}")
            self.assertEqual(response.status, 400, query)
            self.assertIn(query.partition("=")[0], response.json["error"]["errorMessage"])

    def test_no_store(self) -> None:
        """Nothing on the way keeps what is in an answer."""
        self.assertEqual(self.get(PATH).headers["cache-control"], "no-store")
