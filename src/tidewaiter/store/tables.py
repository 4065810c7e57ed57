"""The tables of the record, as they are now; `migrations/` says how they came to be so.

Times are microseconds since 1970 in UTC. Lists that nobody searches are JSON.
"""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, MetaData, Table, Text

METADATA = MetaData()

TRANSACTIONS = Table(
    "transactions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("time", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Column("listener", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("helo", Text, nullable=False),
    Column("tls", Text, nullable=False),
    Column("reverse_path", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("next_hop", Text, nullable=False),
    Column("next_hop_reply", Text, nullable=False),
    Column("queue_id", Text, nullable=False),
    Column("oddities", Text, nullable=False),
    Column("findings", Text, nullable=False),
    Index("transactions_time", "time"),
)

RECIPIENTS = Table(
    "recipients",
    METADATA,
    Column("transaction_id", Text, ForeignKey("transactions.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("forward_path", Text, nullable=False),
)

REFUSALS = Table(
    "refusals",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("time", BigInteger, nullable=False),
    Column("stage", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Column("listener", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("helo", Text, nullable=False),
    Column("reverse_path", Text, nullable=False),
    Column("forward_path", Text, nullable=False),
    Column("next_hop", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Index("refusals_time", "time"),
)
