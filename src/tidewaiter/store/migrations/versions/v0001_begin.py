"""The first tables: transactions, their recipients, refusals."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "transactions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("time", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("outcome", "reply", "listener", "client", "helo")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("tls", "reverse_path")),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("next_hop", "next_hop_reply", "queue_id")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("oddities", "findings")),
    )
    op.create_index("transactions_time", "transactions", ["time"])
    op.create_table(
        "recipients",
        sa.Column("transaction_id", sa.Text, sa.ForeignKey("transactions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("forward_path", sa.Text, nullable=False),
    )
    op.create_table(
        "refusals",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("time", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("stage", "reason", "reply", "listener", "client")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("helo", "reverse_path", "forward_path")),
    )
    op.create_index("refusals_time", "refusals", ["time"])
