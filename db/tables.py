"""The tables. Times of the ledger are seconds since 1970 by the database's clock; times of tweets are UTC datetimes.

Offsets are Unicode code points into `tweets.text`, end exclusive.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    REAL,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from db.columns import BIG, Base, BigInt, IdArray, Json, Key, Moment, Seconds, String, TweetId


class ModelVersion(Base):
    """A registered model and where it comes from."""

    __tablename__ = "model_versions"

    id: Mapped[Key]
    created_at: Mapped[Moment]
    base_model: Mapped[String]
    config: Mapped[Json]  # every hyperparameter, as a number
    corpus: Mapped[String]
    corpus_fingerprint: Mapped[String]
    split_sizes: Mapped[Json]
    labels: Mapped[list[str]] = mapped_column(JSON)  # by class index
    libraries: Mapped[Json]  # versions of torch, transformers, ...
    device: Mapped[String]
    seconds: Mapped[float] = mapped_column(Double)  # of training
    scores: Mapped[Json]  # on validation: untrained, each epoch's, and which epoch was kept
    artifact_uri: Mapped[String]
    artifact_hash: Mapped[String]


class ModelAlias(Base):
    """A name that points at a version: "active" is the one that new batches are tagged with."""

    __tablename__ = "model_aliases"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    model_version_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"))
    changed_at: Mapped[Moment]


class ModelActivation(Base):
    """One time that a version was made the active one. The last that was not rolled back is."""

    __tablename__ = "model_activations"

    id: Mapped[Key]
    model_version_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"))
    activated_at: Mapped[Moment]
    compared: Mapped[String | None]  # how it stood against the active one of before, in words
    rolled_back_at: Mapped[Moment | None]


class OptimizedForm(Base):
    """A version in a form that a CPU reads faster: a model folder of its own. See `db.optimized_forms`."""

    __tablename__ = "optimized_forms"

    model_version_id: Mapped[int] = mapped_column(
        BIG, ForeignKey("model_versions.id"), primary_key=True, autoincrement=False
    )
    precision: Mapped[str] = mapped_column(Text, primary_key=True)  # int8 or fp32
    artifact_uri: Mapped[String]
    artifact_hash: Mapped[String]
    created_at: Mapped[Moment]
    corpus_fingerprint: Mapped[String]  # of the corpus on whose validation split it was compared with the original
    texts_checked: Mapped[int]
    f1: Mapped[float] = mapped_column(Double)
    f1_cost: Mapped[float] = mapped_column(Double)  # points of F1 (hundredths) below the original's
    differing_share: Mapped[float] = mapped_column(Double)  # of the texts: those whose entities are not the original's
    speed: Mapped[float] = mapped_column(Double)  # times the original's, where it was made


class Evaluation(Base):
    """What a version scores on some annotated texts. See `db.evaluations`."""

    __tablename__ = "evaluations"

    model_version_id: Mapped[int] = mapped_column(
        BIG, ForeignKey("model_versions.id"), primary_key=True, autoincrement=False
    )
    texts_fingerprint: Mapped[str] = mapped_column(Text, primary_key=True)  # of the texts and their gold alone
    created_at: Mapped[Moment]
    corpus: Mapped[String]  # the name by which it was loaded
    split: Mapped[String]
    texts: Mapped[int]
    results: Mapped[Json]  # as `trainer.evaluation.Evaluation` has them


class SearchTrial(Base):
    """A trial of the search for hyperparameters that a version came of: a copy of what Optuna's own file holds."""

    __tablename__ = "search_trials"

    model_version_id: Mapped[int] = mapped_column(
        BIG, ForeignKey("model_versions.id"), primary_key=True, autoincrement=False
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    study: Mapped[String]  # the same for the same search, which may go on after a version came of it
    state: Mapped[String]  # complete, pruned or failed
    hyperparameters: Mapped[Json]  # those that were searched
    epochs: Mapped[list[dict[str, Any]]] = mapped_column(JSON)  # validation scores after each
    started_at: Mapped[Moment]
    ended_at: Mapped[Moment]


class Tweet(Base):
    """A tweet as it was enqueued."""

    __tablename__ = "tweets"
    __table_args__ = (Index("ix_tweets_created_at", "created_at"),)

    id: Mapped[TweetId]
    text: Mapped[String]
    created_at: Mapped[Moment | None]
    author: Mapped[String | None]
    language: Mapped[String | None]
    retweet_of: Mapped[BigInt | None]


class Tombstone(Base):
    """The id of a tweet that was deleted and must not return."""

    __tablename__ = "tombstones"

    tweet_id: Mapped[TweetId]
    deleted_at: Mapped[Moment]


class Job(Base):
    """Batches that were queued together: one call of enqueue, reannotate or requeue."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_token", "token", unique=True),)

    id: Mapped[Key]
    name: Mapped[String]
    created_at: Mapped[Seconds]
    cancelled_at: Mapped[Seconds | None]
    token: Mapped[String | None]  # made by whoever opens it
    traceparent: Mapped[String | None]  # of the trace that it was queued in: see `worker.tracing`


class Batch(Base):
    """A row of the ledger: tweets to be tagged together. The ledger is the queue; Redis only hands it out.

    `status` is waiting, leased, done, dead, split (its children carry on), or cancelled.
    """

    __tablename__ = "batches"
    __table_args__ = (
        Index("ix_batches_status_published_at_id", "status", "published_at", "id"),
        Index("ix_batches_status_lease_expires_at", "status", "lease_expires_at"),
        Index("ix_batches_finished_at", "finished_at"),
        Index("ix_batches_job_id_status", "job_id", "status"),
    )

    id: Mapped[Key]
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("batches.id"))
    model_version_id: Mapped[int | None] = mapped_column(ForeignKey("model_versions.id"))  # set by the first claim
    tweet_ids: Mapped[list[int]] = mapped_column(IdArray().with_variant(JSON, "sqlite"))
    status: Mapped[str] = mapped_column(Text, default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)  # counted before the work; given back if the end was explained
    setbacks: Mapped[int] = mapped_column(
        default=0, server_default="0"
    )  # attempts given back after an error: the wait grows with them
    lease_token: Mapped[String | None]  # of the last claim
    leased_by: Mapped[String | None]  # the worker of the last claim
    lease_expires_at: Mapped[Seconds | None]
    published_at: Mapped[Seconds | None]
    next_attempt_at: Mapped[Seconds | None]
    created_at: Mapped[Seconds]
    finished_at: Mapped[Seconds | None]
    error: Mapped[String | None]
    dead_tweets: Mapped[int] = mapped_column(default=0, server_default="0")  # known when the batch has ended


class Annotation(Base):
    """The mark: this tweet was read by this version, with or without entities, or could not be (dead)."""

    __tablename__ = "annotations"
    __table_args__ = (
        Index(
            "ix_annotations_dead",
            "model_version_id",
            "tweet_id",
            postgresql_where=text("status = 'dead'"),
            sqlite_where=text("status = 'dead'"),
        ),
    )

    tweet_id: Mapped[int] = mapped_column(ForeignKey("tweets.id", ondelete="CASCADE"), primary_key=True)
    model_version_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"), primary_key=True)
    status: Mapped[String]  # done, dead, or forgotten (a dead one that nobody wants to see again)
    annotated_at: Mapped[Seconds]
    error: Mapped[String | None]


class Entity(Base):
    """A label and a normalised name (see `db.entity_names`)."""

    __tablename__ = "entities"
    __table_args__ = (UniqueConstraint("name", "label"),)

    id: Mapped[Key]
    label: Mapped[String]
    name: Mapped[String]


class EntityEdit(Base):
    """What a person said about an entity, and whether it was taken back: the history, from which the views follow."""

    __tablename__ = "entity_edits"

    id: Mapped[Key]
    kind: Mapped[String]  # merge, rename or hide
    entity_id: Mapped[int] = mapped_column(ForeignKey("entities.id"))
    into_id: Mapped[int | None] = mapped_column(ForeignKey("entities.id"))  # of a merge
    name: Mapped[String | None]  # of a rename
    who: Mapped[String]
    why: Mapped[String | None]
    made_at: Mapped[Moment]
    undone_at: Mapped[Moment | None]
    undone_by: Mapped[String | None]


class EntityView(Base):
    """What the edits that count make of an entity: of which it is an alias (or itself), and how that one is shown.

    Entities that no edit touches have none. Joined when asked; spans are never re-pointed.
    """

    __tablename__ = "entity_views"
    __table_args__ = (Index("ix_entity_views_root_id", "root_id"),)

    entity_id: Mapped[int] = mapped_column(ForeignKey("entities.id"), primary_key=True)
    root_id: Mapped[int] = mapped_column(ForeignKey("entities.id"))
    label: Mapped[String]  # of the root
    name: Mapped[String | None]  # the root's, where it was renamed
    is_hidden: Mapped[bool]


class EntityCount(Base):
    """How often a version found an entity on a day, or in all: see `db.counts`.

    It follows from the spans, so no foreign key is checked for it.
    """

    __tablename__ = "entity_counts"
    __table_args__ = (Index("ix_entity_counts_top", "model_version_id", "day", "label", "mentions"),)

    model_version_id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # since 1970-01-01, UNDATED or EVER
    label: Mapped[String]
    mentions: Mapped[int]
    tweets: Mapped[int]


class HourCount(Base):
    """How many tweets of an hour a version has read, and how many mentions it found in them."""

    __tablename__ = "hour_counts"

    model_version_id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    hour: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # since 1970-01-01, or UNDATED
    tweets: Mapped[int]
    mentions: Mapped[int]


class Span(Base):
    """A stored mention: `text[start_char:end_char]` is the surface."""

    __tablename__ = "spans"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tweet_id", "model_version_id"],
            ["annotations.tweet_id", "annotations.model_version_id"],
            ondelete="CASCADE",
        ),
        Index("ix_spans_entity_id_model_version_id_tweet_id", "entity_id", "model_version_id", "tweet_id"),
    )

    tweet_id: Mapped[TweetId]
    model_version_id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    start_char: Mapped[int] = mapped_column(primary_key=True)
    end_char: Mapped[int]
    label: Mapped[String]
    surface: Mapped[String]
    score: Mapped[float] = mapped_column(REAL)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entities.id"))


class TweetWords(Base):
    """The words of a tweet that some version has read: see `db.fulltext`.

    On SQLite triggers keep an FTS5 index of them, `tweet_words_index`, which is made by a migration alone.
    """

    __tablename__ = "tweet_words"
    __table_args__ = (Index("ix_tweet_words_words", "words", postgresql_using="gin").ddl_if(dialect="postgresql"),)

    tweet_id: Mapped[int] = mapped_column(
        ForeignKey("tweets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    words: Mapped[str] = mapped_column(Text().with_variant(TSVECTOR(), "postgresql"))


class EventCount(Base):
    """How often something happened, or how long it took in all, in a shard of the processes: see `db.events`."""

    __tablename__ = "event_counts"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[float] = mapped_column(Double)


class Worker(Base):
    """The heartbeat of a worker."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    started_at: Mapped[Seconds]
    seen_at: Mapped[Seconds]
    stopped_at: Mapped[Seconds | None]
