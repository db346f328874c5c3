"""What a digest says, as blocks that Markdown and HTML are written from. Texts are raw here: tweets are hostile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import TYPE_CHECKING

from answers.wording import clean, counted, covered

if TYPE_CHECKING:
    from db.questions.companions import Companion
    from db.questions.digest import EntityDigest, Leader, PeriodDigest
    from db.questions.story import Story
    from db.questions.telling import Quote, StoryPhase
    from db.questions.trending import Trend

NOTE = "Times are UTC. In brackets stand ids of tweets: `tweetspan entities tweet ID` shows one."


@dataclass(frozen=True)
class Heading:
    """A heading; the first level is the title."""

    level: int
    text: str


@dataclass(frozen=True)
class Statement:
    """A sentence, and ids of the tweets it rests on, of which there may be more: `tweets` in all."""

    text: str
    tweet_ids: tuple[int, ...] = ()
    tweets: int = 0

    @property
    def sources(self) -> str:
        """Write the ids."""
        more = self.tweets - len(self.tweet_ids)
        return ", ".join(map(str, self.tweet_ids)) + (f" and {more:,} more" if more > 0 and self.tweet_ids else "")


@dataclass(frozen=True)
class Listing:
    """A list of statements."""

    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Quotation:
    """A tweet's text, and what is said of it."""

    text: str
    statement: Statement


@dataclass(frozen=True)
class Plot:
    """The timeline of a story."""

    story: Story


Block = Heading | Statement | Listing | Quotation | Plot


def entity_blocks(digest: EntityDigest) -> Iterator[Block]:
    """Write the digest of an entity."""
    yield from _story(digest.story, 1)
    yield Statement(f"This is {covered(digest.covers)}.")


def period_blocks(digest: PeriodDigest) -> Iterator[Block]:
    """Write a period's report."""
    yield Heading(1, f"From {_moment(digest.since)} to {_moment(digest.until)}")
    yield Heading(2, "Trending")
    if digest.trends is None:
        yield Statement(
            f"No tweets were read from {_moment(digest.since_before)} on, with which to compare the period."
        )
    elif digest.trends:
        yield Listing(tuple(map(_trend, digest.trends)))
    else:
        before = f"the period from {_moment(digest.since_before)} on"
        yield Statement(f"Nothing is mentioned so much more often than in {before} that it could not be chance.")
    yield Heading(2, "Mentioned most")
    names = {one.entity_id: one.shown for one in digest.stories}
    yield Listing(tuple(_leader(one, names) for one in digest.top))
    for story in digest.stories:
        yield from _story(story, 2)
    yield Statement(f"This is {covered(digest.covers)}.")


def readable(text: str) -> str:
    """Return a tweet's text in one line, with the signs that the API writes as entities (`&amp;`)."""
    return " ".join(clean(unescape(text)).split())


def _story(story: Story, level: int) -> Iterator[Block]:
    yield Heading(level, f"{story.shown} ({story.label})")
    yield _counts(story)
    if story.companions:
        yield Listing(tuple(map(_companion, sorted(story.companions, key=lambda one: (one.label, -one.tweets)))))
    if len(story.timeline) > 1:
        yield Plot(story)
    for number, phase in enumerate(story.phases, start=1):
        yield Heading(level + 1, _phase_title(phase, number, len(story.phases)))
        yield _phase(phase)
        yield from map(_quotation, phase.quotes)


def _counts(story: Story) -> Statement:
    counts = story.counts
    text = f"{counted(counts.mentions, 'mention')} in {counted(counts.tweets, 'tweet')}"
    text += f" ({counted(counts.originals, 'original')}) by {counted(counts.authors, 'author')}"
    if counts.first and counts.last:
        text += f"; the first at {_moment(counts.first)}, the last at {_moment(counts.last)}"
    if counts.undated:
        text += f"; {counted(counts.undated, 'tweet')} without a time"
    return Statement(text + ".", counts.tweet_ids, counts.tweets)


def _companion(one: Companion) -> Statement:
    return Statement(f"{one.label}: with {one.shown} in {counted(one.tweets, 'tweet')}", one.tweet_ids, one.tweets)


def _phase_title(phase: StoryPhase, number: int, of_all: int) -> str:
    if phase.start is None or phase.end is None:
        return "Tweets without a time"
    return f"{f'Phase {number}: ' if of_all > 1 else ''}{_moment(phase.start)} to {_moment(phase.end)}"


def _phase(phase: StoryPhase) -> Statement:
    text = f"{counted(phase.mentions, 'mention')} in {counted(phase.tweets, 'tweet')}"
    if phase.peak is not None and phase.tweets > phase.peak_tweets > 1:
        text += f"; most, {phase.peak_mentions}, in the {_length(phase.peak_seconds)} from {_moment(phase.peak)} on"
    return Statement(f"{text}.", phase.peak_tweet_ids, phase.peak_tweets)


def _quotation(quote: Quote) -> Quotation:
    when = _moment(quote.created_at) if quote.created_at else "no time"
    text = f"{quote.author or 'unknown author'}, {when}"
    if quote.tweets > 1:
        text += f"; {quote.tweets:,} tweets say this"
    return Quotation(readable(quote.text), Statement(text, quote.tweet_ids, quote.tweets))


def _trend(one: Trend) -> Statement:
    now, before = (
        f"{one.tweets:,} of {one.tweets_read:,} tweets",
        f"{one.tweets_before:,} of {one.tweets_read_before:,}",
    )
    ids = tuple(example.tweet_id for example in one.examples)
    return Statement(f"{one.shown} ({one.label}): {now}, {before} before", ids, one.tweets)


def _leader(one: Leader, stories: dict[int, str]) -> Statement:
    text = f"{one.shown} ({one.label}): {counted(one.mentions, 'mention')} in {counted(one.tweets, 'tweet')}"
    if one.mentions_before is not None:
        text += f", {one.mentions_before:,} before"
    if one.story is not None and one.story != one.entity_id:
        text += f"; told under {stories[one.story]}"
    return Statement(text, one.tweet_ids, one.tweets)


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")


def _length(seconds: int) -> str:
    names = {60: "minute", 3600: "hour", 24 * 3600: "day"}
    if seconds in names:
        return names[seconds]
    return f"{seconds // 60} minutes" if seconds < 3600 else f"{seconds // 3600} hours"
