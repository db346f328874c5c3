"""Parts of the entities: where each belongs, and that nothing gets lost."""

from tagging.spans import Span
from trainer.entity_counts import read
from trainer.examples import Example
from trainer.slices import Slice, seen_entities, slices

TEXT = "@ana_b met Ana Bo of ACME in rome #Oslo"
GOLD = (Span(0, 6, "PER"), Span(11, 17, "PER"), Span(21, 25, "ORG"), Span(29, 33, "LOC"), Span(34, 39, "LOC"))
EXAMPLE = Example(TEXT, GOLD)
TRAINING = [Example("Rome and acme", (Span(0, 4, "LOC"), Span(9, 13, "PER")))]


def parts(found: tuple[Span, ...] = GOLD) -> dict[tuple[str, str], Slice]:
    reading = read("joined", EXAMPLE, found)
    return {(one.group, one.name): one for one in slices([EXAMPLE], [reading], seen_entities(TRAINING))}


def test_where_each_entity_belongs() -> None:
    golds = {place: one.rates.gold for place, one in parts().items()}
    assert golds == {
        ("length of the text", "1 to 10 words"): 5,
        ("kind of entity", "handle"): 1,
        ("kind of entity", "hashtag"): 1,
        ("kind of entity", "plain words"): 3,
        ("casing of plain words", "Initial Capitals"): 1,
        ("casing of plain words", "ALL CAPITALS"): 1,
        ("casing of plain words", "lower case"): 1,
        ("in the training split", "seen with this label"): 1,
        ("in the training split", "seen with another label"): 1,
        ("in the training split", "not seen"): 3,
        ("in the training split, plain words", "seen with this label"): 1,
        ("in the training split, plain words", "seen with another label"): 1,
        ("in the training split, plain words", "not seen"): 1,
    }
    assert all(one.rates.f1.value == 1 for one in parts().values())


def test_a_wrong_label_is_missed_in_one_part_and_spurious_in_another() -> None:
    found = parts((*GOLD[:2], Span(21, 25, "PER"), *GOLD[3:]))
    seen = found["in the training split", "seen with this label"].rates
    other = found["in the training split", "seen with another label"].rates
    assert (seen.right, seen.found, seen.gold) == (1, 2, 1), "acme was seen as PER"
    assert (other.right, other.found, other.gold) == (0, 0, 1)


def test_without_a_training_split_nothing_is_said_of_it() -> None:
    groups = {one.group for one in slices([EXAMPLE], [read("joined", EXAMPLE, GOLD)], None)}
    assert groups == {"length of the text", "kind of entity", "casing of plain words"}
