"""Counts by text as they are kept with a version: nothing is lost on the way."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from trainer.entity_counts import EntityCounts
from trainer.kept_counts import pack, unpack


@given(arrays(int, st.tuples(st.integers(0, 6), st.integers(0, 3), st.just(3)), elements=st.integers(0, 5)))
def test_what_is_packed_is_unpacked_through_json(table: np.ndarray) -> None:
    labels = ("LOC", "ORG", "PER")[: table.shape[1]]
    kept = json.loads(json.dumps(pack({"official": EntityCounts(labels, table)})))
    back = unpack(kept)["official"]
    assert back.labels == labels
    assert np.array_equal(back.table, table)
