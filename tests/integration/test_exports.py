"""Stored annotations as rows, page by page."""

from typing import Any

from db import exports, spans, tweets
from db.session import Database
from tests.questions.world import StoredTweet, World, add_version, random_world, store


def export(database: Database, version_id: int, page: int) -> list[dict[str, Any]]:
    """Read the export to its end, page by page, each in a session of its own."""
    rows: list[dict[str, Any]] = []
    while True:
        with database.read_session() as session:
            found = exports.annotated_tweets(session, version_id, after=int(rows[-1]["id"]) if rows else 0, limit=page)
        if not found:
            return rows
        rows.extend(found)


def test_export(database: Database) -> None:
    world = random_world(database)
    for version_id, readings in world.readings.items():
        expected = [
            {
                "id": str(tweet.id),
                "text": tweet.text,
                "created_at": tweet.created_at.isoformat() if tweet.created_at else None,
                "author": tweet.author,
                "language": tweet.language,
                "retweet_of": str(tweet.retweet_of) if tweet.retweet_of else None,
                "model_version": version_id,
                "spans": [
                    {
                        "start": s.start,
                        "end": s.end,
                        "label": s.label,
                        "surface": s.surface(tweet.text),
                        "score": s.score,
                    }
                    for s in readings[tweet.id]
                ],
            }
            for tweet in sorted((world.tweets[tweet_id] for tweet_id in readings), key=lambda one: one.id)
        ]
        assert export(database, version_id, page=7) == expected  # 60 and 40 tweets: the last page is not full


def test_export_ends_after_a_full_page_and_leaves_out_dead_tweets(database: Database) -> None:
    version_id = add_version(database)
    ids = [2**63 - 1, 1, 2**53 + 1, 2**53]
    tweets_ = {StoredTweet(tweet_id, "t", None, None, None, None): () for tweet_id in ids}
    store(database, World(), version_id, tweets_)
    with database.write_session() as session:
        tweets.add(session, [(7, "t", None, None, None, None)])
        spans.mark_dead(session, version_id, [7], "too long")
    assert export(database, version_id + 1, page=2) == []
    assert [row["id"] for row in export(database, version_id, page=2)] == [str(tweet_id) for tweet_id in sorted(ids)]
