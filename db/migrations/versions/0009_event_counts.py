"""counters of what workers do, and the trace that a job belongs to

Revision: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "event_counts",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("shard", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("value", sa.Double(), nullable=False),
    )
    op.add_column("jobs", sa.Column("traceparent", sa.Text()))
