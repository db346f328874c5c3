"""Stories with known facts: tweets that tell them in several ways, retweets, and as much that tells nothing."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from math import log, sqrt
from random import Random

from trainer.sample import sample_folder

START = datetime(2026, 5, 4, 6, tzinfo=UTC)

# A line a fact; each is told in four ways that share little but names and numbers.
FACTS = (
    ("{E} customer data is on sale, {n} records, on a forum", "Someone is selling {n} records of {E} customers",
     "names and phones of {n} people with an {E} account leaked", "so the {E} database is out there, {n} rows of it"),
    ("{P}, head of {E}, resigns after nine years", "{P} has stepped down as chief of {E}",
     "{P} is out! {E} needs a new boss", "no more {P} at {E}: the chief executive quits"),
    ("The regulator opens an inquiry into {E}", "{E} is being investigated by the supervisory authority",
     "inquiry against {E} launched by the watchdog today", "watchdog goes after {E}, regulator confirms inquiry"),
    ("All {E} branches in {L} stay closed until Monday", "{E} shuts every branch in {L} till monday",
     "went to my {E} branch in {L}: closed, come back Monday", "doors locked at {E} in {L}, sign says monday"),
    ("Shares of {E} fall {m} percent at opening", "{E} stock down {m} % when the market opened",
     "ouch, {E} lost {m} percent on the exchange", "{m} percent gone from the {E} share price"),
    ("{Q} found the hole in {E} and warned them in March", "Researcher {Q} says that {E} ignored a warning in March",
     "{Q} emailed {E} in march about this hole, got no answer", "credit to researcher {Q}, who told {E} back in March"),
    ("{E} will refund card fees of all customers", "Refund of card fees for everyone, {E} promises",
     "{E} gives the fees back to every card holder", "at least we get our card fees refunded by {E}"),
    ("Union calls a strike of {E} staff on Friday", "{E} workers walk out on friday, says their union",
     "friday strike at {E}, union confirms it", "staff of {E} to strike this Friday over night shifts"),
    ("{E} moves its headquarters from {L} to Dublin", "Goodbye {L}: {E} takes its headquarters to Dublin",
     "{E} is leaving {L} for Dublin, new head office there", "head office of {E} goes to dublin, not {L}"),
    ("A court orders {E} to pay {m} million to a family", "Judge: {E} must pay the family {m} million",
     "family wins in court, {m} million from {E}", "{m} million! the court sided with the family against {E}"),
    ("{E} sponsors the marathon no longer, organisers say", "Marathon loses {E} as its sponsor",
     "no {E} logo at the marathon this year, sponsor deal is over", "marathon looks for a sponsor as {E} pulled out"),
    ("Hotline of {E} is reachable under 0800 55 day and night", "Call 0800 55 if {E} has your money, day and night",
     "{E} set up a hotline, 0800 55", "got through on the {E} hotline 0800 55 after an hour"),
)  # fmt: skip
BEFORE = ("", "", "", "BREAKING: ", "wow. ", "Update: ", "so ", "@newsdesk ", "lol ", "hearing that ")
BEHIND = ("", "", "", " https://t.co/a1b2c3", " #today", " 😱", "!!", " smh", " via @newsdesk", " (more soon)")


@dataclass(frozen=True)
class Told:
    """A tweet of a story, and which facts it tells."""

    id: int
    text: str
    created_at: datetime
    author: str
    retweet_of: int | None
    facts: frozenset[int]


def story(seed: int, facts: int = 8, tweets: int = 240) -> list[Told]:
    """Make a story, oldest tweet first: a fact is told from some hour on, the first ones most; a few are retweeted."""
    random = Random(seed)
    kinds = random.sample(range(len(FACTS)), facts)
    names = {
        "E": random.choice(["Orla Bank", "Kestrel Air", "Fjordline", "Casa Verde"]),
        "P": random.choice(["Ines Falk", "Omar Tiller", "Ruth Achebe"]),
        "Q": random.choice(["Jun Sato", "Lea Brandt", "Noor Haddad"]),
        "L": random.choice(["Leeds", "Porto", "Accra", "Osaka"]),
        "n": f"{random.randrange(10, 900)},000",
        "m": str(random.randrange(3, 40)),
    }
    told: list[Told] = []
    for number in range(tweets):
        at = START + timedelta(minutes=number * 10 + random.randrange(10))
        begun = max(1, min(facts, number * facts * 2 // tweets + 1))
        told.append(_tweet(random, number + 1, at, kinds[:begun], names, told))
    return told


def redundancy(texts: Sequence[str], everything: Iterable[str]) -> float:
    """Return the mean cosine of pairs of texts, by the words in them that are rare among everything that was told."""
    bags = [set(text.lower().split()) for text in everything]
    spread = Counter(word for bag in bags for word in bag)
    weights = {word: log(len(bags) / number) for word, number in spread.items()}
    sets = [set(text.lower().split()) for text in texts]
    lengths = [sqrt(sum(weights[word] ** 2 for word in one)) or 1.0 for one in sets]
    cosines = [
        sum(weights[word] ** 2 for word in one & sets[other]) / (lengths[index] * lengths[other])
        for index, one in enumerate(sets)
        for other in range(index)
    ]
    return sum(cosines) / len(cosines)


@cache
def _other_tweets() -> list[str]:
    """What people say beside a story: tweets about anything."""
    lines = (sample_folder() / "stream.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    return [text for text in texts if not text.startswith("RT @")]


def _tweet(
    random: Random, tweet_id: int, at: datetime, kinds: list[int], names: dict[str, str], before: list[Told]
) -> Told:
    author = f"user{random.randrange(60)}"
    drawn = random.random()
    news = [one for one in before if one.facts and one.retweet_of is None]
    if news and drawn < 0.35:
        one = news[min(int(random.paretovariate(0.6)) - 1, len(news) - 1)]  # the first news is passed on most
        text = f"RT @{one.author}: {one.text}"
        short = text if len(text) < 90 else text[:80] + "…"
        return Told(tweet_id, short, at, author, one.id, one.facts)
    if drawn < 0.6:
        text = f"{random.choice(_other_tweets())} {names['E']}{random.choice(BEHIND)}"
        return Told(tweet_id, text, at, author, None, frozenset())
    ranks = [(1 + rank) ** 0.5 for rank in range(len(kinds))]  # news is told more often than what is known
    chosen = {*random.choices(kinds, ranks, k=2 if drawn > 0.92 else 1)}
    parts = [random.choice(FACTS[kind]).format(**names) for kind in sorted(chosen)]
    text = random.choice(BEFORE) + ". ".join(parts) + random.choice(BEHIND)
    return Told(tweet_id, text, at, author, None, frozenset(chosen))
