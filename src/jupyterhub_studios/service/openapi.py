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


def document(routes: Iterable[Route], prefix: str) -> dict[str, Any]:
    routes = list(routes)
    refs, schemas = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = route.path.removeprefix("api/v1")
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "jupyterhub-studios",
            "version": __version__,
            "description": "Studios of a JupyterHub. Lists answer `{items, next}`; errors are problem documents.",
        },
        "servers": [{"url": f"{prefix}api/v1"}],
        "security": [{"token": []}, {"cookie": [], "xsrf": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token <Hub API token>` with the scope `access:services!service=studios`",
                },
                "cookie": {"type": "apiKey", "in": "cookie", "name": "service-studios"},
                "xsrf": {"type": "apiKey", "in": "header", "name": "X-XSRFToken"},
            },
        },
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
    answer: dict[str, Any] = {"description": "Done"}
    if route.answer:
        answer["content"] = {"application/json": {"schema": refs[route.answer, "serialization"]}}
    operation: dict[str, Any] = {
        "operationId": route.run.__name__,
        "summary": route.summary,
        "responses": {str(route.status): answer, "default": _problem(refs)},
    }
    if parameters := _parameters(route):
        operation["parameters"] = parameters
    if route.body:
        schema = refs[route.body, "validation"]
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    if route.access == "public":
        operation["security"] = []
    return operation


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
        for name, field in schema["properties"].items():
            found.append({"name": name, "in": "query", "required": False, "schema": _inlined(field, schema)})
    return found


def _inlined(field: Any, schema: dict[str, Any]) -> Any:
    """A parameter's schema without references into its own model's definitions."""
    if isinstance(field, dict):
        if "$ref" in field:
            return schema["$defs"][field["$ref"].rpartition("/")[2]]
        return {key: _inlined(value, schema) for key, value in field.items()}
    return [_inlined(one, schema) for one in field] if isinstance(field, list) else field
