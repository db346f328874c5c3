"""The counts of the validation split, as they are kept with a version: JSON that names only what is not zero."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer.entity_counts import EntityCounts


def pack(counts: Mapping[str, EntityCounts]) -> dict[str, Any]:
    """Write counts by figure as JSON can hold them: by label, rows of text, right, found and gold."""
    return {
        figure: {
            "texts": len(one.table),
            "labels": {
                label: [[int(text), *one.table[text, place].tolist()] for text in np.flatnonzero(one.of(label).any(axis=1))]
                for place, label in enumerate(one.labels)
            },
        }
        for figure, one in counts.items()
    }


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
