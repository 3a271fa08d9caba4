"""JSON schemas as Gemini takes them: a part of OpenAPI 3.0's (API reference, "Schema").

What it does not know is refused, so it is rewritten where there is another way to say it, and left
out where there is none: the model then is a little freer in its arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PLAIN = frozenset(
    (
        *("title", "description", "nullable", "default", "example", "pattern", "required"),
        *("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"),
        *("minProperties", "maxProperties", "propertyOrdering"),
    )
)
# Of each type, the only formats that are not refused.
_FORMATS = {
    "string": ("date-time", "enum"),
    "integer": ("int32", "int64"),
    "number": ("float", "double"),
}
_DEEPEST = 12  # a schema that holds itself would go on for ever


def gemini_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a tool's arguments, rewritten."""
    definitions: dict[str, Any] = {}
    for name in ("$defs", "definitions"):
        if isinstance(found := schema.get(name), dict):
            definitions |= found
    return _rewritten(schema, definitions, 0)


def _rewritten(schema: object, definitions: Mapping[str, Any], depth: int) -> dict[str, Any]:
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return {}
    if isinstance(name := schema.get("$ref"), str):
        known = definitions.get(name.rpartition("/")[2])
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        whole = {**known, **beside} if isinstance(known, dict) else beside
        return _rewritten(whole, definitions, depth + 1)

    def inside(part: object) -> dict[str, Any]:
        return _rewritten(part, definitions, depth + 1)

    if isinstance(every := schema.get("allOf"), list):
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        for part in map(inside, every):
            both = {**merged.get("properties", {}), **part.get("properties", {})}
            merged = {**part, **merged} | ({"properties": both} if both else {})
        return _rewritten(merged, definitions, depth + 1)

    written = {key: value for key, value in schema.items() if key in _PLAIN}
    _type(schema, written)
    kind = written.get("type", "")
    if schema.get("format") in _FORMATS.get(kind, ()):
        written["format"] = schema["format"]
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    # Only texts can be chosen from a list.
    if isinstance(choices, list) and kind in ("", "string"):
        written |= {"type": "string", "enum": [str(one) for one in choices if one is not None]}
    properties = schema.get("properties")
    if isinstance(properties, Mapping) and properties:
        written["properties"] = {str(name): inside(part) for name, part in properties.items()}
    if isinstance(needed := written.get("required"), list):
        written["required"] = [name for name in needed if name in written.get("properties", {})]
    if not written.get("required"):
        written.pop("required", None)
    if "items" in schema:
        written["items"] = inside(schema["items"])
    elif kind == "array":
        written["items"] = {"type": "string"}  # an array of nothing is refused
    ways = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(ways, list):
        _any_of([inside(part) for part in ways if not _null(part)], written)
        if any(map(_null, ways)):
            written["nullable"] = True
    return written


def _type(schema: Mapping[str, Any], written: dict[str, Any]) -> None:
    """`["string", "null"]` is a nullable string; of several types the first is taken."""
    kind = schema.get("type")
    if isinstance(kind, list):
        if "null" in kind:
            written["nullable"] = True
        kind = next((one for one in kind if one != "null"), None)
    if isinstance(kind, str):
        written["type"] = kind.lower()


def _any_of(ways: list[dict[str, Any]], written: dict[str, Any]) -> None:
    if len(ways) == 1:
        written |= {**ways[0], **written}
    elif ways:
        written["anyOf"] = ways


def _null(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "null"
