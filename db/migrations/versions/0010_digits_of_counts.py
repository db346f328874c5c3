"""entities are ordered by the digits of their counts: rows of counts are rewritten in place on PostgreSQL

Revision: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    op.drop_index("ix_entity_counts_top", "entity_counts")
    if is_postgresql:  # before the next step, which writes the table anew
        op.execute(sa.text("ALTER TABLE entity_counts SET (fillfactor = 70)"))
    # SQLite adds no stored column, and PostgreSQL has no index on one that is not.
    digits = sa.Computed("length(CAST(mentions AS TEXT))", persisted=is_postgresql)
    op.add_column("entity_counts", sa.Column("digits", sa.Integer(), digits, nullable=False))
    op.create_index("ix_entity_counts_top", "entity_counts", ["model_version_id", "day", "label", "digits"])
