"""An `evaluate` metric for IOB2 label sequences that needs no download. Use it as `EntityMetric()`.

Entities are matched as seqeval's default mode does (the official scoring of CoNLL-2003, with its repair of invalid
IOB2), under the names that `evaluate`'s own seqeval module gives: overall_precision, overall_f1, overall_accuracy, ...
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
from sklearn.metrics import f1_score

from tagging.spans import chunks


class EntityMetric(evaluate.Metric):
    """Precision, recall and F1 of entities by label and micro-averaged; accuracy and weighted F1 of tokens."""

    def _info(self) -> evaluate.MetricInfo:
        sequences = datasets.Sequence(datasets.Value("string"))
        return evaluate.MetricInfo(
            description="Entity scores of IOB2 label sequences",
            citation="",
            inputs_description="predictions, references: a list of IOB2 labels for each text",
            features=datasets.Features({"predictions": sequences, "references": sequences}),
        )

    def _compute(self, predictions: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> dict[str, Any]:
        gold, found, right = Counter[str](), Counter[str](), Counter[str]()
        for predicted, reference in zip(predictions, references, strict=True):
            wanted, got = set(chunks(reference)), set(chunks(predicted))
            gold.update(entity.label for entity in wanted)
            found.update(entity.label for entity in got)
            right.update(entity.label for entity in wanted & got)
        scores: dict[str, Any] = {
            label: {**_rates(right[label], found[label], gold[label]), "number": gold[label]}
            for label in sorted(gold | found)
        }
        overall = _rates(right.total(), found.total(), gold.total())
        scores.update({f"overall_{name}": value for name, value in overall.items()})
        return scores | _token_scores(predictions, references)


def _rates(right: int, found: int, gold: int) -> dict[str, float]:
    return {
        "precision": right / found if found else 0.0,
        "recall": right / gold if gold else 0.0,
        "f1": 2 * right / (found + gold) if found + gold else 0.0,
    }


def _token_scores(predictions: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> dict[str, float]:
    wanted = [label for reference in references for label in reference]
    got = [label for predicted in predictions for label in predicted]
    if not wanted:
        return {"overall_accuracy": 0.0, "token_f1_weighted": 0.0}
    same = sum(one == other for one, other in zip(wanted, got, strict=True))
    weighted = f1_score(wanted, got, average="weighted", zero_division=0.0)
    return {"overall_accuracy": same / len(wanted), "token_f1_weighted": float(weighted)}
