"""What one undisturbed process stores: the same tweets, each with the version that the disturbed ledger recorded."""

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import select

from benchmarks.delivery.comparison import Stored, read_stored
from benchmarks.delivery.fake_tagger import UndisturbedTagger
from db import model_versions
from db.session import Database, open_database
from db.tables import Batch
from tests.ledger_tools import VERSION
from worker.enqueue import enqueue
from worker.tasks import FindTagger, annotate_batch
from worker.tweet_files import Tweet


def register_versions(database: Database, count: int, **values: object) -> list[int]:
    """Register versions and activate the first; `values` are columns of theirs that matter."""
    with database.write_session() as session:
        ids = [model_versions.register(session, **{**VERSION, **values}).id for _ in range(count)]
        model_versions.activate(session, ids[0])
    return ids


def undisturbed(folder: Path, texts: Mapping[int, str], versions: Mapping[int, int], find_tagger: FindTagger) -> Stored:
    """Annotate tweets in this process, on a fresh SQLite database; `versions` gives the version of each tweet.

    Killer texts are expected dead, as poison is.
    """
    database = open_database(f"sqlite:///{folder / 'undisturbed.db'}")
    register_versions(database, max(versions.values(), default=1))
    for version_id in sorted(set(versions.values())):
        with database.write_session() as session:
            model_versions.activate(session, version_id)
        tweets = (
            Tweet(tweet_id, texts[tweet_id], None, None, None, None)
            for tweet_id in texts
            if versions[tweet_id] == version_id
        )
        enqueue(database, tweets, "undisturbed")
        with database.read_session() as session:
            waiting = session.scalars(select(Batch.id).where(Batch.status == "waiting").order_by(Batch.id)).all()
        for batch_id in waiting:
            assert annotate_batch(database, batch_id, lambda number: UndisturbedTagger(find_tagger(number)))
    with database.read_session() as session:
        stored = read_stored(session)
    database.close()
    return stored
