"""The OpenAPI document, made from the route table and the pydantic models: nothing is written twice."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from .. import __version__
from ..models import Problem
from .routing import Route

_REF = "#/components/schemas/{model}"
_BINARY = {"schema": {"type": "string", "format": "binary"}}


def document(
    routes: Iterable[Route],
    *,
    base: str,
    server: str,
    schemes: dict[str, Any],
    security: list[dict[str, Any]],
) -> dict[str, Any]:
    """``base`` begins every route's path and is left out: ``server`` stands for it. ``schemes`` and ``security``
    are the host's."""
    routes = list(routes)
    refs, schemas = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = route.path.removeprefix(base)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "jupyterhub-studios",
            "version": __version__,
            "description": "Studios of a JupyterHub. Lists answer `{items, next}`; errors are problem documents.",
        },
        "servers": [{"url": server}],
        "security": security,
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": schemes},
    }


Refs = dict[tuple[type[BaseModel], JsonSchemaMode], dict[str, Any]]


def _schemas(routes: list[Route]) -> tuple[Refs, dict[str, Any]]:
    wanted: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = [
        (Problem, "serialization")
    ]
    for route in routes:
        if route.answer:
            wanted.append((route.answer, "serialization"))
        if route.body:
            wanted.append((route.body, "validation"))
    refs, definitions = models_json_schema(list(dict.fromkeys(wanted)), ref_template=_REF)
    return refs, definitions.get("$defs", {})  # type: ignore[return-value]


def _operation(route: Route, refs: Refs) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": operation_id(route),
        "summary": route.summary,
        "responses": {**_answers(route, refs), "default": _problem(refs)},
    }
    if parameters := _parameters(route):
        operation["parameters"] = parameters
    if route.body:
        schema = refs[route.body, "validation"]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if route.takes:
        operation["requestBody"] = {
            "required": True,
            "description": f"The bytes themselves, at most {route.takes}, with a Content-Length",
            "content": {"application/octet-stream": _BINARY},
        }
    if route.access == "public":
        operation["security"] = []
    return operation


def operation_id(route: Route) -> str:
    """The function's name; a HEAD beside a GET has one of its own."""
    return f"head_{route.run.__name__}" if route.method == "HEAD" else route.run.__name__


def _answers(route: Route, refs: Refs) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "Done"}
    if route.kind == "bytes":
        answer = {"description": "The bytes, streamed; a fault on the way cuts the connection"}
        if route.method != "HEAD":
            answer["content"] = {route.media: _BINARY}
    elif route.kind == "lines":
        assert route.answer is not None
        schema = refs[route.answer, "serialization"]
        answer = {
            "description": "Streamed: one such document in each line; after a fault the last line is a problem"
            ' document in an object, `{"problem": …}`',
            "content": {route.media: {"schema": schema}},
        }
    elif route.answer:
        answer["content"] = {route.media: {"schema": refs[route.answer, "serialization"]}}
    answers = {str(route.status): answer}
    if route.ranges:
        answers["206"] = {**answer, "description": "The range that was asked for"}
    return answers


def _problem(refs: Refs) -> dict[str, Any]:
    schema = refs[Problem, "serialization"]
    return {
        "description": "What, why, what to do",
        "content": {"application/problem+json": {"schema": schema}},
    }


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    if route.query:
        schema = route.query.model_json_schema(ref_template=_REF)
        required = schema.get("required", [])
        for name, field in schema["properties"].items():
            found.append(
                {"name": name, "in": "query", "required": name in required, "schema": _inlined(field, schema)}
            )
    if route.ranges:
        for name in ("Range", "If-Range"):
            found.append({"name": name, "in": "header", "required": False, "schema": {"type": "string"}})
    return found


def _inlined(field: Any, schema: dict[str, Any]) -> Any:
    """A parameter's schema without references into its own model's definitions."""
    if isinstance(field, dict):
        if "$ref" in field:
            return schema["$defs"][field["$ref"].rpartition("/")[2]]
        return {key: _inlined(value, schema) for key, value in field.items()}
    return [_inlined(one, schema) for one in field] if isinstance(field, list) else field
