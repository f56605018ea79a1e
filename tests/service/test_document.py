"""The OpenAPI document, and the database's schema: made from code, so checked against it."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from openapi_spec_validator import OpenAPIV31SpecValidator

from jupyterhub_studios.service.api import ROUTES
from jupyterhub_studios.service.database import Base, Database

from .conftest import Play


async def test_the_document_is_valid_and_complete(play: Play) -> None:
    answer = await play.api("GET", "openapi.json", user=None)
    document = answer.json()
    OpenAPIV31SpecValidator(document).validate()
    described = {
        (method.upper(), f"api/v1{path}") for path, item in document["paths"].items() for method in item
    }
    assert described == {(route.method, route.path) for route in ROUTES}
    operations = [one for item in document["paths"].values() for one in item.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    for route in ROUTES:
        operation = document["paths"][route.path.removeprefix("api/v1")][route.method.lower()]
        assert operation["summary"].endswith(".")
        ranges = {"206"} if route.ranges else set()
        assert set(operation["responses"]) == {str(route.status), "default"} | ranges


async def test_migrations_make_the_tables_of_the_code(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new.sqlite")
    await database.migrate()
    await database.migrate()  # a second start
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    database.close()
    assert differences == []
