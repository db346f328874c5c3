"""What a model card warns of: each warning follows from what is known of the version."""

from collections.abc import Sequence

from trainer.card_scores import Score, score_of
from trainer.entity_counts import FIGURES


def limits(scores: Sequence[Score], labels: Sequence[str], max_length: int, is_uncased: bool) -> list[str]:
    """Return the warnings, one sentence or a few each."""
    found = [
        f"It knows {len(labels)} labels ({', '.join(labels)}): other names are left out, or taken for one of these.",
        f"It was trained on short texts. tweetspan reads long ones in overlapping windows of at most {max_length} "
        "token ids; transformers truncates them, or fails.",
        "Names that became known after the corpus was collected, and languages that it does not hold, are read worse "
        "than the scores say.",
    ]
    if is_uncased:
        found.append('The encoder sees no capitals: "US" and "us" are the same to it.')
    official, joined, plain = (_gold(scores, figure) for figure in FIGURES)
    if joined > plain:
        found.append(
            f"{joined - plain} of {joined} gold entities are handles, which their sign gives away; how well names "
            "within the text are found is what the plain figure tells."
        )
    if official > joined:
        found.append(
            f'The corpus labels a lone "@" as an entity, beside its handle: {official - joined} more gold entities in '
            "the official figure than in the joined one. Where a corpus does not do so everywhere, its labels "
            "contradict each other, and the official figure pays for that: in one section of the Broad Twitter Corpus "
            "most of these signs are labelled as outside, in four others almost none."
        )
    return found


def _gold(scores: Sequence[Score], figure: str) -> int:
    score = score_of(scores, figure)
    return score.gold or 0 if score else 0
