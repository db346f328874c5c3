"""What a model card warns of: each warning follows from what is known of the version."""

from collections.abc import Sequence

from trainer.card_scores import Score, score_of


def limits(scores: Sequence[Score], labels: Sequence[str], max_length: int, is_uncased: bool) -> list[str]:
    """Return the warnings, one sentence or a few each."""
    gold = {figure: score.gold or 0 for figure in ("official", "joined", "plain") if (score := score_of(scores, figure))}
    found = [
        f"It knows {len(labels)} labels ({', '.join(labels)}). Names of other things are left out, or taken for one of these.",
        f"It was trained on short texts. tweetspan reads longer ones in overlapping windows of at most {max_length} token "
        "ids; transformers truncates them or fails.",
        "Names that became known after the corpus was collected, and other languages than the corpus has, are read worse "
        "than the scores say.",
    ]
    if is_uncased:
        found.append("The encoder does not see capitals: \"US\" and \"us\" are the same to it.")
    if gold and gold["joined"] > gold["plain"]:
        found.append(
            f"{gold['joined'] - gold['plain']} of the {gold['joined']} gold entities of the joined figure are handles, which "
            "are found by their sign alone. The plain figure tells how well names in the text are found."
        )
    if gold and gold["official"] > gold["joined"]:
        found.append(_SIGNS.format(signs=gold["official"] - gold["joined"], all=gold["official"]))
    return found


_SIGNS = """The corpus labels a lone "@" as an entity of its own, beside its handle: about {signs} of the {all} official gold entities. \
Two corpora or sections that do so differently contradict each other, as the sections of the Broad Twitter Corpus do (in \
one, most of these signs are labelled as outside, in others almost none). The official figure pays for that, whatever \
the model."""
