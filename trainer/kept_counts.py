"""The counts of each text, as they are kept with an evaluation: JSON that names only what is not zero."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer.entity_counts import EntityCounts


def pack(counts: Mapping[str, EntityCounts]) -> dict[str, Any]:
    """Write counts by figure as JSON can hold them: by label, rows of text, right, found and gold."""
    return {figure: {"texts": len(one.table), "labels": _rows(one)} for figure, one in counts.items()}


def unpack(kept: Mapping[str, Any]) -> dict[str, EntityCounts]:
    """Read what `pack` wrote."""
    counts = {}
    for figure, one in kept.items():
        table = np.zeros((one["texts"], len(one["labels"]), 3), dtype=int)
        for place, rows in enumerate(one["labels"].values()):
            for text, *added in rows:
                table[text, place] = added
        counts[figure] = EntityCounts(tuple(one["labels"]), table)
    return counts


def _rows(counts: EntityCounts) -> dict[str, list[list[int]]]:
    return {
        label: [[int(text), *map(int, table[text])] for text in np.flatnonzero(table.any(axis=1))]
        for label, table in ((label, counts.of(label)) for label in counts.labels)
    }
