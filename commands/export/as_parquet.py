"""Parquet: a tweet a row, its spans as a list of structs, which `unnest` opens in DuckDB and `explode` in Polars."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow

    from commands.export.formats import Notes, Pages, Provenance, Sink
    from db.exports import ExportedTweet

METADATA_KEY = "tweetspan"
_GROUP = 10  # pages in a row group: the smaller these, the more of them the end of the file lists


def write(pages: Pages, output: Sink, provenance: Provenance) -> Notes:
    """Write row groups; ids have 64 bits, times are in UTC. The schema's metadata hold the provenance as JSON."""
    import pyarrow
    from pyarrow import parquet

    schema = _schema().with_metadata({METADATA_KEY: json.dumps(provenance)})
    with parquet.ParquetWriter(output, schema, compression="zstd") as writer:
        for group in _groups(pyarrow.Table.from_pylist(list(map(_row, page)), schema) for page in pages):
            writer.write_table(pyarrow.concat_tables(group))
    return {}


def _groups(tables: Iterable[pyarrow.Table]) -> Iterator[Sequence[pyarrow.Table]]:
    waiting = iter(tables)
    while group := list(islice(waiting, _GROUP)):
        yield group


def _schema() -> pyarrow.Schema:
    import pyarrow as pa

    entity = pa.struct({"label": pa.string(), "name": pa.string()})
    span = pa.struct(
        {
            "start": pa.int32(),
            "end": pa.int32(),
            "label": pa.string(),
            "surface": pa.string(),
            "score": pa.float64(),
            "entity": entity,
        }
    )
    return pa.schema(
        {
            "id": pa.int64(),
            "text": pa.string(),
            "created_at": pa.timestamp("us", tz="UTC"),
            "author": pa.string(),
            "language": pa.string(),
            "retweet_of": pa.int64(),
            "model_version": pa.int32(),
            "spans": pa.list_(span),
        }
    )


def _row(tweet: ExportedTweet) -> dict[str, Any]:
    from commands.export.as_jsonl import span_row

    return {
        "id": tweet.id,
        "text": tweet.text,
        "created_at": tweet.created_at,
        "author": tweet.author,
        "language": tweet.language,
        "retweet_of": tweet.retweet_of,
        "model_version": tweet.model_version_id,
        "spans": [span_row(span) for span in tweet.spans],
    }
