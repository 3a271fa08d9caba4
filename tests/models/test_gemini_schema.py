"""JSON schemas for Gemini: what it would refuse is rewritten or left out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.models.gemini_schema import gemini_schema
from rapida_tw.sim.vendors.gemini_rules import check_schema

TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "rewritten"),
    [
        (
            {"type": "object", "properties": {"a": TEXT}, "required": ["a"]},
            {"type": "object", "properties": {"a": TEXT}, "required": ["a"]},
        ),
        ({"$schema": "x", "additionalProperties": False, "strict": True, **TEXT}, TEXT),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["integer", "string"]}, {"type": "integer"}),
        ({"type": "STRING"}, TEXT),
        ({"enum": ["a", "b"]}, {"type": "string", "enum": ["a", "b"]}),
        ({"type": "string", "enum": ["a", None]}, {"type": "string", "enum": ["a"]}),
        ({"type": "integer", "enum": [1, 2]}, {"type": "integer"}),
        ({"const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ({"type": "string", "format": "email"}, TEXT),
        ({"type": "integer", "format": "int64"}, {"type": "integer", "format": "int64"}),
        ({"type": "array"}, {"type": "array", "items": TEXT}),
        (
            {"type": "array", "items": {"type": "number"}},
            {"type": "array", "items": {"type": "number"}},
        ),
        (
            {"type": "object", "properties": {"a": TEXT}, "required": ["a", "b"]},
            {"type": "object", "properties": {"a": TEXT}, "required": ["a"]},
        ),
        ({"type": "object", "required": ["b"]}, {"type": "object"}),
        ({"anyOf": [TEXT, {"type": "null"}]}, {"type": "string", "nullable": True}),
        (
            {"oneOf": [TEXT, {"type": "integer"}]},
            {"anyOf": [TEXT, {"type": "integer"}]},
        ),
        (
            {"allOf": [{"properties": {"a": TEXT}}, {"type": "object", "properties": {"b": TEXT}}]},
            {"type": "object", "properties": {"a": TEXT, "b": TEXT}},
        ),
        (
            {"$ref": "#/$defs/day", "description": "When.", "$defs": {"day": TEXT}},
            {"type": "string", "description": "When."},
        ),
        (
            {"type": "object", "properties": {"a": {"$ref": "#/definitions/x"}}, "definitions": {}},
            {"type": "object", "properties": {"a": {}}},
        ),
    ],
)
def test_rewritten(schema: dict[str, Any], rewritten: dict[str, Any]) -> None:
    """Each form that is not known there."""
    assert gemini_schema(schema) == rewritten


def test_endless() -> None:
    """A schema that holds itself comes to an end."""
    tree = {"type": "object", "properties": {"left": {"$ref": "#/$defs/tree"}}}
    written = gemini_schema({"$ref": "#/$defs/tree", "$defs": {"tree": tree}})
    assert len(str(written)) < 5_000


SCHEMAS = st.recursive(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["string", "integer", "boolean", "number"])},
        optional={
            "format": st.sampled_from(["date-time", "email", "int32"]),
            "enum": st.lists(st.text(max_size=3) | st.integers(), min_size=1, max_size=3),
            "description": st.text(max_size=5),
            "$comment": st.text(max_size=5),
        },
    ),
    lambda inner: (
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(st.text(max_size=3), inner)},
            optional={"required": st.lists(st.text(max_size=3), max_size=2)},
        )
        | st.fixed_dictionaries({"type": st.just("array"), "items": inner})
        | st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)})
    ),
    max_leaves=8,
)


@given(SCHEMAS)
def test_taken(schema: dict[str, Any]) -> None:
    """Whatever a tool's author writes, the vendor takes."""
    check_schema(gemini_schema(schema), "parameters")
