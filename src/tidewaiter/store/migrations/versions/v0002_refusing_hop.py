"""Which next hop a refusal came from."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add it; of earlier refusals nobody knows."""
    op.add_column("refusals", sa.Column("next_hop", sa.Text, nullable=False, server_default=""))
