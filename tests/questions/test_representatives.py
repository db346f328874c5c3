"""Few tweets that say much: folding, and how much of known facts is covered."""

from collections import Counter
from random import Random
from statistics import mean

import pytest

from db.questions.representatives import Candidate, plain_words, representatives
from tests.questions.stories import Told, redundancy, story

SEEDS = range(20)


def chosen(texts: list[str], number: int = 9, told: tuple[str, ...] = ()) -> list[tuple[int, int, tuple[int, ...]]]:
    found = representatives([Candidate(index, text) for index, text in enumerate(texts)], number, told)
    return [(one.tweet_id, one.tweets, one.tweet_ids) for one in found]


def test_what_says_the_same_is_folded_and_counted() -> None:
    texts = [
        "RT @ana: The bridge in Leeds is closed until Friday night, police say",
        "The bridge in Leeds is closed until Friday night, police say https://t.co/abc",
        "a heron stole my sandwich",
        "THE BRIDGE in #Leeds is closed until friday night, police say!! @bob",
        "RT @ana: The bridge in Leeds is closed until Fri…",
        "The bridge in Leeds is closed until Friday night, police say so",
    ]
    assert chosen(texts) == [(1, 5, (1, 0, 3, 4, 5)), (2, 1, (2,))]


def test_retweets_that_are_counted_already_add_up() -> None:
    found = representatives([Candidate(1, "the kettle is on", 7), Candidate(2, "The kettle is ON!", 2)], 5)
    assert [(one.tweet_id, one.tweets) for one in found] == [(1, 9)]


def test_what_was_told_is_not_told_again() -> None:
    texts = ["the mayor resigns today", "a goat is elected mayor of the town"]
    assert [one[0] for one in chosen(texts, told=("RT @x: The mayor resigns today!",))] == [1]
    assert chosen(texts[:1], told=(texts[0],)) == []


@pytest.mark.parametrize("texts", [[], [""], ["", ""], ["@ann https://t.co/x"], ["😱", "😱😱"], ["RT @ana: "]])
def test_texts_without_words(texts: list[str]) -> None:
    assert len(chosen(texts)) == len(set(texts))


def test_a_text_that_is_cut_off_early_is_not_taken_for_another() -> None:
    assert len(chosen(["so the…", "so the harbour is full of seals this morning"])) == 2


def test_plain_words() -> None:
    assert plain_words("RT @ana: RT @bob: It's 3 &amp; http://x.org/y, #São @carl 5,000!") == [
        "it",
        "'s",
        "3",
        "são",
        "5,000",
    ]


def test_the_same_each_time_in_the_order_given_and_as_many_as_asked_for() -> None:
    texts = [one.text for one in story(1)]
    found = chosen(texts, 5)
    assert found == chosen(texts, 5)
    assert len(found) == 5
    assert [one[0] for one in found] == sorted(one[0] for one in found)
    assert [one[0] for one in chosen(texts, 1)] != []


def test_what_many_tell_comes_first() -> None:
    random = Random(5)
    told = [
        "the dam at Kilby broke at noon",
        "at noon the Kilby dam gave way",
        "Kilby: dam broken, noon, water everywhere",
    ]
    noise = [" ".join(f"word{random.randrange(10**6)}" for _ in range(7)) for _ in range(12)]
    assert chosen([*noise, *told], 1)[0][0] >= len(noise)


def eight_chosen(told: list[Told]) -> list[Told]:
    by_id = {one.id: one for one in told}
    return [by_id[one.tweet_id] for one in representatives([Candidate(one.id, one.text) for one in told], 8)]


def eight_most_retweeted(told: list[Told]) -> list[Told]:
    by_id = {one.id: one for one in told}
    passed_on = Counter(one.retweet_of for one in told if one.retweet_of is not None)
    return [by_id[one] for one, _ in passed_on.most_common(8)]


def covered(some: list[Told], told: list[Told]) -> float:
    facts = frozenset().union(*(one.facts for one in told))
    return len(frozenset().union(*(one.facts for one in some))) / len(facts)


def test_eight_tweets_cover_nine_facts_of_ten_and_repeat_little() -> None:
    coverage, coverage_of_fame, ours, of_fame = [], [], [], []
    for seed in SEEDS:
        told = story(seed)
        texts = [one.text for one in told]
        coverage.append(covered(eight_chosen(told), told))
        coverage_of_fame.append(covered(eight_most_retweeted(told), told))
        ours.append(redundancy([one.text for one in eight_chosen(told)], texts))
        of_fame.append(redundancy([one.text for one in eight_most_retweeted(told)], texts))
    assert mean(coverage) >= 0.9
    assert mean(ours) < mean(of_fame) / 2
    assert mean(coverage_of_fame) < 0.5, "the stories are not so easy that anything covers them"
