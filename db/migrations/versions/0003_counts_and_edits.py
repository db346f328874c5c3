"""counts of entities by day and of tweets by hour, and what people say about entities

Revision: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNDATED, EVER = 2**31 - 2, 2**31 - 1
SECONDS_AS_NUMBER = {
    "sqlite": "CAST(strftime('%s', substr(tweets.created_at, 1, 19)) AS INTEGER)",
    "postgresql": "CAST(floor(extract(epoch FROM tweets.created_at)) AS BIGINT)",
}


def upgrade() -> None:
    op.create_table(
        "entity_edits",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entity_id", BIG, sa.ForeignKey("entities.id"), nullable=False),
        sa.Column("into_id", BIG, sa.ForeignKey("entities.id"), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
    )
    op.create_table(
        "entity_views",
        sa.Column("entity_id", BIG, sa.ForeignKey("entities.id"), primary_key=True),
        sa.Column("root_id", BIG, sa.ForeignKey("entities.id"), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("is_hidden", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_entity_views_root_id", "entity_views", ["root_id"])
    op.create_table(
        "entity_counts",
        sa.Column("model_version_id", BIG, primary_key=True, autoincrement=False),
        sa.Column("entity_id", BIG, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("mentions", sa.Integer(), nullable=False),
        sa.Column("tweets", sa.Integer(), nullable=False),
    )
    op.create_table(
        "hour_counts",
        sa.Column("model_version_id", BIG, primary_key=True, autoincrement=False),
        sa.Column("hour", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("tweets", sa.Integer(), nullable=False),
        sa.Column("mentions", sa.Integer(), nullable=False),
    )
    _count_what_is_stored()
    op.drop_index("ix_spans_entity_id_model_version_id", "spans")
    columns = ["entity_id", "model_version_id", "tweet_id"]
    op.create_index("ix_spans_entity_id_model_version_id_tweet_id", "spans", columns)
    op.create_index("ix_entity_counts_top", "entity_counts", ["model_version_id", "day", "label", "mentions"])


def _count_what_is_stored() -> None:
    day, hour = _number(86400), _number(3600)
    for period in (day, str(EVER)):
        op.execute(
            f"INSERT INTO entity_counts (model_version_id, entity_id, day, label, mentions, tweets) "  # noqa: S608
            f"SELECT spans.model_version_id, entity_id, {period}, label, count(*), count(DISTINCT tweet_id) "
            "FROM spans JOIN tweets ON tweets.id = spans.tweet_id GROUP BY 1, 2, 3, 4"
        )
    op.execute(
        f"INSERT INTO hour_counts (model_version_id, hour, tweets, mentions) "  # noqa: S608
        f"SELECT annotations.model_version_id, {hour}, count(*), coalesce(sum(found.mentions), 0) "
        "FROM annotations JOIN tweets ON tweets.id = annotations.tweet_id LEFT JOIN "
        "(SELECT tweet_id, model_version_id, count(*) AS mentions FROM spans GROUP BY 1, 2) AS found "
        "ON found.tweet_id = annotations.tweet_id AND found.model_version_id = annotations.model_version_id "
        "WHERE annotations.status = 'done' GROUP BY 1, 2"
    )


def _number(seconds: int) -> str:
    elapsed, before = SECONDS_AS_NUMBER[op.get_bind().dialect.name], 10**6 * 86400
    number = f"({elapsed} + {before}) / {seconds} - {before // seconds}"
    return f"coalesce(CAST({number} AS INTEGER), {UNDATED})"
