"""Mounts: the data links that a studio gets as folders, and how those of a session are.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("studios", sa.Column("mounts", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("sessions", sa.Column("mounts", sa.JSON(), nullable=True))
