"""Compare what two taggers found: the same spans, and scores that differ by rounding at most.

The arithmetic of a processor may depend on where in memory a matrix begins, so that the same weights, loaded twice,
answer alike to six digits or so.
"""

from collections.abc import Sequence

import pytest

from tagging.spans import Span

Reading = Sequence[Sequence[Span]]  # spans of each text


def assert_same_reading(found: Reading, expected: Reading) -> None:
    assert keys(found) == keys(expected)
    assert _scores(found) == pytest.approx(_scores(expected), abs=1e-4)


def keys(reading: Reading) -> list[list[tuple[int, int, str]]]:
    return [[(span.start, span.end, span.label) for span in spans] for spans in reading]


def _scores(reading: Reading) -> list[float]:
    return [span.score for spans in reading for span in spans]
