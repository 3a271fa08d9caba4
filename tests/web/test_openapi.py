"""/openapi.json says what is there, all of it and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from rapida_tw import web
from rapida_tw.carriers.twilio import TWILIO
from rapida_tw.web.openapi_schemas import SCHEMAS
from tests.web.campaigns import campaign_service
from tests.web.case import WebCase
from tests.web.fake_deliverer import FakeDeliverer
from tests.web.fake_placing import FakePlacing
from tests.web.fake_writing import FakeWriting
from tests.web.test_number_insight import FakeInsights


def references(value: Any) -> Iterator[str]:
    """All that a document points to."""
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


class OpenApiTests(WebCase):
    def setUp(self) -> None:
        super().setUp()
        self.carriers["twilio"] = TWILIO
        self.make_site(
            placing=FakePlacing(),
            writing=FakeWriting(),
            deliverer=FakeDeliverer(),
            insights=FakeInsights(),
            campaigns=campaign_service(self),
        )
        self.document = self.get("/openapi.json", key=None).json

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                yield path, method, operation

    def test_every_route(self) -> None:
        """Each address with each of its methods is described, and no other."""
        tree = self.site.resource._app.url_map
        served = {
            (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
            for rule in tree.iter_rules()
            for method in rule.methods - {"HEAD", "OPTIONS"}
        }
        self.assertEqual({(path, method) for path, method, _ in self.operations()}, served)

    def test_every_route_that_may_be(self) -> None:
        """Those of parts that this house has not are described as well."""
        for path in sorted(Path(web.__path__[0]).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Route":
                    named = {keyword.arg for keyword in node.keywords}
                    is_described = "operation" in named or len(node.args) == 5
                    self.assertTrue(is_described, f"{path.name}, line {node.lineno}")

    def test_names(self) -> None:
        """Each operation has a name of its own, a sentence and a tag."""
        names = [operation["operationId"] for _, _, operation in self.operations()]
        self.assertEqual(len(names), len(set(names)))
        for _, _, operation in self.operations():
            self.assertTrue(operation["summary"].endswith("."))
            self.assertTrue(operation["tags"][0])

    def test_references(self) -> None:
        """What is pointed to is there, and what is there is pointed to by some route's module."""
        known = {f"#/components/schemas/{name}" for name in SCHEMAS}
        used = set(references(self.document))
        self.assertLessEqual(used, known)
        sources = "".join(path.read_text() for path in Path(web.__path__[0]).glob("*.py"))
        named = {f"#/components/schemas/{name}" for name in re.findall(r'ref\("(\w+)"\)', sources)}
        self.assertLessEqual(known, used | named)

    def test_schemas(self) -> None:
        """All of them are JSON Schema, and examples hold to their own."""
        for name, schema in SCHEMAS.items():
            Draft202012Validator.check_schema(schema)
            if "example" in schema:
                whole = {**schema, "components": {"schemas": SCHEMAS}}
                Draft202012Validator(whole).validate(schema["example"])
                self.assertTrue(name)

    def test_security(self) -> None:
        """Without a key: health, metrics, this document, media and what carriers tell."""
        is_open = {path for path, _, one in self.operations() if one.get("security") == []}
        self.assertEqual(
            is_open,
            {
                "/",
                "/healthz/",
                "/readiness/",
                "/metrics",
                "/openapi.json",
                "/v1/talk/{carrier}/ctx",
                "/v1/talk/{carrier}/ctx/{context_id}",
                "/v1/talk/{carrier}/ctx/{context_id}/event",
            },
        )
        for path, method, _ in self.operations():
            target = re.sub(r"{\w+}", "5", path)
            if path in is_open or "{carrier}" in path or "/whatsapp/" in path:
                continue
            self.assertEqual(self.send(method.upper(), target, key=None).status, 403, target)

    def test_answers(self) -> None:
        """An answer is what its schema says."""
        for path in ("/v1/assistants", "/v1/calls", "/v1/conversations", "/v1/models"):
            responses = self.document["paths"][path]["get"]["responses"]
            for status, response in (
                ("200", self.get(path)),
                ("4XX", self.get(path, key=None)),
            ):
                schema = responses[status]["content"]["application/json"]["schema"]
                whole = {**schema, "components": {"schemas": SCHEMAS}}
                Draft202012Validator(whole).validate(response.json)
