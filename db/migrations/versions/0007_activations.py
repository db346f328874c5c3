"""which version was active when, and what each validation text counts

Revision: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "model_activations",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("model_version_id", BIG, sa.ForeignKey("model_versions.id"), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("compared", sa.Text(), nullable=True),
        sa.Column("rolled_back_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.execute(
        "INSERT INTO model_activations (model_version_id, activated_at) "
        "SELECT model_version_id, changed_at FROM model_aliases WHERE name = 'active'"
    )
    op.add_column("model_versions", sa.Column("validation_counts", sa.JSON(), nullable=True))
