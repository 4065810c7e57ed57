"""A refusal has a detail: why a TLS handshake failed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add it; those that are there have none."""
    op.add_column("refusals", sa.Column("detail", sa.Text, nullable=False, server_default=""))
