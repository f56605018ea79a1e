"""Lifetime: extended ends, and what is remembered of a session's use.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("ends_at", sa.DateTime(), nullable=True))
    op.add_column("sessions", sa.Column("lifetime", sa.JSON(), nullable=True))
