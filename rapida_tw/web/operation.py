"""Operation: what a route is to its clients, in the words of OpenAPI; it stands beside the route.

`openapi.py` makes the document of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]  # JSON Schema, draft 2020-12


def ref(name: str) -> Schema:
    """One of the components (`openapi_schemas.SCHEMAS`)."""
    return {"$ref": f"#/components/schemas/{name}"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A field of the query, or a header."""

    name: str
    schema: Schema
    description: str
    place: str = "query"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """`name` is the operationId; of several methods each has its method put before it.

    `data`: what stands under that key in the envelope; of a list (`paged`) the schema of one item.
    `media`: content types and schemas of a 200 that is no envelope. `own_errors`: errors are in a
    carrier's own form. `is_open`: no key is asked for. `answers`: further statuses by what they
    mean.
    """

    name: str
    summary: str
    tag: str
    data: Schema = field(default_factory=dict)
    body: Schema | None = None
    parameters: tuple[Parameter, ...] = ()
    paged: bool = False
    media: Mapping[str, Schema] | None = None
    status: int = 200
    is_open: bool = False
    own_errors: bool = False
    answers: Mapping[int, str] = field(default_factory=dict)
