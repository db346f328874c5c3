"""Calibrate the scores of spans by cross-validation inside the training split.

The network is surer of texts that it was trained on than it has reason to be of others. So the training split is cut
into folds, each is tagged by a training on the others, and what was found there says how far the network is right.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from tagging.calibration import Calibration, features
from tagging.spans import Span, spans_to_chunks
from tagging.words import words
from trainer.epochs import QUIET, Listener
from trainer.examples import Corpus, Example
from trainer.finetune import ScoreFunction, TrainedModel, finetune
from trainer.unannotated import judged

LEAST = 50  # spans that are right, and as many that are wrong, so that half a dozen weights can be fitted

Judged = tuple[dict[str, float], bool]  # the features of a span that was found, and whether it is right


def calibrate(
    trained: TrainedModel, corpus: Corpus, folds: int, listener: Callable[[int], Listener] = lambda fold: QUIET
) -> Calibration | None:
    """Fit the calibration of a model that was trained on the corpus's training split; None if that is too small.

    Costs `folds` trainings on (folds - 1) / folds of the split, with the same hyperparameters, each read at the epoch
    that the model has kept: with each epoch a network grows surer. `listener` gives each fold, from 0, its own. Raises
    what `finetune` raises.
    """
    train = corpus.splits["train"]
    if sum(len(example.spans) for example in train) < 2 * LEAST:
        return None
    found: list[Judged] = []
    place = trained.tagger.network.device
    trained.tagger.network.to("cpu")  # a card that holds one training need not hold two networks
    for fold, held_back in enumerate(cut(len(train), folds, trained.config.seed)):
        rest = tuple(example for index, example in enumerate(train) if index not in held_back)
        unseen = tuple(train[index] for index in held_back)
        without = Corpus(corpus.name, {"train": rest, "validation": unseen})
        found += _judged_fold(trained, without, listener(fold))
    trained.tagger.network.to(place)
    return fit(found, folds)


def _judged_fold(trained: TrainedModel, fold: Corpus, listener: Listener) -> list[Judged]:
    score = _favouring(trained.best_epoch, trained.config.best_by)
    other = finetune(trained.config, fold, score, listener, last_epoch=trained.best_epoch)
    return list(judge(other.tagger.tag, fold.splits["validation"]))


def cut(number: int, folds: int, seed: int) -> list[dict[int, None]]:
    """Cut indices below `number` into folds at random; each index is in one fold, sizes differ by one at most."""
    shuffled = random.Random(seed).sample(range(number), number)  # noqa: S311 (no secret)
    return [dict.fromkeys(shuffled[fold::folds]) for fold in range(folds)]


def judge(tag: Callable[[Sequence[str]], list[list[Span]]], examples: Sequence[Example]) -> Iterator[Judged]:
    """Tag examples with an uncalibrated tagger, and tell of each span whether boundaries and label are right."""
    for example, spans in zip(examples, judged(examples, tag([example.text for example in examples])), strict=True):
        offsets = words(example.text)
        gold = set(spans_to_chunks(example.spans, offsets))
        for span, chunk in zip(spans, spans_to_chunks(spans, offsets), strict=True):
            log_probability = math.log(span.score) if span.score else -math.inf
            length = chunk.last - chunk.first + 1
            yield features(log_probability, span.label, length, span.surface(example.text)), chunk in gold


def fit(found: Sequence[Judged], folds: int) -> Calibration | None:
    """Fit a calibration by logistic regression; None if fewer than LEAST spans are right, or wrong."""
    right = [is_right for _, is_right in found]
    if min(right.count(True), right.count(False)) < LEAST:
        return None
    vectorizer = DictVectorizer(sparse=False)
    rows = vectorizer.fit_transform([row for row, _ in found])
    model = LogisticRegression(max_iter=1000).fit(rows, right)
    weights = dict(zip(vectorizer.get_feature_names_out().tolist(), model.coef_[0].tolist(), strict=True))
    return Calibration(float(model.intercept_[0]), weights, folds, len(found))


def _favouring(epoch: int, best_by: str) -> ScoreFunction:
    """Score one epoch above all others, without looking at any: it is kept. The untrained network comes as epoch 0."""
    epochs = count()
    return lambda tagger: {best_by: float(next(epochs) == epoch)}
