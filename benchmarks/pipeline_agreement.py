"""Compare `tweetspan tag` with transformers' own pipeline on the same model folder, and sort the differences by kind.

Usage: python -m benchmarks.pipeline_agreement MODEL_FOLDER TWEETS.jsonl [--limit 200]

docs/pipeline.md explains the kinds. Exit code 1 if a difference is of no known kind.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

from tagging.encoding import Window
from tagging.quiet import hush_transformers
from tagging.spans import chunks, iob2
from tagging.tagger import Tagger
from worker.tweet_files import Tweet, read_tweets

Entity = tuple[int, int, str]  # start, end, label


def read_texts(file: Path, limit: int) -> list[str]:
    """Read the first texts of a tweet file."""
    with file.open("rb") as stream:
        tweets = (row for row in read_tweets(stream, file.name) if isinstance(row, Tweet))
        return [tweet.text for tweet in islice(tweets, limit)]


def pipeline_entities(folder: Path, texts: list[str]) -> list[set[Entity]]:
    """Tag with plain transformers."""
    network = AutoModelForTokenClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tag = pipeline("token-classification", network, tokenizer=tokenizer, aggregation_strategy="first", device="cpu")
    return [{(one["start"], one["end"], one["entity_group"]) for one in tag(text)} for text in texts]


def regions(entities: set[Entity]) -> list[tuple[int, int]]:
    """Merge overlapping entities to the stretches of text in which the two differ."""
    merged: list[tuple[int, int]] = []
    for start, end, _ in sorted(entities):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def kinds(tagger: Tagger, text: str, ours: set[Entity], theirs: set[Entity]) -> Iterator[str]:
    """Name the kind of each stretch in which the two differ."""
    encoded = tagger.encoder.encode([text])[0]
    for start, end in regions(ours ^ theirs):
        touched = [text[slice(*word)] for word in encoded.words if word[0] < end and start < word[1]]
        if len(encoded.windows) > 1:
            yield "the text is longer than a window"
        elif tagger.tokenizer(text)["input_ids"] != encoded.windows[0].ids:
            yield "a clitic or joined sign is cut into other sub-words"
        elif any(pieces(tagger, word) > 1 for word in touched):
            yield "the pipeline labels the pieces of one word"
        elif not likeliest_are_valid(tagger, encoded.windows[0]):
            yield "the likeliest labels are not valid IOB2"
        elif not text[start].isalnum():
            yield "the pipeline's entity begins with a sign"
        else:
            yield f"UNEXPLAINED in {text!r}: ours {sorted(ours)}, the pipeline's {sorted(theirs)}"


def likeliest_are_valid(tagger: Tagger, window: Window) -> bool:
    """Tell whether the likeliest label of each word makes valid IOB2: then there is nothing to repair or to decode."""
    classes = tagger.runtime.start([window.ids])()[window.heads].argmax(axis=1)
    labels = [tagger.labels[one] for one in classes]
    return iob2(chunks(labels), len(labels)) == labels


def pieces(tagger: Tagger, word: str) -> int:
    """Count what the pipeline takes for words of its own within one of our words."""
    return sum(not token.startswith("##") for token in tagger.tokenizer.tokenize(word))


def main() -> None:
    """Print how many texts agree, and the kinds of the differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("tweets", type=Path)
    parser.add_argument("--limit", type=int, default=200)
    arguments = parser.parse_args()
    hush_transformers()
    texts = read_texts(arguments.tweets, arguments.limit)
    tagger = Tagger.load(arguments.folder, "cpu")
    ours = [{(span.start, span.end, span.label) for span in spans} for spans in tagger.tag(texts)]
    theirs = pipeline_entities(arguments.folder, texts)
    found = Counter(
        kind for text, one, other in zip(texts, ours, theirs, strict=True) for kind in kinds(tagger, text, one, other)
    )
    same = sum(one == other for one, other in zip(ours, theirs, strict=True))
    both = sum(len(one & other) for one, other in zip(ours, theirs, strict=True))
    print(f"texts with the same entities: {same} of {len(texts)}")
    print(f"entities: ours {sum(map(len, ours))}, the pipeline's {sum(map(len, theirs))}, the same {both}")
    for kind, count in found.most_common():
        print(f"{count:5d}  {kind}")
    sys.exit(any(kind.startswith("UNEXPLAINED") for kind in found))


if __name__ == "__main__":
    main()
