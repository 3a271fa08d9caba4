"""GET /openapi.json: the API, machine-readable (OpenAPI 3.1), made of the routes themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from rapida_tw import __version__
from rapida_tw.carriers.base import Document
from rapida_tw.store.documents import LARGEST_PAGE_SIZE, LAST_PAGE
from rapida_tw.web.answers import json_document
from rapida_tw.web.auth import KEY
from rapida_tw.web.openapi_schemas import ERROR, ID_IN_PATH, SCHEMAS
from rapida_tw.web.operation import Operation, Parameter, Schema, ref
from rapida_tw.web.route import Route, only

PATH = "/openapi.json"
_PART = re.compile(r"<(\w+)>")
_ANY_KEY: list[dict[str, list[str]]] = [{"header": []}, {"query": []}, {"bearer": []}]
_SECURITY_SCHEMES = {
    "header": {"type": "apiKey", "in": "header", "name": KEY},
    "query": {"type": "apiKey", "in": "query", "name": KEY},
    "bearer": {"type": "http", "scheme": "bearer"},
}
_PAGE = (
    Parameter(
        "page",
        {"type": "integer", "minimum": 0, "maximum": LAST_PAGE, "default": 1},
        "Which page, from 1; 0 is the first, too.",
    ),
    Parameter(
        "pageSize",
        {"type": "integer", "minimum": 0, "maximum": LARGEST_PAGE_SIZE, "default": 20},
        "Items of a page: 0 is 20, more than 100 is 100.",
    ),
)
_OTHER_PARTS = {
    "carrier": {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,30}$", "example": "twilio"},
    "context_id": {"type": "string", "description": "A UUID."},
}
_OPERATION = Operation(
    "getOpenApi", "This document.", "Server", media={"application/json": {}}, is_open=True
)


class OpenApi:
    """Describes `routes`, and itself."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes

    def routes(self) -> Iterator[Route]:
        yield Route("GET", PATH, only(self._answer), operation=_OPERATION)

    def _answer(self) -> Document:
        return self._document

    @cached_property
    def _document(self) -> Document:
        return json_document(openapi([*self._routes, *self.routes()]))


def openapi(routes: Sequence[Route]) -> dict[str, Any]:
    """The document; routes without an operation are left out."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route.operation is not None:
            path = _PART.sub(r"{\1}", route.path)
            methods = route.methods.lower().split()
            for method in methods:
                name = _operation_id(route.operation.name, method, len(methods) > 1)
                paths.setdefault(path, {})[method] = _described(route.operation, route.path, name)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "rapida_tw",
            "version": __version__,
            "description": "An open telephony server that lets an AI assistant talk on the phone.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": _ANY_KEY,
        "paths": paths,
        "components": {"schemas": SCHEMAS, "securitySchemes": _SECURITY_SCHEMES},
    }


def _operation_id(name: str, method: str, several: bool) -> str:
    return f"{method}{name[0].upper()}{name[1:]}" if several else name


def _described(operation: Operation, path: str, name: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "responses": _responses(operation),
    }
    parameters = [_part(one) for one in _PART.findall(path)]
    parameters += [_parameter(one) for one in operation.parameters]
    if operation.paged:
        parameters += [_parameter(one) for one in _PAGE]
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        content = {"application/json": {"schema": operation.body}}
        described["requestBody"] = {"required": True, "content": content}
    if operation.is_open:
        described["security"] = []
    return described


def _responses(operation: Operation) -> dict[str, Any]:
    responses = {str(operation.status): _success(operation)}
    for status, meaning in operation.answers.items():
        responses[str(status)] = {"description": meaning}
    if operation.own_errors:
        responses["default"] = {"description": "Refused, in the carrier's own form."}
        return responses
    problem = {"application/json": {"schema": ref(ERROR)}}
    responses["4XX"] = {"description": "Refused: the error says why.", "content": problem}
    responses["5XX"] = {"description": "It cannot be done now, or failed.", "content": problem}
    return responses


def _success(operation: Operation) -> dict[str, Any]:
    if operation.media is not None:
        content = {kind: {"schema": schema} for kind, schema in operation.media.items()}
        return {"description": operation.summary, "content": content}
    schema = _envelope(operation.data, operation.paged)
    return {
        "description": operation.summary,
        "content": {"application/json": {"schema": schema}},
    }


def _envelope(data: Schema, paged: bool) -> Schema:
    properties: dict[str, Any] = {
        "code": {"const": 200},
        "success": {"const": True},
        "data": {"type": "array", "items": data} if paged else data,
    }
    if paged:
        properties["paginated"] = ref("Paginated")
    return {"type": "object", "properties": properties, "required": list(properties)}


def _part(name: str) -> dict[str, Any]:
    schema = _OTHER_PARTS.get(name, ID_IN_PATH)
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.required,
        "schema": parameter.schema,
    }
