"""jobs that can be cancelled, batches that know their worker, dead tweets found by an index

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("cancelled_at", sa.Double(), nullable=True))
    op.add_column("jobs", sa.Column("token", sa.Text(), nullable=True))
    op.create_index("ix_jobs_token", "jobs", ["token"], unique=True)
    op.add_column("batches", sa.Column("setbacks", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("batches", sa.Column("leased_by", sa.Text(), nullable=True))
    op.add_column("batches", sa.Column("dead_tweets", sa.Integer(), nullable=False, server_default="0"))
    op.drop_index("ix_batches_job_id", "batches")
    op.create_index("ix_batches_job_id_status", "batches", ["job_id", "status"])
    is_dead = sa.text("status = 'dead'")
    op.create_index(
        "ix_annotations_dead",
        "annotations",
        ["model_version_id", "tweet_id"],
        postgresql_where=is_dead,
        sqlite_where=is_dead,
    )
