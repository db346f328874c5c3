"""first tables

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
IDS = postgresql.ARRAY(sa.BigInteger()).with_variant(sa.JSON(), "sqlite")


def upgrade() -> None:
    _model_versions()
    _tweets()
    _ledger()
    _annotations()


def _model_versions() -> None:
    op.create_table(
        "model_versions",
        sa.Column("id", BIG, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("base_model", sa.Text(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("corpus", sa.Text(), nullable=False),
        sa.Column("corpus_fingerprint", sa.Text(), nullable=False),
        sa.Column("split_sizes", sa.JSON(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("libraries", sa.JSON(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("artifact_uri", sa.Text(), nullable=False),
        sa.Column("artifact_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_versions")),
    )
    op.create_table(
        "model_aliases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("model_version_id", BIG, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["model_version_id"], ["model_versions.id"], name=op.f("fk_model_aliases_model_version_id")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_model_aliases")),
    )


def _tweets() -> None:
    op.create_table(
        "tweets",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=True),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("retweet_of", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tweets")),
    )
    op.create_index("ix_tweets_created_at", "tweets", ["created_at"])
    op.create_table(
        "tombstones",
        sa.Column("tweet_id", BIG, autoincrement=False, nullable=False),
        sa.Column("deleted_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tweet_id", name=op.f("pk_tombstones")),
    )


def _ledger() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_table(
        "batches",
        sa.Column("id", BIG, nullable=False),
        sa.Column("job_id", BIG, nullable=False),
        sa.Column("parent_id", BIG, nullable=True),
        sa.Column("model_version_id", BIG, nullable=True),
        sa.Column("tweet_ids", IDS, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.Text(), nullable=True),
        sa.Column("lease_expires_at", sa.Double(), nullable=True),
        sa.Column("published_at", sa.Double(), nullable=True),
        sa.Column("next_attempt_at", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_batches_job_id")),
        sa.ForeignKeyConstraint(["model_version_id"], ["model_versions.id"], name=op.f("fk_batches_model_version_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["batches.id"], name=op.f("fk_batches_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    op.create_index("ix_batches_status_published_at_id", "batches", ["status", "published_at", "id"])
    op.create_index("ix_batches_status_lease_expires_at", "batches", ["status", "lease_expires_at"])
    op.create_index("ix_batches_finished_at", "batches", ["finished_at"])
    op.create_index("ix_batches_job_id", "batches", ["job_id"])
    op.create_table(
        "workers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.Column("stopped_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_workers")),
    )


def _annotations() -> None:
    op.create_table(
        "entities",
        sa.Column("id", BIG, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entities")),
        sa.UniqueConstraint("name", "label", name=op.f("uq_entities_name_label")),
    )
    op.create_table(
        "annotations",
        sa.Column("tweet_id", BIG, nullable=False),
        sa.Column("model_version_id", BIG, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("annotated_at", sa.Double(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["model_version_id"], ["model_versions.id"], name=op.f("fk_annotations_model_version_id")
        ),
        sa.ForeignKeyConstraint(["tweet_id"], ["tweets.id"], name=op.f("fk_annotations_tweet_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tweet_id", "model_version_id", name=op.f("pk_annotations")),
    )
    op.create_table(
        "spans",
        sa.Column("tweet_id", BIG, autoincrement=False, nullable=False),
        sa.Column("model_version_id", BIG, autoincrement=False, nullable=False),
        sa.Column("start_char", sa.Integer(), nullable=False),
        sa.Column("end_char", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("score", sa.REAL(), nullable=False),
        sa.Column("entity_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["entity_id"], ["entities.id"], name=op.f("fk_spans_entity_id")),
        sa.ForeignKeyConstraint(
            ["tweet_id", "model_version_id"],
            ["annotations.tweet_id", "annotations.model_version_id"],
            name=op.f("fk_spans_tweet_id_model_version_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tweet_id", "model_version_id", "start_char", name=op.f("pk_spans")),
    )
    op.create_index("ix_spans_entity_id_model_version_id", "spans", ["entity_id", "model_version_id"])
