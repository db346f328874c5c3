"""fast forms of the versions

Revision: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "optimized_forms",
        sa.Column("model_version_id", BIG, sa.ForeignKey("model_versions.id"), primary_key=True, autoincrement=False),
        sa.Column("precision", sa.Text(), primary_key=True),
        sa.Column("artifact_uri", sa.Text(), nullable=False),
        sa.Column("artifact_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("corpus_fingerprint", sa.Text(), nullable=False),
        sa.Column("texts_checked", sa.Integer(), nullable=False),
        sa.Column("f1", sa.Double(), nullable=False),
        sa.Column("f1_cost", sa.Double(), nullable=False),
        sa.Column("differing_share", sa.Double(), nullable=False),
        sa.Column("speed", sa.Double(), nullable=False),
    )
