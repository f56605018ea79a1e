"""Whatever the OpenAPI document allows to be asked is answered as it says, and no server error is among the answers:
schemathesis over the explorer's routes, against the running service and a real store."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from jupyterhub_studios.explorer.api import ROUTES

from .datahub import DataHub

EXAMPLES = 10  # of each route, well-formed ones and others each; the same ones in every run

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
LONGEST = 60_000  # of an address: beyond it Tornado hangs up
KEPT = {("DELETE", "/data-links/{link_id}"), ("PATCH", "/data-links/{link_id}")}  # of the real link

Ground = tuple[Any, str, dict[str, str]]


@pytest.fixture(scope="session")
def ground(data: DataHub) -> Ground:
    """The document; a writable link in it that is there; who asks."""
    data.put("fuzz/a.txt", b"a text\n")

    def made(path: str, body: dict[str, Any]) -> str:
        answer = data.hub.api("POST", path, user="fuzzer", json=body)
        assert answer.is_success, answer.text
        return str(answer.json()["id"])

    credential = made("data-credentials", {**data.credential, "name": "Real"})
    url = f"s3://{data.bucket}/fuzz/"
    link = made("data-links", {"name": "Real", "url": url, "credential": credential, "writable": True})
    headers = {"Authorization": f"token {data.hub.token('fuzzer')}"}
    # Not through the Hub's proxy, which refuses long addresses with an answer of its own.
    schema = schemathesis.openapi.from_url(f"{data.hub.service_url}api/v1/openapi.json")
    return schema, link, headers


WELL_FORMED = [(route, GenerationMode.POSITIVE) for route in ROUTES]
OTHERS = [(route, GenerationMode.NEGATIVE) for route in ROUTES if route.query or route.body]


@pytest.mark.slow
@pytest.mark.parametrize(("route", "mode"), WELL_FORMED + OTHERS, ids=lambda one: getattr(one, "path", one))
def test_answers_are_as_documented(ground: Ground, route: Any, mode: GenerationMode) -> None:
    schema, link, headers = ground
    path = f"/{route.path}"
    strategy = schema[path][route.method].as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def check(case: Case) -> None:
        if "link_id" in case.path_parameters and (route.method, path) not in KEPT:
            case.path_parameters["link_id"] = link
        request = requests.Request(**case.as_transport_kwargs(base_url=schema.get_base_url())).prepare()
        assume(len(request.url or "") < LONGEST)
        answer = case.call(headers=headers, timeout=60)
        case.validate_response(answer, checks=CHECKS)

    check()
