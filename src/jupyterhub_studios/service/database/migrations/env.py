"""Alembic's entry: the service hands its own connection over, see ``Database.migrate``."""

from alembic import context

from jupyterhub_studios.service.database.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
