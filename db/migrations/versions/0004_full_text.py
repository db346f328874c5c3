"""the words of tweets, for full text

Revision: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

from db.search_words import as_tokens, as_tsvector

revision = "0004"
down_revision = "0003"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PAGE = 2000  # tweets whose words are in memory at a time
FTS5 = (
    "CREATE VIRTUAL TABLE tweet_words_index USING fts5("
    "words, content='tweet_words', content_rowid='tweet_id', columnsize=0, tokenize='ascii')",
    "INSERT INTO tweet_words_index (tweet_words_index) VALUES ('rebuild')",
    "CREATE TRIGGER tweet_words_added AFTER INSERT ON tweet_words BEGIN "
    "INSERT INTO tweet_words_index (rowid, words) VALUES (new.tweet_id, new.words); END",
    "CREATE TRIGGER tweet_words_removed AFTER DELETE ON tweet_words BEGIN "
    "INSERT INTO tweet_words_index (tweet_words_index, rowid, words) VALUES ('delete', old.tweet_id, old.words); END",
)


def upgrade() -> None:
    table = op.create_table(
        "tweet_words",
        sa.Column(
            "tweet_id", BIG, sa.ForeignKey("tweets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("words", sa.Text().with_variant(TSVECTOR(), "postgresql"), nullable=False),
    )
    _fill(table)
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_tweet_words_words", "tweet_words", ["words"], postgresql_using="gin")
    else:
        for statement in FTS5:
            op.execute(statement)


def _fill(table: sa.Table) -> None:
    """Store the words of the tweets that some version has read."""
    connection = op.get_bind()
    written = as_tsvector if connection.dialect.name == "postgresql" else as_tokens
    page = sa.text(
        "SELECT id, text FROM tweets WHERE id > :after AND EXISTS "
        "(SELECT 1 FROM annotations WHERE tweet_id = tweets.id AND status = 'done') ORDER BY id LIMIT :page"
    )
    after = -1
    while rows := connection.execute(page, {"after": after, "page": PAGE}).all():
        connection.execute(table.insert(), [{"tweet_id": row.id, "words": written(row.text)} for row in rows])
        after = rows[-1].id
